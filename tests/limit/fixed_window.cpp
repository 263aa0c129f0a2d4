// SPDX-License-Identifier: BSL-1.0
#include <weir/limit/fixed_window.hpp>

#include "histories.hpp"

#include <weir/core/describe.hpp>
#include <weir/core/directives.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/limit/keyed.hpp>
#include <weir/limit/rate_limit.hpp>
#include <weir/testing/manual_clock.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <random>
#include <string>

namespace {

using namespace std::chrono_literals;
using weir_test::at;

constexpr weir::time_point start{1h};
constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t highest = std::numeric_limits<std::int64_t>::max();

// Permits in a row, numbered for all time: window n has those from n x permits on. What is taken is where the row begins.
struct row {
    using limiter = weir::fixed_window<>;
    explicit row(weir::window_rate const& o) : permits(static_cast<std::int64_t>(*o.permits)), per(o.per.count()) {}
    static weir::window_rate options(std::mt19937_64& random)
    {
        return {.permits = random() % 6 + 1, .per = weir::duration{static_cast<std::int64_t>(random() % 100 + 1)}};
    }
    static std::uint64_t burst(weir::window_rate const& o) { return o.permits; }

    static std::int64_t part(std::int64_t n, std::int64_t of) { return n >= 0 ? n / of : -((-n + of - 1) / of); }
    std::int64_t window(std::int64_t now) const { return part(now, per); }
    std::int64_t begin(std::int64_t now) const { return std::max(next, window(now) * permits); }
    // The window in which so many in a row are found, and the first of them.
    std::int64_t place(std::int64_t now, std::int64_t cost, std::int64_t& first) const
    {
        first = begin(now);
        if (cost == 0) return first <= (window(now) + 1) * permits ? window(now) : part(first - 1, permits);
        if (part(first, permits) != part(first + cost - 1, permits)) first = (part(first, permits) + 1) * permits;
        return part(first, permits);
    }
    weir_test::answer reserve(std::int64_t now, std::uint64_t cost, std::int64_t max_wait)
    {
        if (static_cast<std::int64_t>(cost) > permits) return weir_test::answer::never();
        std::int64_t first = 0;
        std::int64_t const where = place(now, static_cast<std::int64_t>(cost), first);
        std::int64_t const wait = where == window(now) ? 0 : where * per - now;
        if (wait > max_wait) return weir_test::answer::after(wait - max_wait);
        if (cost > 0) next = first + static_cast<std::int64_t>(cost);
        return weir_test::answer::now(wait);
    }
    weir_test::answer try_acquire(std::int64_t now, std::uint64_t cost) { return reserve(now, cost, 0); }
    void refund(std::uint64_t cost) { next -= static_cast<std::int64_t>(cost); }
    std::uint64_t available(std::int64_t now) const
    {
        return static_cast<std::uint64_t>(std::max<std::int64_t>(0, (window(now) + 1) * permits - begin(now)));
    }
    std::int64_t until_full(std::int64_t now) const
    {
        std::int64_t const ahead = begin(now) - window(now) * permits;
        return ahead == 0 ? 0 : (window(now) + (ahead + permits - 1) / permits) * per - now;
    }

    std::int64_t permits;
    std::int64_t per;
    std::int64_t next = lowest / 4;
};

} // namespace

TEST_CASE("fixed_window: the eleventh call of a second is refused until the second ends")
{
    weir::fixed_window limiter{{.permits = 10, .per = 1s}};
    for (int i = 0; i < 10; ++i) CHECK(limiter.try_acquire(start + i * 50ms));
    CHECK(limiter.try_acquire(start + 700ms).retry_after() == 300ms);
    CHECK_FALSE(limiter.try_acquire(start + 1s - 1ns));
    CHECK(limiter.try_acquire(start + 1s));
    CHECK(limiter.available(start + 1s) == 9);
}

TEST_CASE("fixed_window: windows begin at the multiples of the period, also below zero, and not at the first call")
{
    weir::fixed_window limiter{{.permits = 1, .per = 1s}};
    CHECK(limiter.try_acquire(at(-1)));
    CHECK(limiter.try_acquire(at(0)));
    CHECK(limiter.try_acquire(at(999'999'999)).retry_after() == 1ns);
    CHECK(limiter.try_acquire(start + 999ms));
    CHECK(limiter.try_acquire(start + 1s));
}

TEST_CASE("fixed_window: a reservation goes at the beginning of the first window with room, never spread over two")
{
    weir::fixed_window limiter{{.permits = 3, .per = 1s}};
    CHECK(limiter.reserve(start, 2, 0s).wait() == 0s);
    CHECK(limiter.reserve(start, 2, 10s).wait() == 1s);
    CHECK(limiter.reserve(start, 2, 10s).wait() == 2s);
    CHECK(limiter.reserve(start, 1, 10s).wait() == 2s);
    CHECK(limiter.reserve(start, 1, 2s).retry_after() == 1s);
    CHECK(limiter.available(start + 1s) == 0);
    CHECK(limiter.available(start + 2s) == 0);
    CHECK(limiter.available(start + 3s) == 3);
    CHECK(limiter.quota_at(start).until_full == 3s);
}

TEST_CASE("fixed_window: an earlier time counts as the beginning of the latest window")
{
    weir::fixed_window limiter{{.permits = 2, .per = 1s}};
    CHECK(limiter.try_acquire(start));
    CHECK(limiter.try_acquire(start - 10s));
    CHECK(limiter.try_acquire(start - 10s).retry_after() == 11s);
    CHECK_FALSE(limiter.try_acquire(start));
}

TEST_CASE("fixed_window: at the ends of time and of numbers")
{
    for (std::int64_t const now : {lowest, std::int64_t{-1}, std::int64_t{0}, highest})
        for (weir::duration const per : {weir::duration{1}, weir::duration{1s}, weir::duration::max()})
            for (std::uint64_t const permits : {std::uint64_t{1}, std::uint64_t{1'000'000'000}, std::uint64_t{1} << 62}) {
                weir::fixed_window limiter{{.permits = permits, .per = per}};
                CHECK(limiter.is_full(at(now)));
                CHECK(limiter.try_acquire(at(now), permits));
                CHECK_FALSE(limiter.try_acquire(at(now)));
                CHECK(limiter.try_acquire(at(now), ~std::uint64_t{}).is_impossible());
                CHECK(limiter.drain(at(now), 5) == 0);
                CHECK(limiter.try_acquire(at(now)).retry_after() > 0ns);
                limiter.refund(~std::uint64_t{});
                CHECK(limiter.available(at(now)) == permits);
            }
    CHECK(weir_test::refusal([] { weir::fixed_window<>({.permits = 0}); }).starts_with("permits: "));
    CHECK(weir_test::refusal([] { weir::fixed_window<>({.permits = ~0ull}); }).starts_with("permits: "));
    CHECK(weir_test::refusal([] { weir::fixed_window<>({.permits = 1, .per = 0s}); }).starts_with("per: "));
}

TEST_CASE("fixed_window: what does not fit the word is counted as exactly, and comes back to it")
{
    weir::fixed_window limiter{{.permits = 1'000'000'000, .per = 1ms}};
    std::int64_t const now = 1'900'000'000'000'000'000;
    for (std::int64_t const window : {std::int64_t{5}, now, now + 1'000'000, now + 2'000'000, now + 700'000'000'000}) {
        CHECK(limiter.try_acquire(at(window), 999'999'999));
        CHECK(limiter.try_acquire(at(window)));
        CHECK_FALSE(limiter.try_acquire(at(window)));
    }
    weir::window_counter const rule(limiter.settings());
    std::int64_t word = 0;
    CHECK_FALSE(rule.pack({now / 1'000'000, 1}, word));
    CHECK(rule.pack({5, 1'000'000'000}, word));
    CHECK(rule.unpack(word) == weir::window_counter::state{5, 1'000'000'000});
}

TEST_CASE("fixed_window: what is used stays used under new settings")
{
    weir::fixed_window limiter{{.permits = 10, .per = 1s}};
    CHECK(limiter.try_acquire(start, 6));
    limiter.reconfigure({.permits = 20, .per = 1s});
    CHECK(limiter.available(start) == 14);
    limiter.reconfigure({.permits = 4, .per = 1s});
    CHECK_FALSE(limiter.try_acquire(start));
    CHECK(limiter.available(start + 1s) == 2); // two of the six were above the new limit
    limiter.reconfigure({.permits = 10, .per = 1min});
    CHECK(limiter.available(start + 1s) == 8);
    CHECK(limiter.available(start + 1min) == 10);
}

TEST_CASE("fixed_window: one a key")
{
    struct by_number {
        using key_type = int;
    };
    weir::keyed limiter{weir::fixed_window{{.permits = 2, .per = 1s}}, by_number{}, {.capacity = 1}};
    CHECK(limiter.try_acquire(1, start, 2));
    CHECK(limiter.try_acquire(1, start).retry_after() == 1s);
    CHECK_FALSE(limiter.try_acquire(2, start));
    CHECK(limiter.try_acquire(2, start + 1s)); // the other's window is over: forgotten
    CHECK(limiter.quota_at(2, start + 1s).remaining == 1);
    CHECK(limiter.quota_at(2, start + 1s).until_full == 1s);
}

TEST_CASE("fixed_window: in a pipeline it says when to come back and where it stands")
{
    weir::manual_clock clock;
    weir::pipeline svc{weir::timed_by{std::ref(clock)}, weir::rate_limit{weir::fixed_window{{.permits = 2, .per = 1s}}},
                       [](int x) { return x; }};
    weir::duration const into = clock.now().time_since_epoch() % 1s;
    CHECK(svc(1));
    CHECK(svc(2));
    auto const refused = svc(3);
    CHECK(refused.error() == weir::errc::rate_limited);
    CHECK(refused.error().retry_after() == 1s - into);
    clock.advance(1s - into);
    CHECK(svc(3).value() == 3);
    CHECK(weir::describe(svc).text().find("per") != std::string::npos);
}

TEST_CASE("fixed_window: random histories go as in a row of numbered permits")
{
    weir_test::compare_with<row>();
}

TEST_CASE("fixed_window: threads together never get more than the permits of a window, also while settings change")
{
    weir::window_rate const few{.permits = 5, .per = 1us};
    weir::window_rate const many{.permits = 10, .per = 1us};
    weir::fixed_window limiter{few};
    auto const [admitted, passed] = weir_test::under_load(limiter, few, many, 20);
    CHECK(admitted <= (passed / 1'000 + 2) * 10);
    CHECK(admitted > 0);
}

namespace weir {
static_assert(limiter<fixed_window<shared>> && limiter<fixed_window<confined>> && detail::word_rule<window_counter>);
} // namespace weir: what the header promises
