// SPDX-License-Identifier: BSL-1.0
#include <weir/testing/simulated_upstream.hpp>

#include <weir/asio.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/resilience/timeout.hpp>
#include <weir/testing/load.hpp>
#include <weir/testing/simulation.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <optional>
#include <vector>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

struct answer {
    weir::duration took{0};
    std::optional<weir::errc> error{};
};

/// Calls at these times, one after the other begun; what each got.
std::vector<answer> ask(weir::schedule& s, weir::simulated_upstream& up, std::vector<weir::duration> const& times)
{
    std::vector<answer> answers(times.size());
    weir::simulation world(s, weir::ready_order::first_come_first_served);
    weir::time_point const start = s.now();
    auto const call = [&](std::size_t i) -> asio::awaitable<void> {
        co_await weir::sleep(s, start + times[i] - s.now());
        weir::time_point const began = s.now();
        auto const served = co_await up.serve();
        answers[i].took = s.now() - began;
        if (served.has_error()) answers[i].error = served.error().kind();
    };
    for (std::size_t i = 0; i < times.size(); ++i) world.spawn(call(i));
    world.run();
    return answers;
}

} // namespace

TEST_CASE("simulated_upstream: workers serve in the order of arrival, to the nanosecond; who finds the line full is refused")
{
    weir::schedule s;
    weir::simulated_upstream up(s, {.takes = weir::latency::fixed(10ms), .workers = 2, .max_queue = 2});
    auto const got = ask(s, up, {0ms, 0ms, 1ms, 2ms, 3ms, 10ms + 1ns});
    CHECK(got[0].took == 10ms);
    CHECK(got[1].took == 10ms);
    CHECK(got[2].took == 19ms);
    CHECK(got[3].took == 18ms);
    CHECK(got[4].error == weir::errc::overloaded);
    CHECK(got[4].took == 0ms);
    CHECK(got[5].took == 20ms - 1ns);
    CHECK(up.stats().arrived == 6);
    CHECK(up.stats().served == 5);
    CHECK(up.stats().failed == 1);
    CHECK(up.stats().busy == 0);
    CHECK(up.stats().most_busy == 2);
}

TEST_CASE("simulated_upstream: outages refuse, fail, hang and slow down at their times, and end")
{
    weir::schedule s;
    weir::simulated_upstream up(s, {.takes = weir::latency::fixed(10ms),
                                    .outages = {{.kind = weir::outage_kind::refuses, .begins = 1s, .lasts = 1s},
                                                {.kind = weir::outage_kind::fails, .begins = 3s, .lasts = 1s},
                                                {.kind = weir::outage_kind::slows, .begins = 5s, .lasts = 1s, .slower = 3},
                                                {.kind = weir::outage_kind::hangs, .begins = 7s, .lasts = 1s}}});
    auto const got = ask(s, up, {1s - 1ns, 1s, 2s - 1ns, 2s, 3s, 4s, 5s, 6s, 7s, 8s});
    auto const works = [&](std::size_t i) { return !got[i].error && got[i].took == 10ms; };
    CHECK(works(0));
    CHECK(got[1].error == weir::errc::unavailable);
    CHECK(got[2].error == weir::errc::unavailable);
    CHECK(works(3));
    CHECK(got[4].error == weir::errc::upstream_failed);
    CHECK(got[4].took == 10ms);
    CHECK(works(5));
    CHECK(got[6].took == 30ms);
    CHECK(works(7));
    CHECK(got[8].took == 0ms); // it never came back
    CHECK(works(9));
    CHECK(up.stats().gave_up == 1); // when the simulation was destroyed
    CHECK(up.stats().busy == 0);
}

TEST_CASE("simulated_upstream: a worker whose caller has gone stays busy, unless it is told to notice")
{
    for (bool const works_on : {true, false}) {
        weir::schedule s;
        weir::simulated_upstream up(s, {.takes = weir::latency::fixed(100ms), .workers = 1, .works_on = works_on});
        auto const serve = [&](int) { return up.serve(); };
        weir::pipeline impatient{weir::timed_by{std::ref(s.clock())}, weir::timeout{10ms}, serve};
        weir::time_point const start = s.now();
        std::vector<weir::duration> ends;
        weir::simulation world(s);
        auto const gives_up = [&]() -> asio::awaitable<void> {
            int const q = 1;
            CHECK((co_await impatient(q)).error() == weir::errc::deadline_exceeded);
            ends.push_back(s.now() - start);
        };
        auto const waits = [&]() -> asio::awaitable<void> {
            co_await weir::sleep(s, 20ms);
            CHECK((co_await up.serve()).has_value());
            ends.push_back(s.now() - start);
        };
        world.spawn(gives_up());
        world.spawn(waits());
        world.run();
        CHECK(ends == std::vector<weir::duration>{10ms, works_on ? 200ms : 120ms});
        CHECK(up.stats().gave_up == 1);
        CHECK(up.stats().busy == 0);
    }
}

TEST_CASE("simulated_upstream: one worker, calls at random: the time in line is that of the textbook")
{
    // M/M/1 (L. Kleinrock, "Queueing Systems", 1975): at 80 % load the mean time in the system is five service times.
    weir::schedule s(4);
    weir::simulated_upstream up(s, {.takes = weir::latency::exponential(10ms), .workers = 1});
    double sum = 0;
    std::uint64_t calls = 0;
    weir::simulation world(s, weir::ready_order::first_come_first_served);
    weir::offer_load(world, {{.per_second = 80, .lasts = 10min}}, [&](std::uint64_t) -> asio::awaitable<void> {
        weir::time_point const began = s.now();
        static_cast<void>(co_await up.serve());
        sum += static_cast<double>((s.now() - began).count());
        ++calls;
    });
    world.run();
    CHECK(calls > 46'000);
    CHECK(std::abs(sum / static_cast<double>(calls) / 1e6 - 50) < 5);
}

TEST_CASE("simulated_upstream: calls that hang or fail by rates, and bad options")
{
    weir::schedule s(6);
    weir::simulated_upstream up(s, {.takes = weir::latency::fixed(1ms), .failure_rate = 0.2, .hang_rate = 0.1});
    std::vector<weir::duration> times(2'000);
    for (std::size_t i = 0; i < times.size(); ++i) times[i] = 1ms * static_cast<int>(i);
    static_cast<void>(ask(s, up, times));
    CHECK(up.stats().gave_up > 140);
    CHECK(up.stats().gave_up < 260);
    CHECK(up.stats().failed > 280);
    CHECK(up.stats().failed < 440);
    CHECK_THROWS_WITH_AS(up.reconfigure({.failure_rate = 2}), "simulated_upstream.failure_rate: expected a ratio in [0, 1]",
                         std::invalid_argument);
    CHECK_THROWS_AS(up.reconfigure({.outages = {{.lasts = 0s}}}), std::invalid_argument);
    CHECK_THROWS_AS(up.reconfigure({.outages = {{.lasts = 1s, .slower = 0.5}}}), std::invalid_argument);
    CHECK(up.settings().failure_rate == 0.2);
}
