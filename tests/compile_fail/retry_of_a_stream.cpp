// expect: policy<weir::v0::retry<> >::repeats_or_keeps_what_comes_back__it_cannot_stand_around_a_handler_of_weir_held
// expect-clang: policy<weir::retry<3, when_it_failed{}>>::repeats_or_keeps_what_comes_back__it_cannot_stand_around_a_handler_of_weir_held
// SPDX-License-Identifier: BSL-1.0
#include <weir/core/held.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/resilience/retry.hpp>

int main()
{
    auto const handler = [](int n) { return weir::held(n); };
#ifdef WEIR_MENDED
    weir::pipeline svc{handler};
#else
    weir::pipeline svc{weir::retry<3>{}, weir::idempotent{handler}};
#endif
    svc(1)->finish();
}
