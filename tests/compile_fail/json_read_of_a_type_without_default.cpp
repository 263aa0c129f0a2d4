// expect: weir::v0::advice::json<{anonymous}::order>::is_read_into_a_default_constructed_value__give_it_a_default_constructor
// expect-clang: json<(anonymous namespace)::order>::is_read_into_a_default_constructed_value__give_it_a_default_constructor
// SPDX-License-Identifier: BSL-1.0
#include <weir/validate/read_json.hpp>

#include <boost/describe/class.hpp>

namespace {
class order {
public:
    explicit order(int a) : amount(a) {}
#ifdef WEIR_MENDED
    order() = default;
#endif
    int amount = 0;
    BOOST_DESCRIBE_CLASS(order, (), (amount), (), ())
};
} // namespace

int main()
{
    return weir::read_json<order>("{}").has_value();
}
