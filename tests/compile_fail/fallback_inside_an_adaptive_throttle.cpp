// expect: weir::v0::advice::hides_failures<weir::v0::fallback<int, weir::v0::when_in_trouble> >::from__move_it_outward_of<weir::v0::adaptive_throttle<> >
// expect-clang: hides_failures<weir::fallback<int>>::from__move_it_outward_of<weir::adaptive_throttle<>>
// SPDX-License-Identifier: BSL-1.0
#include <weir/core/pipeline.hpp>
#include <weir/resilience/adaptive_throttle.hpp>
#include <weir/resilience/fallback.hpp>

int main()
{
    auto const handler = [](int x) { return x; };
#ifdef WEIR_MENDED
    weir::pipeline svc{weir::fallback{1}, weir::adaptive_throttle{}, handler};
#else
    weir::pipeline svc{weir::adaptive_throttle{}, weir::fallback{1}, handler};
#endif
    return svc(1).value();
}
