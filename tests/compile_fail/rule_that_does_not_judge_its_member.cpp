// expect: which_is_not_judged_by<weir::v0::length>
// expect-clang: which_is_not_judged_by<weir::length>
// SPDX-License-Identifier: BSL-1.0
#include <weir/validate/check_rules.hpp>

#include <boost/describe/class.hpp>

struct order {
    int quantity{};
#ifdef WEIR_MENDED
    friend constexpr auto weir_rules(order const*)
    {
        return weir::rules{weir::rule<&order::quantity>(weir::at_least{1})};
    }
#else
    friend constexpr auto weir_rules(order const*)
    {
        return weir::rules{weir::rule<&order::quantity>(weir::length{1})};
    }
#endif
};
BOOST_DESCRIBE_STRUCT(order, (), (quantity))

int main()
{
    static_cast<void>(weir::check_rules(order{}));
}
