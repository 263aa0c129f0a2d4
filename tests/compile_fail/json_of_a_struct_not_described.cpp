// expect: weir::v0::advice::json<{anonymous}::order>::does_not_have_this_type__describe_it_with_BOOST_DESCRIBE_STRUCT_or_specialise_weir_json_form
// expect-clang: json<(anonymous namespace)::order>::does_not_have_this_type__describe_it_with_BOOST_DESCRIBE_STRUCT_or_specialise_weir_json_form
// SPDX-License-Identifier: BSL-1.0
#include <weir/validate/read_json.hpp>

#include <boost/describe/class.hpp>

namespace {
struct order {
    int amount = 0;
};
#ifdef WEIR_MENDED
BOOST_DESCRIBE_STRUCT(order, (), (amount))
#endif
} // namespace

int main()
{
    return weir::read_json<order>("{}").has_value();
}
