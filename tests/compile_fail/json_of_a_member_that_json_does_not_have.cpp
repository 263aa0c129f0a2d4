// expect: weir::v0::advice::member<&{anonymous}::order::letter>::is_of_a_type_that_json_does_not_have__describe_it_or_specialise_weir_json_form<char>
// expect-clang: member<&(anonymous namespace)::order::letter>::is_of_a_type_that_json_does_not_have__describe_it_or_specialise_weir_json_form<char>
// SPDX-License-Identifier: BSL-1.0
#include <weir/validate/write_json.hpp>

#include <boost/describe/class.hpp>

#include <string>

namespace {
struct order {
#ifdef WEIR_MENDED
    std::string letter{};
#else
    char letter = 'x'; // a number or a text? JSON has no characters
#endif
};
BOOST_DESCRIBE_STRUCT(order, (), (letter))
} // namespace

int main()
{
    std::string out;
    return weir::write_json(order{}, out).has_value();
}
