// expect: weir::v0::advice::repeats<weir::v0::retry<2> >::and_so_does__take_one_of_them_out<weir::v0::retry<> >
// expect-clang: repeats<weir::retry<2, when_it_failed{}>>::and_so_does__take_one_of_them_out<weir::retry<3, when_it_failed{}>>
// SPDX-License-Identifier: BSL-1.0
#include <weir/core/pipeline.hpp>
#include <weir/resilience/retry.hpp>

int main()
{
    auto const handler = [](int x) { return x; };
#ifdef WEIR_MENDED
    weir::pipeline svc{weir::allow<weir::laws::one_repeat_at_a_time, "the inner one guards a local lock">{}, weir::retry<2>{},
                       weir::retry<3>{}, weir::idempotent{handler}};
#else
    weir::pipeline svc{weir::retry<2>{}, weir::retry<3>{}, weir::idempotent{handler}};
#endif
    return svc(1).value();
}
