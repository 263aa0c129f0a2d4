// SPDX-License-Identifier: BSL-1.0
#include <weir/resilience/attempt_timeout.hpp>

#include <weir/asio.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/resilience/retry.hpp>
#include <weir/resilience/timeout.hpp>
#include <weir/testing/simulation.hpp>

#include <boost/asio/awaitable.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <stdexcept>

using namespace std::chrono_literals;
namespace asio = boost::asio;

TEST_CASE("attempt_timeout: limits each attempt, and timeout all of them")
{
    weir::simulation world;
    int attempts = 0;
    auto const slow = [&](int) -> asio::awaitable<int> {
        ++attempts;
        co_await world.sleep(1h);
        co_return 1;
    };
    weir::pipeline svc{weir::timed_by{std::ref(world.clock())}, weir::timeout<weir::ms{500}>{},
                       weir::retry<3>{{.base = 10ms, .cap = 10ms, .backoff = weir::backoff::fixed}}, weir::attempt_timeout<weir::ms{100}>{},
                       weir::idempotent{slow}};
    weir::result<int> got = 0;
    auto const caller = [&](weir::duration& took) -> asio::awaitable<void> {
        auto const began = world.clock().now();
        got = co_await svc(attempts);
        took = world.clock().now() - began;
    };
    weir::duration took{};
    world.spawn(caller(took));
    world.run();
    CHECK(attempts == 3);
    CHECK(got.error() == weir::errc::deadline_exceeded);
    CHECK(got.error().policy() == 3); // the attempt's limit
    CHECK(took >= 320ms);
    CHECK(took < 330ms);

    attempts = 0;
    svc.get<weir::timeout>().reconfigure(150ms); // now the last attempt has less
    world.spawn(caller(took));
    world.run();
    CHECK(attempts == 2);
    CHECK(got.error().policy() == 1);
    CHECK(took < 155ms);
}

TEST_CASE("attempt_timeout: bad limits name it")
{
    CHECK_THROWS_WITH_AS(weir::attempt_timeout{0ms}, "attempt_timeout.limit: expected more than 0", std::invalid_argument);
    weir::attempt_timeout<weir::ms{100}> limit;
    CHECK_THROWS_AS(limit.reconfigure(101ms), std::invalid_argument);
    limit.reconfigure(50ms);
    CHECK(limit.settings() == 50ms);
    static_assert(weir::attempt_timeout<weir::ms{100}>::time_limit_ns == 100'000'000);
}
