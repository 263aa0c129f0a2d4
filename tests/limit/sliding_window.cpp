// SPDX-License-Identifier: BSL-1.0
#include <weir/limit/sliding_window.hpp>

#include "histories.hpp"

#include <weir/limit/keyed.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <random>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using weir_test::at;

constexpr weir::time_point start{1h};
constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t highest = std::numeric_limits<std::int64_t>::max();

// What was taken in each window, and for an instant the estimate as the algorithm is told: the first instant with room is found by trying
// one after the other.
struct counts {
    using limiter = weir::sliding_window<>;
    explicit counts(weir::window_rate const& o) : permits(static_cast<std::int64_t>(*o.permits)), per(o.per.count()) {}
    static weir::window_rate options(std::mt19937_64& random)
    {
        return {.permits = random() % 12 + 1, .per = weir::duration{static_cast<std::int64_t>(random() % 30 + 1)}};
    }
    static std::uint64_t burst(weir::window_rate const& o) { return o.permits; }

    std::int64_t window(std::int64_t t) const { return t >= 0 ? t / per : -((-t + per - 1) / per); }
    std::int64_t in(std::int64_t w) const
    {
        for (auto const& [n, count] : taken)
            if (n == w) return count;
        return 0;
    }
    bool passes(std::int64_t t, std::int64_t cost) const
    {
        std::int64_t const w = window(t);
        if (t < earliest) return false;
        return in(w - 1) * (per - (t - w * per)) + (in(w) + cost) * per <= permits * per;
    }
    std::int64_t wait(std::int64_t now, std::uint64_t cost) const
    {
        std::int64_t t = std::max(now, earliest);
        while (!passes(t, static_cast<std::int64_t>(cost))) ++t;
        return t - now;
    }
    weir_test::answer reserve(std::int64_t now, std::uint64_t cost, std::int64_t max_wait)
    {
        if (static_cast<std::int64_t>(cost) > permits) return weir_test::answer::never();
        std::int64_t const until = wait(now, cost);
        if (until > max_wait) return weir_test::answer::after(until - max_wait);
        std::int64_t const w = window(now + until);
        if (taken.empty() || taken.back().first != w) taken.emplace_back(w, 0);
        taken.back().second += static_cast<std::int64_t>(cost);
        earliest = std::max(earliest, w * per); // nobody goes before the window of an earlier one
        return weir_test::answer::now(until);
    }
    weir_test::answer try_acquire(std::int64_t now, std::uint64_t cost) { return reserve(now, cost, 0); }
    // From the window of the last call, and then from the one before.
    void refund(std::uint64_t cost)
    {
        auto left = static_cast<std::int64_t>(cost);
        if (taken.empty()) return;
        std::int64_t const last = taken.back().first;
        for (auto each = taken.rbegin(); each != taken.rend() && each->first >= last - 1; ++each) {
            std::int64_t const off = std::min(left, each->second);
            each->second -= off;
            left -= off;
        }
    }
    std::uint64_t available(std::int64_t now) const
    {
        std::uint64_t most = 0;
        while (most < static_cast<std::uint64_t>(permits) && passes(now, static_cast<std::int64_t>(most + 1))) ++most;
        return most;
    }
    std::int64_t until_full(std::int64_t now) const
    {
        std::int64_t const w = std::max(window(now), taken.empty() ? lowest : taken.back().first);
        for (std::int64_t const last : {w, w - 1})
            if (in(last) > 0) return (last + 2) * per - now;
        return earliest > now ? earliest - now : 0;
    }

    std::int64_t permits;
    std::int64_t per;
    std::vector<std::pair<std::int64_t, std::int64_t>> taken;
    std::int64_t earliest = lowest;
};

} // namespace

TEST_CASE("sliding_window: the window before fades while this one goes on")
{
    weir::sliding_window limiter{{.permits = 10, .per = 1s}};
    CHECK(limiter.try_acquire(start - 1ns, 10));
    CHECK(limiter.try_acquire(start).retry_after() == 100ms);
    CHECK_FALSE(limiter.try_acquire(start + 100ms - 1ns));
    CHECK(limiter.try_acquire(start + 100ms));
    CHECK(limiter.available(start + 500ms) == 4);
    CHECK(limiter.try_acquire(start + 500ms, 5).retry_after() == 100ms);
    CHECK(limiter.quota_at(start + 500ms).until_full == 1'500ms);
}

TEST_CASE("sliding_window: a refusal reaches into the next window if it has to")
{
    weir::sliding_window limiter{{.permits = 4, .per = 1s}};
    CHECK(limiter.try_acquire(start, 4));
    CHECK(limiter.try_acquire(start, 1).retry_after() == 1'250ms);
    CHECK(limiter.try_acquire(start, 4).retry_after() == 2s);
    CHECK_FALSE(limiter.try_acquire(start + 2s - 1ns, 4));
    CHECK(limiter.try_acquire(start + 2s, 4));
}

TEST_CASE("sliding_window: in any span no more than permits x (1 + time / per), and never more than permits in a window")
{
    std::mt19937_64 random(11);
    for (int round = 0; round < 200; ++round) {
        auto const permits = static_cast<std::int64_t>(random() % 20 + 1);
        auto const per = static_cast<std::int64_t>(random() % 200 + 1);
        weir::sliding_window limiter{{.permits = static_cast<std::uint64_t>(permits), .per = weir::duration{per}}};
        std::vector<std::int64_t> taken;
        std::map<std::int64_t, std::int64_t> windows;
        for (std::int64_t now = 0, i = 0; i < 400; ++i) {
            now += static_cast<std::int64_t>(random() % 8 == 0 ? random() % static_cast<std::uint64_t>(per) : random() % 3);
            if (!limiter.try_acquire(at(now))) continue;
            taken.push_back(now);
            REQUIRE(++windows[now / per] <= permits);
        }
        for (std::size_t from = 0; from < taken.size(); ++from)
            for (std::size_t to = from; to < taken.size() && taken[to] - taken[from] < per; ++to)
                REQUIRE(static_cast<std::int64_t>(to - from + 1) * per <= permits * (per + taken[to] - taken[from] + 1));
    }
}

TEST_CASE("sliding_window: an earlier time counts as the beginning of the latest window, but nobody passes those who wait")
{
    weir::sliding_window limiter{{.permits = 2, .per = 1s}};
    CHECK(limiter.try_acquire(start));
    CHECK(limiter.try_acquire(start - 10s));
    CHECK_FALSE(limiter.try_acquire(start - 10s));
    CHECK(limiter.reserve(start, 1, 10s).wait() == 1'500ms);
    CHECK(limiter.available(start + 999ms) == 0);
    CHECK(limiter.try_acquire(start + 999ms, 0).retry_after() == 501ms);
}

TEST_CASE("sliding_window: at the ends of time and of numbers")
{
    for (std::int64_t const now : {lowest, std::int64_t{-1}, std::int64_t{0}, highest})
        for (weir::duration const per : {weir::duration{1}, weir::duration{1s}, weir::duration::max()})
            for (std::uint64_t const permits :
                 {std::uint64_t{1}, std::uint64_t{2'147'483'647}, std::uint64_t{1} << 31, std::uint64_t{1} << 62}) {
                weir::sliding_window limiter{{.permits = permits, .per = per}};
                CHECK(limiter.is_full(at(now)));
                CHECK(limiter.try_acquire(at(now), permits));
                CHECK_FALSE(limiter.try_acquire(at(now)));
                CHECK(limiter.try_acquire(at(now), ~std::uint64_t{}).is_impossible());
                CHECK(limiter.drain(at(now), 5) == 0);
                CHECK(limiter.try_acquire(at(now), permits).retry_after() > 0ns);
                limiter.refund(~std::uint64_t{});
                CHECK(limiter.available(at(now)) == permits);
            }
    CHECK(weir_test::refusal([] { weir::sliding_window<>({.permits = 0}); }).starts_with("permits: "));
    CHECK(weir_test::refusal([] { weir::sliding_window<>({.permits = 1, .per = 0s}); }).starts_with("per: "));
}

TEST_CASE("sliding_window: what counts goes on to count under new settings")
{
    weir::sliding_window limiter{{.permits = 10, .per = 1s}};
    CHECK(limiter.try_acquire(start - 1ns, 10));
    CHECK(limiter.try_acquire(start + 500ms, 3));
    limiter.reconfigure({.permits = 20, .per = 1s});
    CHECK(limiter.available(start + 500ms) == 12);
    limiter.reconfigure({.permits = 20, .per = 1min});
    CHECK(limiter.available(start + 500ms) == 12);
    CHECK(limiter.try_acquire(start + 500ms, 0)); // the change counts from here
    CHECK(limiter.available(start + 1min) == 12);
    CHECK(limiter.available(start + 2min) == 20);
}

TEST_CASE("sliding_window: one a key")
{
    struct by_number {
        using key_type = int;
    };
    weir::keyed limiter{weir::sliding_window{{.permits = 2, .per = 1s}}, by_number{}, {.capacity = 4}};
    CHECK(limiter.try_acquire(1, start, 2));
    CHECK(limiter.try_acquire(1, start).retry_after() == 1'500ms);
    CHECK(limiter.try_acquire(2, start));
    CHECK(limiter.quota_at(2, start).remaining == 1);
}

TEST_CASE("sliding_window: random histories go as by counting in each window and trying each instant")
{
    weir_test::compare_with<counts>();
}

TEST_CASE("sliding_window: threads together never get more than the permits of a window, also while settings change")
{
    weir::window_rate const few{.permits = 5, .per = 1us};
    weir::window_rate const many{.permits = 10, .per = 1us};
    weir::sliding_window limiter{few};
    auto const [admitted, passed] = weir_test::under_load(limiter, few, many, 20);
    CHECK(admitted <= (passed / 1'000 + 2) * 10);
    CHECK(admitted > 0);
}

namespace weir {
static_assert(limiter<sliding_window<shared>> && limiter<sliding_window<confined>> && detail::word_rule<window_pair>);
} // namespace weir: what the header promises
