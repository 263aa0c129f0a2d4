// SPDX-License-Identifier: BSL-1.0
#include <weir/asio/cancellation.hpp>

#include <weir/asio.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/resilience/timeout.hpp>
#include <weir/testing/simulation.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>

#include <doctest/doctest.h>

#include <optional>

namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using asio::awaitable;

} // namespace

TEST_CASE("cancellation: a slot is not connected until a call brings one")
{
    CHECK_FALSE(weir::cancellation{}.slot.is_connected());
    asio::cancellation_signal signal;
    CHECK(weir::cancellation{signal.slot()}.slot.is_connected());
}

TEST_CASE("cancellation: a handler is handed its call's slot with a timeout and with a cancellable caller, else one that is not connected")
{
    weir::simulation world;
    std::optional<bool> connected;
    auto const handler = [&](int x, weir::view<weir::cancellation> v) -> awaitable<int> {
        connected = v.get<weir::cancellation>().slot.is_connected();
        co_return x;
    };
    weir::pipeline limited{weir::timed_by{std::ref(world.clock())}, weir::timeout{1s}, handler};
    weir::pipeline plain{weir::timed_by{std::ref(world.clock())}, handler};
    auto const call = [&](auto& svc) -> awaitable<void> {
        weir::result<int> const got = co_await svc(3);
        CHECK(got.value() == 3);
    };

    world.spawn(call(limited));
    world.run();
    CHECK(connected == true);

    asio::cancellation_signal signal;
    connected.reset();
    world.spawn(call(plain), signal.slot());
    world.run();
    CHECK(connected == true);

    world.spawn(call(plain));
    world.run();
    CHECK(connected == false);
}

TEST_CASE("cancellation: what a handler binds to the slot ends at the deadline; what it does not bind goes on")
{
    weir::simulation world;
    int ended_early = 0, ended_late = 0;
    auto const binding = [&](int, weir::view<weir::cancellation> v) -> awaitable<int> {
        try {
            co_await world.sleep(1h, v.get<weir::cancellation>().slot);
        } catch (boost::system::system_error const&) {
            ++ended_early;
            throw;
        }
        co_return 1;
    };
    auto const careless = [&](int, weir::view<weir::cancellation>) -> awaitable<int> {
        co_await world.sleep(1h, asio::cancellation_slot{});
        ++ended_late;
        co_return 1;
    };
    weir::pipeline good{weir::timed_by{std::ref(world.clock())}, weir::timeout{1s}, binding};
    weir::pipeline bad{weir::timed_by{std::ref(world.clock())}, weir::timeout{1s}, careless};
    weir::time_point const start = world.clock().now();
    auto const call_good = [&]() -> awaitable<void> {
        weir::result<int> const got = co_await good(1);
        CHECK(got.error() == weir::errc::deadline_exceeded);
        CHECK(world.clock().now() < start + 2s);
    };
    auto const call_bad = [&]() -> awaitable<void> {
        weir::result<int> const got = co_await bad(1);
        CHECK(got.value() == 1);                  // it has ended with a value, late as it is
        CHECK(world.clock().now() >= start + 1h); // the caller waits until its handler has ended
    };
    world.spawn(call_good());
    world.spawn(call_bad());
    world.run();
    CHECK(ended_early == 1);
    CHECK(ended_late == 1);
}
