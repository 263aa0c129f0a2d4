// SPDX-License-Identifier: BSL-1.0
// The laws of the concept `limiter`, for each of its models.
#include <weir/limit/exact_gcra.hpp>
#include <weir/limit/fixed_window.hpp>
#include <weir/limit/gcra.hpp>
#include <weir/limit/leaky_bucket.hpp>
#include <weir/limit/limiter.hpp>
#include <weir/limit/sliding_log.hpp>
#include <weir/limit/sliding_window.hpp>
#include <weir/limit/token_bucket.hpp>
#include <weir/limit/warm_up.hpp>

#include <doctest/doctest.h>

#include <concepts>
#include <cstdint>
#include <random>
#include <stdexcept>
#include <tuple>
#include <utility>

namespace {

using namespace std::chrono_literals;

constexpr weir::time_point start{1h};

// Those with a burst of their own, and all.
using bursting =
    std::tuple<weir::gcra<weir::shared>, weir::gcra<weir::confined>, weir::token_bucket<weir::shared>, weir::exact_gcra<weir::shared>>;
using every =
    std::tuple<weir::gcra<weir::shared>, weir::gcra<weir::confined>, weir::token_bucket<weir::shared>, weir::exact_gcra<weir::shared>,
               weir::fixed_window<weir::shared>, weir::fixed_window<weir::confined>, weir::sliding_window<weir::shared>,
               weir::sliding_log<weir::shared>, weir::leaky_bucket<weir::shared>, weir::warm_up<weir::shared>>;

template<class Limiter>
typename Limiter::options options(std::uint64_t permits, weir::duration per, std::uint64_t burst)
{
    using of = typename Limiter::options;
    if constexpr (std::same_as<of, weir::rate>)
        return {.permits = permits, .per = per, .burst = burst};
    else if constexpr (std::same_as<of, weir::leaky_bucket_options>)
        return {.permits = permits, .per = per, .queue = 8};
    else if constexpr (std::same_as<of, weir::warm_up_options>)
        return {.permits = permits, .per = per, .warm_up = 3s};
    else
        return of{.permits = permits, .per = per};
}

// Whether a refund gives back all that was paid: warmth is not given back.
template<class Limiter>
constexpr bool refunds_all = !std::same_as<typename Limiter::options, weir::warm_up_options>;

// A limiter with a random rate and a random past, and a time after it.
template<class Limiter>
struct lived_in {
    explicit lived_in(std::uint64_t seed)
        : random(seed),
          limiter(
              options<Limiter>(random() % 50 + 1, weir::duration{static_cast<std::int64_t>(random() % 1'000'000 + 1)}, random() % 10 + 1)),
          burst(limiter.quota_at(start).burst)
    {
        for (std::uint64_t i = random() % 40; i > 0; --i) {
            now += weir::duration{static_cast<std::int64_t>(random() % 20'000)};
            static_cast<void>(limiter.try_acquire(now, random() % burst + 1));
        }
    }
    std::mt19937_64 random;
    Limiter limiter;
    std::uint64_t burst;
    weir::time_point now = start;
};

struct footprint {
    std::uint64_t available;
    weir::duration until_full;
    friend bool operator==(footprint const&, footprint const&) = default;
};
template<weir::limiter Limiter>
footprint trace(Limiter const& limiter, weir::time_point now)
{
    return {limiter.available(now), limiter.quota_at(now).until_full};
}

} // namespace

TEST_CASE_TEMPLATE_DEFINE("limiter: a fresh one admits its burst and no more", Limiter, admits_a_burst)
{
    Limiter limiter(options<Limiter>(10, 1s, 3));
    CHECK(limiter.is_full(start));
    for (std::uint64_t i = limiter.quota_at(start).burst; i > 0; --i) CHECK(limiter.try_acquire(start));
    CHECK_FALSE(limiter.try_acquire(start));
    CHECK_FALSE(limiter.is_full(start));
}
TEST_CASE_TEMPLATE_APPLY(admits_a_burst, every);

TEST_CASE_TEMPLATE_DEFINE("limiter: a refusal changes nothing", Limiter, refusal_changes_nothing)
{
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
        lived_in<Limiter> t(seed);
        footprint const before = trace(t.limiter, t.now);
        std::uint64_t const cost = t.limiter.available(t.now) + 1;
        CHECK_FALSE(t.limiter.try_acquire(t.now, cost));
        CHECK_FALSE(t.limiter.reserve(t.now, cost, 0ns));
        CHECK_FALSE(t.limiter.reserve(t.now, cost, -1h));
        CHECK(trace(t.limiter, t.now) == before);
    }
}
TEST_CASE_TEMPLATE_APPLY(refusal_changes_nothing, every);

TEST_CASE_TEMPLATE_DEFINE("limiter: retry_after is exact, admitted then and refused one nanosecond sooner", Limiter, retry_after_is_exact)
{
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
        lived_in<Limiter> t(seed);
        std::uint64_t const cost = t.random() % t.burst + 1;
        auto const answer = t.limiter.try_acquire(t.now, cost);
        if (answer) continue;
        CHECK_FALSE(answer.is_impossible());
        auto const sooner = t.limiter.try_acquire(t.now + answer.retry_after() - 1ns, cost);
        CHECK_FALSE(sooner);
        CHECK(sooner.retry_after() == 1ns);
        CHECK(t.limiter.try_acquire(t.now + answer.retry_after(), cost));
    }
}
TEST_CASE_TEMPLATE_APPLY(retry_after_is_exact, every);

TEST_CASE_TEMPLATE_DEFINE("limiter: available says what can be taken", Limiter, available_can_be_taken)
{
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
        lived_in<Limiter> t(seed);
        std::uint64_t const there = t.limiter.available(t.now);
        CHECK(there <= t.burst);
        CHECK_FALSE(t.limiter.try_acquire(t.now, there + 1));
        CHECK(t.limiter.try_acquire(t.now, there));
        CHECK(t.limiter.available(t.now) == 0);
    }
}
TEST_CASE_TEMPLATE_APPLY(available_can_be_taken, every);

TEST_CASE_TEMPLATE_DEFINE("limiter: drain takes what is there, up to so much, and says how much", Limiter, drain_takes_what_is_there)
{
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
        lived_in<Limiter> t(seed);
        std::uint64_t const there = t.limiter.available(t.now);
        std::uint64_t const some = t.random() % (there + 1);
        CHECK(t.limiter.drain(t.now, 0) == 0);
        CHECK(t.limiter.drain(t.now, some) == some);
        CHECK(t.limiter.available(t.now) == there - some);
        CHECK(t.limiter.drain(t.now, ~std::uint64_t{}) == there - some);
        CHECK(t.limiter.drain(t.now, 1) == 0);
        CHECK_FALSE(t.limiter.try_acquire(t.now));
    }
}
TEST_CASE_TEMPLATE_APPLY(drain_takes_what_is_there, every);

TEST_CASE_TEMPLATE_DEFINE("limiter: a cost above the burst is impossible at any time", Limiter, above_the_burst)
{
    for (std::uint64_t const cost : {std::uint64_t{11}, std::uint64_t{1} << 62, std::uint64_t{1} << 63, ~std::uint64_t{}}) {
        Limiter limiter(options<Limiter>(10, 1s, 10));
        CHECK(limiter.try_acquire(start, cost).is_impossible());
        CHECK(limiter.reserve(start, cost, 100ms).is_impossible());
        CHECK(limiter.try_acquire(start + 24h, cost).is_impossible());
        CHECK(limiter.is_full(start));
    }
}
TEST_CASE_TEMPLATE_APPLY(above_the_burst, every);

TEST_CASE_TEMPLATE_DEFINE("limiter: a cost of zero takes nothing, and passes unless permits are reserved ahead", Limiter, cost_of_zero)
{
    Limiter limiter(options<Limiter>(10, 1s, 1));
    CHECK(limiter.try_acquire(start, 0));
    CHECK(limiter.is_full(start));
    CHECK(limiter.drain(start, 100) > 0);
    footprint const before = trace(limiter, start);
    CHECK(limiter.try_acquire(start, 0));
    CHECK(limiter.reserve(start, 0, 0s).wait() == 0s);
    CHECK(trace(limiter, start) == before);
    CHECK(limiter.reserve(start, 1, 1h).wait() > 0s);
    CHECK_FALSE(limiter.try_acquire(start, 0));
}
TEST_CASE_TEMPLATE_APPLY(cost_of_zero, every);

TEST_CASE_TEMPLATE_DEFINE("limiter: a refund gives back what was taken", Limiter, refund_gives_back)
{
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
        lived_in<Limiter> t(seed);
        footprint const before = trace(t.limiter, t.now);
        std::uint64_t const cost = t.limiter.available(t.now);
        CHECK(t.limiter.try_acquire(t.now, cost));
        footprint const taken = trace(t.limiter, t.now);
        t.limiter.refund(cost);
        if constexpr (refunds_all<Limiter>)
            CHECK(trace(t.limiter, t.now) == before);
        else
            CHECK(trace(t.limiter, t.now).until_full <= taken.until_full);
    }
}
TEST_CASE_TEMPLATE_APPLY(refund_gives_back, every);

TEST_CASE_TEMPLATE_DEFINE("limiter: refunds never come to more than a burst", Limiter, refunds_are_capped)
{
    Limiter limiter(options<Limiter>(10, 1s, 3));
    std::uint64_t const burst = limiter.quota_at(start).burst;
    limiter.refund(1'000);
    CHECK(limiter.try_acquire(start));
    for (int i = 0; i < 100; ++i) limiter.refund(~std::uint64_t{});
    CHECK(limiter.available(start) == burst);
    CHECK(limiter.try_acquire(start, burst));
    CHECK_FALSE(limiter.try_acquire(start));
}
TEST_CASE_TEMPLATE_APPLY(refunds_are_capped, every);

TEST_CASE_TEMPLATE_DEFINE("limiter: with time there is never less", Limiter, never_less_with_time)
{
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        lived_in<Limiter> t(seed);
        std::uint64_t last = t.limiter.available(t.now);
        for (int i = 0; i < 50; ++i) {
            t.now += weir::duration{static_cast<std::int64_t>(t.random() % 5'000)};
            weir::quota const q = t.limiter.quota_at(t.now);
            CHECK(q.remaining >= last);
            last = q.remaining;
            if (last == t.burst) continue;
            CHECK(t.limiter.available(t.now + q.until_more) > last);
            CHECK(t.limiter.available(t.now + q.until_more - 1ns) == last);
        }
        weir::duration const until_full = t.limiter.quota_at(t.now).until_full;
        CHECK(t.limiter.available(t.now + until_full) == t.burst);
        if (until_full > 0ns) CHECK(t.limiter.available(t.now + until_full - 1ns) < t.burst);
        if constexpr (refunds_all<Limiter>) CHECK(t.limiter.is_full(t.now + until_full));
    }
}
TEST_CASE_TEMPLATE_APPLY(never_less_with_time, every);

TEST_CASE_TEMPLATE_DEFINE("limiter: an earlier time gives nothing back", Limiter, earlier_time)
{
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        lived_in<Limiter> t(seed);
        while (t.limiter.try_acquire(t.now)) {}
        footprint const before = trace(t.limiter, t.now);
        for (weir::duration const back : {weir::duration{1ns}, weir::duration{1s}, weir::duration{24h * 365 * 100}})
            CHECK_FALSE(t.limiter.try_acquire(t.now - back));
        CHECK(trace(t.limiter, t.now) == before);
    }
}
TEST_CASE_TEMPLATE_APPLY(earlier_time, every);

TEST_CASE_TEMPLATE_DEFINE("limiter: a leap of years fills it and no more", Limiter, leap_of_years)
{
    Limiter limiter(options<Limiter>(10, 1s, 3));
    std::uint64_t const burst = limiter.quota_at(start).burst;
    CHECK(limiter.drain(start, 100) == burst);
    weir::time_point const far = start + 24h * 365 * 200;
    CHECK(limiter.is_full(far));
    CHECK(limiter.drain(far, 100) == burst);
    CHECK_FALSE(limiter.try_acquire(far));
    CHECK_FALSE(limiter.try_acquire(start));
}
TEST_CASE_TEMPLATE_APPLY(leap_of_years, every);

TEST_CASE_TEMPLATE_DEFINE("limiter: reservations go in the order in which they were made, and nobody passes them", Limiter, in_order)
{
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        lived_in<Limiter> t(seed);
        weir::time_point last = t.now;
        for (int i = 0; i < 6; ++i) {
            t.now += weir::duration{static_cast<std::int64_t>(t.random() % 2'000)};
            auto const taken = t.limiter.reserve(t.now, 1, 24h);
            if (!taken) continue; // the queue of a leaky bucket is full
            CHECK(t.now + taken.wait() >= last);
            last = t.now + taken.wait();
        }
        if (last == t.now) continue;
        CHECK_FALSE(t.limiter.try_acquire(t.now));
        CHECK(t.limiter.drain(t.now, 100) == 0);
    }
}
TEST_CASE_TEMPLATE_APPLY(in_order, every);

TEST_CASE_TEMPLATE_DEFINE("limiter: what is reserved is there after the wait, and in the order of the reservations", Limiter,
                          after_the_wait)
{
    Limiter limiter({.permits = 10, .per = 1s, .burst = 2});
    CHECK(limiter.reserve(start, 2, 0s).wait() == 0s);
    auto const first = limiter.reserve(start, 1, 1s);
    auto const second = limiter.reserve(start, 2, 1s);
    CHECK(first);
    CHECK(first.wait() == 100ms);
    CHECK(second.wait() == 300ms);
    auto const refused = limiter.reserve(start, 1, 350ms);
    CHECK_FALSE(refused);
    CHECK(refused.retry_after() == 50ms);
    CHECK(limiter.reserve(start + 50ms, 1, 350ms).wait() == 350ms);
    CHECK(limiter.available(start + 400ms) == 0);
    CHECK(limiter.available(start + 500ms) == 1);
    CHECK(limiter.reserve(start + 500ms, 2, weir::duration::max()).wait() == 100ms);
}
TEST_CASE_TEMPLATE_APPLY(after_the_wait, bursting);

TEST_CASE_TEMPLATE_DEFINE("limiter: a reservation waits exactly as long as a refusal says", Limiter, waits_as_the_refusal_says)
{
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
        lived_in<Limiter> t(seed);
        std::uint64_t const cost = t.random() % t.burst + 1;
        auto const answer = t.limiter.try_acquire(t.now, cost);
        if (answer) continue;
        CHECK_FALSE(t.limiter.reserve(t.now, cost, answer.retry_after() - 1ns));
        CHECK(t.limiter.reserve(t.now, cost, answer.retry_after()).wait() == answer.retry_after());
    }
}
TEST_CASE_TEMPLATE_APPLY(waits_as_the_refusal_says, every);

TEST_CASE_TEMPLATE_DEFINE("limiter: the quota says what the fields of HTTP need", Limiter, quota_for_http)
{
    Limiter limiter(options<Limiter>(10, 1s, 5));
    weir::quota q = limiter.quota_at(start);
    CHECK(q.limit == 10);
    CHECK(q.window == 1s);
    CHECK(q.remaining == q.burst);
    CHECK(q.until_full == 0s);
    CHECK(q.until_more == 0s);
    CHECK(limiter.try_acquire(start));
    q = limiter.quota_at(start);
    CHECK(q.remaining == q.burst - 1);
    CHECK(q.until_full > 0s);
    CHECK(q.until_more > 0s);
    CHECK(q.until_more <= q.until_full);
}
TEST_CASE_TEMPLATE_APPLY(quota_for_http, every);

TEST_CASE_TEMPLATE_DEFINE("limiter: the quota of a burst", Limiter, quota_of_a_burst)
{
    Limiter limiter({.permits = 10, .per = 1s, .burst = 5});
    CHECK(limiter.try_acquire(start, 2));
    weir::quota const q = limiter.quota_at(start);
    CHECK(q.burst == 5);
    CHECK(q.remaining == 3);
    CHECK(q.until_full == 200ms);
    CHECK(q.until_more == 100ms);
}
TEST_CASE_TEMPLATE_APPLY(quota_of_a_burst, bursting);

TEST_CASE_TEMPLATE_DEFINE("limiter: bad options are refused, at construction and later, and change nothing", Limiter, bad_options)
{
    CHECK_THROWS_AS(Limiter(options<Limiter>(0, 1s, 1)), std::invalid_argument);
    Limiter limiter(options<Limiter>(10, 1s, 2));
    CHECK(limiter.try_acquire(start));
    footprint const before = trace(limiter, start);
    CHECK_THROWS_AS(limiter.reconfigure(options<Limiter>(10, 0s, 2)), std::invalid_argument);
    CHECK(limiter.settings().permits == 10);
    CHECK(limiter.settings().per == 1s);
    CHECK(trace(limiter, start) == before);
}
TEST_CASE_TEMPLATE_APPLY(bad_options, every);

TEST_CASE_TEMPLATE_DEFINE("limiter: what is used up stays used up under new settings", Limiter, stays_used_up)
{
    Limiter limiter(options<Limiter>(10, 1s, 10));
    std::uint64_t const used = limiter.drain(start, 100);
    limiter.reconfigure(options<Limiter>(20, 1s, 20));
    CHECK(limiter.settings().permits == 20);
    CHECK(limiter.available(start) == limiter.quota_at(start).burst - used);
    static_cast<void>(limiter.drain(start, 100));
    limiter.reconfigure(options<Limiter>(5, 2s, 5));
    CHECK_FALSE(limiter.try_acquire(start));
    limiter.reconfigure(options<Limiter>(20, 1s, 20));
    CHECK_FALSE(limiter.try_acquire(start));
}
TEST_CASE_TEMPLATE_APPLY(stays_used_up, every);

TEST_CASE_TEMPLATE_DEFINE("limiter: permits in use stay in use under new settings", Limiter, stay_in_use)
{
    Limiter limiter({.permits = 10, .per = 1s, .burst = 10});
    CHECK(limiter.try_acquire(start, 6));
    limiter.reconfigure({.permits = 1'000, .per = 1s, .burst = 20});
    CHECK(limiter.settings().permits == 1'000);
    CHECK(limiter.available(start) == 14);
    CHECK(limiter.try_acquire(start, 14));
    CHECK_FALSE(limiter.try_acquire(start));
    CHECK(limiter.available(start + 5ms) == 5);
    limiter.reconfigure({.permits = 10, .per = 1s, .burst = 5});
    CHECK_FALSE(limiter.try_acquire(start + 5ms)); // 15 are in use, which is above the new burst
    CHECK(limiter.available(start + 1s + 105ms) == 1);
}
TEST_CASE_TEMPLATE_APPLY(stay_in_use, bursting);

TEST_CASE_TEMPLATE_DEFINE("limiter: moved before its first call, it keeps its settings and state", Limiter, moved)
{
    Limiter first(options<Limiter>(10, 1s, 2));
    CHECK(first.try_acquire(start));
    footprint const before = trace(first, start);
    Limiter second(std::move(first));
    CHECK(second.settings().permits == 10);
    CHECK(trace(second, start) == before);
}
TEST_CASE_TEMPLATE_APPLY(moved, every);
