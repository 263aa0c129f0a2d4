// SPDX-License-Identifier: BSL-1.0
#include <weir/limit/keyed.hpp>

#include "../schedules.hpp"

#include <weir/limit/token_bucket.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <limits>
#include <map>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using namespace std::string_view_literals;

struct by_name {
    using key_type = std::string;
};
struct by_number {
    using key_type = std::uint64_t;
};
struct no_key_type {};

constexpr weir::time_point start{1h};
constexpr weir::rate ten_a_second{.permits = 10, .per = 1s, .burst = 2};

using keyed_by_name = decltype(weir::keyed{weir::gcra{ten_a_second}, by_name{}, {.capacity = 4}});
static_assert(std::is_same_v<keyed_by_name, weir::keyed<weir::gcra<weir::shared>, by_name, weir::shared>>);
static_assert(std::is_same_v<decltype(weir::keyed{weir::token_bucket<weir::confined>{ten_a_second}, by_number{}, {.capacity = 4}}),
                             weir::keyed<weir::token_bucket<weir::confined>, by_number, weir::confined>>);
static_assert(std::is_move_constructible_v<keyed_by_name>);

template<class L, class K>
concept makes_keyed = requires
{
    typename weir::keyed<L, K>;
};
static_assert(!makes_keyed<weir::gcra<>, no_key_type>);
static_assert(!makes_keyed<int, by_name>);

} // namespace

TEST_CASE("keyed: each key has a burst of its own")
{
    weir::keyed limiter{weir::gcra{ten_a_second}, by_name{}, {.capacity = 100}};
    for (std::string_view const key : {"a"sv, "b"sv}) {
        CHECK(limiter.try_acquire(key, start, 2));
        CHECK(limiter.try_acquire(key, start).retry_after() == 100ms);
        CHECK(limiter.try_acquire(key, start, 3).is_impossible());
    }
    CHECK(limiter.stats().keys == 2);
    CHECK(limiter.available("a"sv, start) == 0);
    CHECK(limiter.available("c"sv, start) == 2);
}

TEST_CASE("keyed: strings of every kind name the same key")
{
    weir::keyed limiter{weir::gcra{ten_a_second}, by_name{}, {.capacity = 100}};
    CHECK(limiter.try_acquire(std::string("tenant"), start));
    CHECK(limiter.try_acquire("tenant"sv, start));
    CHECK_FALSE(limiter.try_acquire("tenant", start));
}

TEST_CASE("keyed: a key that takes nothing is not kept")
{
    weir::keyed limiter{weir::gcra{ten_a_second}, by_number{}, {.capacity = 100}};
    CHECK(limiter.try_acquire(1u, start, 0));
    CHECK(limiter.try_acquire(2u, start, 3).is_impossible());
    CHECK(limiter.stats().keys == 0);
}

TEST_CASE("keyed: full of keys in use, it refuses a new one and keeps the others")
{
    weir::keyed limiter{weir::gcra{ten_a_second}, by_number{}, {.capacity = 3}};
    for (std::uint64_t key = 0; key < 3; ++key) CHECK(limiter.try_acquire(key, start));
    auto const refused = limiter.try_acquire(9u, start);
    CHECK(refused.retry_after() == 100ms);
    CHECK_FALSE(limiter.reserve(9u, start, 1, 1h));
    CHECK(limiter.stats().keys == 3);
    CHECK(limiter.stats().overflowed == 2);
    CHECK(limiter.try_acquire(0u, start));
    CHECK(limiter.try_acquire(9u, start + 100ms)); // the others have their permits back
    CHECK(limiter.stats().evicted > 0);
}

TEST_CASE("keyed: full of keys in use, new ones share one bucket if so chosen")
{
    weir::keyed limiter{weir::gcra{ten_a_second}, by_number{}, {.capacity = 1, .overflow = weir::key_overflow::share_one}};
    CHECK(limiter.try_acquire(0u, start, 2));
    CHECK(limiter.try_acquire(1u, start));
    CHECK(limiter.try_acquire(2u, start));
    CHECK_FALSE(limiter.try_acquire(3u, start));
    CHECK(limiter.reserve(3u, start, 1, 1s).wait() == 100ms);
    CHECK(limiter.stats().keys == 1);
    CHECK(limiter.stats().overflowed == 4);
}

TEST_CASE("keyed: forgets a key only when that changes nothing, and never holds more than its capacity")
{
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        std::mt19937_64 random(seed);
        std::size_t const capacity = random() % 300 + 1;
        weir::keyed limiter{weir::gcra{ten_a_second}, by_number{}, {.capacity = capacity, .seed = seed}};
        std::map<std::uint64_t, weir::gcra<weir::confined>> model; // one for each key, never forgotten
        weir::time_point now = start;
        for (int i = 0; i < 5'000; ++i) {
            now += weir::duration{static_cast<std::int64_t>(random() % 2'000'000)};
            std::uint64_t const key = random() % 400;
            auto const before = limiter.stats().overflowed;
            auto const answer = limiter.try_acquire(key, now);
            CHECK(limiter.stats().keys <= capacity);
            if (limiter.stats().overflowed != before) continue; // refused for want of room: nothing was taken
            CHECK(answer == model.try_emplace(key, ten_a_second).first->second.try_acquire(now));
        }
    }
}

TEST_CASE("keyed: random schedules against limits that are never forgotten: whoever was refused is refused until its permits are back")
{
    // Exact without a look inside: a call that finds its limit in the model refusing has to be refused, as no eviction gives a fresh burst, and with
    // its own time to come back; one that the model admits is admitted, or finds no room and is counted so.
    struct naive {
        std::int64_t empty_at = 0; // when all that was taken has come back
    };
    for (std::uint64_t i = 0, seed = weir_test::first_seed(); i < weir_test::schedules(); ++i, ++seed) {
        std::mt19937_64 random(seed);
        auto const interval = static_cast<std::int64_t>(random() % 50 + 1);
        auto const burst = static_cast<std::int64_t>(random() % 4 + 1);
        std::size_t const capacity = random() % 6 + 1;
        bool const tight = random() % 2 == 0;
        weir::keyed limiter{
            weir::gcra<weir::confined>{{.permits = 1, .per = weir::duration{interval}, .burst = static_cast<std::uint64_t>(burst)}},
            by_number{},
            {.capacity = capacity, .seed = seed, .max_bytes = tight ? 2'048u : std::numeric_limits<std::size_t>::max()}};
        std::array<naive, 10> model{};
        std::int64_t now = 1'000;
        for (int step = 0; step < 30; ++step) {
            now += static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(interval + 1));
            if (random() % 10 == 0) now += interval * burst;
            std::uint64_t const key = random() % model.size();
            auto const cost = static_cast<std::int64_t>(random() % 8 == 0 ? random() % 6 : 1);
            naive& mine = model[key];
            weir::time_point const t{weir::duration{now}};
            auto const overflowed = limiter.stats().overflowed;
            weir::decision const got = limiter.try_acquire(key, t, static_cast<std::uint64_t>(cost));
            bool const no_room = limiter.stats().overflowed != overflowed;
            std::int64_t const wait = std::max(mine.empty_at, now) + (cost - burst) * interval - now;
            bool right = false;
            if (cost > burst)
                right = got.is_impossible();
            else if (wait > 0)
                right = got.retry_after() == weir::duration{wait} && !no_room;
            else
                right = static_cast<bool>(got) != no_room;
            if (no_room && mine.empty_at > now) right = false; // a key in use is held
            if (limiter.stats().keys > capacity || (tight && limiter.stats().bytes > 2'048)) right = false;
            if (got) mine.empty_at = std::max(mine.empty_at, now) + cost * interval;
            if (right) continue;
            CAPTURE(seed);
            CAPTURE(step);
            CAPTURE(key);
            CAPTURE(cost);
            CAPTURE(wait);
            FAIL("keyed decides otherwise: ", got.retry_after().count());
        }
    }
}

TEST_CASE("keyed: a stream of new keys finds room again as old ones fill up")
{
    weir::keyed limiter{weir::gcra{ten_a_second}, by_number{}, {.capacity = 1'000}};
    weir::time_point now = start;
    for (std::uint64_t key = 0; key < 100'000; ++key) {
        now += 1ms; // a key is in use for 100 ms: a hundred keys at a time
        CHECK(limiter.try_acquire(key, now));
    }
    CHECK(limiter.stats().overflowed == 0);
    CHECK(limiter.stats().keys + limiter.stats().evicted == 100'000);
}

TEST_CASE("keyed: a refund reaches its key, and an unknown key needs none")
{
    weir::keyed limiter{weir::gcra{ten_a_second}, by_name{}, {.capacity = 100}};
    CHECK(limiter.try_acquire("a", start, 2));
    limiter.refund("a"sv, 1);
    limiter.refund("b"sv, 1);
    CHECK(limiter.available("a", start) == 1);
    CHECK(limiter.available("b", start) == 2);
}

TEST_CASE("keyed: no call counts as earlier than the last change of keys")
{
    weir::keyed limiter{weir::gcra{ten_a_second}, by_number{}, {.capacity = 10}};
    CHECK(limiter.try_acquire(1u, start, 2)); // a new key
    CHECK_FALSE(limiter.try_acquire(1u, start + 99ms));
    CHECK(limiter.try_acquire(1u, start - 1h).retry_after() == 100ms);
    CHECK(limiter.try_acquire(2u, start + 99ms, 2)); // another new key
    CHECK(limiter.try_acquire(1u, start - 1h).retry_after() == 1ms);
}

TEST_CASE("keyed: new settings reach every key and keep what is in use")
{
    weir::keyed limiter{weir::gcra{ten_a_second}, by_number{}, {.capacity = 1'000}};
    for (std::uint64_t key = 0; key < 500; ++key) CHECK(limiter.try_acquire(key, start, 2));
    limiter.reconfigure({.permits = 100, .per = 1s, .burst = 5});
    CHECK(limiter.settings().burst == 5);
    for (std::uint64_t key = 0; key < 500; ++key) CHECK(limiter.available(key, start) == 3);
    CHECK(limiter.available(999u, start) == 5);
    CHECK_THROWS_AS(limiter.reconfigure({.permits = 0}), std::invalid_argument);
    CHECK(limiter.settings().burst == 5);
}

TEST_CASE("keyed: no capacity is no limiter")
{
    CHECK_THROWS_WITH_AS((weir::keyed{weir::gcra{ten_a_second}, by_number{}, {.capacity = 0}}), "capacity: expected at least 1",
                         std::invalid_argument);
}

TEST_CASE("keyed: what would be answered can be asked without taking")
{
    weir::keyed limiter{weir::gcra{ten_a_second}, by_name{}, {.capacity = 4}};
    CHECK(limiter.peek("a", start));
    CHECK(limiter.peek("a", start, 3).is_impossible());
    CHECK(limiter.stats().keys == 0);
    CHECK(limiter.try_acquire("a", start, 2));
    CHECK(limiter.peek("a", start).retry_after() == 100ms);
    CHECK(limiter.available("a", start + 100ms) == 1);
    CHECK(limiter.quota_at("a", start).until_more == 100ms);
}

TEST_CASE("keyed: strangers with long names fill no more memory than was granted, and nobody gets a fresh burst by them")
{
    constexpr std::size_t granted = 64 * 1024;
    weir::keyed limiter{weir::gcra{{.permits = 1, .per = 1h, .burst = 2}}, by_name{}, {.capacity = 1'000'000, .max_bytes = granted}};
    CHECK(limiter.try_acquire("victim", start, 2));
    std::mt19937_64 random(5);
    std::uint64_t admitted = 0;
    for (int i = 0; i < 2'000; ++i) {
        std::string const name = std::to_string(random()) + std::string(random() % 4'000, 'x');
        admitted += static_cast<bool>(limiter.try_acquire(name, start));
        REQUIRE(limiter.stats().bytes <= granted);
    }
    CHECK(admitted > 10);
    CHECK(admitted < 2'000);
    CHECK(limiter.stats().overflowed == 2'000 - admitted);
    CHECK(limiter.stats().evicted == 0);
    CHECK_FALSE(limiter.try_acquire("victim", start + 59min));
    // An hour later the strangers have their permits back and make room for others.
    for (int i = 0; i < 200; ++i) static_cast<void>(limiter.try_acquire(std::to_string(i) + std::string(50, 'y'), start + 3h));
    CHECK(limiter.stats().evicted > 0);
    CHECK(limiter.stats().overflowed == 2'000 - admitted);
}

TEST_CASE("keyed: also a shard's first table is paid before it is made, wherever the seed sends the keys")
{
    constexpr std::size_t granted = 64 * 1024;
    for (std::uint64_t seed = 1; seed <= 500; ++seed) {
        weir::keyed limiter{weir::gcra{ten_a_second}, by_name{}, {.capacity = 1'000'000, .seed = seed, .max_bytes = granted}};
        std::mt19937_64 random(5);
        for (int i = 0; i < 60; ++i) static_cast<void>(limiter.try_acquire(std::string(random() % 4'000, 'x') + std::to_string(i), start));
        REQUIRE(limiter.stats().bytes <= granted);
    }
}

TEST_CASE("keyed: the memory that it counts is that of its tables and texts, and goes back with what is forgotten")
{
    weir::keyed limiter{weir::gcra{ten_a_second}, by_name{}, {.capacity = 1'000}};
    std::size_t const empty = limiter.stats().bytes;
    std::string const name(1'000, 'n');
    CHECK(limiter.try_acquire(name, start));
    std::size_t const one = limiter.stats().bytes;
    CHECK(one >= empty + 1'001 + sizeof(std::string));
    CHECK(one <= empty + 1'032 + 32 * 64);
    for (int i = 0; i < 100; ++i) static_cast<void>(limiter.try_acquire(std::to_string(i), start + 1h)); // sweeps the long one away
    CHECK(limiter.stats().evicted > 0);
    CHECK(limiter.stats().bytes < one + 100 * 100);
    CHECK_THROWS_AS((weir::keyed{weir::gcra{ten_a_second}, by_number{}, {.capacity = 10, .max_bytes = 100}}), std::invalid_argument);
}

TEST_CASE("keyed: threads at once get each key's burst together, within the capacity, under settings that change")
{
    weir::keyed limiter{weir::gcra{{.permits = 10, .per = 1s, .burst = 50}}, by_number{}, {.capacity = 600}};
    std::vector<std::atomic<int>> admitted(500);
    std::vector<std::thread> threads;
    for (unsigned n = 0; n < 3; ++n)
        threads.emplace_back([&, n] {
            std::mt19937_64 random(n);
            for (int i = 0; i < 20'000; ++i) {
                std::uint64_t const key = random() % 500;
                if (limiter.try_acquire(key, start)) ++admitted[key];
                if (i % 256 == 0) static_cast<void>(limiter.stats());
                if (i % 1'024 == 0) limiter.reconfigure({.permits = 10 + static_cast<std::uint64_t>(i) / 1'024, .per = 1s, .burst = 50});
            }
        });
    for (std::thread& each : threads) each.join();
    for (auto const& each : admitted) CHECK(each <= 50);
    CHECK(limiter.stats().keys <= 600);
}

TEST_CASE("keyed: threads that look keys up meet those that take keys in and forget them, and no key gets more than its rate")
{
    // More keys than there is room for, so that tables change all the time; most calls are of a few keys that are held.
    constexpr std::int64_t interval = 1'000, burst = 5;
    weir::keyed limiter{
        weir::gcra{{.permits = 1, .per = weir::duration{interval}, .burst = burst}}, by_number{}, {.capacity = 128, .seed = 7}};
    std::vector<std::atomic<std::int64_t>> admitted(2'000);
    std::atomic<std::int64_t> clock{1'000'000};
    std::vector<std::thread> threads;
    for (unsigned n = 0; n < 3; ++n)
        threads.emplace_back([&, n] {
            std::mt19937_64 random(n);
            for (int i = 0; i < 30'000; ++i) {
                std::uint64_t const key = random() % 4 != 0 ? random() % 20 : random() % admitted.size();
                weir::time_point const now{weir::duration{clock.fetch_add(static_cast<std::int64_t>(random() % 40))}};
                if (limiter.try_acquire(key, now)) ++admitted[key];
                if (i % 64 == 0) limiter.refund(key, 0);
                if (i % 128 == 0) static_cast<void>(limiter.available(key, now));
            }
        });
    for (std::thread& each : threads) each.join();
    std::int64_t const most = burst + (clock - 1'000'000) / interval;
    std::int64_t busiest = 0;
    for (auto const& each : admitted) busiest = std::max<std::int64_t>(busiest, each);
    CHECK(busiest <= most);
    CHECK(busiest > most / 2);
    CHECK(limiter.stats().keys <= 128);
    CHECK(limiter.stats().evicted > 0);
}
