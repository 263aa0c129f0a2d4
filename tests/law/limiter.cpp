// SPDX-License-Identifier: BSL-1.0
// The laws of the concept `limiter`, for each of its models.
#include <weir/limit/gcra.hpp>
#include <weir/limit/limiter.hpp>
#include <weir/limit/token_bucket.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <random>
#include <stdexcept>
#include <utility>

namespace {

using namespace std::chrono_literals;

constexpr weir::time_point start{1h};

// A limiter with a random rate and a random past, and a time after it.
template<class Limiter>
struct lived_in {
    explicit lived_in(std::uint64_t seed)
        : random(seed),
          burst(random() % 10 + 1),
          limiter(
              {.permits = random() % 50 + 1, .per = weir::duration{static_cast<std::int64_t>(random() % 1'000'000 + 1)}, .burst = burst})
    {
        for (std::uint64_t i = random() % 40; i > 0; --i) {
            now += weir::duration{static_cast<std::int64_t>(random() % 20'000)};
            static_cast<void>(limiter.try_acquire(now, random() % burst + 1));
        }
    }
    std::mt19937_64 random;
    std::uint64_t burst;
    Limiter limiter;
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

TEST_CASE_TEMPLATE("limiter: a fresh one admits its burst and no more", Limiter, weir::gcra<weir::shared>, weir::gcra<weir::confined>,
                   weir::token_bucket<weir::shared>, weir::token_bucket<weir::confined>)
{
    Limiter limiter({.permits = 10, .per = 1s, .burst = 3});
    CHECK(limiter.is_full(start));
    for (int i = 0; i < 3; ++i) CHECK(limiter.try_acquire(start));
    CHECK_FALSE(limiter.try_acquire(start));
    CHECK_FALSE(limiter.is_full(start));
}

TEST_CASE_TEMPLATE("limiter: a refusal changes nothing", Limiter, weir::gcra<weir::shared>, weir::gcra<weir::confined>,
                   weir::token_bucket<weir::shared>, weir::token_bucket<weir::confined>)
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

TEST_CASE_TEMPLATE("limiter: retry_after is exact, admitted then and refused one nanosecond sooner", Limiter, weir::gcra<weir::shared>,
                   weir::gcra<weir::confined>, weir::token_bucket<weir::shared>, weir::token_bucket<weir::confined>)
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

TEST_CASE_TEMPLATE("limiter: available says what can be taken", Limiter, weir::gcra<weir::shared>, weir::gcra<weir::confined>,
                   weir::token_bucket<weir::shared>, weir::token_bucket<weir::confined>)
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

TEST_CASE_TEMPLATE("limiter: a cost above the burst is impossible at any time", Limiter, weir::gcra<weir::shared>,
                   weir::gcra<weir::confined>, weir::token_bucket<weir::shared>, weir::token_bucket<weir::confined>)
{
    for (std::uint64_t const cost : {std::uint64_t{11}, std::uint64_t{1} << 62, std::uint64_t{1} << 63, ~std::uint64_t{}}) {
        Limiter limiter({.permits = 10, .per = 1s});
        CHECK(limiter.try_acquire(start, cost).is_impossible());
        CHECK(limiter.reserve(start, cost, 1h).is_impossible());
        CHECK(limiter.try_acquire(start + 24h, cost).is_impossible());
        CHECK(limiter.is_full(start));
    }
}

TEST_CASE_TEMPLATE("limiter: a cost of zero passes and takes nothing", Limiter, weir::gcra<weir::shared>, weir::gcra<weir::confined>,
                   weir::token_bucket<weir::shared>, weir::token_bucket<weir::confined>)
{
    Limiter limiter({.permits = 10, .per = 1s, .burst = 1});
    CHECK(limiter.try_acquire(start, 0));
    CHECK(limiter.is_full(start));
    CHECK(limiter.try_acquire(start, 1));
    CHECK(limiter.try_acquire(start, 0));
    CHECK(limiter.try_acquire(start + 100ms, 1));
}

TEST_CASE_TEMPLATE("limiter: a refund gives back what was taken", Limiter, weir::gcra<weir::shared>, weir::gcra<weir::confined>,
                   weir::token_bucket<weir::shared>, weir::token_bucket<weir::confined>)
{
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
        lived_in<Limiter> t(seed);
        footprint const before = trace(t.limiter, t.now);
        std::uint64_t const cost = t.limiter.available(t.now);
        CHECK(t.limiter.try_acquire(t.now, cost));
        t.limiter.refund(cost);
        CHECK(trace(t.limiter, t.now) == before);
    }
}

TEST_CASE_TEMPLATE("limiter: refunds never come to more than a burst", Limiter, weir::gcra<weir::shared>, weir::gcra<weir::confined>,
                   weir::token_bucket<weir::shared>, weir::token_bucket<weir::confined>)
{
    Limiter limiter({.permits = 10, .per = 1s, .burst = 3});
    limiter.refund(1'000);
    CHECK(limiter.try_acquire(start));
    for (int i = 0; i < 100; ++i) limiter.refund(~std::uint64_t{});
    CHECK(limiter.available(start) == 3);
    CHECK(limiter.try_acquire(start, 3));
    CHECK_FALSE(limiter.try_acquire(start));
}

TEST_CASE_TEMPLATE("limiter: with time there is never less", Limiter, weir::gcra<weir::shared>, weir::gcra<weir::confined>,
                   weir::token_bucket<weir::shared>, weir::token_bucket<weir::confined>)
{
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        lived_in<Limiter> t(seed);
        std::uint64_t last = t.limiter.available(t.now);
        for (int i = 0; i < 50; ++i) {
            t.now += weir::duration{static_cast<std::int64_t>(t.random() % 5'000)};
            std::uint64_t const there = t.limiter.available(t.now);
            CHECK(there >= last);
            last = there;
        }
        CHECK(t.limiter.is_full(t.now + t.limiter.quota_at(t.now).until_full));
        if (!t.limiter.is_full(t.now)) CHECK_FALSE(t.limiter.is_full(t.now + t.limiter.quota_at(t.now).until_full - 1ns));
    }
}

TEST_CASE_TEMPLATE("limiter: an earlier time gives nothing back", Limiter, weir::gcra<weir::shared>, weir::gcra<weir::confined>,
                   weir::token_bucket<weir::shared>, weir::token_bucket<weir::confined>)
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

TEST_CASE_TEMPLATE("limiter: what is reserved is there after the wait, and in the order of the reservations", Limiter,
                   weir::gcra<weir::shared>, weir::gcra<weir::confined>, weir::token_bucket<weir::shared>,
                   weir::token_bucket<weir::confined>)
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

TEST_CASE_TEMPLATE("limiter: a reservation waits exactly as long as a refusal says", Limiter, weir::gcra<weir::shared>,
                   weir::gcra<weir::confined>, weir::token_bucket<weir::shared>, weir::token_bucket<weir::confined>)
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

TEST_CASE_TEMPLATE("limiter: the quota says what the fields of HTTP need", Limiter, weir::gcra<weir::shared>, weir::gcra<weir::confined>,
                   weir::token_bucket<weir::shared>, weir::token_bucket<weir::confined>)
{
    Limiter limiter({.permits = 10, .per = 1s, .burst = 5});
    CHECK(limiter.try_acquire(start, 2));
    weir::quota const q = limiter.quota_at(start);
    CHECK(q.limit == 10);
    CHECK(q.window == 1s);
    CHECK(q.burst == 5);
    CHECK(q.remaining == 3);
    CHECK(q.until_full == 200ms);
}

TEST_CASE_TEMPLATE("limiter: bad options are refused, at construction and later, and change nothing", Limiter, weir::gcra<weir::shared>,
                   weir::gcra<weir::confined>, weir::token_bucket<weir::shared>, weir::token_bucket<weir::confined>)
{
    CHECK_THROWS_AS(Limiter({.permits = 0, .per = 1s}), std::invalid_argument);
    Limiter limiter({.permits = 10, .per = 1s, .burst = 2});
    CHECK(limiter.try_acquire(start));
    CHECK_THROWS_AS(limiter.reconfigure({.permits = 10, .per = 0s}), std::invalid_argument);
    CHECK(limiter.settings().permits == 10);
    CHECK(limiter.settings().per == 1s);
    CHECK(limiter.available(start) == 1);
}

TEST_CASE_TEMPLATE("limiter: permits in use stay in use under new settings", Limiter, weir::gcra<weir::shared>, weir::gcra<weir::confined>,
                   weir::token_bucket<weir::shared>, weir::token_bucket<weir::confined>)
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

TEST_CASE_TEMPLATE("limiter: moved before its first call, it keeps its settings and state", Limiter, weir::gcra<weir::shared>,
                   weir::gcra<weir::confined>, weir::token_bucket<weir::shared>, weir::token_bucket<weir::confined>)
{
    Limiter first({.permits = 10, .per = 1s, .burst = 2});
    CHECK(first.try_acquire(start));
    Limiter second(std::move(first));
    CHECK(second.settings().burst == 2);
    CHECK(second.available(start) == 1);
}
