// SPDX-License-Identifier: BSL-1.0
// A closed circuit breaker with a time window, call and settle, the time given, beside the direct call: by one thread and by two on one
// breaker. Median of 21 alternating rounds.
#include "rounds.hpp"

#include <weir/core/pipeline.hpp>
#include <weir/resilience/circuit_breaker.hpp>

#include <cstdio>

using namespace std::chrono_literals;

namespace {

[[gnu::noinline]] int work(int x)
{
    asm volatile("" ::: "memory");
    return x + 1;
}

struct given_time {
    static weir::time_point now() noexcept { return weir::time_point{1'000'000s}; }
    static void sleep_until(weir::time_point) noexcept {}
};

/// What a breaker sees of a call: the time and what counts as a failure.
struct given_call {
    static weir::time_point now() noexcept { return given_time::now(); }
    static bool failed(weir::result<int> const& outcome) noexcept { return weir::default_classifier{}(outcome); }
};

} // namespace

int main()
{
    weir::circuit_breaker breaker{{.window = 10s}};
    weir::pipeline svc{weir::timed_by{given_time{}}, std::ref(breaker), work};
    auto const direct = [](long calls) {
        long sum = 0;
        for (long i = 0; i < calls; ++i) sum += work(static_cast<int>(i & 0xffff));
        keep(sum);
    };
    auto const guarded = [&](long calls) {
        given_call call;
        long sum = 0;
        for (long i = 0; i < calls; ++i) {
            auto const admission = breaker.admit(call);
            if (!admission) continue;
            weir::result<int> const outcome = work(static_cast<int>(i & 0xffff));
            breaker.settle(admission.permit(), outcome, call);
            sum += *outcome;
        }
        keep(sum);
    };
    auto const in_pipeline = [&](long calls) {
        long sum = 0;
        for (long i = 0; i < calls; ++i) sum += *svc(static_cast<int>(i & 0xffff));
        keep(sum);
    };
    for (unsigned threads : {1u, 2u}) {
        auto const [plain, broken] = alternate(21, threads, 2'000'000, direct, guarded);
        std::printf("breaker, closed, %u thread(s): direct %.2f ns, with breaker %.2f ns; the bar, 2 x direct + 2 ns, is %.2f: %s\n",
                    threads, plain, broken, 2 * plain + 2, broken <= 2 * plain + 2 ? "holds" : "MISSED");
        auto const [again, composed] = alternate(21, threads, 2'000'000, direct, in_pipeline);
        std::printf("  as the one policy of a pipeline: direct %.2f ns, composed %.2f ns\n", again, composed);
    }
}
