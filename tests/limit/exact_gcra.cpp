// SPDX-License-Identifier: BSL-1.0
#include <weir/limit/exact_gcra.hpp>

#include "histories.hpp"

#include <weir/limit/gcra.hpp>
#include <weir/limit/keyed.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <random>

namespace {

using namespace std::chrono_literals;
using weir_test::at;

constexpr weir::time_point start{1h};
constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t highest = std::numeric_limits<std::int64_t>::max();

__extension__ using wide = __int128;

// A bucket of tokens, counted in parts of one: a nanosecond brings `permits` of them, a token is `per`.
struct bucket {
    using limiter = weir::exact_gcra<>;
    static constexpr bool clock_may_go_back = true;
    explicit bucket(weir::rate const& r) : permits(*r.permits), per(r.per.count()), full(static_cast<wide>(r.burst) * per), level(full) {}
    static weir::rate options(std::mt19937_64& random)
    {
        std::uint64_t const scale = random() % 4 == 0 ? 1'000'000'007 : 40;
        return {.permits = random() % scale + 1,
                .per = weir::duration{static_cast<std::int64_t>(random() % (scale * 20) + 1)},
                .burst = random() % 6 + 1};
    }
    static std::uint64_t burst(weir::rate const& r) { return r.burst; }

    wide level_at(std::int64_t now) const
    {
        return last == lowest ? full : std::min(full, level + (static_cast<wide>(now) - last) * permits);
    }
    weir_test::answer reserve(std::int64_t now, std::uint64_t cost, std::int64_t max_wait)
    {
        if (static_cast<wide>(cost) * per > full) return weir_test::answer::never();
        wide const left = level_at(now) - static_cast<wide>(cost) * per;
        std::int64_t wait = 0;
        if (left < 0) wait = static_cast<std::int64_t>((-left + permits - 1) / permits);
        if (wait > max_wait) return weir_test::answer::after(wait - max_wait);
        level = left;
        last = now;
        return weir_test::answer::now(wait);
    }
    weir_test::answer try_acquire(std::int64_t now, std::uint64_t cost) { return reserve(now, cost, 0); }
    void refund(std::uint64_t cost) { level += static_cast<wide>(cost) * per; }
    std::uint64_t available(std::int64_t now) const
    {
        return static_cast<std::uint64_t>(std::max<wide>(0, std::min(full, level_at(now))) / per);
    }
    std::int64_t until_full(std::int64_t now) const
    {
        return static_cast<std::int64_t>((std::max<wide>(0, full - level_at(now)) + permits - 1) / permits);
    }

    wide permits;
    wide per;
    wide full;
    wide level;
    std::int64_t last = lowest;
};

} // namespace

TEST_CASE("exact_gcra: three permits a second are three each second, for ever")
{
    weir::exact_gcra limiter{{.permits = 3, .per = 1s}};
    weir::gcra rounded{{.permits = 3, .per = 1s}};
    CHECK(limiter.try_acquire(start, 3));
    CHECK(rounded.try_acquire(start, 3));
    auto now = start;
    auto later = start;
    for (std::int64_t i = 1; i <= 90'000; ++i) {
        now += limiter.try_acquire(now).retry_after();
        REQUIRE(limiter.try_acquire(now));
        REQUIRE((now - start).count() == (i * 1'000'000'000 + 2) / 3);
        later += rounded.try_acquire(later).retry_after();
        REQUIRE(rounded.try_acquire(later));
    }
    CHECK(now == start + 30'000s);
    CHECK(later == start + 30'000s + 60'000ns);
    CHECK(limiter.reserve(now, 1, 1h).wait() == 333'333'334ns);
    CHECK(limiter.reserve(now, 1, 1h).wait() == 666'666'667ns);
    CHECK(limiter.reserve(now, 1, 1h).wait() == 1s);
}

TEST_CASE("exact_gcra: a bucket of one keeps no part of a permit beside it")
{
    weir::exact_gcra limiter{{.permits = 3, .per = 1s, .burst = 1}};
    CHECK(limiter.try_acquire(start));
    CHECK(limiter.try_acquire(start + 333'333'334ns));
    CHECK(limiter.try_acquire(start + 333'333'334ns).retry_after() == 333'333'334ns);
}

TEST_CASE("exact_gcra: more than a permit a nanosecond")
{
    weir::exact_gcra limiter{{.permits = 7, .per = 2ns, .burst = 7}};
    CHECK(limiter.try_acquire(start, 7));
    CHECK(limiter.available(start + 1ns) == 3);
    CHECK(limiter.drain(start + 1ns, 10) == 3);
    CHECK(limiter.available(start + 2ns) == 4);
    CHECK(limiter.is_full(start + 3ns));
}

TEST_CASE("exact_gcra: where the rate divides, it is gcra")
{
    std::mt19937_64 random(3);
    for (int round = 0; round < 200; ++round) {
        std::uint64_t const permits = random() % 20 + 1;
        weir::rate const r{
            .permits = permits, .per = weir::duration{static_cast<std::int64_t>(permits * (random() % 50 + 1))}, .burst = random() % 5 + 1};
        weir::exact_gcra exact{r};
        weir::gcra plain{r};
        std::int64_t now = static_cast<std::int64_t>(random() % 1'000'000);
        for (int i = 0; i < 100; ++i) {
            now += static_cast<std::int64_t>(random() % 40);
            std::uint64_t const cost = random() % (r.burst + 1);
            REQUIRE(exact.try_acquire(at(now), cost) == plain.try_acquire(at(now), cost));
        }
    }
}

TEST_CASE("exact_gcra: at the ends of time and of numbers, in the word and beside it")
{
    for (std::int64_t const now : {lowest, lowest + 1, std::int64_t{-1}, std::int64_t{0}, highest - 1, highest})
        for (std::int64_t const per : {std::int64_t{1}, std::int64_t{1'000'000'000}, std::int64_t{1} << 61})
            for (std::uint64_t const permits : {std::uint64_t{1}, std::uint64_t{3}, std::uint64_t{1'000'000'007}, std::uint64_t{1} << 62})
                for (std::uint64_t const burst : {std::uint64_t{1}, std::min<std::uint64_t>(permits, std::uint64_t{1} << 40)}) {
                    weir::exact_gcra limiter{{.permits = permits, .per = weir::duration{per}, .burst = burst}};
                    CHECK(limiter.is_full(at(now)));
                    CHECK(limiter.try_acquire(at(now), burst));
                    CHECK_FALSE(limiter.try_acquire(at(now)));
                    CHECK(limiter.try_acquire(at(now), ~std::uint64_t{}).is_impossible());
                    CHECK(limiter.drain(at(now), 5) == 0);
                    CHECK(limiter.try_acquire(at(now)).retry_after() > 0ns);
                    limiter.refund(~std::uint64_t{});
                    CHECK(limiter.available(at(now)) == burst);
                    CHECK(limiter.try_acquire(at(now), burst));
                    CHECK_FALSE(limiter.try_acquire(at(now)));
                }
    CHECK(weir_test::refusal([] { weir::exact_gcra<>({.permits = 0}); }).starts_with("permits: "));
    CHECK(weir_test::refusal([] { weir::exact_gcra<>({.permits = 1, .per = 0s}); }).starts_with("per: "));
    CHECK(weir_test::refusal([] { weir::exact_gcra<>({.permits = 1, .burst = 0}); }).starts_with("burst: "));
    CHECK(weir_test::refusal([] { weir::exact_gcra<>({.permits = 1, .per = 24h, .burst = 1'000'000}); }).starts_with("burst: "));
}

TEST_CASE("exact_gcra: permits in use stay in use under new settings, to a nanosecond")
{
    weir::exact_gcra limiter{{.permits = 3, .per = 1s, .burst = 10}};
    CHECK(limiter.try_acquire(start, 6));
    limiter.reconfigure({.permits = 7, .per = 1s, .burst = 20});
    CHECK(limiter.available(start) == 14);
    CHECK(limiter.try_acquire(start, 14));
    CHECK(limiter.try_acquire(start).retry_after() == 142'857'143ns);
    limiter.reconfigure({.permits = 1, .per = 1s, .burst = 20});
    CHECK(limiter.try_acquire(start + 500ns).retry_after() <= 1s);
    CHECK(limiter.try_acquire(start + 500ns).retry_after() >= 1s - 3'501ns);
}

TEST_CASE("exact_gcra: one a key")
{
    struct by_number {
        using key_type = int;
    };
    weir::keyed limiter{weir::exact_gcra{{.permits = 3, .per = 1s, .burst = 1}}, by_number{}, {.capacity = 4}};
    CHECK(limiter.try_acquire(1, start));
    CHECK(limiter.try_acquire(1, start).retry_after() == 333'333'334ns);
    CHECK(limiter.try_acquire(2, start));
    CHECK(limiter.quota_at(2, start).until_full == 333'333'334ns);
}

TEST_CASE("exact_gcra: random histories go as with a bucket of fractions")
{
    weir_test::compare_with<bucket>();
}

TEST_CASE("exact_gcra: threads together stay within the higher of two rates that change")
{
    weir::rate const slow{.permits = 1'000'003, .per = 1s, .burst = 5};
    weir::rate const fast{.permits = 10'000'019, .per = 1s, .burst = 10};
    weir::exact_gcra limiter{slow};
    auto const [admitted, passed] = weir_test::under_load(limiter, slow, fast, 50);
    CHECK(admitted <= 10 + passed / 99 + 1);
    CHECK(admitted > 0);
}

namespace weir {
static_assert(limiter<exact_gcra<shared>> && limiter<exact_gcra<confined>> && detail::word_rule<exact_pace>);
} // namespace weir: what the header promises
