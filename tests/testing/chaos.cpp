// SPDX-License-Identifier: BSL-1.0
#include <weir/testing/chaos.hpp>

#include <weir/asio.hpp>
#include <weir/core/observed.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/resilience/retry.hpp>
#include <weir/resilience/timeout.hpp>
#include <weir/testing/check_schedules.hpp>
#include <weir/testing/manual_clock.hpp>
#include <weir/testing/simulation.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <type_traits>

namespace asio = boost::asio;
using namespace std::chrono_literals;

TEST_CASE("chaos: peaceful without rates")
{
    weir::pipeline svc{weir::chaos{{.seed = 1}}, [](int q) { return q; }};
    for (int i = 0; i < 1'000; ++i) REQUIRE(svc(i).value() == i);
    auto const stats = svc.get<weir::chaos>().stats();
    CHECK(stats.held_back + stats.faults + stats.dropped == 0);
}

TEST_CASE("chaos: holds back, refuses and loses answers as often as it is told; a lost answer's work was done, a refused call's was not")
{
    weir::manual_clock clock;
    int done = 0;
    weir::pipeline svc{weir::timed_by{std::ref(clock)},
                       weir::chaos{{.latency_rate = 0.5,
                                    .min_latency = 10ms,
                                    .max_latency = 20ms,
                                    .fault_rate = 0.1,
                                    .fault = weir::errc::overloaded,
                                    .drop_rate = 0.2,
                                    .dropped = weir::errc::cancelled,
                                    .seed = 3}},
                       [&](int q) { return ++done, q; }};
    int faults = 0, lost = 0, held_back = 0;
    constexpr int calls = 20'000;
    for (int i = 0; i < calls; ++i) {
        auto const before = clock.now();
        auto const r = svc(i);
        auto const took = clock.now() - before;
        if (took != 0ms) {
            ++held_back;
            REQUIRE(took >= 10ms);
            REQUIRE(took <= 20ms);
        }
        if (r.has_error()) ++(r.error() == weir::errc::overloaded ? faults : lost);
        if (r.has_error() && r.error() == weir::errc::overloaded) REQUIRE(took == 0ms);
    }
    CHECK(std::abs(faults - 2'000) < 200);
    CHECK(std::abs(lost - 3'600) < 300);
    CHECK(std::abs(held_back - 9'000) < 500);
    CHECK(done == calls - faults);
    auto const stats = svc.get<weir::chaos>().stats();
    CHECK(stats.faults == static_cast<std::uint64_t>(faults));
    CHECK(stats.dropped == static_cast<std::uint64_t>(lost));
    CHECK(stats.held_back == static_cast<std::uint64_t>(held_back));
}

TEST_CASE("chaos: the same seed, the same trouble; reconfigured while it runs")
{
    auto const run = [](std::uint64_t seed) {
        weir::pipeline svc{weir::named<"network">(weir::chaos{{.fault_rate = 0.5, .seed = seed}}), [](int q) { return q; }};
        std::uint64_t word = 0;
        for (int i = 0; i < 50; ++i) word = word << 1 | (svc(i).has_error() ? 1u : 0u);
        svc.get<"network">().reconfigure({.fault_rate = 1});
        REQUIRE(svc(1).has_error());
        svc.get<"network">().reconfigure({});
        REQUIRE(svc(1).has_value());
        return word;
    };
    CHECK(run(5) == run(5));
    CHECK(run(5) != run(6));
}

TEST_CASE("chaos: asynchronous, it holds back until the deadline at most, and a retry meets it at each attempt")
{
    weir::schedule s;
    weir::pipeline slow{weir::timed_by{std::ref(s.clock())}, weir::timeout{50ms},
                        weir::chaos{{.latency_rate = 1, .min_latency = 1h, .max_latency = 1h, .seed = 1}},
                        [&](int q) -> asio::awaitable<int> {
                            co_await weir::sleep(s, 1ms);
                            co_return q;
                        }};
    int asked = 0;
    weir::pipeline lossy{weir::timed_by{std::ref(s.clock())}, weir::retry<3>{{.base = 1ms, .cap = 1ms}},
                         weir::chaos{{.drop_rate = 1, .seed = 1}}, weir::idempotent{[&](int q) -> asio::awaitable<int> {
                             ++asked;
                             co_return q;
                         }}};
    weir::simulation world(s);
    auto const caller = [&]() -> asio::awaitable<void> {
        int const q = 1;
        auto const began = s.now();
        auto const late = co_await slow(q);
        CHECK(late.error() == weir::errc::deadline_exceeded);
        CHECK(s.now() - began == 50ms);
        auto const lost = co_await lossy(q);
        CHECK(lost.error() == weir::errc::upstream_failed);
        CHECK(asked == 3);
    };
    world.spawn(caller());
    world.run();
    CHECK(asked == 3);
}

TEST_CASE("chaos: with the draws of a schedule a failure is shrunk to the faults that matter")
{
    // Three attempts survive two faults, not three.
    auto const report = weir::check_schedules({.schedules = 2'000}, [](weir::schedule& s) {
        weir::pipeline svc{weir::timed_by{std::ref(s.clock())}, weir::retry<3>{{.base = 10ms, .cap = 10ms, .seed = s.seed()}},
                           weir::chaos{{.fault_rate = 0.2}, s}, weir::idempotent{[](int q) { return q; }}};
        for (int i = 1; i <= 20; ++i) {
            weir::observed watched{svc, weir::story_of{s, "call " + std::to_string(i)}};
            s.expect(watched(i).has_value(), "each call succeeds");
        }
    });
    REQUIRE_FALSE(report);
    INFO(report.text());
    CHECK(report.draws == std::vector<std::uint64_t>{0, 1, 1, 1});
    CHECK(report.text().find("call 1    chaos: a fault, unavailable\n") != std::string::npos);
}

TEST_CASE("chaos: switched off it takes the same options, and the pipeline is the one without it")
{
    using none = weir::chaos<weir::off>;
    static_assert(std::is_empty_v<none>);
    auto const answer = [](int q) { return q; };
    weir::manual_clock clock;
    weir::pipeline svc{weir::timed_by{std::ref(clock)}, none{{.fault_rate = 1}}, weir::retry<2>{}, none{}, weir::idempotent{answer}};
    static_assert(std::is_same_v<decltype(svc),
                                 decltype(weir::pipeline{weir::timed_by{std::ref(clock)}, weir::retry<2>{}, weir::idempotent{answer}})>);
    static_assert(std::is_same_v<decltype(none{} | weir::retry<2>{}), weir::stack<weir::retry<2>>>);
    CHECK(svc(7).value() == 7);
}

TEST_CASE("chaos: bad options are refused by name, and the old ones stay")
{
    CHECK_THROWS_WITH_AS(weir::chaos{{.fault_rate = -0.1}}, "chaos.fault_rate: expected a ratio in [0, 1]", std::invalid_argument);
    weir::chaos c{{.fault_rate = 0.5}};
    CHECK_THROWS_AS(c.reconfigure({.latency_rate = 1, .min_latency = 2ms, .max_latency = 1ms}), std::invalid_argument);
    CHECK_THROWS_AS(c.reconfigure({.drop_rate = 2}), std::invalid_argument);
    CHECK(c.settings().fault_rate == 0.5);
}
