// SPDX-License-Identifier: BSL-1.0
#include <weir/testing/simulation.hpp>

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/post.hpp>

#include <doctest/doctest.h>

#include <stdexcept>
#include <vector>

namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

constexpr auto tick = 1ms + 50us;

} // namespace

TEST_CASE("simulation: sleepers wake in the order of their times, at their times")
{
    weir::simulation world;
    weir::time_point const start = world.clock().now();
    std::vector<int> woken;
    auto const sleeper = [&](int number, weir::duration d) -> asio::awaitable<void> {
        co_await world.sleep(d);
        CHECK(world.clock().now() >= start + d);
        CHECK(world.clock().now() < start + d + tick);
        woken.push_back(number);
    };
    world.spawn(sleeper(1, 30min));
    world.spawn(sleeper(2, 5ms));
    world.spawn(sleeper(3, 24h * 365));
    world.spawn(sleeper(4, 0s));
    world.run();
    CHECK(woken == std::vector{4, 2, 1, 3});
}

TEST_CASE("simulation: runs for a while, and goes on later")
{
    weir::simulation world;
    weir::time_point const start = world.clock().now();
    int steps = 0;
    auto const work = [&]() -> asio::awaitable<void> {
        for (int i = 0; i < 10; ++i) {
            co_await world.sleep(100ms);
            ++steps;
        }
    };
    world.spawn(work());
    world.run_for(550ms);
    CHECK(steps == 5);
    CHECK(world.clock().now() == start + 550ms);
    world.run();
    CHECK(steps == 10);
}

TEST_CASE("simulation: what a coroutine throws comes out of run")
{
    weir::simulation world;
    auto const work = [&]() -> asio::awaitable<int> {
        co_await world.sleep(1s);
        throw std::runtime_error("no");
    };
    world.spawn(work());
    CHECK_THROWS_WITH_AS(world.run(), "no", std::runtime_error);
    world.run();
}

TEST_CASE("simulation: a sleep honours the coroutine's cancellation")
{
    weir::simulation world;
    weir::time_point const start = world.clock().now();
    bool aborted = false;
    asio::cancellation_signal signal;
    auto const work = [&]() -> asio::awaitable<void> {
        try {
            co_await world.sleep(1h);
        } catch (boost::system::system_error const& e) {
            aborted = e.code() == asio::error::operation_aborted;
        }
    };
    auto const canceller = [&]() -> asio::awaitable<void> {
        co_await world.sleep(1s);
        signal.emit(asio::cancellation_type::terminal);
    };
    world.spawn(work(), signal.slot());
    world.spawn(canceller());
    world.run();
    CHECK(aborted);
    CHECK(world.clock().now() < start + 1s + tick);
}

TEST_CASE("simulation: a sleep can be bound to a slot of the handler's own")
{
    weir::simulation world;
    weir::time_point const start = world.clock().now();
    asio::cancellation_signal signal;
    bool aborted = false;
    auto const work = [&]() -> asio::awaitable<void> {
        try {
            co_await world.sleep(1h, signal.slot());
        } catch (boost::system::system_error const&) {
            aborted = true;
        }
        co_await world.sleep(1s, signal.slot()); // the slot can be used again
    };
    auto const canceller = [&]() -> asio::awaitable<void> {
        co_await world.sleep(1s);
        signal.emit(asio::cancellation_type::terminal);
    };
    world.spawn(work());
    world.spawn(canceller());
    world.run();
    CHECK(aborted);
    CHECK(world.clock().now() < start + 2s + 2 * tick);
}

TEST_CASE("simulation: one that is destroyed while somebody sleeps destroys him too")
{
    struct witness {
        bool& gone;
        explicit witness(bool& g) : gone(g) {}
        witness(witness const&) = delete;
        witness& operator=(witness const&) = delete;
        ~witness() { gone = true; }
    };
    bool gone = false;
    {
        weir::simulation world;
        auto const work = [&]() -> asio::awaitable<void> {
            witness const w(gone);
            co_await world.sleep(1h);
        };
        world.spawn(work());
        world.run_for(1s);
        CHECK_FALSE(gone);
    }
    CHECK(gone);
}
