// SPDX-License-Identifier: BSL-1.0
#include <weir/limit/sliding_log.hpp>

#include "histories.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

namespace {

using namespace std::chrono_literals;
using weir_test::at;

constexpr weir::time_point start{1h};
constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t highest = std::numeric_limits<std::int64_t>::max();

// Every permit by itself, with the instant at which it was or will be used; nothing is forgotten.
struct list {
    using limiter = weir::sliding_log<>;
    static constexpr bool clock_may_go_back = true;
    explicit list(weir::sliding_log_options const& o) : permits(*o.permits), per(o.per.count()) {}
    static weir::sliding_log_options options(std::mt19937_64& random)
    {
        std::uint64_t const permits = random() % 8 + 1;
        return {.permits = permits, .per = weir::duration{static_cast<std::int64_t>(random() % 60 + 1)}, .entries = 64};
    }
    static std::uint64_t burst(weir::sliding_log_options const& o) { return o.permits; }

    std::uint64_t used(std::int64_t t) const
    {
        return static_cast<std::uint64_t>(std::count_if(taken.begin(), taken.end(), [&](std::int64_t each) { return each > t - per; }));
    }
    bool passes(std::int64_t t, std::uint64_t cost) const { return (taken.empty() || taken.back() <= t) && used(t) + cost <= permits; }
    weir_test::answer reserve(std::int64_t now, std::uint64_t cost, std::int64_t max_wait)
    {
        if (cost > permits) return weir_test::answer::never();
        latest = std::max(latest, now);
        std::int64_t t = latest;
        while (!passes(t, cost)) ++t;
        std::int64_t const wait = t == latest ? 0 : t - now;
        if (wait > max_wait) return weir_test::answer::after(wait - max_wait);
        taken.insert(taken.end(), cost, t);
        return weir_test::answer::now(wait);
    }
    weir_test::answer try_acquire(std::int64_t now, std::uint64_t cost) { return reserve(now, cost, 0); }
    void refund(std::uint64_t cost) { taken.resize(taken.size() - std::min(taken.size(), static_cast<std::size_t>(cost))); }
    std::uint64_t available(std::int64_t now) const
    {
        std::int64_t const t = std::max(now, latest);
        return passes(t, 0) ? permits - used(t) : 0;
    }

    std::int64_t until_full(std::int64_t now) const
    {
        return taken.empty() || taken.back() + per <= latest ? 0 : std::max<std::int64_t>(0, taken.back() + per - now);
    }

    std::uint64_t permits;
    std::int64_t per;
    std::vector<std::int64_t> taken;
    std::int64_t latest = lowest; // the clock does not go back
};

} // namespace

TEST_CASE("sliding_log: what was taken counts for exactly one period")
{
    weir::sliding_log limiter{{.permits = 3, .per = 1s}};
    CHECK(limiter.try_acquire(start));
    CHECK(limiter.try_acquire(start + 300ms, 2));
    CHECK(limiter.try_acquire(start + 500ms).retry_after() == 500ms);
    CHECK(limiter.try_acquire(start + 500ms, 2).retry_after() == 800ms);
    CHECK_FALSE(limiter.try_acquire(start + 1s - 1ns));
    CHECK(limiter.try_acquire(start + 1s));
    CHECK(limiter.quota_at(start + 1s).until_full == 1s);
    CHECK(limiter.quota_at(start + 1s).until_more == 300ms);
}

TEST_CASE("sliding_log: an earlier time counts as the latest")
{
    weir::sliding_log limiter{{.permits = 2, .per = 1s}};
    CHECK(limiter.try_acquire(start));
    CHECK(limiter.try_acquire(start - 10s));
    CHECK(limiter.try_acquire(start - 10s).retry_after() == 11s);
    CHECK_FALSE(limiter.try_acquire(start));
    CHECK(limiter.try_acquire(start + 1s, 2));
}

TEST_CASE("sliding_log: nobody passes those who wait")
{
    weir::sliding_log limiter{{.permits = 2, .per = 1s}};
    CHECK(limiter.try_acquire(start, 1));
    CHECK(limiter.reserve(start, 2, 10s).wait() == 1s);
    CHECK(limiter.available(start + 500ms) == 0);
    CHECK(limiter.try_acquire(start + 500ms, 0).retry_after() == 500ms);
    CHECK(limiter.reserve(start + 500ms, 1, 10s).wait() == 1'500ms);
}

TEST_CASE("sliding_log: with more calls than places it never admits more, and forgets nothing too soon")
{
    std::mt19937_64 random(5);
    for (int round = 0; round < 200; ++round) {
        std::uint64_t const permits = random() % 20 + 4;
        std::int64_t const per = static_cast<std::int64_t>(random() % 300 + 1);
        weir::sliding_log limiter{{.permits = permits, .per = weir::duration{per}, .entries = random() % 3 + 1}};
        std::vector<std::int64_t> taken;
        std::int64_t now = 0;
        for (int i = 0; i < 300; ++i) {
            now += static_cast<std::int64_t>(random() % 10);
            if (limiter.try_acquire(at(now))) taken.push_back(now);
            auto const recent = std::count_if(taken.begin(), taken.end(), [&](std::int64_t each) { return each > now - per; });
            REQUIRE(static_cast<std::uint64_t>(recent) <= permits);
        }
        CHECK(taken.size() > static_cast<std::size_t>(permits));
        CHECK(limiter.is_full(at(now + per)));
    }
}

TEST_CASE("sliding_log: at the ends of time and of numbers")
{
    for (std::int64_t const now : {lowest, std::int64_t{-1}, std::int64_t{0}, highest})
        for (weir::duration const per : {weir::duration{1}, weir::duration{1s}, weir::duration::max()})
            for (std::uint64_t const permits : {std::uint64_t{1}, std::uint64_t{1'000'000'000}, ~std::uint64_t{}}) {
                weir::sliding_log limiter{{.permits = permits, .per = per}};
                CHECK(limiter.is_full(at(now)));
                CHECK(limiter.try_acquire(at(now), permits));
                CHECK_FALSE(limiter.try_acquire(at(now)));
                CHECK(limiter.drain(at(now), 5) == 0);
                CHECK(limiter.try_acquire(at(now)).retry_after() > 0ns);
                limiter.refund(~std::uint64_t{});
                CHECK(limiter.available(at(now)) == permits);
            }
    CHECK(weir_test::refusal([] { weir::sliding_log<>({.permits = 0}); }).starts_with("permits: "));
    CHECK(weir_test::refusal([] { weir::sliding_log<>({.permits = 1, .per = 0s}); }).starts_with("per: "));
    CHECK(weir_test::refusal([] { weir::sliding_log<>({.permits = 1, .entries = 0}); }).starts_with("entries: "));
    CHECK(weir_test::refusal([] { weir::sliding_log<>({.permits = 1, .entries = 1u << 25}); }).starts_with("entries: "));
}

TEST_CASE("sliding_log: the log goes on under new settings, and with more places")
{
    weir::sliding_log limiter{{.permits = 3, .per = 1s, .entries = 2}};
    CHECK(limiter.try_acquire(start));
    CHECK(limiter.try_acquire(start + 100ms));
    limiter.reconfigure({.permits = 10, .per = 2s});
    CHECK(limiter.settings().entries == 10);
    for (int i = 2; i < 10; ++i) CHECK(limiter.try_acquire(start + i * 100ms));
    CHECK(limiter.try_acquire(start + 1s).retry_after() == 1s);
    limiter.reconfigure({.permits = 2, .per = 2s});
    CHECK(limiter.try_acquire(start + 1s).retry_after() == 1'800ms);
    CHECK_FALSE(limiter.try_acquire(start + 2'800ms - 1ns));
    CHECK(limiter.try_acquire(start + 2'800ms));
}

TEST_CASE("sliding_log: random histories go as by a list of all permits")
{
    weir_test::compare_with<list>();
}

TEST_CASE("sliding_log: threads together never get more than the limit, also while settings change")
{
    weir::sliding_log_options const few{.permits = 5, .per = 1us};
    weir::sliding_log_options const many{.permits = 10, .per = 1us};
    weir::sliding_log limiter{few};
    auto const [admitted, passed] = weir_test::under_load(limiter, few, many, 20);
    CHECK(admitted <= (passed / 1'000 + 1) * 10);
    CHECK(admitted > 0);
}

namespace weir {
static_assert(limiter<sliding_log<shared>> && limiter<sliding_log<confined>> && !keyable_limiter<sliding_log<>>);
} // namespace weir: what the header promises
