// SPDX-License-Identifier: BSL-1.0
#include <weir/cache/staggered_warm_up.hpp>

#include <weir/asio.hpp>
#include <weir/cache/cached.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/testing/simulation.hpp>

#include <boost/asio/awaitable.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

constexpr weir::time_point start{1h};

std::vector<int> numbers(int count)
{
    std::vector<int> all(static_cast<std::size_t>(count));
    std::iota(all.begin(), all.end(), 0);
    return all;
}

} // namespace

TEST_CASE("staggered_warm_up: so many loads at a time, and a pause between their beginnings")
{
    weir::staggered_warm_up<std::string> warm{{"a", "b", "c"}, {.max_concurrent = 2, .pause = 10ms}};
    CHECK(*warm.next(start).key == "a");
    auto step = warm.next(start);
    CHECK(step.key == nullptr);
    CHECK(step.again == start + 10ms);
    CHECK(*warm.next(start + 10ms).key == "b");
    step = warm.next(start + 1h); // both places are taken
    CHECK(step.key == nullptr);
    CHECK(step.again == weir::never);
    warm.ended(true);
    CHECK(*warm.next(start + 1h).key == "c");
    warm.ended(false);
    CHECK_FALSE(warm.finished());
    warm.ended(true);
    CHECK(warm.finished());
    CHECK(warm.next(start + 2h).key == nullptr);
    CHECK(warm.next(start + 2h).again == weir::never);
    auto const s = warm.stats();
    CHECK(s.keys == 3);
    CHECK(s.begun == 3);
    CHECK(s.loaded == 2);
    CHECK(s.failed == 1);
}

TEST_CASE("staggered_warm_up: times to live lie evenly over the spread, however few there are")
{
    for (int const count : {10, 100, 1'000}) {
        weir::staggered_warm_up<int> warm{numbers(1), {.max_concurrent = 1, .spread = 0.4}};
        std::vector<int> tenths(10);
        for (int i = 0; i < count; ++i) {
            weir::duration const ttl = warm.time_to_live(100s);
            REQUIRE(ttl <= 100s);
            REQUIRE(ttl >= 60s);
            ++tenths[std::min<std::size_t>(static_cast<std::size_t>((ttl - 60s) / 4s), 9)];
        }
        CHECK(*std::max_element(tenths.begin(), tenths.end()) <= count / 10 + 2);
        static_cast<void>(warm.next(start));
        warm.ended(true);
        CHECK(warm.time_to_live(100s) == 100s);
    }
    weir::staggered_warm_up<int> none{{}, {.max_concurrent = 1}};
    CHECK(none.finished());
    CHECK(none.time_to_live(1s) == 1s);
}

TEST_CASE("staggered_warm_up: bad options are refused by name")
{
    auto const made = [](weir::staggered_warm_up_options const& o) { weir::staggered_warm_up<int>{{1}, o}; };
    CHECK_THROWS_WITH_AS(made({.max_concurrent = 0}), doctest::Contains("staggered_warm_up.max_concurrent"), std::invalid_argument);
    CHECK_THROWS_WITH_AS(made({.max_concurrent = 1, .pause = -1ns}), doctest::Contains("staggered_warm_up.pause"), std::invalid_argument);
    CHECK_THROWS_WITH_AS(made({.max_concurrent = 1, .spread = 1}), doctest::Contains("staggered_warm_up.spread"), std::invalid_argument);
}

TEST_CASE("staggered_warm_up: a service begins warm, by loads of its own pipeline, and what was loaded together does not expire together")
{
    weir::simulation world;
    constexpr int count = 1'000;
    weir::staggered_warm_up<int> warm{numbers(count), {.max_concurrent = 10, .pause = 1ms, .spread = 0.5}};
    int loads = 0;
    int under_way = 0;
    int most = 0;
    std::function<asio::awaitable<weir::result<int>>(int)> const source = [&](int key) -> asio::awaitable<weir::result<int>> {
        ++loads;
        most = std::max(most, ++under_way);
        co_await world.sleep(20ms);
        --under_way;
        if (key % 100 == 99) co_return weir::errc::upstream_failed;
        co_return -key;
    };
    weir::store<int, int> values{{.capacity = 5'000, .ttl = 100s, .jitter = 0},
                                 {.time_to_live = [&](int, int) { return warm.time_to_live(100s); }}};
    weir::pipeline svc{weir::timed_by{std::ref(world.clock())},
                       weir::cached{std::ref(values), weir::keyed_by<int>([](int key) { return key; })}, source};
    std::function<asio::awaitable<void>()> const worker = [&]() -> asio::awaitable<void> {
        while (!warm.finished()) {
            auto const next = warm.next(world.clock().now());
            if (next.key == nullptr) {
                co_await world.sleep(next.again == weir::never ? 1ms : next.again - world.clock().now());
                continue;
            }
            int const key = *next.key;
            weir::result<int> const r = co_await svc(key);
            warm.ended(r.has_value());
        }
    };
    for (int i = 0; i < 20; ++i) world.spawn(worker());
    world.run();
    CHECK(warm.finished());
    CHECK(warm.stats().loaded == 990);
    CHECK(warm.stats().failed == 10);
    CHECK(loads == count);
    CHECK(most == 10);
    weir::time_point const filled = world.clock().now();
    CHECK(filled - weir::time_point{} >= count / 10 * 20ms);

    // They go out of date evenly between 50 and 100 seconds later: 20 a second, where at once it would be a thousand.
    std::size_t before = 990;
    std::size_t worst = 0;
    for (auto at = filled + 45s; at <= filled + 101s; at += 1s) {
        std::size_t left = 0;
        for (int key = 0; key < count; ++key) left += values.find(key, at).hit() ? 1u : 0u;
        worst = std::max(worst, before - left);
        before = left;
    }
    CHECK(before == 0);
    CHECK(worst <= 25);
}
