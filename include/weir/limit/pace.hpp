// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/core/options.hpp>
#include <weir/limit/limiter.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>

namespace weir::inline v0 {

/// So many permits in so much time: the options of `gcra` and `token_bucket`.
struct rate {
    required<std::uint64_t> permits;        ///< permits in each `per`, at least 1
    duration per = std::chrono::seconds{1}; ///< the period, at least 1 ns
    std::uint64_t burst = permits;          ///< the most permits that can be had at once, after a rest: at least 1; default `permits`
};

namespace detail {

constexpr std::int64_t subtract_capped(std::int64_t a, std::int64_t b) noexcept
{
    std::int64_t difference = 0;
    if (!__builtin_sub_overflow(a, b, &difference)) return difference;
    return b > 0 ? std::numeric_limits<std::int64_t>::min() : std::numeric_limits<std::int64_t>::max();
}

} // namespace detail

/// The arithmetic of `gcra` and `token_bucket`, without a home for the state: pure functions of a rate, one word of state and the
/// time. It is the virtual scheduling algorithm of ITU-T I.371 (2004), annex A, which is also a leaky bucket that drains steadily.
///
/// The word is the last instant at which there was no credit. Since then credit has grown by one nanosecond each nanosecond, up to
/// the *tolerance*, `burst` intervals. A permit costs one interval. So `credit = min(now - word - 1, tolerance)`.
///
/// The interval is `per / permits`, rounded up to whole nanoseconds. Rounded, it admits up to `1 / interval` (in ns) less than the
/// rate, and never more: at most one permit a nanosecond. Where `permits` divides `per`, it is exact.
/// Arithmetic is capped, not wrapped. A copy is two words; trivially copyable and immutable, so thread-safe.
class pace {
public:
    using state = std::int64_t;

    /// The state of what was never used: full at any time.
    static constexpr state fresh = std::numeric_limits<state>::min();
    /// `burst` intervals have to be less than this: 146 years.
    static constexpr std::int64_t longest = std::int64_t{1} << 62;
    /// No state: an instant so far ahead that `quick` fails, and no round number, so that nobody's clock stands there.
    static constexpr state elsewhere = longest - 1'000'003;

    /// Throws `std::invalid_argument` for a rate that makes no sense or whose full burst takes longer than `longest` to come back.
    explicit pace(rate const& r)
    {
        expect(*r.permits >= 1, "permits", "at least 1");
        expect(r.per >= duration{1}, "per", "at least 1 ns");
        expect(r.burst >= 1, "burst", "at least 1");
        auto const per = static_cast<std::uint64_t>(r.per.count());
        std::uint64_t const each = per / *r.permits + (per % *r.permits != 0);
        expect(static_cast<wide>(each) * r.burst < longest, "burst", "burst x per / permits below 146 years");
        interval_ = static_cast<std::int64_t>(each);
        floor_ = interval_ - static_cast<std::int64_t>(each * r.burst) - 1;
    }
    /// From the two words of another pace.
    constexpr pace(std::int64_t interval, std::int64_t floor) noexcept : interval_(interval), floor_(floor) {}

    /// The time in which one permit comes, in ns.
    [[nodiscard]] constexpr std::int64_t interval() const noexcept { return interval_; }
    /// `interval() - tolerance() - 1`: how far the state may lie behind now after one permit was taken.
    [[nodiscard]] constexpr std::int64_t floor() const noexcept { return floor_; }
    [[nodiscard]] constexpr std::int64_t tolerance() const noexcept { return interval_ - floor_ - 1; }
    [[nodiscard]] constexpr std::uint64_t burst() const noexcept { return static_cast<std::uint64_t>(tolerance() / interval_); }

    /// The common way in as few instructions as there are: true, and `next`, if the call is admitted. False says nothing: ask
    /// `try_acquire`. It works on differences modulo 2^64, so that no sum needs a check.
    [[nodiscard]] constexpr bool quick(state seen, time_point now, std::uint64_t cost, state& next) const noexcept
    {
        auto const step = static_cast<std::uint64_t>(interval_);
        std::uint64_t need = step;
        if (cost != 1 && (__builtin_mul_overflow(cost, step, &need) || need > static_cast<std::uint64_t>(tolerance()))) return false;
        auto const time = static_cast<std::uint64_t>(count(now));
        auto const debt = static_cast<std::int64_t>(need - time + static_cast<std::uint64_t>(seen));
        if (debt >= 0) return false;
        std::int64_t const least = floor_ + static_cast<std::int64_t>(need - step);
        next = static_cast<state>(time + static_cast<std::uint64_t>(std::max(debt, least)));
        return true;
    }

    /// The whole truth. A refusal leaves `s` alone.
    [[nodiscard]] constexpr decision try_acquire(state& s, time_point now, std::uint64_t cost) const noexcept
    {
        if (cost > burst()) return decision::impossible();
        std::int64_t const left = credit(s, now) - price(cost);
        if (left < 0) return decision::refused(duration{-left});
        s = with_credit(left, now);
        return decision::admitted();
    }
    [[nodiscard]] constexpr reservation reserve(state& s, time_point now, std::uint64_t cost, duration max_wait) const noexcept
    {
        if (cost > burst()) return reservation::refused(decision::impossible());
        return line_up(s, now, cost, max_wait);
    }
    /// `reserve` for any cost of less than `longest` intervals: what is above the burst comes later.
    [[nodiscard]] constexpr reservation line_up(state& s, time_point now, std::uint64_t cost, duration max_wait) const noexcept
    {
        std::int64_t const left = credit(s, now) - price(cost);
        duration const wait{left < 0 ? -left : 0};
        duration const longest_wait = std::clamp(max_wait, duration{0}, duration{longest});
        if (wait > longest_wait) return reservation::refused(decision::refused(wait - longest_wait));
        s = with_credit(left, now);
        return reservation::taken(wait);
    }
    constexpr void refund(state& s, std::uint64_t cost) const noexcept
    {
        std::int64_t back = 0;
        if (cost > static_cast<std::uint64_t>(longest) || __builtin_mul_overflow(static_cast<std::int64_t>(cost), interval_, &back))
            back = std::numeric_limits<std::int64_t>::max();
        s = detail::subtract_capped(s, back); // what is above the tolerance is cut off when it is used
    }

    /// The state as a word: it is one.
    [[nodiscard]] constexpr bool pack(state s, std::int64_t& word) const noexcept
    {
        word = s;
        return s != elsewhere;
    }
    [[nodiscard]] constexpr state unpack(std::int64_t word) const noexcept { return word; }

    [[nodiscard]] constexpr std::uint64_t available(state s, time_point now) const noexcept
    {
        return static_cast<std::uint64_t>(std::max<std::int64_t>(credit(s, now), 0) / interval_);
    }
    [[nodiscard]] constexpr duration until_full(state s, time_point now) const noexcept { return duration{tolerance() - credit(s, now)}; }
    [[nodiscard]] constexpr bool is_full(state s, time_point now) const noexcept { return credit(s, now) == tolerance(); }
    [[nodiscard]] constexpr quota quota_at(rate const& r, state s, time_point now) const noexcept
    {
        return {r.permits, r.per, r.burst, available(s, now), until_full(s, now)};
    }

    /// The state under this pace of what had state `s` under `old`: the permits in use, or reserved, stay so.
    [[nodiscard]] constexpr state adopt(state s, pace const& old, time_point now) const noexcept
    {
        auto const debt = static_cast<wide>(old.until_full(s, now).count());
        auto const interval = static_cast<wide>(interval_);
        auto const before = static_cast<wide>(old.interval_);
        auto const scaled = (debt * interval + before - 1) / before;
        auto const capped = std::min<wide>(scaled, std::numeric_limits<std::int64_t>::max() / 2);
        return with_credit(tolerance() - static_cast<std::int64_t>(capped), now);
    }

    friend constexpr bool operator==(pace const&, pace const&) noexcept = default;

private:
    __extension__ using wide = unsigned __int128;

    static constexpr std::int64_t count(time_point t) noexcept { return t.time_since_epoch().count(); }

    constexpr std::int64_t price(std::uint64_t cost) const noexcept { return static_cast<std::int64_t>(cost) * interval_; }

    // What could be taken now; negative while permits are reserved ahead, or after the clock went back.
    constexpr std::int64_t credit(state s, time_point now) const noexcept
    {
        if (s == fresh) return tolerance();
        std::int64_t const since = detail::subtract_capped(detail::subtract_capped(count(now), s), 1);
        return std::clamp(since, -longest, tolerance());
    }
    static constexpr state with_credit(std::int64_t credit, time_point now) noexcept
    {
        return std::max(detail::subtract_capped(detail::subtract_capped(count(now), 1), credit), fresh + 1);
    }

    std::int64_t interval_ = 1;
    std::int64_t floor_ = -1;
};

} // namespace weir::inline v0
