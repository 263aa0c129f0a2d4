// SPDX-License-Identifier: BSL-1.0
#include <weir/testing/simulation.hpp>

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <doctest/doctest.h>

#include <set>
#include <stdexcept>
#include <utility>
#include <vector>

namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

} // namespace

TEST_CASE("simulation: sleepers wake in the order of their times, at their times")
{
    weir::simulation world;
    weir::time_point const start = world.clock().now();
    std::vector<int> woken;
    auto const sleeper = [&](int number, weir::duration d) -> asio::awaitable<void> {
        co_await world.sleep(d);
        CHECK(world.clock().now() == start + d);
        woken.push_back(number);
    };
    world.spawn(sleeper(1, 30min));
    world.spawn(sleeper(2, 5ms));
    world.spawn(sleeper(3, 24h * 365));
    world.spawn(sleeper(4, 0s));
    world.run();
    CHECK(woken == std::vector{4, 2, 1, 3});
    CHECK(world.clock().now() == start + 24h * 365);
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
    CHECK(world.clock().now() == start + 1s);
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
    CHECK(world.clock().now() == start + 2s);
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

TEST_CASE("simulation: alarms of the same time, and those a nanosecond apart, ring in order")
{
    weir::simulation world;
    std::vector<int> woken;
    auto const sleeper = [&](int number, weir::duration d) -> asio::awaitable<void> {
        co_await world.sleep(d);
        woken.push_back(number);
    };
    world.spawn(sleeper(1, 1s + 2ns));
    world.spawn(sleeper(2, 1s + 1ns));
    world.spawn(sleeper(3, 1s));
    world.spawn(sleeper(4, 1s));
    world.run();
    CHECK(woken == std::vector{3, 4, 2, 1});
}

TEST_CASE("simulation: the schedule draws who of several that are ready goes first: each order comes up, and one seed gives one order")
{
    auto const order = [](std::uint64_t seed) {
        weir::schedule s(seed);
        std::vector<int> woken;
        auto const sleeper = [&](int number) -> asio::awaitable<void> {
            co_await weir::sleep(s, 1s);
            woken.push_back(number);
            co_await weir::sleep(s, 1s);
            woken.push_back(number);
        };
        weir::simulation world(s);
        for (int i = 0; i < 3; ++i) world.spawn(sleeper(i));
        world.run();
        return woken;
    };
    std::set<std::vector<int>> seen;
    for (std::uint64_t seed = 1; seed <= 400; ++seed) seen.insert(order(seed));
    CHECK(seen.size() == 36);
    CHECK(order(7) == order(7));
}

TEST_CASE("simulation: a race that only some orders show is found, and a draw of 0 is first come first served")
{
    auto const last = [](weir::schedule& s) {
        int value = 0;
        auto const adds = [&]() -> asio::awaitable<void> { // reads, is interrupted, and writes
            int const read = value;
            co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
            value = read + 1;
        };
        weir::simulation world(s);
        world.spawn(adds());
        world.spawn(adds());
        world.run();
        return value;
    };
    std::set<int> seen;
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        weir::schedule s(seed);
        seen.insert(last(s));
    }
    CHECK(seen == std::set{1, 2});
}

TEST_CASE("simulation: it stops when its schedule has failed, and may be destroyed then")
{
    weir::schedule s;
    int steps = 0;
    auto const work = [&]() -> asio::awaitable<void> {
        for (;;) {
            co_await weir::sleep(s, 1s);
            s.expect(++steps < 5, "less than five");
        }
    };
    weir::simulation world(s);
    world.spawn(work());
    world.spawn(work());
    world.run();
    CHECK(steps == 5);
    CHECK(s.why() == "less than five");
}

TEST_CASE("simulation: handlers that are ready when it is destroyed are destroyed, with what they bring")
{
    struct witness {
        int& alive;
        witness(int& a, int& made) : alive(a)
        {
            ++alive;
            ++made;
        }
        witness(witness const&) = delete;
        witness& operator=(witness const&) = delete;
        ~witness() { --alive; }
    };
    int alive = 0, made = 0;
    {
        weir::schedule s;
        weir::simulation world(s);
        auto const work = [&]() -> asio::awaitable<void> {
            witness const w(alive, made);
            co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
            co_await weir::sleep(s, 1s);
        };
        for (int i = 0; i < 5; ++i) world.spawn(work());
        for (int i = 0; i < 8; ++i) world.step();
        CHECK(alive > 0);
    }
    CHECK(made > 2);
    CHECK(alive == 0);
}
