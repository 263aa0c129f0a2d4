// SPDX-License-Identifier: BSL-1.0
// Lesson 15: how do you know that your own pipeline stands an outage?
//
// You let it live through some: an hour of traffic against an upstream that goes away, hangs and slows down takes a moment, as nothing really
// waits. Clock, timers, arrivals, latencies, backoff and the order of what happens at the same time come from one seed, so that a run can be
// run again. And of a property that has to hold always, `check_schedules` looks for a schedule that breaks it, and tells the shortest story
// that it can find.
#include "lesson.hpp"

#include <weir/core/observed.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/resilience/attempt_timeout.hpp>
#include <weir/resilience/bulkhead.hpp>
#include <weir/resilience/circuit_breaker.hpp>
#include <weir/resilience/retry.hpp>
#include <weir/resilience/timeout.hpp>
#include <weir/testing/check_schedules.hpp>
#include <weir/testing/load.hpp>
#include <weir/testing/simulated_upstream.hpp>
#include <weir/testing/simulation.hpp>

#include <boost/asio/awaitable.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

/// The pipeline under test: in a program of your own this is the function that makes the real one, with the clock as a parameter.
template<class Clock, class Handler>
auto quotes(Clock& clock, std::uint64_t seed, Handler& ask)
{
    return weir::pipeline{weir::timed_by{std::ref(clock)},
                          weir::timeout{1s},
                          weir::retry<3>{{.base = 20ms, .cap = 200ms, .seed = seed}},
                          weir::circuit_breaker{{.window = 10s, .minimum_calls = 20, .open_for = 2s}},
                          weir::bulkhead{{.max_concurrent = 50, .max_wait = 50ms}},
                          weir::attempt_timeout{300ms},
                          weir::idempotent{ask}};
}

/// An hour of calls, 50 a second. What the callers saw, minute by minute.
struct hour {
    std::array<int, 60> calls{}, good{};
    weir::duration slowest{0};
    std::uint64_t asked = 0, retries = 0, all = 0;
    [[nodiscard]] double good_in(std::size_t minute) const { return 100.0 * good[minute] / calls[minute]; }
};
hour live_through_an_hour(std::uint64_t seed)
{
    weir::schedule s(seed);
    weir::simulated_upstream market(s, {.takes = weir::latency::log_normal(20ms, 0.5),
                                        .workers = 20,
                                        .failure_rate = 0.01,
                                        .outages = {{.kind = weir::outage_kind::refuses, .begins = 10min, .lasts = 2min},
                                                    {.kind = weir::outage_kind::hangs, .begins = 25min, .lasts = 2min},
                                                    {.kind = weir::outage_kind::slows, .begins = 40min, .lasts = 2min, .slower = 30}}});
    auto ask = [&](std::uint64_t const& symbol) -> asio::awaitable<weir::result<std::uint64_t>> {
        auto const served = co_await market.serve();
        if (!served) co_return served.error();
        co_return symbol * 10;
    };
    auto svc = quotes(s.clock(), s.seed(), ask);

    hour seen;
    weir::time_point const start = s.now();
    weir::simulation world(s); // after what it uses
    weir::offer_load(world, {{.per_second = 50, .lasts = 1h}}, [&](std::uint64_t number) -> asio::awaitable<void> {
        weir::time_point const began = s.now();
        auto const minute = static_cast<std::size_t>((began - start) / 1min);
        auto const price = co_await svc(number);
        ++seen.calls[minute];
        seen.good[minute] += price.has_value() ? 1 : 0;
        seen.slowest = std::max<weir::duration>(seen.slowest, s.now() - began);
        ++seen.all;
    });
    world.run();
    seen.asked = market.stats().arrived;
    seen.retries = svc.get<weir::retry>().stats().retries;
    return seen;
}

/// A limit of somebody's own: at most two calls a second, or so he believes.
struct two_a_second {
    using role = weir::gate;
    static constexpr std::string_view name = "two_a_second";
    std::vector<weir::time_point> admitted{};

    weir::admission<> admit(auto& call)
    {
        std::erase_if(admitted, [&](weir::time_point t) { return t <= call.now() - 1s; });
        if (admitted.size() > 2) return weir::errc::rate_limited;
        admitted.push_back(call.now());
        return weir::admitted;
    }
};

} // namespace

int main()
{
    lesson fifteen("An hour of outages in a moment, and a bug with its story");

    auto const began = std::chrono::steady_clock::now();
    hour const seen = live_through_an_hour(1);
    double const took = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    fmt::print("  an hour with {} calls took {:.0f} ms: {:.0f} calls a second\n", seen.all, took * 1e3,
               static_cast<double>(seen.all) / took);

    fifteen.shows(fmt::format("on a good day {:.2f} % of the calls succeed, though 1 % of the upstream's fail", seen.good_in(5)),
                  seen.good_in(5) > 99.9);
    fifteen.shows(fmt::format("nobody waited longer than his second, whatever the upstream did: {:.3f} s",
                              std::chrono::duration<double>(seen.slowest).count()),
                  seen.slowest <= 1s);
    fifteen.shows("in the minute after each outage all is well again",
                  seen.good_in(13) > 99 && seen.good_in(28) > 99 && seen.good_in(43) > 99);
    fifteen.shows("while it was away the breaker kept the calls away from it", seen.asked < seen.all - 10'000);
    fifteen.shows(
        fmt::format("retries made {:.2f} % more calls, in all", 100.0 * static_cast<double>(seen.retries) / static_cast<double>(seen.all)),
        seen.retries < seen.all / 20);
    hour const again = live_through_an_hour(1);
    fifteen.shows("the same seed, the same hour", again.good == seen.good && again.slowest == seen.slowest && again.asked == seen.asked);

    // A property that has to hold always. Decisions are drawn from `s`; what it is told comes out if the property fails.
    auto const report = weir::check_schedules({.schedules = 500}, [](weir::schedule& s) {
        weir::pipeline svc{weir::timed_by{std::ref(s.clock())}, two_a_second{}, [](int symbol) { return symbol * 10; }};
        std::vector<weir::time_point> good;
        for (int number = 1; number <= 30 && s.chance(0.9); ++number) {
            s.clock().advance(s.between(0ms, 2s));
            weir::observed watched{svc, weir::story_of{s, "call " + std::to_string(number)}};
            if (watched(number)) good.push_back(s.now());
            s.expect(good.size() < 3 || good.back() - good[good.size() - 3] >= 1s, "at most two calls go through within a second");
        }
    });
    fmt::print("{}", report.text());
    fifteen.shows("the bug is found, and its story has three calls at the same time",
                  report.failed && report.draws == std::vector<std::uint64_t>{1, 0, 1, 0, 1});
    return fifteen.exit_status();
}
