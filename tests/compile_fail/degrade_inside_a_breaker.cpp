// expect: hides_failures<weir::v0::degrade<weir::v0::same_priority, weir::v0::no_answer> >::from__move_it_outward_of<weir::v0::circuit_breaker<
// expect-clang: hides_failures<weir::degrade<>>::from__move_it_outward_of<weir::circuit_breaker<
// SPDX-License-Identifier: BSL-1.0
#include <weir/core/pipeline.hpp>
#include <weir/resilience/circuit_breaker.hpp>
#include <weir/resilience/degrade.hpp>

using namespace std::chrono_literals;

int main()
{
    weir::switchboard board{{"quotes"}};
    auto const breaker = [] { return weir::circuit_breaker{{.failure_rate = 0.5, .window = 10s, .minimum_calls = 20}}; };
    auto const handler = [](int x) { return x; };
#ifdef WEIR_MENDED
    weir::pipeline svc{weir::degrade{board, "quotes"}, breaker(), handler};
#else
    weir::pipeline svc{breaker(), weir::degrade{board, "quotes"}, handler};
#endif
    static_cast<void>(svc(1));
}
