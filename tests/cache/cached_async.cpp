// SPDX-License-Identifier: BSL-1.0
//
// cached in asynchronous pipelines: who waits for whose load, and what becomes of them when one gives up.
#include <weir/asio.hpp>
#include <weir/cache/cached.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/resilience/timeout.hpp>
#include <weir/testing/simulation.hpp>

#include "histories.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

using store = weir::store<int, int>;
constexpr auto itself = weir::keyed_by<int>([](int n) { return n; });
constexpr weir::store_options plain{.capacity = 1'000, .ttl = 1h};

/// What a call came to, in a number: its value, or one of these.
constexpr int nothing = -1;
constexpr int threw = -2;
constexpr int failed(weir::errc e)
{
    return -100 - static_cast<int>(e);
}

using handler = std::function<asio::awaitable<weir::result<int>>(int)>;

/// Callers of one pipeline in virtual time; a load takes a second, and its number is its value.
struct scene {
    explicit scene(weir::cached_options o = {})
        : svc{weir::timed_by{std::ref(world.clock())}, weir::cached{store{plain}, itself, o},
              handler([this](int key) { return load(key); })}
    {
    }
    asio::awaitable<weir::result<int>> load(int key)
    {
        int const number = ++loads;
        co_await world.sleep(1s);
        if (key == 13) throw std::runtime_error("unlucky");
        if (key == 14) co_return weir::errc::upstream_failed;
        co_return number;
    }
    asio::awaitable<void> ask(int key, int& to)
    {
        try {
            weir::result<int> const r = co_await svc(key);
            to = r.has_value() ? *r : failed(r.error().kind());
        } catch (std::runtime_error const&) {
            to = threw;
        }
    }
    /// Starts a call; it can be cancelled by its number.
    std::size_t start(int key)
    {
        came.push_back(nothing);
        signals.emplace_back();
        world.spawn(ask(key, came.back()), signals.back().slot());
        world.run_for(0s);
        return came.size() - 1;
    }
    void cancel(std::size_t number)
    {
        signals[number].emit(asio::cancellation_type::terminal);
        world.run_for(0s);
    }
    [[nodiscard]] weir::cached_stats stats() { return svc.get<weir::cached>().stats(); }

    weir::simulation world;
    int loads = 0;
    std::deque<int> came;
    std::deque<asio::cancellation_signal> signals;
    decltype(weir::pipeline{weir::timed_by{std::ref(world.clock())}, weir::cached{store{plain}, itself}, handler{}}) svc;
};

constexpr int cancelled = failed(weir::errc::cancelled);

} // namespace

TEST_CASE("cached: ten thousand callers of a cold key make one load")
{
    scene s;
    for (int i = 0; i < 10'000; ++i) s.start(1);
    CHECK(s.loads == 1);
    s.world.run();
    int right = 0;
    for (int each : s.came) right += each == 1;
    CHECK(right == 10'000);
    CHECK(s.loads == 1);
    CHECK(s.stats().joined == 9'999);
    CHECK(s.stats().misses == 10'000);
    CHECK(s.stats().hits == 0);
    std::size_t const next = s.start(1);
    CHECK(s.came[next] == 1);
    CHECK(s.stats().hits == 1);
}

TEST_CASE("cached: a call waits for a blocked one of its own thread without blocking it: no circle")
{
    scene s;
    std::size_t late = 0;
    weir::pipeline blocking{weir::timed_by{std::ref(s.world.clock())}, std::ref(s.svc.get<weir::cached>()), [&](int key) {
                                late = s.start(key);
                                CHECK(s.stats().joined == 1);
                                CHECK(s.came[late] == nothing);
                                return key * 10;
                            }};
    CHECK(blocking(2).value() == 20);
    s.world.run();
    CHECK(s.came[late] == 20);
    CHECK(s.loads == 0);
}

TEST_CASE("cached: keys are loaded beside each other")
{
    scene s;
    for (int key = 0; key < 10; ++key) s.start(key);
    CHECK(s.loads == 10);
    s.world.run();
    for (int key = 0; key < 10; ++key) CHECK(s.came[static_cast<std::size_t>(key)] == key + 1);
}

TEST_CASE("cached: who joined gets the leader's failure or exception, and the next call loads again")
{
    for (auto const& [key, what] : {std::pair{14, failed(weir::errc::upstream_failed)}, std::pair{13, threw}}) {
        scene s;
        for (int i = 0; i < 4; ++i) s.start(key);
        s.world.run();
        for (int each : s.came) CHECK(each == what);
        CHECK(s.loads == 1);
        s.start(key);
        CHECK(s.loads == 2);
        s.world.run();
        CHECK(s.came.back() == what);
    }
}

TEST_CASE("cached: when the leader is cancelled, the one that waits longest loads, and the others wait for it")
{
    scene s;
    for (int i = 0; i < 4; ++i) s.start(1);
    s.world.run_for(500ms);
    s.cancel(0);
    CHECK(s.came[0] == cancelled);
    CHECK(s.loads == 2);
    std::size_t const late = s.start(1);
    s.world.run();
    for (std::size_t i : {std::size_t{1}, std::size_t{2}, std::size_t{3}, late}) CHECK(s.came[i] == 2);
    CHECK(s.loads == 2);
    CHECK(s.stats().loads == 2);
}

TEST_CASE("cached: when the heir is cancelled too, the next one loads; one that is cancelled while it waits is missed by nobody")
{
    scene s;
    for (int i = 0; i < 5; ++i) s.start(1);
    s.cancel(2);
    CHECK(s.came[2] == cancelled);
    s.cancel(0);
    s.cancel(1);
    CHECK(s.loads == 3);
    s.world.run();
    CHECK(s.came[1] == cancelled);
    CHECK(s.came[3] == 3);
    CHECK(s.came[4] == 3);
}

TEST_CASE("cached: an heir that is cancelled before it came to itself hands the lead on")
{
    scene s;
    for (int i = 0; i < 3; ++i) s.start(1);
    for (std::size_t i : {std::size_t{0}, std::size_t{1}})
        s.signals[i].emit(asio::cancellation_type::terminal); // the context does not run between
    s.world.run();
    CHECK(s.came[0] == cancelled);
    CHECK(s.came[2] > 0);
    CHECK(s.came[2] == s.loads);
}

TEST_CASE("cached: when all are cancelled, nothing is left of the flight")
{
    scene s;
    for (int i = 0; i < 100; ++i) s.start(1);
    for (std::size_t i = 0; i < 100; ++i) s.signals[i].emit(asio::cancellation_type::terminal);
    s.world.run();
    int gone = 0;
    for (int each : s.came) gone += each == cancelled;
    CHECK(gone >= 99); // the last heir may have been on its way already
    int const before = s.loads;
    std::size_t const next = s.start(2);
    s.world.run();
    CHECK(s.came[next] == before + 1);
}

TEST_CASE("cached: a call beyond the greatest number of flights loads by itself")
{
    scene s({.max_flights = 1});
    s.start(1);
    s.start(2);
    s.start(2);
    s.start(1);
    s.world.run();
    CHECK(s.loads == 3);
    CHECK(s.stats().joined == 1);
}

TEST_CASE("cached: who waits keeps to its own deadline; a leader out of time leaves the load to one that has more")
{
    weir::simulation world;
    int loads = 0;
    handler const load = [&](int) -> asio::awaitable<weir::result<int>> {
        int const number = ++loads;
        co_await world.sleep(1s);
        co_return number;
    };
    weir::cached shared_cache{store{plain}, itself};
    weir::pipeline hasty{weir::timed_by{std::ref(world.clock())}, weir::timeout{500ms}, std::ref(shared_cache), load};
    weir::pipeline patient{weir::timed_by{std::ref(world.clock())}, weir::timeout{10s}, std::ref(shared_cache), load};
    std::deque<int> came;
    auto const ask = [](auto& svc, int& came_to) -> asio::awaitable<void> {
        weir::result<int> const r = co_await svc(1);
        came_to = r.has_value() ? *r : failed(r.error().kind());
    };
    auto const start = [&](auto& svc) {
        world.spawn(ask(svc, came.emplace_back(nothing)));
        world.run_for(0s);
    };

    SUBCASE("one that waits")
    {
        start(patient);
        start(hasty);
        world.run();
        CHECK(came[0] == 1);
        CHECK(came[1] == failed(weir::errc::deadline_exceeded));
        CHECK(loads == 1);
    }
    SUBCASE("the leader")
    {
        start(hasty);
        world.run_for(100ms);
        start(patient);
        world.run();
        CHECK(came[0] == failed(weir::errc::deadline_exceeded));
        CHECK(came[1] == 2);
        CHECK(loads == 2);
    }
    SUBCASE("the leader and its heir")
    {
        start(hasty);
        start(hasty);
        start(patient);
        world.run();
        CHECK(came[0] == failed(weir::errc::deadline_exceeded));
        CHECK(came[1] == failed(weir::errc::deadline_exceeded));
        CHECK(came[2] > 0);
    }
}

TEST_CASE("cached: a context that is destroyed in the middle of a flight takes all of it along")
{
    weir::manual_clock clock;
    int loads = 0;
    handler const stuck = [&](int) -> asio::awaitable<weir::result<int>> {
        ++loads;
        asio::steady_timer timer(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
        co_await timer.async_wait(asio::use_awaitable);
        co_return 0;
    };
    weir::pipeline svc{weir::timed_by{std::ref(clock)}, weir::cached{store{plain}, itself}, stuck};
    int ended = 0;
    {
        asio::io_context context;
        auto const ask = [&](int key) -> asio::awaitable<void> {
            static_cast<void>(co_await svc(key));
            ++ended;
        };
        for (int i = 0; i < 100; ++i) asio::co_spawn(context, ask(i % 3), asio::detached);
        context.poll();
        CHECK(loads == 3);
    }
    CHECK(ended == 0);

    asio::io_context context;
    auto const again = [&]() -> asio::awaitable<void> { static_cast<void>(co_await svc(0)); };
    asio::co_spawn(context, again(), asio::detached);
    context.poll();
    CHECK(loads == 4); // nobody is waited for who is gone
}

TEST_CASE("cached: callers on contexts of several threads share their loads")
{
    constexpr int threads = 3;
    constexpr int callers = 300;
    constexpr int keys = 20;
    std::atomic<int> loads = 0;
    handler const load = [&](int key) -> asio::awaitable<weir::result<int>> {
        ++loads;
        asio::steady_timer timer(co_await asio::this_coro::executor, 0s);
        co_await timer.async_wait(asio::use_awaitable);
        co_return -key;
    };
    weir::pipeline svc{weir::cached{store{plain}, itself}, load};
    std::atomic<int> right = 0;
    auto const ask = [&](int key) -> asio::awaitable<void> {
        weir::result<int> const r = co_await svc(key);
        right += r.has_value() && *r == -key;
    };
    std::vector<std::thread> running;
    for (int t = 0; t < threads; ++t)
        running.emplace_back([&] {
            asio::io_context context(1);
            for (int i = 0; i < callers; ++i) asio::co_spawn(context, ask(i % keys), asio::detached);
            context.run();
        });
    for (std::thread& each : running) each.join();
    CHECK(right == threads * callers);
    CHECK(loads == keys);
}

TEST_CASE("cached: threads whose callers are cancelled at random lose nobody")
{
    constexpr int threads = 3;
    std::atomic<int> told = 0;
    std::atomic<int> loads = 0;
    handler const load = [&](int key) -> asio::awaitable<weir::result<int>> {
        ++loads;
        asio::steady_timer timer(co_await asio::this_coro::executor, 0s);
        co_await timer.async_wait(asio::use_awaitable);
        co_return -key;
    };
    weir::pipeline svc{weir::cached{weir::store<int, int>{{.capacity = 10, .ttl = 1ns, .jitter = 0}}, itself}, load};
    auto const ask = [&](int key) -> asio::awaitable<void> {
        weir::result<int> const r = co_await svc(key);
        told += r.has_value() ? *r == -key : r.error() == weir::errc::cancelled;
    };
    std::vector<std::thread> running;
    for (int t = 0; t < threads; ++t)
        running.emplace_back([&, t] {
            asio::io_context context(1);
            std::mt19937 random(static_cast<unsigned>(t));
            std::deque<asio::cancellation_signal> signals;
            for (int i = 0; i < 1'000; ++i) {
                asio::co_spawn(context, ask(static_cast<int>(random() % 3)),
                               asio::bind_cancellation_slot(signals.emplace_back().slot(), asio::detached));
                if (random() % 2 == 0) context.poll_one();
                if (random() % 2 == 0) signals[random() % signals.size()].emit(asio::cancellation_type::terminal);
            }
            context.run();
        });
    for (std::thread& each : running) each.join();
    CHECK(told == threads * 1'000);
}

TEST_CASE("cached: random schedules of calls, failures, cancellations and erasures during loads")
{
    auto const report =
        weir::check_schedules({.seed = weir_test::first_seed(), .schedules = weir_test::schedules() / 20}, [](weir::schedule& s) {
            weir_test::cache_history history(s);
            decltype(scene::svc) svc{weir::timed_by{std::ref(s.clock())}, weir::cached{store{plain}, itself}, history.handler()};
            weir::simulation world(s);
            history.run(svc, world);
        });
    CHECK_MESSAGE(report, report.text());
}
