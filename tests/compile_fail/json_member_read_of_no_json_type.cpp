// expect: weir::v0::advice::member<&{anonymous}::order::legs>::is_of_a_type_that_json_does_not_have__describe_it_or_specialise_weir_json_form<std::vector<{anonymous}::leg>
// expect-clang: member<&(anonymous namespace)::order::legs>::is_of_a_type_that_json_does_not_have__describe_it_or_specialise_weir_json_form<std::vector<(anonymous namespace)::leg>
// SPDX-License-Identifier: BSL-1.0
#include <weir/http/json_body.hpp>

#include <boost/describe/class.hpp>

#include <vector>

namespace {
struct leg {
    int share = 0;
};
struct order {
    std::vector<leg> legs{};
};
BOOST_DESCRIBE_STRUCT(order, (), (legs))
#ifdef WEIR_MENDED
BOOST_DESCRIBE_STRUCT(leg, (), (share))
#endif
} // namespace

int main()
{
    weir::json_body<order> codec;
    return codec.stats().refused != 0;
}
