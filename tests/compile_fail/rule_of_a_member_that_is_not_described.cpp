// expect: is_about_a_member_that_is_not_described__add_it_to_BOOST_DESCRIBE_STRUCT
// SPDX-License-Identifier: BSL-1.0
#include <weir/validate/check_rules.hpp>

#include <boost/describe/class.hpp>

#include <string>

struct order {
    std::string symbol{};
    int quantity{};
    friend constexpr auto weir_rules(order const*) { return weir::rules{weir::rule<&order::quantity>(weir::at_least{1})}; }
};
#ifdef WEIR_MENDED
BOOST_DESCRIBE_STRUCT(order, (), (symbol, quantity))
#else
BOOST_DESCRIBE_STRUCT(order, (), (symbol))
#endif

int main()
{
    static_cast<void>(weir::check_rules(order{}));
}
