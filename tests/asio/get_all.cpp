// SPDX-License-Identifier: BSL-1.0
// What it has beside the blocking one, which is in tests/cache/get_all.cpp: it waits without blocking, and can be cancelled.
#include <weir/asio/get_all.hpp>

#include <weir/asio.hpp>
#include <weir/cache/cached.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/testing/simulation.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/cancellation_type.hpp>

#include <doctest/doctest.h>

#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

constexpr auto itself = weir::keyed_by<int>([](int n) { return n; });
using many = weir::result<std::vector<std::optional<int>>>;
using load_all = std::function<asio::awaitable<many>(std::span<int const>)>;
using handler = std::function<asio::awaitable<weir::result<int>>(int)>;
using answers = std::vector<std::optional<int>>;

/// A load of many takes a second, one of a single key, by the pipeline, two; a number is its own value, times 10 from the pipeline.
struct scene {
    asio::awaitable<many> load_many(std::span<int const> keys)
    {
        asked.emplace_back(keys.begin(), keys.end());
        co_await world.sleep(1s);
        if (throws) throw std::runtime_error("no");
        many all = std::vector<std::optional<int>>(keys.begin(), keys.end());
        co_return all;
    }
    asio::awaitable<weir::result<int>> load_one(int key)
    {
        ++single;
        co_await world.sleep(2s);
        weir::result<int> value = key * 10;
        co_return value;
    }
    asio::awaitable<void> all(std::vector<int> keys, answers& to, weir::time_point deadline = weir::never)
    {
        auto& cache = svc.get<weir::cached>();
        auto const came = co_await weir::async_get_all(cache, keys, load, world.clock(), deadline);
        for (weir::result<int> const& each : came) to.push_back(each.has_value() ? std::optional(*each) : std::nullopt);
    }
    asio::awaitable<void> one(int key, int& to)
    {
        weir::result<int> const r = co_await svc(key);
        to = r.has_value() ? *r : -1;
    }

    weir::simulation world;
    std::vector<std::vector<int>> asked;
    int single = 0;
    bool throws = false;
    load_all load = [this](std::span<int const> keys) { return load_many(keys); };
    weir::pipeline<weir::stack<weir::timed_by<std::reference_wrapper<weir::manual_clock>>,
                               weir::cached<weir::store<int, int>, std::remove_const_t<decltype(itself)>>>,
                   handler>
        svc{weir::timed_by{std::ref(world.clock())}, weir::cached{weir::store<int, int>{{.capacity = 100, .ttl = 1h}}, itself},
            handler([this](int key) { return load_one(key); })};
};

} // namespace

TEST_CASE("async_get_all: it loads what is missing at once, and waits for what others load; they wait for it")
{
    scene s;
    int first = 0;
    int last = 0;
    answers came;
    answers too;
    s.world.spawn(s.one(1, first));
    s.world.run_for(0s);
    s.world.spawn(s.all({1, 2, 3}, came));
    s.world.spawn(s.all({3, 4, 1}, too)); // each waits for the other
    s.world.spawn(s.one(2, last));
    s.world.run();
    CHECK(came == answers{10, 2, 3});
    CHECK(too == answers{3, 4, 10});
    CHECK(first == 10);
    CHECK(last == 2);
    CHECK(s.single == 1);
    CHECK(s.asked == std::vector<std::vector<int>>{{2, 3}, {4}});
    came.clear();
    s.world.spawn(s.all({4, 3, 2, 1}, came));
    s.world.run();
    CHECK(came == answers{4, 3, 2, 10});
    CHECK(s.asked.size() == 2);
}

TEST_CASE("async_get_all: one that is cancelled leaves its keys to those who wait for them")
{
    scene s;
    asio::cancellation_signal stop;
    answers gone;
    answers came;
    int one = 0;
    auto const give_up = [&]() -> asio::awaitable<void> {
        try {
            std::vector<int> const keys{1, 2};
            co_await s.all(keys, gone);
        } catch (boost::system::system_error const&) {
        }
    };
    s.world.spawn(give_up(), stop.slot());
    s.world.run_for(0s);
    s.world.spawn(s.all({2, 3}, came));
    s.world.spawn(s.one(1, one));
    s.world.run_for(500ms);
    stop.emit(asio::cancellation_type::terminal);
    s.world.run();
    CHECK(gone.empty());
    CHECK(came == answers{2, 3});
    CHECK(one == 10);
    CHECK(s.asked == std::vector<std::vector<int>>{{1, 2}, {3}, {2}});
}

TEST_CASE("async_get_all: its own deadline ends a wait, and what its load throws reaches all")
{
    scene s;
    int one = 0;
    answers came;
    s.world.spawn(s.one(1, one));
    s.world.run_for(0s);
    s.world.spawn(s.all({1, 2}, came, s.world.clock().now() + 1500ms));
    s.world.run();
    CHECK(came == answers{std::nullopt, 2});
    CHECK(one == 10);

    s.throws = true;
    int threw = 0;
    auto const hear = [&](std::vector<int> keys) -> asio::awaitable<void> {
        answers none;
        try {
            co_await s.all(keys, none);
        } catch (std::runtime_error const&) {
            ++threw;
        }
    };
    s.world.spawn(hear({7}));
    s.world.spawn(hear({8}));
    s.world.run();
    CHECK(threw == 2);
}
