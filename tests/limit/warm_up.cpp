// SPDX-License-Identifier: BSL-1.0
#include <weir/limit/warm_up.hpp>

#include "histories.hpp"

#include <weir/limit/keyed.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>

namespace {

using namespace std::chrono_literals;
using weir_test::at;

constexpr weir::time_point start{1h};
constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t highest = std::numeric_limits<std::int64_t>::max();

// The algorithm as Guava describes it: stored permits and real numbers, for one permit at a time.
struct stored_permits {
    stored_permits(double stable_interval, double warm_up_period, double cold_factor)
        : stable(stable_interval),
          cold(stable * cold_factor),
          threshold(0.5 * warm_up_period / stable),
          most(threshold + 2 * warm_up_period / (stable + cold)),
          slope((cold - stable) / (most - threshold)),
          each(warm_up_period / most),
          stored(most)
    {
    }
    double interval_at(double permits) const { return stable + std::max(0.0, permits - threshold) * slope; }
    void rest_until(double now)
    {
        if (now <= next) return;
        stored = std::min(most, stored + (now - next) / each);
        next = now;
    }
    void take(double now)
    {
        rest_until(now);
        double const spent = std::min(1.0, stored);
        double const above = std::max(0.0, stored - threshold);
        double const of_above = std::min(above, spent);
        next += of_above * (interval_at(stored) + interval_at(stored - of_above)) / 2 + (spent - of_above) * stable + (1 - spent) * stable;
        stored -= spent;
    }
    double stable;
    double cold;
    double threshold;
    double most;
    double slope;
    double each;
    double stored;
    double next = 0;
};

} // namespace

TEST_CASE("warm_up: cold it is three times as slow, and warm after the period")
{
    weir::warm_up limiter{{.permits = 100, .per = 1s, .warm_up = 3s}};
    weir::time_point now = start;
    CHECK(limiter.try_acquire(now));
    auto const first = limiter.try_acquire(now).retry_after();
    CHECK(first > 29'900us);
    CHECK(first <= 30ms);
    weir::duration last = first;
    int permits = 1;
    while (last > 10ms) {
        now += last;
        CHECK(limiter.try_acquire(now));
        ++permits;
        auto const wait = limiter.try_acquire(now).retry_after();
        REQUIRE(wait <= last); // it only gets quicker
        last = wait;
    }
    CHECK(now - start > 2'900ms);
    CHECK(now - start < 3'100ms);
    CHECK(permits >= 150); // the threshold is at warm_up / 2 per, 150 permits, and twice as many are stored
    CHECK(permits <= 152);
    for (int i = 0; i < 100; ++i) {
        now += 10ms;
        CHECK(limiter.try_acquire(now));
        CHECK(limiter.try_acquire(now).retry_after() == 10ms);
    }
}

TEST_CASE("warm_up: a rest cools it down again")
{
    weir::warm_up limiter{{.permits = 100, .per = 1s, .warm_up = 3s}};
    weir::time_point now = start;
    for (int i = 0; i < 400; ++i) {
        now += limiter.try_acquire(now).retry_after();
        static_cast<void>(limiter.try_acquire(now));
    }
    CHECK_FALSE(limiter.is_full(now));
    now += 1s;
    CHECK(limiter.try_acquire(now));
    CHECK(limiter.try_acquire(now).retry_after() == 10ms); // below the threshold it is still warm
    now += 4s;
    CHECK(limiter.is_full(now));
    CHECK(limiter.try_acquire(now));
    CHECK(limiter.try_acquire(now).retry_after() > 29'900us);
}

TEST_CASE("warm_up: random histories go as by Guava's stored permits: to three nanoseconds and the slope for each permit")
{
    for (std::uint64_t seed = weir_test::first_seed(), end = seed + weir_test::schedules(); seed < end; ++seed) {
        std::mt19937_64 random(seed);
        std::int64_t const stable = static_cast<std::int64_t>(random() % 100 + 1) * 100'000;
        std::int64_t const period = stable * static_cast<std::int64_t>(random() % 60 + 1) + static_cast<std::int64_t>(random() % 1'000);
        double const factor = random() % 2 == 0 ? 3 : 1 + static_cast<double>(random() % 64) / 16;
        weir::warm_up limiter{{.permits = 1, .per = weir::duration{stable}, .warm_up = weir::duration{period}, .cold_factor = factor}};
        stored_permits model(static_cast<double>(stable), static_cast<double>(period), factor);
        std::int64_t now = 0;
        int taken = 0;
        for (int step = 0; step < 40; ++step) {
            std::uint64_t const chance = random() % 8;
            if (chance == 0)
                now += static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(2 * period));
            else if (chance < 3)
                now += static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(2 * stable));
            if (auto const answer = limiter.try_acquire(at(now)); !answer) {
                double const late = static_cast<double>(now + answer.retry_after().count()) - model.next;
                INFO("seed ", seed, ", step ", step, ", taken ", taken);
                REQUIRE(std::abs(late) <= (3 + model.slope / model.each) * taken);
                if (chance % 2 == 0) continue;
                now += answer.retry_after().count();
                REQUIRE(limiter.try_acquire(at(now)));
            }
            model.take(static_cast<double>(now));
            ++taken;
        }
    }
}

TEST_CASE("warm_up: a reservation of several goes when the last of them is due")
{
    weir::warm_up one{{.permits = 10, .per = 1s, .warm_up = 2s}};
    weir::warm_up other{{.permits = 10, .per = 1s, .warm_up = 2s}};
    weir::duration wait{};
    for (int i = 0; i < 5; ++i) wait = one.reserve(start, 1, 1h).wait();
    auto const at_once = other.reserve(start, 5, 1h).wait();
    CHECK(at_once <= wait);
    CHECK(wait - at_once <= 10ns); // each alone is rounded
    CHECK(one.try_acquire(start, 2).is_impossible());
    CHECK(one.reserve(start, 100, 1s).is_impossible());
    CHECK_FALSE(one.reserve(start, 1, 1s));
}

TEST_CASE("warm_up: a refund gives back the time of a warm permit")
{
    weir::warm_up limiter{{.permits = 10, .per = 1s, .warm_up = 2s}};
    CHECK(limiter.try_acquire(start));
    auto const wait = limiter.try_acquire(start).retry_after();
    limiter.refund(1);
    CHECK(limiter.try_acquire(start).retry_after() == wait - 100ms);
}

TEST_CASE("warm_up: at the ends of time and of numbers")
{
    for (std::int64_t const now : {lowest, std::int64_t{-1}, std::int64_t{0}, highest})
        for (std::int64_t const per : {std::int64_t{1}, std::int64_t{1'000'000'000}, std::int64_t{1} << 58})
            for (std::int64_t const period : {std::int64_t{1}, std::int64_t{1'000'000'000}, std::int64_t{1} << 62})
                for (double const factor : {1.0, 3.0, 7.7}) {
                    weir::warm_up limiter{
                        {.permits = 1, .per = weir::duration{per}, .warm_up = weir::duration{period}, .cold_factor = factor}};
                    CHECK(limiter.is_full(at(now)));
                    CHECK(limiter.try_acquire(at(now)));
                    CHECK_FALSE((limiter.try_acquire(at(now)) && now != highest)); // after the last instant nothing is due
                    CHECK(limiter.try_acquire(at(now), ~std::uint64_t{}).is_impossible());
                    CHECK_FALSE(limiter.reserve(at(now), ~std::uint64_t{}, weir::duration::max()));
                    limiter.refund(~std::uint64_t{});
                    CHECK(limiter.available(at(now)) == 1);
                }
    CHECK(weir_test::refusal([] { weir::warm_up<>({.permits = 0, .warm_up = 1s}); }).starts_with("permits: "));
    CHECK(weir_test::refusal([] { weir::warm_up<>({.permits = 1, .warm_up = 0s}); }).starts_with("warm_up: "));
    CHECK(weir_test::refusal([] { weir::warm_up<>({.permits = 1, .warm_up = 1s, .cold_factor = 0.5}); }).starts_with("cold_factor: "));
    CHECK(weir_test::refusal([] {
              weir::warm_up<>({.permits = 1, .warm_up = 1s, .cold_factor = std::nan("")});
          }).starts_with("cold_factor: "));
}

TEST_CASE("warm_up: as warm as it was under new settings")
{
    weir::warm_up limiter{{.permits = 10, .per = 1s, .warm_up = 2s}};
    weir::time_point now = start;
    for (int i = 0; i < 50; ++i) {
        now += limiter.try_acquire(now).retry_after();
        static_cast<void>(limiter.try_acquire(now));
    }
    limiter.reconfigure({.permits = 100, .per = 1s, .warm_up = 5s});
    CHECK(limiter.try_acquire(now).retry_after() == 10ms);
    CHECK(limiter.settings().permits == 100);
}

TEST_CASE("warm_up: one a key")
{
    struct by_number {
        using key_type = int;
    };
    weir::keyed limiter{weir::warm_up{{.permits = 10, .per = 1s, .warm_up = 1s}}, by_number{}, {.capacity = 4}};
    CHECK(limiter.try_acquire(1, start));
    CHECK_FALSE(limiter.try_acquire(1, start));
    CHECK(limiter.try_acquire(2, start));
    CHECK(limiter.stats().keys == 2);
}

TEST_CASE("warm_up: threads together stay within the pace, also while it changes")
{
    weir::warm_up_options const slow{.permits = 1'000'000, .per = 1s, .warm_up = 1ms};
    weir::warm_up_options const fast{.permits = 10'000'000, .per = 1s, .warm_up = 1ms};
    weir::warm_up limiter{slow};
    auto const [admitted, passed] = weir_test::under_load(limiter, slow, fast, 50);
    CHECK(admitted <= passed / 100 + 2);
    CHECK(admitted > 0);
}

namespace weir {
static_assert(limiter<warm_up<shared>> && limiter<warm_up<confined>>);
} // namespace weir: what the header promises
