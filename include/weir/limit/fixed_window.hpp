// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/core/threading.hpp>
#include <weir/limit/detail/ruled.hpp>
#include <weir/limit/limiter.hpp>
#include <weir/limit/window_rate.hpp>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>

namespace weir::inline v0 {

/// The arithmetic of `fixed_window`: pure functions of a count and the number of its window.
///
/// What is reserved ahead is counted beyond the permits of the window; each window that passes takes its permits off. No reservation is
/// spread over two windows: one that does not fit what is left begins the next.
class window_counter {
public:
    struct state {
        std::int64_t window;
        std::uint64_t used;
        friend bool operator==(state const&, state const&) noexcept = default;
    };
    static constexpr state fresh{std::numeric_limits<std::int64_t>::min(), 0};
    static constexpr std::int64_t elsewhere = std::numeric_limits<std::int64_t>::max();

    /// Throws `std::invalid_argument` for bad options.
    explicit window_counter(window_rate const& o) : permits_(o.permits), per_(o.per.count())
    {
        detail::expect_window(o.permits, o.per);
        bits_ = std::min<std::int64_t>(static_cast<std::int64_t>(std::bit_width(permits_)) + 1, 63);
    }

    [[nodiscard]] constexpr decision try_acquire(state& s, time_point now, std::uint64_t cost) const noexcept
    {
        if (cost > permits_) return decision::impossible();
        place const p = find(s, now, cost);
        if (p.ahead > 0) return decision::refused(start_of(p, now));
        s = p.after;
        return decision::admitted();
    }
    [[nodiscard]] constexpr reservation reserve(state& s, time_point now, std::uint64_t cost, duration max_wait) const noexcept
    {
        if (cost > permits_) return reservation::refused(decision::impossible());
        place const p = find(s, now, cost);
        duration const wait = p.ahead > 0 ? start_of(p, now) : duration::zero();
        duration const longest_wait = std::max(max_wait, duration::zero());
        if (wait > longest_wait || p.ahead > furthest / permits_)
            return reservation::refused(decision::refused(wait > longest_wait ? wait - longest_wait : duration{per_}));
        s = p.after;
        return reservation::taken(wait);
    }
    constexpr void refund(state& s, std::uint64_t cost) const noexcept { s.used -= std::min(s.used, cost); }

    [[nodiscard]] constexpr std::uint64_t available(state const& s, time_point now) const noexcept
    {
        return permits_ - std::min(at(s, now).used, permits_);
    }
    [[nodiscard]] constexpr duration until_full(state const& s, time_point now) const noexcept
    {
        state const seen = at(s, now);
        return seen.used == 0 ? duration::zero() : detail::until(now, seen.window, wide{windows_of(seen.used)} * per_, per_);
    }
    [[nodiscard]] constexpr bool is_full(state const& s, time_point now) const noexcept { return at(s, now).used == 0; }
    [[nodiscard]] constexpr quota quota_at(window_rate const& o, state const& s, time_point now) const noexcept
    {
        return {o.permits, o.per, o.permits, available(s, now), until_full(s, now), detail::until_more(*this, s, now, permits_)};
    }

    /// What is used stays used; a window of another length begins anew with it.
    [[nodiscard]] constexpr state adopt(state const& s, window_counter const& old, time_point now) const noexcept
    {
        state const seen = old.at(s, now);
        if (seen.used == 0) return fresh;
        return per_ == old.per_ ? seen : state{detail::window_at(now, per_), seen.used};
    }

    /// The word: the window above, what is used in `bit_width(permits) + 1` bits below.
    [[nodiscard]] constexpr bool pack(state const& s, std::int64_t& word) const noexcept
    {
        if (s.used == 0) {
            word = std::numeric_limits<std::int64_t>::min();
            return true;
        }
        std::int64_t const windows = std::numeric_limits<std::int64_t>::max() >> bits_;
        if (s.used >> bits_ != 0 || s.window >= windows || s.window <= -windows) return false;
        word = (s.window << bits_) + static_cast<std::int64_t>(s.used);
        return true;
    }
    [[nodiscard]] constexpr state unpack(std::int64_t word) const noexcept
    {
        if (word == std::numeric_limits<std::int64_t>::min()) return fresh;
        return {word >> bits_, static_cast<std::uint64_t>(word) & mask()};
    }
    [[nodiscard]] constexpr bool quick(std::int64_t seen, time_point now, std::uint64_t cost, std::int64_t& next) const noexcept
    {
        if (now < time_point{}) return false;
        auto const time = static_cast<std::uint64_t>(now.time_since_epoch().count());
        auto const window = static_cast<std::int64_t>(time / static_cast<std::uint64_t>(per_));
        auto const begin = static_cast<std::int64_t>(static_cast<std::uint64_t>(window) << bits_);
        if (begin >> bits_ != window) return false;
        std::uint64_t const used = static_cast<std::uint64_t>(seen) - static_cast<std::uint64_t>(begin); // of another window: too much
        if (used <= permits_ && cost <= permits_ - used) [[likely]] {
            next = seen + static_cast<std::int64_t>(cost);
            return true;
        }
        if (seen >= begin || (static_cast<std::uint64_t>(seen) & mask()) > permits_ || cost > permits_) return false;
        next = begin + static_cast<std::int64_t>(cost);
        return true;
    }

    friend constexpr bool operator==(window_counter const&, window_counter const&) noexcept = default;

private:
    using wide = detail::wide_count;
    static constexpr std::uint64_t furthest = std::uint64_t{1} << 62;

    // Where a cost finds room: so many windows ahead, and the state after it is taken.
    struct place {
        std::uint64_t ahead;
        state after;
    };

    constexpr std::uint64_t mask() const noexcept { return (std::uint64_t{1} << bits_) - 1; }
    constexpr std::uint64_t windows_of(std::uint64_t used) const noexcept { return used / permits_ + (used % permits_ != 0); }

    // As of an instant. One before the window counts as the window's beginning.
    constexpr state at(state const& s, time_point now) const noexcept
    {
        std::int64_t const window = detail::window_at(now, per_);
        if (window <= s.window) return s;
        wide const over = (static_cast<wide>(window) - s.window) * static_cast<wide>(permits_);
        return {window, over >= static_cast<wide>(s.used) ? 0 : s.used - static_cast<std::uint64_t>(over)};
    }
    constexpr place find(state const& s, time_point now, std::uint64_t cost) const noexcept
    {
        state const seen = at(s, now);
        if (seen.used <= permits_ && cost <= permits_ - seen.used) return {0, {seen.window, seen.used + cost}};
        std::uint64_t const ahead = windows_of(seen.used + cost - permits_);
        return {ahead, {seen.window, cost == 0 ? seen.used : std::max(seen.used, ahead * permits_) + cost}};
    }
    constexpr duration start_of(place const& p, time_point now) const noexcept
    {
        return detail::until(now, p.after.window, wide{p.ahead} * per_, per_);
    }

    std::uint64_t permits_;
    std::int64_t per_;
    std::int64_t bits_;
};

/// So many permits in each window of time, counted anew in each: `weir::fixed_window{{.permits = 10, .per = 1s}}` refuses the eleventh
/// call of a second until the second ends. Windows begin at the clock's epoch, at the multiples of `per`, so that all who count by one
/// clock begin together, and a window does not depend on who came first.
///
/// Exact, whatever the rate: never more than `permits` in a window. Two windows meet, so that up to twice the permits may pass within any
/// `per`, in no time at all around the boundary; `sliding_window`, `sliding_log` and `gcra` are there for those to whom that matters.
/// A reservation goes at the beginning of the first window that has room for it. A refund counts for the window of the last call.
/// Time: any `time_point`; one before the window of the last call counts as the beginning of that.
///
/// Thread-safe and lock-free as `fixed_window<shared>` (one division, one compare-and-swap; a refusal writes nothing) while the number of
/// the window and the count fit a word together: bits of the number + bits of `permits` + 1 < 63. A million permits a second fit for
/// 139,000 years of the clock, a billion a millisecond for 49 days; what does not fit is counted as exactly, under a lock.
/// Memory: 136 bytes with the lock. A key of `keyed` takes 16 bytes beside the key.
template<threading_model Threading = shared>
class fixed_window : public detail::ruled<fixed_window<Threading>, window_counter, window_rate, Threading> {
public:
    /// Throws `std::invalid_argument` for bad options.
    explicit fixed_window(window_rate const& o) : detail::ruled<fixed_window<Threading>, window_counter, window_rate, Threading>(o) {}
};

} // namespace weir::inline v0
