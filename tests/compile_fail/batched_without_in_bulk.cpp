// expect: and_wants_weir_in_bulk_of_the_same_key_further_in__before<
// SPDX-License-Identifier: BSL-1.0
#include <weir/cache/batched.hpp>
#include <weir/core/key.hpp>
#include <weir/core/pipeline.hpp>

int main()
{
    weir::pipeline svc{weir::batched{weir::keyed_by<int>([](int n) { return n; }), {.max_size = 10}}, [](int n) { return n; }};
    return svc(1).value();
}
