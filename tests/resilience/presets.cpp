// SPDX-License-Identifier: BSL-1.0
#include <weir/resilience/presets.hpp>

#include <weir/asio.hpp>
#include <weir/asio/scope.hpp>
#include <weir/core/describe.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/resilience/isolate.hpp>
#include <weir/testing/simulation.hpp>

#include <boost/asio/awaitable.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

std::string names_of(auto& svc)
{
    std::string names;
    for (auto const& p : weir::describe(svc).policies) (names += p.name) += ' ';
    return names;
}

} // namespace

TEST_CASE("client_standard: a failed attempt is made again, a slow one is ended, and a service that is down is left alone")
{
    weir::simulation world;
    int calls = 0;
    weir::duration takes{};
    bool fails = false;
    auto const fetch = [&](int x) -> asio::awaitable<weir::result<int>> {
        ++calls;
        co_await world.sleep(takes);
        if (fails || calls == 1) co_return weir::errc::upstream_failed;
        co_return x;
    };
    weir::pipeline svc{weir::timed_by{std::ref(world.clock())}, weir::client_standard(), weir::idempotent{fetch}};
    CHECK(names_of(svc) == "timed_by bulkhead timeout retry circuit_breaker attempt_timeout ");
    auto const caller = [&]() -> asio::awaitable<void> {
        int const x = 7;
        CHECK((co_await svc(x)).value() == 7);
        CHECK(calls == 2);
        takes = 1h;
        auto const began = world.clock().now();
        CHECK((co_await svc(x)).error() == weir::errc::deadline_exceeded);
        CHECK(world.clock().now() - began <= 10s + 2ms);
        takes = 0s;
        fails = true;
        for (int i = 0; i < 20; ++i) static_cast<void>(co_await svc(x));
        int const before = calls;
        CHECK((co_await svc(x)).error() == weir::errc::circuit_open);
        CHECK(calls == before);
    };
    world.spawn(caller());
    world.run();
    CHECK_THROWS_WITH_AS(static_cast<void>(weir::client_standard({.timeout = 1s})),
                         "client_standard.attempt_timeout: expected at most timeout", std::invalid_argument);
}

TEST_CASE("client_standard: around a blocking handler with isolate between")
{
    weir::pipeline svc{weir::client_standard(), weir::isolate{{.core_size = 2}}, weir::idempotent{[](int x) { return x + 1; }}};
    CHECK(svc(1).value() == 2);
}

TEST_CASE("hedged_read: a second attempt answers for a slow one")
{
    weir::simulation world;
    weir::scope work;
    int calls = 0;
    auto const read = [&](int x) -> asio::awaitable<int> {
        ++calls;
        co_await world.sleep(calls == 1 ? 400ms : 10ms);
        co_return x;
    };
    weir::pipeline svc{weir::timed_by{std::ref(world.clock())}, weir::hedged_read(work), weir::idempotent{read}};
    CHECK(names_of(svc) == "timed_by within bulkhead timeout circuit_breaker hedge attempt_timeout ");
    auto const caller = [&]() -> asio::awaitable<void> {
        int const x = 3;
        auto const began = world.clock().now();
        CHECK((co_await svc(x)).value() == 3);
        CHECK(world.clock().now() - began < 70ms);
    };
    world.spawn(caller());
    world.run();
    CHECK(calls == 2);
    CHECK(work.size() == 0);
}

TEST_CASE("server_edge: sheds in overload, and ends what takes too long")
{
    weir::simulation world;
    weir::load_gauge gauge;
    weir::duration takes = 10ms;
    auto const handler = [&](int x) -> asio::awaitable<int> {
        co_await world.sleep(takes);
        co_return x;
    };
    weir::pipeline svc{weir::timed_by{std::ref(world.clock())}, weir::server_edge(gauge, {.shed = {.window = 1s}}), handler};
    CHECK(names_of(svc) == "timed_by load_shed timeout adaptive_limit ");
    int shed = 0, late = 0, served = 0;
    auto const caller = [&]() -> asio::awaitable<void> {
        int const x = 3;
        auto const r = co_await svc(x);
        ++(r.has_value() ? served : r.error() == weir::errc::overloaded ? shed : late);
    };
    world.spawn(caller());
    world.run();
    CHECK(served == 1);
    world.run_for(100ms);
    gauge.cpu_is(1);
    for (int i = 0; i < 5; ++i) world.spawn(caller());
    world.run();
    CHECK(served == 2); // one of 10 ms in a slice of 20 ms: one at a time
    CHECK(shed == 4);
    takes = 1h;
    world.spawn(caller());
    world.run();
    CHECK(late == 1);
}

TEST_CASE("queue_worker: messages wait for a place, and failed ones are worked on again, patiently")
{
    weir::simulation world;
    int calls = 0, inside = 0, most = 0;
    auto const work_on = [&](int x) -> asio::awaitable<weir::result<int>> {
        most = std::max(most, ++inside);
        co_await world.sleep(1s);
        --inside;
        if (++calls % 2 == 1) co_return weir::errc::unavailable;
        co_return x;
    };
    weir::pipeline svc{weir::timed_by{std::ref(world.clock())},
                       weir::queue_worker({.max_concurrent = 2, .breaker = {.minimum_calls = 1'000}}), weir::idempotent{work_on}};
    CHECK(names_of(svc) == "timed_by bulkhead retry circuit_breaker attempt_timeout ");
    int done = 0;
    auto const worker = [&]() -> asio::awaitable<void> {
        int const message = 1;
        done += (co_await svc(message)).has_value();
    };
    for (int i = 0; i < 6; ++i) world.spawn(worker());
    world.run();
    CHECK(done == 6);
    CHECK(most <= 2);
}
