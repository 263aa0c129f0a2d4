// expect: weir::v0::advice::hides_failures<weir::v0::fallback<int, weir::v0::when_in_trouble> >::from__move_it_outward_of<weir::v0::circuit_breaker<> >
// expect-clang: hides_failures<weir::fallback<int>>::from__move_it_outward_of<weir::circuit_breaker<>>
// SPDX-License-Identifier: BSL-1.0
#include <weir/core/pipeline.hpp>
#include <weir/resilience/circuit_breaker.hpp>
#include <weir/resilience/fallback.hpp>

int main()
{
    auto const handler = [](int x) { return x; };
#ifdef WEIR_MENDED
    weir::pipeline svc{weir::fallback{1}, weir::circuit_breaker{}, handler};
#else
    weir::pipeline svc{weir::circuit_breaker{}, weir::fallback{1}, handler};
#endif
    return svc(1).value();
}
