// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/core/options.hpp>
#include <weir/core/threading.hpp>
#include <weir/limit/detail/ruled.hpp>
#include <weir/limit/limiter.hpp>
#include <weir/limit/pace.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>

namespace weir::inline v0 {

struct warm_up_options {
    required<std::uint64_t> permits;        ///< permits in each `per` when it is warm, at least 1
    duration per = std::chrono::seconds{1}; ///< the period, at least 1 ns
    required<duration> warm_up;             ///< the time that the way from cold to warm takes at full use, 1 ns to 146 years
    double cold_factor = 3;                 ///< how many times slower it is when it is cold: 1 to 1,000
};

/// The arithmetic of `warm_up`: pure functions of two instants' worth of state, in integers.
///
/// Guava counts permits that are stored while nobody comes; here they are counted by the time in which they are stored, in ns from 0
/// (warm) to `warm_up` (cold). Taking one uses up the *share*, the time that stores one. Above the *threshold* the interval of a permit
/// rises in a line from `per / permits` to `cold_factor` times that, so that a permit's interval is an area under that line.
/// Intervals are rounded up, share and threshold down: each permit moves what is due by `3 + slope` ns at most from what real numbers
/// give, where `slope` is how many ns the interval grows for each ns stored (with a cold factor of 3: four intervals / `warm_up`), and
/// no permit is due sooner than `per / permits` after the one before.
class ramp {
public:
    struct state {
        std::int64_t next;   ///< when the next permit is due
        std::int64_t stored; ///< then
        friend bool operator==(state const&, state const&) noexcept = default;
    };
    static constexpr state fresh{std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()};

    /// Throws `std::invalid_argument` for bad options.
    explicit ramp(warm_up_options const& o) : stable_(pace({.permits = o.permits, .per = o.per, .burst = 1}).interval())
    {
        expect((*o.warm_up).count() >= 1 && (*o.warm_up).count() <= pace::longest, "warm_up", "1 ns to 146 years");
        expect(o.cold_factor >= 1 && o.cold_factor <= 1'000, "cold_factor", "1 to 1,000");
        double const cold = std::ceil(static_cast<double>(stable_) * o.cold_factor);
        expect(cold < static_cast<double>(pace::longest / 2), "cold_factor", "cold_factor x per / permits below 73 years");
        cold_ = std::max(static_cast<std::int64_t>(cold), stable_);
        full_ = (*o.warm_up).count();
        // thresholdPermits = warm_up / 2 stable, maxPermits = thresholdPermits + 2 warm_up / (stable + cold), in units of time.
        wide const sum = static_cast<wide>(stable_) + cold_;
        wide const whole = sum + 4 * static_cast<wide>(stable_);
        threshold_ = static_cast<std::int64_t>(full_ * sum / whole);
        share_ = static_cast<std::int64_t>(std::max<wide>(2 * static_cast<wide>(stable_) * sum / whole, 1));
    }

    [[nodiscard]] decision try_acquire(state& s, time_point now, std::uint64_t cost) const noexcept
    {
        if (cost > 1) return decision::impossible();
        state const seen = at(s, now);
        if (wide const at = due(seen, cost); at > count(now)) return decision::refused(until(now, at));
        if (cost == 1) s = after(seen, 1);
        return decision::admitted();
    }
    [[nodiscard]] reservation reserve(state& s, time_point now, std::uint64_t cost, duration max_wait) const noexcept
    {
        state const seen = at(s, now);
        duration const longest_wait = std::clamp(max_wait, duration::zero(), duration{pace::longest});
        // The permits before the last take their time whenever they begin; later it can only be colder.
        wide const at = due(seen, cost);
        if (at - seen.next > longest_wait.count()) return reservation::refused(decision::impossible());
        duration const wait = until(now, at);
        if (wait > longest_wait) return reservation::refused(decision::refused(wait - longest_wait));
        if (cost > 0) s = after(seen, cost);
        return reservation::taken(wait);
    }
    /// Gives back the time of warm permits, which is the least that was paid for them, and no warmth.
    void refund(state& s, std::uint64_t cost) const noexcept
    {
        if (s == fresh) return;
        wide const back = static_cast<wide>(cost) * stable_;
        s.next = static_cast<std::int64_t>(std::max<wide>(s.next - back, std::numeric_limits<std::int64_t>::min()));
    }

    [[nodiscard]] std::uint64_t available(state const& s, time_point now) const noexcept { return at(s, now).next <= count(now); }
    /// Until it is as cold as a fresh one.
    [[nodiscard]] duration until_full(state const& s, time_point now) const noexcept
    {
        state const seen = at(s, now);
        return until(now, static_cast<wide>(seen.next) + (full_ - seen.stored));
    }
    [[nodiscard]] bool is_full(state const& s, time_point now) const noexcept { return until_full(s, now) == duration::zero(); }
    [[nodiscard]] quota quota_at(warm_up_options const& o, state const& s, time_point now) const noexcept
    {
        return {o.permits, o.per, 1, available(s, now), until(now, at(s, now).next)};
    }
    /// As warm as it was, by proportion, and what is due comes at the new pace.
    [[nodiscard]] state adopt(state const& s, ramp const& old, time_point now) const noexcept
    {
        if (s == fresh) return fresh;
        state const seen = old.at(s, now);
        wide const due = (static_cast<wide>(seen.next) - count(now)) * stable_;
        return {capped(count(now) + (due + old.stable_ - 1) / old.stable_),
                static_cast<std::int64_t>(static_cast<wide>(seen.stored) * full_ / old.full_)};
    }

    friend bool operator==(ramp const&, ramp const&) noexcept = default;

private:
    __extension__ using wide = __int128;

    static std::int64_t count(time_point t) noexcept { return t.time_since_epoch().count(); }
    static std::int64_t capped(wide at) noexcept
    {
        return static_cast<std::int64_t>(std::min<wide>(at, std::numeric_limits<std::int64_t>::max()));
    }
    static duration until(time_point now, wide at) noexcept { return duration{capped(std::max<wide>(at - count(now), 0))}; }

    // While nobody comes it stores, up to full.
    state at(state const& s, time_point now) const noexcept
    {
        if (s.next >= count(now)) return {s.next, std::min(s.stored, full_)};
        wide const rested = static_cast<wide>(count(now)) - s.next;
        return {count(now), static_cast<std::int64_t>(std::min<wide>(rested + s.stored, full_))};
    }
    std::int64_t left_of(std::int64_t stored, std::uint64_t permits) const noexcept
    {
        return static_cast<std::int64_t>(std::max<wide>(stored - static_cast<wide>(permits) * share_, 0));
    }
    // The time that so many permits take: the stable interval for each, and what is above it, which is a trapezium.
    wide price(std::int64_t stored, std::uint64_t permits) const noexcept
    {
        wide const from = std::max<std::int64_t>(stored - threshold_, 0);
        wide const to = std::max<std::int64_t>(left_of(stored, permits) - threshold_, 0);
        if (from == 0) return static_cast<wide>(permits) * stable_; // warm
        wide const range = 2 * static_cast<wide>(full_ - threshold_);
        wide const mean = ((from + to) * (cold_ - stable_) + range - 1) / range;
        return static_cast<wide>(permits) * stable_ + (mean * (from - to) + share_ - 1) / share_;
    }
    // When so many permits are due: the last of them, when those before it are paid for. None of them, when the one before is.
    wide due(state const& seen, std::uint64_t permits) const noexcept
    {
        if (permits > 0) return seen.next + price(seen.stored, permits - 1);
        wide const before = std::min<wide>(static_cast<wide>(seen.stored) + share_, full_);
        return seen.next - price(static_cast<std::int64_t>(before), 1);
    }
    state after(state const& seen, std::uint64_t permits) const noexcept
    {
        return {capped(seen.next + price(seen.stored, permits)), left_of(seen.stored, permits)};
    }

    std::int64_t stable_;
    std::int64_t cold_;
    std::int64_t full_;
    std::int64_t threshold_;
    std::int64_t share_;
};

/// A pace that rises to its full rate, for what is slow after a rest (caches to fill, connections to open): Guava's `SmoothWarmingUp`
/// (RateLimiter.create(permitsPerSecond, warmupPeriod), com.google.common.util.concurrent.SmoothRateLimiter, 32.1; the comment there
/// derives the ramp). `weir::warm_up{{.permits = 100, .per = 1s, .warm_up = 3s}}`: after a rest the intervals are three times as long as at
/// full rate, and at full use it takes 3 s until they are 10 ms; rest cools it down again, in the same time with the usual factor.
///
/// It paces: one permit at a time, no bursts, so `try_acquire` of 2 is impossible. A reservation of n permits goes when the last of them is
/// due; in Guava it goes at once and the next call pays. With one permit a call the two are the same, to the rounding: see `ramp`.
/// In any span of time t no more than `1 + permits * t / per`. A refund gives back the time of a warm permit and no warmth.
/// Time: any `time_point`; an earlier one than before gives nothing back.
///
/// Thread-safe as `warm_up<shared>`, under a lock: its state is two words. Cost: about 90 instructions, warm. Memory: 136 bytes. A key of
/// `keyed` takes 16 bytes beside the key. Choose `leaky_bucket` for an even pace, `gcra` where a rest earns a burst.
template<threading_model Threading = shared>
class warm_up : public detail::ruled<warm_up<Threading>, ramp, warm_up_options, Threading> {
public:
    /// Cold from the beginning. Throws `std::invalid_argument` for bad options.
    explicit warm_up(warm_up_options const& o) : detail::ruled<warm_up<Threading>, ramp, warm_up_options, Threading>(o) {}
};

} // namespace weir::inline v0
