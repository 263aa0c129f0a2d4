// expect: but_has_to_return_a_vector_of_results_or_optionals_in_the_order_of_the_keys_or_a_map
// SPDX-License-Identifier: BSL-1.0
#include <weir/cache/batched.hpp>
#include <weir/core/key.hpp>
#include <weir/core/pipeline.hpp>

int main()
{
    weir::pipeline svc{weir::batched{weir::keyed_by<int>([](int n) { return n; }), {.max_size = 10}}, weir::in_bulk<int>{},
                       [](std::vector<int> const& of) { return static_cast<int>(of.size()); }};
    return svc(1).has_value() ? 0 : 1;
}
