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

/// The arithmetic of `sliding_window`: pure functions of two counts and the number of the window. Integers only: the estimate is compared
/// as a fraction, never rounded.
class window_pair {
public:
    struct state {
        std::int64_t window;
        std::uint64_t previous; ///< taken in the window before
        std::uint64_t current;  ///< taken in this one
        std::int64_t ahead;     ///< 1: the window is ahead of the clock, as permits are reserved in it
        friend bool operator==(state const&, state const&) noexcept = default;
    };
    static constexpr state fresh{std::numeric_limits<std::int64_t>::min(), 0, 0, 0};
    static constexpr std::int64_t elsewhere = std::numeric_limits<std::int64_t>::max();

    /// Throws `std::invalid_argument` for bad options.
    explicit window_pair(window_rate const& o) : permits_(o.permits), per_(o.per.count())
    {
        detail::expect_window(o.permits, o.per);
        bits_ = std::min<std::int64_t>(static_cast<std::int64_t>(std::bit_width(permits_)), 31);
        shift_ = 2 * bits_ + 1;
        wide const most = static_cast<wide>(permits_) * per_;
        if (permits_ >> bits_ == 0 && most < wide{1} << 61) most_ = static_cast<std::uint64_t>(most);
    }

    [[nodiscard]] constexpr decision try_acquire(state& s, time_point now, std::uint64_t cost) const noexcept
    {
        if (cost > permits_) return decision::impossible();
        place const p = find(s, now, cost);
        if (p.wait.count() > 0) return decision::refused(p.wait);
        s = p.after;
        return decision::admitted();
    }
    [[nodiscard]] constexpr reservation reserve(state& s, time_point now, std::uint64_t cost, duration max_wait) const noexcept
    {
        if (cost > permits_) return reservation::refused(decision::impossible());
        place const p = find(s, now, cost);
        duration const longest_wait = std::max(max_wait, duration::zero());
        if (p.wait > longest_wait) return reservation::refused(decision::refused(p.wait - longest_wait));
        s = p.after;
        return reservation::taken(p.wait);
    }
    constexpr void refund(state& s, std::uint64_t cost) const noexcept
    {
        std::uint64_t const of_current = std::min(s.current, cost);
        s.current -= of_current;
        s.previous -= std::min(s.previous, cost - of_current);
    }

    [[nodiscard]] constexpr std::uint64_t available(state const& s, time_point now) const noexcept
    {
        view const v = at(s, now);
        if (v.early || v.current >= permits_) return 0;
        auto const weighed = static_cast<wide>(v.previous) * (per_ - v.elapsed);
        auto const before = static_cast<std::uint64_t>((weighed + per_ - 1) / per_);
        std::uint64_t const left = permits_ - v.current;
        return left - std::min(left, before);
    }
    [[nodiscard]] constexpr duration until_full(state const& s, time_point now) const noexcept
    {
        view const v = at(s, now);
        if (v.is_empty() && !v.early) return duration::zero();
        return detail::until(now, v.window, wide{v.current > 0 ? 2 : v.previous > 0 ? 1 : 0} * per_, per_);
    }
    [[nodiscard]] constexpr bool is_full(state const& s, time_point now) const noexcept
    {
        view const v = at(s, now);
        return v.is_empty() && !v.early;
    }
    [[nodiscard]] constexpr quota quota_at(window_rate const& o, state const& s, time_point now) const noexcept
    {
        return {o.permits, o.per, o.permits, available(s, now), until_full(s, now), detail::until_more(*this, s, now, permits_)};
    }

    /// What counts now goes on to count; in windows of another length it counts as taken in the first of them.
    [[nodiscard]] constexpr state adopt(state const& s, window_pair const& old, time_point now) const noexcept
    {
        view const v = old.at(s, now);
        if (per_ == old.per_) return {v.window, v.previous, v.current, v.early ? 1 : 0};
        auto const weighed = static_cast<wide>(v.previous) * (old.per_ - v.elapsed);
        auto const before = static_cast<std::uint64_t>((weighed + old.per_ - 1) / old.per_);
        std::uint64_t const used = v.current + before;
        if (!v.early) return used == 0 ? fresh : state{detail::window_at(now, per_), 0, used, 0};
        time_point const begin = after(now, detail::until(now, v.window, 0, old.per_)); // those who wait for it still do
        return {detail::window_at(begin - duration{1}, per_) + 1, 0, used, 1};
    }

    /// The word: the window above, two counts of `bit_width(permits)` bits, and whether it is ahead.
    [[nodiscard]] constexpr bool pack(state const& s, std::int64_t& word) const noexcept
    {
        if (s.previous == 0 && s.current == 0 && s.ahead == 0) {
            word = std::numeric_limits<std::int64_t>::min();
            return true;
        }
        std::int64_t const windows = std::numeric_limits<std::int64_t>::max() >> shift_;
        if ((s.previous | s.current) >> bits_ != 0 || s.window >= windows || s.window <= -windows) return false;
        word = make_word(s.window, s.previous, s.current) + s.ahead;
        return true;
    }
    [[nodiscard]] constexpr state unpack(std::int64_t word) const noexcept
    {
        if (word == std::numeric_limits<std::int64_t>::min()) return fresh;
        return {window_in(word), previous_in(word), current_in(word), word & 1};
    }
    [[nodiscard]] constexpr bool quick(std::int64_t seen, time_point now, std::uint64_t cost, std::int64_t& next) const noexcept
    {
        if (now < time_point{}) return false;
        auto const time = static_cast<std::uint64_t>(now.time_since_epoch().count());
        auto const length = static_cast<std::uint64_t>(per_);
        std::uint64_t const window = time / length;
        auto const begin = static_cast<std::int64_t>(window << shift_);
        if (static_cast<std::uint64_t>(begin >> shift_) != window || cost > permits_) return false;
        std::uint64_t const counts = static_cast<std::uint64_t>(seen) - static_cast<std::uint64_t>(begin);
        std::uint64_t const left = length - (time - window * length);
        if (counts >> shift_ == 0) [[likely]] { // the same window
            if ((counts >> (bits_ + 1)) * left + ((counts >> 1 & mask()) + cost) * length > most_) return false;
            next = (seen & ~std::int64_t{1}) + static_cast<std::int64_t>(cost << 1);
            return true;
        }
        if (seen > begin || most_ == 0) return false;
        std::uint64_t const previous = static_cast<std::uint64_t>(window_in(seen)) + 1 == window ? current_in(seen) : 0;
        if (previous * left + cost * length > most_) return false;
        next = begin + static_cast<std::int64_t>((previous << bits_ | cost) << 1);
        return true;
    }

    friend constexpr bool operator==(window_pair const&, window_pair const&) noexcept = default;

private:
    using wide = detail::wide_count;

    // The state as of an instant: so far into the window. `early`: the window is reserved in and has not begun.
    struct view {
        std::int64_t window;
        std::uint64_t previous;
        std::uint64_t current;
        std::int64_t elapsed;
        bool early;
        constexpr bool is_empty() const noexcept { return current == 0 && previous == 0; }
    };
    struct place {
        duration wait;
        state after;
    };

    constexpr std::int64_t make_word(std::int64_t window, std::uint64_t previous, std::uint64_t current) const noexcept
    {
        std::uint64_t const counts = (static_cast<std::uint64_t>(window) << bits_ | previous) << bits_ | current;
        return static_cast<std::int64_t>(counts << 1);
    }
    constexpr std::int64_t window_in(std::int64_t word) const noexcept { return word >> shift_; }
    constexpr std::uint64_t mask() const noexcept { return (std::uint64_t{1} << bits_) - 1; }
    constexpr std::uint64_t previous_in(std::int64_t word) const noexcept
    {
        return static_cast<std::uint64_t>(word) >> (bits_ + 1) & mask();
    }
    constexpr std::uint64_t current_in(std::int64_t word) const noexcept { return static_cast<std::uint64_t>(word) >> 1 & mask(); }

    // An instant before the window counts as the window's beginning.
    constexpr view at(state const& s, time_point now) const noexcept
    {
        std::int64_t const window = detail::window_at(now, per_);
        if (window < s.window) return {s.window, s.previous, s.current, 0, s.ahead != 0};
        auto const elapsed = static_cast<std::int64_t>(now.time_since_epoch().count() - static_cast<wide>(window) * per_);
        if (window == s.window) return {window, s.previous, s.current, elapsed, false};
        bool const next = static_cast<wide>(window) - s.window == 1;
        return {window, next ? s.current : 0, 0, elapsed, false};
    }

    // How far into a window the count before it has to have faded so that no more than `allowed` of it is left.
    constexpr std::int64_t faded(std::uint64_t before, std::uint64_t allowed) const noexcept
    {
        if (before <= allowed) return 0;
        return per_ - static_cast<std::int64_t>(static_cast<wide>(allowed) * per_ / static_cast<wide>(before));
    }
    // The first instant at which a cost passes.
    constexpr place find(state const& s, time_point now, std::uint64_t cost) const noexcept
    {
        view const v = at(s, now);
        wide offset = 0; // of that instant, from the beginning of v's window
        state after{v.window, v.previous, v.current, 0};
        if (v.current <= permits_ && cost <= permits_ - v.current) {
            offset = std::max(v.elapsed, faded(v.previous, permits_ - v.current - cost));
            if (offset == v.elapsed && !v.early) return {duration::zero(), {v.window, v.previous, v.current + cost, 0}};
        } else {
            offset = wide{per_} + faded(v.current, permits_ - cost);
        }
        for (wide left = offset; left >= per_; left -= per_)
            after = {after.window + (after.window != std::numeric_limits<std::int64_t>::max()), after.current, 0, 0};
        after.current += cost;
        after.ahead = after.window > detail::window_at(now, per_);
        return {detail::until(now, v.window, offset, per_), after};
    }

    std::uint64_t permits_;
    std::int64_t per_;
    std::int64_t bits_;
    std::int64_t shift_;
    std::uint64_t most_ = 0; // permits x period, if sums of it fit a word; else nothing is quick
};

/// So many permits in about any window of time, by two counters: what was taken in the window before this one counts as if it had come
/// evenly, so that it fades while this one goes on (Cloudflare, "How we built rate limiting capable of scaling to millions of domains",
/// 2017). `weir::sliding_window{{.permits = 100, .per = 1min}}`. Windows begin at the multiples of `per` of the clock's epoch.
///
/// The bound: at most `permits` in each of those windows, and in any span of time t up to `per` at most `permits * (1 + t / per)`. So no
/// burst of twice the permits passes around a boundary at once, as with `fixed_window`, but in a whole `per` almost twice may pass if all
/// the calls before came at the end of their window. `sliding_log` is exact; `gcra` keeps a burst and a rate apart.
/// What the algorithm says is computed exactly, and `retry_after` with it. A reservation goes when the estimate has room for it, not before
/// the window of an earlier one that waits; refunded, it gives its permits back and not the time. A refund counts for this window,
/// then for the one before.
/// Time: any `time_point`; one before the window of the last call counts as the beginning of that.
///
/// Thread-safe and lock-free as `sliding_window<shared>` (one division, one compare-and-swap; a refusal writes nothing) while the number of
/// the window and both counts fit a word together: bits of the number + 2 x bits of `permits` < 63. A million permits a minute fit for
/// eight years of the clock, a thousand a second for longer than it runs; what does not fit is counted as exactly, under a lock.
/// Memory: 184 bytes with the lock. A key of `keyed` takes 32 bytes beside the key.
template<threading_model Threading = shared>
class sliding_window : public detail::ruled<sliding_window<Threading>, window_pair, window_rate, Threading> {
public:
    /// Throws `std::invalid_argument` for bad options.
    explicit sliding_window(window_rate const& o) : detail::ruled<sliding_window<Threading>, window_pair, window_rate, Threading>(o) {}
};

} // namespace weir::inline v0
