// SPDX-License-Identifier: BSL-1.0
//
// Deadlines that come in a header, and where they go with the call.
#include <weir/resilience/deadline_from.hpp>

#include "message.hpp"

#include <weir/asio.hpp>
#include <weir/cache/cached.hpp>
#include <weir/core/directives.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/limit/gcra.hpp>
#include <weir/limit/throttle.hpp>
#include <weir/resilience/bulkhead.hpp>
#include <weir/resilience/hedge.hpp>
#include <weir/resilience/retry.hpp>
#include <weir/testing/simulation.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/cancellation_type.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

/// What is left of the deadline in a call that deadline_from lets pass; or the error.
struct came_to {
    std::optional<weir::duration> left;
    std::optional<weir::errc> refused;
};
template<class Policy>
came_to ask(Policy& policy, message const& m, weir::time_point already = weir::never)
{
    struct {
        message const& sent;
        weir::deadline until;
        weir::time_point time{1h};
        message const& request() const { return sent; }
        weir::time_point now() const { return time; }
        weir::deadline const& deadline() const { return until; }
        weir::deadline limit(weir::time_point at)
        {
            weir::deadline const before = until;
            if (at < until.at) until.at = at;
            return before;
        }
        void put_back(weir::deadline before) { until = before; }
    } call{m, {already, 7}};
    typename Policy::plan plan;
    weir::admission<> const said = policy.begin(call, plan);
    came_to result;
    if (!said) {
        CHECK(call.until.at == already); // nothing is left behind
        result.refused = said.refusal().kind();
        return result;
    }
    result.left = call.until.left(call.time);
    weir::result<int> outcome = 1;
    CHECK_FALSE(policy.after(call, plan, outcome).again());
    CHECK(call.until.at == already);
    return result;
}

} // namespace

TEST_CASE("deadline_from: a caller may shorten its time, never lengthen it")
{
    weir::deadline_from policy{{.longest = 2s}};
    CHECK(ask(policy, {"Request-Timeout", "200m"}).left == 200ms);
    CHECK(ask(policy, {"Request-Timeout", "5S"}).left == 2s);
    CHECK(ask(policy, {"Request-Timeout", "99999999H"}).left == 2s);
    CHECK(ask(policy, {}).left == 2s);
    CHECK(ask(policy, {"Request-Timeout", "soon"}).left == 2s);                                // what cannot be read counts as none
    CHECK(ask(policy, {"Request-Timeout", "200m"}, weir::time_point{1h} + 50ms).left == 50ms); // an earlier one stays in force
    CHECK(policy.stats().clamped == 2);
    CHECK(policy.stats().unreadable == 1);
    weir::deadline_from<"grpc-timeout"> grpc{{.longest = 2s, .strict = true}};
    CHECK(ask(grpc, {"grpc-timeout", "1S"}).left == 1s);
    CHECK(ask(grpc, {"grpc-timeout", "1s"}).refused == weir::errc::invalid_request);
}

TEST_CASE("deadline_from: who has no time left, or too little, is refused at once")
{
    weir::deadline_from policy{{.longest = 2s, .reserve = 10ms, .min_time_left = 20ms}};
    CHECK(ask(policy, {"Request-Timeout", "30m"}).left == 20ms);
    CHECK(ask(policy, {"Request-Timeout", "29999u"}).refused == weir::errc::deadline_exceeded);
    CHECK(ask(policy, {"Request-Timeout", "0n"}).refused == weir::errc::deadline_exceeded);
    CHECK(ask(policy, {}, weir::time_point{1h} + 19ms).refused == weir::errc::deadline_exceeded);
    CHECK(policy.stats().refused == 3);
    CHECK_THROWS_WITH_AS(weir::deadline_from<>({.longest = 0s}), "deadline_from.longest: expected more than 0", std::invalid_argument);
    CHECK_THROWS_AS(policy.reconfigure({.longest = 1s, .min_time_left = 2s}), std::invalid_argument);
    CHECK_THROWS_AS(policy.reconfigure({.longest = 1s, .reserve = -1s}), std::invalid_argument);
    policy.reconfigure({.longest = 1s});
    CHECK(ask(policy, {}).left == 1s);
}

TEST_CASE("deadline: goes with a call through every wait, and ends it there")
{
    weir::simulation world;
    weir::scope jobs;
    auto const hangs = [&](message const&) -> asio::awaitable<weir::result<int>> {
        co_await world.sleep(1h);
        co_return 1;
    };
    auto const fails = [&](message const&) -> asio::awaitable<weir::result<int>> { co_return weir::errc::unavailable; };
    auto const by_nothing = weir::keyed_by<int>([](message const&) { return 1; });
    weir::deadline_from_options const o{.longest = 10s};
    auto const clock = [&] { return weir::timed_by{std::ref(world.clock())}; };

    weir::pipeline handler{clock(), weir::deadline_from{o}, hangs};
    weir::bulkhead places{{.max_concurrent = 1, .max_wait = 1h}};
    weir::pipeline takes_the_place{clock(), std::ref(places), hangs};
    weir::pipeline queue{clock(), weir::deadline_from{o}, std::ref(places), hangs};
    weir::pipeline paced{clock(), weir::deadline_from{o}, weir::throttle{weir::gcra{{.permits = 1, .per = 1h, .burst = 1}}, 10h}, fails};
    weir::pipeline backs_off{clock(), weir::deadline_from{o}, weir::retry<3>{{.base = 90s, .cap = 90s, .backoff = weir::backoff::fixed}},
                             weir::idempotent{fails}};
    weir::pipeline hedged{clock(), weir::within{jobs}, weir::deadline_from{o}, weir::hedge<2>{{.after = 50ms}}, weir::idempotent{hangs}};
    weir::pipeline shared_load{clock(), weir::within{jobs}, weir::deadline_from{o},
                               weir::cached{weir::store<int, int>{{.capacity = 10, .ttl = 1h}}, by_nothing}, hangs};
    weir::pipeline lead{clock(), weir::deadline_from{o}, weir::cached{weir::store<int, int>{{.capacity = 10, .ttl = 1h}}, by_nothing},
                        hangs};

    auto const wait_for = [&](auto& pipeline) { // how long a call with 200 ms takes, that finds it at work
        weir::duration took{};
        weir::result<int> got = 0;
        auto const ask = [&](std::string wish) -> asio::awaitable<void> {
            message const m("Request-Timeout", std::move(wish));
            auto const began = world.clock().now();
            got = co_await pipeline(m);
            took = world.clock().now() - began;
        };
        world.spawn(ask("5S"));
        world.run_for(1ms);
        world.spawn(ask("200m"));
        world.run_for(500ms);
        CHECK(got.has_error());
        CHECK((got.error() == weir::errc::deadline_exceeded || took < 1ms)); // or it gave up at once: the wait would have been too long
        CHECK(took < 205ms);
        world.run_for(10s);
        return took;
    };
    asio::cancellation_signal stop;
    auto const occupy = [&]() -> asio::awaitable<void> {
        message const m;
        co_await takes_the_place(m);
    };
    world.spawn(occupy(), stop.slot());
    CHECK(wait_for(handler) >= 200ms);
    CHECK(wait_for(queue) >= 200ms);
    CHECK(wait_for(paced) < 1ms);
    CHECK(wait_for(backs_off) < 1ms);
    CHECK(wait_for(hedged) >= 200ms);
    CHECK(wait_for(shared_load) >= 200ms);
    CHECK(wait_for(lead) >= 200ms);
    stop.emit(asio::cancellation_type::terminal);
    world.run();
    CHECK(jobs.size() == 0);
}
