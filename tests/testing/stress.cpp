// SPDX-License-Identifier: BSL-1.0
//
// Several threads on one object of each policy whose state is shared: never above its limit, and nothing of it is lost.
#include <weir/core/pipeline.hpp>
#include <weir/limit/adaptive_limit.hpp>
#include <weir/limit/aimd.hpp>
#include <weir/limit/all_of.hpp>
#include <weir/limit/concurrency_limit.hpp>
#include <weir/limit/exact_gcra.hpp>
#include <weir/limit/fair_by.hpp>
#include <weir/limit/fixed_window.hpp>
#include <weir/limit/gcra.hpp>
#include <weir/limit/keyed.hpp>
#include <weir/limit/leased.hpp>
#include <weir/limit/lifo.hpp>
#include <weir/limit/rate_limit.hpp>
#include <weir/limit/sliding_log.hpp>
#include <weir/limit/sliding_window.hpp>
#include <weir/limit/token_bucket.hpp>
#include <weir/limit/vegas.hpp>
#include <weir/resilience/bulkhead.hpp>
#include <weir/resilience/circuit_breaker.hpp>
#include <weir/resilience/keyed_breaker.hpp>
#include <weir/testing/manual_clock.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <barrier>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

namespace {

constexpr int threads = 4;
#ifdef WEIR_SANITIZED
constexpr int calls_a_thread = 400;
#else
constexpr int calls_a_thread = 4'000;
#endif

void on_threads(auto&& work)
{
    std::vector<std::thread> all;
    for (int t = 0; t < threads; ++t) all.emplace_back([&work, t] { work(t); });
    for (std::thread& each : all) each.join();
}

/// Threads that call while the time stands, then all go a step further: what was let through so far is at most `first + turns * each`, and
/// `exactly` that, if the policy is one that hands out all it has.
void never_above_the_rate(auto limiter, std::uint64_t first, std::uint64_t each, weir::duration step, bool exactly)
{
    weir::manual_clock clock;
    std::atomic<std::uint64_t> through{0};
    weir::pipeline svc{weir::timed_by{std::ref(clock)}, weir::rate_limit{std::move(limiter)}, [&](int) { return ++through, 0; }};
    constexpr std::uint64_t turns = 20;
    std::uint64_t turn = 0;
    bool above = false, below = false;
    std::barrier together(threads, [&]() noexcept {
        above = above || through > first + turn * each;
        below = below || through < first + turn * each;
        ++turn;
        clock.advance(step);
    });
    on_threads([&](int) {
        for (std::uint64_t i = 0; i < turns; ++i) {
            for (int call = 0; call < 200; ++call) static_cast<void>(svc(1));
            together.arrive_and_wait();
        }
    });
    CHECK_FALSE(above);
    if (exactly) CHECK_FALSE(below);
    auto const stats = svc.template get<weir::rate_limit>().stats();
    CHECK(stats.admitted == through);
    CHECK(stats.admitted + stats.refused == threads * turns * 200);
}

/// Threads that call all the time: never more inside than `most`, and nobody at the end.
template<template<class...> class Find>
void never_more_inside(auto policy, int most)
{
    std::atomic<int> inside{0}, worst{0};
    std::atomic<std::uint64_t> through{0};
    weir::pipeline svc{std::move(policy), [&](int call) -> weir::result<int> {
                           int const now = ++inside;
                           for (int seen = worst; seen < now && !worst.compare_exchange_weak(seen, now);) {}
                           ++through;
                           if (call % 3 == 0) std::this_thread::yield();
                           --inside;
                           if (call % 7 == 0) throw 1;
                           if (call % 5 == 0) return weir::errc::unavailable;
                           return 0;
                       }};
    std::atomic<std::uint64_t> refused{0};
    on_threads([&](int t) {
        for (int call = 0; call < calls_a_thread; ++call) try {
                auto const r = svc(call * threads + t);
                if (r.has_error() && r.error() == weir::errc::bulkhead_full) ++refused;
            } catch (int) {
            }
    });
    CHECK(worst <= most);
    CHECK(through + refused == static_cast<std::uint64_t>(threads) * calls_a_thread);
    auto const stats = svc.template get<Find>().stats();
    CHECK(stats.inside == 0);
    CHECK(stats.waiting == 0);
}

constexpr auto by_itself = weir::keyed_by<int>([](int call) { return call % 3; });

} // namespace

TEST_CASE("threads: limits by time never let more through than their rate, and those that can hand out all of it")
{
    never_above_the_rate(weir::gcra{{.permits = 1'000, .per = 1s, .burst = 50}}, 50, 10, 10ms, true);
    never_above_the_rate(weir::exact_gcra{{.permits = 1'000, .per = 1s, .burst = 50}}, 50, 10, 10ms, true);
    never_above_the_rate(weir::token_bucket{{.permits = 1'000, .per = 1s, .burst = 50}}, 50, 10, 10ms, true);
    never_above_the_rate(weir::fixed_window{{.permits = 10, .per = 10ms}}, 10, 10, 10ms, true);
    never_above_the_rate(weir::sliding_log{{.permits = 10, .per = 10ms}}, 10, 10, 10ms, true);
    never_above_the_rate(weir::sliding_window{{.permits = 10, .per = 10ms}}, 10, 10, 10ms, false);
    never_above_the_rate(weir::leased{weir::gcra{{.permits = 10'000, .per = 1s, .burst = 200}}, {.batch = 8, .life = 5ms}}, 200, 100, 10ms,
                         false);
    never_above_the_rate(weir::keyed{weir::gcra{{.permits = 1'000, .per = 1s, .burst = 50}}, by_itself, {.capacity = 100, .seed = 1}}, 50,
                         10, 10ms, true);
    never_above_the_rate(
        weir::all_of{weir::gcra{{.permits = 1'000, .per = 1s, .burst = 50}}, weir::gcra{{.permits = 100'000, .per = 1h, .burst = 150}}}, 50,
        10, 10ms, false);
}

TEST_CASE("threads: never more calls inside than there are places, whoever waits, fails and throws")
{
    never_more_inside<weir::bulkhead>(weir::bulkhead{{.max_concurrent = 2}}, 2);
    never_more_inside<weir::bulkhead>(weir::bulkhead{{.max_concurrent = 2, .max_wait = 1min}}, 2);
    never_more_inside<weir::concurrency_limit>(weir::concurrency_limit{{.max_concurrent = 2, .max_wait = 1min}, weir::lifo{}}, 2);
    never_more_inside<weir::concurrency_limit>(
        weir::concurrency_limit{{.max_concurrent = 1, .max_wait = 1min, .max_waiting = 2}, weir::fair_by{by_itself, {.max_users = 2}}}, 1);
    never_more_inside<weir::adaptive_limit>(
        weir::adaptive_limit{weir::aimd{}, {.initial = 2, .floor = 1, .ceiling = 3, .probe_limit = 1, .window = 1ms, .window_calls = 10}},
        3);
    never_more_inside<weir::adaptive_limit>(weir::adaptive_limit{weir::vegas{},
                                                                 {.initial = 2,
                                                                  .floor = 1,
                                                                  .ceiling = 3,
                                                                  .probe_limit = 1,
                                                                  .probe_every = 2ms,
                                                                  .window = 1ms,
                                                                  .window_calls = 10,
                                                                  .max_wait = 1min}},
                                            3);
}

TEST_CASE("threads: half-open, a breaker lets as many probes through as it may, and the rest come back refused")
{
    auto const try_it = [](auto breaker) {
        weir::manual_clock clock;
        std::atomic<int> probing{0}, refused{0};
        std::atomic<bool> fails{true};
        weir::pipeline svc{weir::timed_by{std::ref(clock)}, std::move(breaker), [&](int) -> weir::result<int> {
                               if (fails) return weir::errc::unavailable;
                               ++probing;
                               while (probing + refused < threads) std::this_thread::yield(); // until all have asked
                               return 1;
                           }};
        for (int turn = 0; turn < 100; ++turn) {
            fails = true;
            for (int i = 0; i < 2; ++i) static_cast<void>(svc(0));
            fails = false;
            probing = refused = 0;
            clock.advance(1s);
            on_threads([&](int) {
                if (svc(0).has_error()) ++refused;
            });
            REQUIRE(probing == 2);
            REQUIRE(refused == threads - 2);
        }
    };
    try_it(weir::circuit_breaker{weir::row_breaker_options{.failures = 2, .open_for = 1s, .probes = 2}});
    try_it(weir::circuit_breaker{{.failure_rate = 0.5, .minimum_calls = 2, .open_for = 1s, .probes = 2}});
    try_it(
        weir::keyed_breaker{weir::row_breaker_options{.failures = 2, .open_for = 1s, .probes = 2}, by_itself, {.capacity = 10, .seed = 1}});
}
