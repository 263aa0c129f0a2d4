// SPDX-License-Identifier: BSL-1.0
// What a limit of calls at the same time costs while there is room, beside an atomic counter written by hand: one policy of a pipeline, with one
// and with two threads. Medians of 21 alternating rounds.
//   concurrency WAY CALLS   one way, for counted.sh
#include "rounds.hpp"

#include <weir/core/pipeline.hpp>
#include <weir/limit/adaptive_limit.hpp>
#include <weir/limit/by_priority.hpp>
#include <weir/limit/concurrency_limit.hpp>
#include <weir/limit/vegas.hpp>
#include <weir/resilience/bulkhead.hpp>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace {

using namespace std::chrono_literals;

/// Time stands still: reading a clock would hide the difference.
struct frozen {
    static weir::time_point now() noexcept { return weir::time_point{1'000'000s}; }
    static void sleep_until(weir::time_point) noexcept {}
};

[[gnu::noinline]] int work(int x)
{
    asm volatile("" ::: "memory");
    return x + 1;
}

constexpr std::uint32_t places = 64;

/// The semaphore that everybody writes first.
struct by_hand {
    std::atomic<std::uint64_t> inside{0};
    std::atomic<std::uint64_t> refused{0};
    [[gnu::noinline]] weir::result<int> operator()(int x)
    {
        if (inside.fetch_add(1, std::memory_order_acquire) >= places) {
            inside.fetch_sub(1, std::memory_order_release);
            refused.fetch_add(1, std::memory_order_relaxed);
            return weir::errc::bulkhead_full;
        }
        int const value = work(x);
        inside.fetch_sub(1, std::memory_order_release);
        return value;
    }
};

template<class Service>
auto calling(Service& svc)
{
    return [&svc](long calls) {
        long sum = 0;
        for (long i = 0; i < calls; ++i) sum += *svc(static_cast<int>(i & 0xffff));
        keep(sum);
    };
}

struct by_parity {
    using key_type = int;
    int operator()(auto const& call) const { return call.request() & 1; }
};

} // namespace

int main(int argc, char** argv)
{
    by_hand counter;
    weir::pipeline bulkhead{weir::timed_by{frozen{}}, weir::bulkhead{{.max_concurrent = places}}, work};
    weir::pipeline limit{weir::timed_by{frozen{}}, weir::concurrency_limit{{.max_concurrent = places}}, work};
    weir::pipeline classed{weir::timed_by{frozen{}},
                           weir::concurrency_limit{{.max_concurrent = places, .max_wait = 1s}, weir::by_priority{by_parity{}, 0.0, 0.1}},
                           work};
    weir::pipeline adaptive{weir::timed_by{frozen{}}, weir::adaptive_limit{weir::vegas{}, {.initial = places}}, work};
    auto const run = [&](std::string_view name, auto& svc, unsigned threads) {
        auto const [hand, mine] = alternate(21, threads, 1'000'000, calling(counter), calling(svc));
        std::printf("%.*s, %u thread(s): %.2f ns a call, an atomic counter by hand %.2f ns: %.2f x\n", static_cast<int>(name.size()),
                    name.data(), threads, mine, hand, mine / hand);
    };
    if (argc == 3) {
        std::string_view const way = argv[1];
        long const calls = std::atol(argv[2]);
        if (way == "by_hand") return calling(counter)(calls), 0;
        if (way == "bulkhead") return calling(bulkhead)(calls), 0;
        if (way == "limit") return calling(limit)(calls), 0;
        if (way == "classed") return calling(classed)(calls), 0;
        if (way == "adaptive") return calling(adaptive)(calls), 0;
        std::fputs("usage: concurrency [{by_hand|bulkhead|limit|classed|adaptive} CALLS]\n", stderr);
        return 2;
    }
    for (unsigned const threads : {1u, 2u}) {
        run("bulkhead", bulkhead, threads);
        run("concurrency_limit", limit, threads);
        run("concurrency_limit with by_priority", classed, threads);
        run("adaptive_limit with vegas", adaptive, threads);
    }
}
