// expect: weir::v0::advice::parameter<&{anonymous}::search::symbols>::is_not_one_value__give_it_a_number_a_text_a_bool_an_enumeration_or_an_optional_of_one<std::vector<
// expect-clang: parameter<&(anonymous namespace)::search::symbols>::is_not_one_value__give_it_a_number_a_text_a_bool_an_enumeration_or_an_optional_of_one<std::vector<
// SPDX-License-Identifier: BSL-1.0
#include <weir/validate/read_query.hpp>

#include <boost/describe/class.hpp>

#include <string>
#include <vector>

namespace {
struct search {
#ifdef WEIR_MENDED
    std::string symbols{};
#else
    std::vector<std::string> symbols{};
#endif
};
BOOST_DESCRIBE_STRUCT(search, (), (symbols))
} // namespace

int main()
{
    search into;
    return weir::read_query("/?symbols=a", into).empty();
}
