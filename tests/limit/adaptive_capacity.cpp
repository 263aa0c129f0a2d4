// SPDX-License-Identifier: BSL-1.0
// Each algorithm on simulated servers: 20 to 200 workers, 20 ms a call, a queue without an end, and twice the load that they can bear.
#include "simulated_server.hpp"

#include <weir/limit/adaptive_limit.hpp>
#include <weir/limit/aimd.hpp>
#include <weir/limit/brpc_auto.hpp>
#include <weir/limit/concurrency_limit.hpp>
#include <weir/limit/gradient2.hpp>
#include <weir/limit/vegas.hpp>

#include <doctest/doctest.h>

#include <vector>

namespace {

using namespace std::chrono_literals;

constexpr double capacity_of(unsigned workers)
{
    return workers / 0.020; // calls a second
}
constexpr double capacity = capacity_of(100);

/// Half a minute to find the capacity, and another one that counts.
template<class Gate>
auto overloaded(Gate& gate, std::uint64_t seed, unsigned workers = 100)
{
    weir_test::simulated_server server(gate, workers, 20ms, seed);
    server.run_for(30s, 2 * capacity_of(workers));
    static_cast<void>(server.take_report());
    server.run_for(30s, 2 * capacity_of(workers));
    return server.take_report();
}

template<class Algorithm>
void finds_the_capacity(Algorithm const& algorithm)
{
    for (unsigned const workers : {20u, 50u, 100u, 200u})
        for (std::uint64_t const seed : workers <= 50 ? std::vector{11u, 12u} : std::vector{13u}) {
            weir::adaptive_limit gate{algorithm, {.seed = seed}};
            auto const r = overloaded(gate, seed, workers);
            INFO(workers, " workers: ", gate.stats().limit, " on average ", r.limit, ", ", r.a_second, " a second, p99 ",
                 r.p99.count() / 1'000'000, " ms");
            CHECK(r.limit > 0.9 * workers);
            CHECK(r.limit < 1.1 * workers);
            CHECK(r.a_second > 0.9 * capacity_of(workers));
            CHECK(r.p99 < 40ms); // without any load it is 33 ms
        }
}

/// Half of the workers fail; the limit comes down, and up again when they are back.
template<class Algorithm>
void follows_the_capacity(Algorithm const& algorithm)
{
    weir::adaptive_limit gate{algorithm, {.seed = 21}};
    weir_test::simulated_server server(gate, 100, 20ms, 21);
    server.run_for(30s, 2 * capacity);
    server.workers(50);
    server.run_for(20s, 2 * capacity);
    static_cast<void>(server.take_report());
    server.run_for(10s, 2 * capacity);
    auto const half = server.take_report();
    CHECK(half.a_second > 0.9 * capacity / 2);
    CHECK(half.p99 < 50ms);
    server.workers(100);
    server.run_for(20s, 2 * capacity);
    static_cast<void>(server.take_report());
    server.run_for(10s, 2 * capacity);
    auto const whole = server.take_report();
    CHECK(whole.a_second > 0.9 * capacity);
    CHECK(whole.p99 < 45ms);
}

weir::aimd const aimd{{.slow_after = 21ms}};

} // namespace

TEST_CASE("adaptive_limit: aimd finds the capacity, and follows it")
{
    finds_the_capacity(aimd), follows_the_capacity(aimd);
}
TEST_CASE("adaptive_limit: vegas finds the capacity, and follows it")
{
    finds_the_capacity(weir::vegas{}), follows_the_capacity(weir::vegas{});
}
TEST_CASE("adaptive_limit: gradient2 finds the capacity, and follows it")
{
    finds_the_capacity(weir::gradient2{}), follows_the_capacity(weir::gradient2{});
}
TEST_CASE("adaptive_limit: brpc_auto finds the capacity, and follows it")
{
    finds_the_capacity(weir::brpc_auto{}), follows_the_capacity(weir::brpc_auto{});
}

TEST_CASE("concurrency_limit: a limit that was right for four times the capacity lets the queue at the server grow")
{
    weir::concurrency_limit gate{{.max_concurrent = 400}};
    auto const r = overloaded(gate, 11);
    CHECK(r.p99 > 80ms);
    weir::concurrency_limit too_small{{.max_concurrent = 25}};
    CHECK(overloaded(too_small, 11).a_second < 0.3 * capacity);
}

TEST_CASE("adaptive_limit: aimd finds the capacity of a server that refuses what is too much")
{
    weir::adaptive_limit gate{weir::aimd{}, {.seed = 5}};
    weir_test::simulated_server server(gate, 100, 20ms, 5);
    server.queue_bound(0);
    server.run_for(30s, 2 * capacity);
    static_cast<void>(server.take_report());
    server.run_for(30s, 2 * capacity);
    auto const r = server.take_report();
    CHECK(r.limit > 90);
    CHECK(r.limit < 110);
    CHECK(r.a_second > 0.9 * capacity);
}

TEST_CASE("adaptive_limit: with little load nobody is refused")
{
    weir::adaptive_limit gate{weir::gradient2{}, {.initial = 100, .seed = 6}};
    weir_test::simulated_server server(gate, 100, 20ms, 6);
    server.run_for(60s, 0.2 * capacity);
    CHECK(server.take_report().refused == 0);
    CHECK(gate.stats().probes == 0);
}
