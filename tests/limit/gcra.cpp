// SPDX-License-Identifier: BSL-1.0
#include <weir/limit/gcra.hpp>

#include "histories.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <limits>
#include <random>
#include <thread>
#include <type_traits>
#include <vector>

namespace {

using namespace std::chrono_literals;

static_assert(std::is_same_v<decltype(weir::gcra{{.permits = 100, .per = 1s, .burst = 20}}), weir::gcra<weir::shared>>);
static_assert(std::is_nothrow_move_constructible_v<weir::gcra<>>);

constexpr weir::time_point start{1h};
constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t highest = std::numeric_limits<std::int64_t>::max();

using weir_test::at;

// A bucket of nanoseconds; a permit takes an interval of them, rounded up.
struct bucket {
    using limiter = weir::gcra<>;
    static constexpr bool clock_may_go_back = true;
    explicit bucket(weir::rate const& r)
        : interval((r.per.count() - 1) / static_cast<std::int64_t>(*r.permits) + 1),
          full(static_cast<std::int64_t>(r.burst) * interval),
          level(full)
    {
    }
    static weir::rate options(std::mt19937_64& random)
    {
        return {
            .permits = random() % 40 + 1, .per = weir::duration{static_cast<std::int64_t>(random() % 800 + 1)}, .burst = random() % 6 + 1};
    }
    static std::uint64_t burst(weir::rate const& r) { return r.burst; }

    std::int64_t level_at(std::int64_t now) const { return last == lowest ? full : std::min(full, level + now - last); }
    weir_test::answer reserve(std::int64_t now, std::uint64_t cost, std::int64_t max_wait)
    {
        std::int64_t const price = static_cast<std::int64_t>(cost) * interval;
        if (price > full) return weir_test::answer::never();
        std::int64_t const wait = std::max<std::int64_t>(0, price - level_at(now));
        if (wait > max_wait) return weir_test::answer::after(wait - max_wait);
        level = level_at(now) - price;
        last = now;
        return weir_test::answer::now(wait);
    }
    weir_test::answer try_acquire(std::int64_t now, std::uint64_t cost) { return reserve(now, cost, 0); }
    void refund(std::uint64_t cost) { level += static_cast<std::int64_t>(cost) * interval; }
    std::uint64_t available(std::int64_t now) const
    {
        return static_cast<std::uint64_t>(std::max<std::int64_t>(0, level_at(now)) / interval);
    }
    std::int64_t until_full(std::int64_t now) const { return full - level_at(now); }

    std::int64_t interval;
    std::int64_t full;
    std::int64_t level;
    std::int64_t last = lowest;
};

} // namespace

TEST_CASE("gcra: a burst is admitted at once, then one per interval")
{
    weir::gcra limiter{{.permits = 100, .per = 1s, .burst = 20}};
    for (int i = 0; i < 20; ++i) CHECK(limiter.try_acquire(start));
    CHECK(limiter.try_acquire(start).retry_after() == 10ms);
    CHECK_FALSE(limiter.try_acquire(start + 10ms - 1ns));
    CHECK(limiter.try_acquire(start + 10ms));
    CHECK_FALSE(limiter.try_acquire(start + 10ms));
    CHECK(limiter.try_acquire(start + 20ms));
}

TEST_CASE("gcra: the burst is the permits of a period unless it is given")
{
    weir::gcra limiter{{.permits = 5}};
    CHECK(limiter.settings().burst == 5);
    CHECK(limiter.settings().per == 1s);
    CHECK(limiter.try_acquire(start, 5));
    CHECK_FALSE(limiter.try_acquire(start + 199ms));
    CHECK(limiter.try_acquire(start + 200ms));
}

TEST_CASE("gcra: the first call may come at any time")
{
    for (std::int64_t const now : {lowest, std::int64_t{-1}, std::int64_t{0}, std::int64_t{1'000}, std::int64_t{1} << 62, highest}) {
        weir::gcra limiter{{.permits = 1, .per = 1s, .burst = 2}};
        CHECK(limiter.is_full(at(now)));
        CHECK(limiter.try_acquire(at(now)));
        CHECK((limiter.try_acquire(at(now)) || now == lowest)); // before the first instant there is no room for credit
        CHECK_FALSE(limiter.try_acquire(at(now)));
    }
}

TEST_CASE("gcra: a leap of centuries fills it and no more")
{
    weir::gcra limiter{{.permits = 1, .per = 1s, .burst = 2}};
    CHECK(limiter.try_acquire(at(0), 2));
    CHECK(limiter.try_acquire(at(highest), 2));
    CHECK_FALSE(limiter.try_acquire(at(highest)));
    CHECK_FALSE(limiter.try_acquire(at(highest - (highest >> 1))));
}

TEST_CASE("gcra: where the rate does not divide, any window stays within burst + rate x time")
{
    std::mt19937_64 random(7);
    for (int round = 0; round < 50; ++round) {
        std::int64_t const permits = static_cast<std::int64_t>(random() % 1'000 + 1);
        std::int64_t const per = static_cast<std::int64_t>(random() % 100'000 + 1);
        std::int64_t const burst = static_cast<std::int64_t>(random() % 10 + 1);
        weir::gcra limiter{
            {.permits = static_cast<std::uint64_t>(permits), .per = weir::duration{per}, .burst = static_cast<std::uint64_t>(burst)}};
        std::int64_t now = 0;
        std::int64_t surplus = 0; // the largest of all windows that end here, in permits x period
        for (int i = 0; i < 2'000; ++i) {
            std::int64_t const step = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(2 * per / permits + 2));
            now += step;
            surplus = std::max<std::int64_t>(0, surplus - permits * step);
            if (limiter.try_acquire(at(now))) surplus += per;
            REQUIRE(surplus <= burst * per);
        }
    }
}

TEST_CASE("gcra: settings that stay the same leave the schedule alone")
{
    weir::gcra limiter{{.permits = 10, .per = 1s, .burst = 2}};
    CHECK(limiter.try_acquire(start, 2));
    limiter.reconfigure({.permits = 10, .per = 1s, .burst = 2});
    CHECK(limiter.try_acquire(start).retry_after() == 100ms);
}

TEST_CASE("gcra: two changes without a call between them count from the first")
{
    weir::gcra limiter{{.permits = 10, .per = 1s, .burst = 10}};
    CHECK(limiter.try_acquire(start, 4));
    limiter.reconfigure({.permits = 1'000, .per = 1s, .burst = 50});
    limiter.reconfigure({.permits = 100, .per = 1s, .burst = 20});
    CHECK(limiter.available(start) == 16);
    CHECK(limiter.try_acquire(start)); // the change counts from the first call after it
    CHECK_FALSE(limiter.is_full(start + 50ms - 1ns));
    CHECK(limiter.is_full(start + 50ms));
}

TEST_CASE("gcra: a refund finds its permits after a change, too")
{
    weir::gcra limiter{{.permits = 10, .per = 1s, .burst = 10}};
    CHECK(limiter.try_acquire(start, 4));
    limiter.reconfigure({.permits = 100, .per = 1s, .burst = 20});
    limiter.refund(3);
    CHECK(limiter.available(start) == 19);
    CHECK(limiter.try_acquire(start, 19));
    CHECK_FALSE(limiter.try_acquire(start));
}

TEST_CASE("gcra: back to the first settings, it counts on from the same permits")
{
    weir::gcra limiter{{.permits = 10, .per = 1s, .burst = 10}};
    CHECK(limiter.try_acquire(start, 4));
    limiter.reconfigure({.permits = 20, .per = 1s, .burst = 10});
    limiter.reconfigure({.permits = 10, .per = 1s, .burst = 10});
    CHECK(limiter.available(start + 400ms - 1ns) == 9);
    CHECK(limiter.try_acquire(start, 5));
    CHECK_FALSE(limiter.try_acquire(start + 99ms, 2));
    CHECK(limiter.try_acquire(start + 101ms, 2));
}

TEST_CASE("gcra: random histories go as with a bucket of nanoseconds")
{
    weir_test::compare_with<bucket>();
}

TEST_CASE("gcra: threads at once get a burst together, not each")
{
    for (int round = 0; round < 20; ++round) {
        weir::gcra limiter{{.permits = 1'000, .per = 1s, .burst = 500}};
        std::atomic<int> admitted = 0;
        std::vector<std::thread> threads;
        for (int n = 0; n < 4; ++n)
            threads.emplace_back([&] {
                for (int i = 0; i < 400; ++i)
                    if (limiter.try_acquire(start)) ++admitted;
            });
        for (std::thread& each : threads) each.join();
        CHECK(admitted == 500);
    }
}

TEST_CASE("gcra: threads on a clock that moves never get more than burst + rate x time")
{
    weir::gcra limiter{{.permits = 1'000'000, .per = 1s, .burst = 10}};
    std::atomic<std::int64_t> clock = 0;
    std::atomic<std::int64_t> admitted = 0;
    std::vector<std::thread> threads;
    for (unsigned n = 0; n < 3; ++n)
        threads.emplace_back([&, n] {
            std::mt19937_64 random(n);
            for (int i = 0; i < 20'000; ++i) {
                auto const now = clock.fetch_add(static_cast<std::int64_t>(random() % 1'000)) + 1;
                switch (random() % 4) {
                case 0:
                    if (limiter.reserve(at(now), 1, 0ns)) ++admitted;
                    break;
                case 1:
                    if (limiter.try_acquire(at(now), 2)) limiter.refund(2);
                    break;
                default:
                    if (limiter.try_acquire(at(now))) ++admitted;
                }
            }
        });
    for (std::thread& each : threads) each.join();
    CHECK(admitted <= 10 + clock / 1'000 + 1);
    CHECK(admitted > 10);
}

TEST_CASE("gcra: settings that change under load keep within the higher of both rates")
{
    weir::rate const slow{.permits = 1'000'000, .per = 1s, .burst = 5};   // 1 us
    weir::rate const fast{.permits = 10'000'000, .per = 1s, .burst = 10}; // 100 ns
    weir::gcra limiter{slow};
    std::atomic<std::int64_t> clock = 1'000'000;
    std::atomic<std::int64_t> admitted = 0;
    std::atomic<bool> done = false;
    std::vector<std::thread> threads;
    for (unsigned n = 0; n < 2; ++n)
        threads.emplace_back([&] {
            for (int i = 0; i < 30'000; ++i) {
                if (limiter.try_acquire(at(clock.fetch_add(50)))) ++admitted;
                if (i % 64 == 0) {
                    static_cast<void>(limiter.available(at(clock)));
                    CHECK(limiter.quota_at(at(clock)).remaining <= 10);
                }
            }
            done = true;
        });
    int changes = 0;
    while (!done) limiter.reconfigure(++changes % 2 == 0 ? slow : fast);
    for (std::thread& each : threads) each.join();
    // Permits in use stay in use at each change, so that the changes themselves give nothing.
    std::int64_t const passed = clock - 1'000'000;
    CHECK(admitted <= 10 + passed / 100 + 1);
    CHECK(admitted > 0);
}

namespace weir {
static_assert(limiter<gcra<shared>> && limiter<gcra<confined>>);
} // namespace weir: what the header promises
