// SPDX-License-Identifier: BSL-1.0
// Limits of calls at the same time in asynchronous pipelines, in virtual time.
#include <weir/limit/concurrency_limit.hpp>

#include <weir/asio.hpp>
#include <weir/core/key.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/limit/adaptive_lifo.hpp>
#include <weir/limit/adaptive_limit.hpp>
#include <weir/limit/by_priority.hpp>
#include <weir/limit/codel.hpp>
#include <weir/limit/fair_by.hpp>
#include <weir/limit/vegas.hpp>
#include <weir/resilience/timeout.hpp>
#include <weir/testing/simulation.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <doctest/doctest.h>

#include <deque>
#include <functional>
#include <optional>
#include <random>
#include <stdexcept>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

struct job {
    int number = 0;
    int importance = 0;
};
using outcome = std::optional<weir::result<int>>;

template<class Service>
asio::awaitable<void> ask(Service& svc, weir::simulation& world, weir::duration when, job j, outcome& into)
{
    co_await world.sleep(when);
    try {
        into = co_await svc(j);
    } catch (std::runtime_error const&) {
        into = weir::errc::handler_threw;
    }
}
asio::awaitable<void> emit(weir::simulation& world, weir::duration when, asio::cancellation_signal& signal)
{
    co_await world.sleep(when);
    signal.emit(asio::cancellation_type::terminal);
}

} // namespace

TEST_CASE("concurrency_limit: an asynchronous call that the queue gives up is told at once, not when its time is over")
{
    weir::simulation world;
    auto const work = [&](job const& j) -> asio::awaitable<int> {
        co_await world.sleep(90ms);
        co_return j.number;
    };
    weir::pipeline svc{weir::timed_by{std::ref(world.clock())},
                       weir::concurrency_limit{{.max_concurrent = 1, .max_wait = 1h}, weir::codel{}}, work};
    std::deque<outcome> all(30);
    for (std::size_t i = 0; i < all.size(); ++i) world.spawn(ask(svc, world, 0ms, {static_cast<int>(i)}, all[i]));
    world.run();
    int refused = 0;
    for (auto const& each : all) {
        REQUIRE(each.has_value());
        refused += each->has_error() && each->error() == weir::errc::bulkhead_full;
    }
    CHECK(refused > 5);
    CHECK(refused < 29);
    auto const stats = svc.get<weir::concurrency_limit<weir::codel>>().stats();
    CHECK(stats.refused == static_cast<std::uint64_t>(refused));
    CHECK(stats.inside + stats.waiting == 0);
}

TEST_CASE("adaptive_limit: a time limit that is over counts as a drop, a caller that gives up does not")
{
    weir::simulation world;
    auto const hangs = [&](job const&) -> asio::awaitable<int> {
        co_await world.sleep(1h);
        co_return 1;
    };
    weir::pipeline svc{weir::timed_by{std::ref(world.clock())}, weir::timeout{50ms}, weir::adaptive_limit{weir::vegas{}, {}}, hangs};
    outcome first, second;
    asio::cancellation_signal signal;
    world.spawn(ask(svc, world, 0ms, {}, first));
    world.spawn(ask(svc, world, 0ms, {}, second), signal.slot());
    world.spawn(emit(world, 10ms, signal));
    world.run();
    CHECK(first->error() == weir::errc::deadline_exceeded);
    auto const stats = svc.get<weir::adaptive_limit<weir::vegas>>().stats();
    CHECK(stats.dropped == 1);
    CHECK(stats.inside == 0);
}

TEST_CASE("adaptive_limit, concurrency_limit: exceptions, time limits and cancellations, and every place comes back")
{
    int ended_well = 0, refused = 0;
    for (std::uint32_t seed = 1; seed <= 40; ++seed) {
        std::mt19937 random(seed);
        weir::simulation world;
        auto const work = [&](job const& j) -> asio::awaitable<weir::result<int>> {
            co_await world.sleep(weir::duration(1ms) * (j.number % 17));
            if (j.number % 13 == 0) throw std::runtime_error("no");
            if (j.number % 7 == 0) co_return weir::errc::overloaded;
            co_return j.number;
        };
        weir::adaptive_limit outer{weir::vegas{},
                                   {.initial = 4,
                                    .floor = 2,
                                    .ceiling = 8,
                                    .probe_limit = 1,
                                    .probe_every = 20ms,
                                    .window = 5ms,
                                    .window_calls = 3,
                                    .max_wait = 30ms,
                                    .max_waiting = 12,
                                    .seed = seed},
                                   weir::by_priority{weir::keyed_by(&job::importance), 0.1, 0.2, 0.1}};
        weir::concurrency_limit fair{{.max_concurrent = 3, .max_wait = 20ms, .max_waiting = 6},
                                     weir::fair_by{weir::keyed_by(&job::importance), {.max_users = 2}}};
        weir::concurrency_limit newest{{.max_concurrent = 2, .max_wait = 1h}, weir::adaptive_lifo{{.interval = 8ms, .target = 4ms}}};
        weir::pipeline svc{
            weir::timed_by{std::ref(world.clock())}, weir::timeout{40ms}, std::ref(outer), std::ref(fair), std::ref(newest), work};
        std::deque<outcome> all(120);
        std::deque<asio::cancellation_signal> signals;
        for (std::size_t i = 0; i < all.size(); ++i) {
            auto& signal = signals.emplace_back();
            weir::duration const when = weir::duration(1ms) * (random() % 200);
            world.spawn(ask(svc, world, when, {static_cast<int>(i), static_cast<int>(random() % 4)}, all[i]), signal.slot());
            if (random() % 4 == 0) world.spawn(emit(world, when + weir::duration(1ms) * (random() % 40), signal));
        }
        world.run();
        for (auto const& each : all) {
            if (!each.has_value()) continue; // cancelled before it called
            ended_well += each->has_value();
            refused += each->has_error() && each->error() == weir::errc::bulkhead_full;
        }
        REQUIRE(outer.stats().inside + outer.stats().waiting == 0);
        REQUIRE(fair.stats().inside + fair.stats().waiting == 0);
        REQUIRE(newest.stats().inside + newest.stats().waiting == 0);
    }
    CHECK(ended_well > 400);
    CHECK(refused > 200);
}
