// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/core/threading.hpp>
#include <weir/limit/limiter.hpp>
#include <weir/limit/pace.hpp>

#include <cstdint>
#include <mutex>

namespace weir::inline v0 {

/// The generic cell rate algorithm (ITU-T I.371, 2004, annex A): `permits` each `per`, evenly spread, and after a rest a `burst` at
/// once. `weir::gcra{{.permits = 100, .per = 1s, .burst = 20}}` admits 20 calls at once, then one each 10 ms; in any span of time t
/// no more than `burst + permits * t / per`.
///
/// Exact to the nanosecond where `permits` divides `per`; see `pace` for what is lost elsewhere, and for the arithmetic.
/// Time: any `time_point`. An earlier time than before gives nothing back, and the call is judged as of that earlier time; one that
/// is 292 years earlier counts as later. While a `reconfigure` is under way, calls told a time below zero or above 146 years may be
/// judged by either settings or a mixture.
///
/// Thread-safe and lock-free as `gcra<shared>`: one compare-and-swap if admitted, and a refusal writes nothing. `gcra<confined>` is
/// for one thread or strand, without atomic instructions. `settings`, `reconfigure`, and the first call after it take a lock.
/// Cost: 5 ns, or 4 confined, with the time given. Memory: 112 bytes with the lock, or 80 confined.
/// Choose `sliding_window` where a client must not get `burst + permits` within one `per`.
template<threading_model Threading = shared>
class gcra {
public:
    using options = rate;
    using threading = Threading;
    /// The algorithm alone, for those who keep many states: `keyed` has one of these for all keys.
    using rule_type = pace;

    /// Full from the beginning. Throws `std::invalid_argument` for bad options.
    explicit gcra(rate const& r) : gcra(r, pace(r)) {}

    /// Takes `cost` permits if they are there at `now`.
    [[nodiscard, gnu::always_inline]] decision try_acquire(time_point now, std::uint64_t cost = 1) noexcept
    {
        pace::state const seen = state_.load(std::memory_order_acquire);
        pace const current(interval_.load(), floor_.load());
        if (pace::state next; current.quick(seen, now, cost, next)) [[likely]] {
            if (pace::state expected = seen; state_.replace(expected, next)) [[likely]]
                return decision::admitted();
        }
        return try_acquire_slowly(now, cost);
    }

    /// Takes `cost` permits, also when they come later, if that is `max_wait` after `now` at the latest.
    [[nodiscard]] reservation reserve(time_point now, std::uint64_t cost, duration max_wait) noexcept
    {
        return update(now, [&](pace const& p, pace::state& s) { return p.reserve(s, now, cost, max_wait); });
    }

    /// Gives back permits that were taken and not used.
    void refund(std::uint64_t cost) noexcept
    {
        for (;;) {
            auto const [current, seen] = look();
            pace::state next = seen;
            if (seen == changing) {
                std::lock_guard const lock(mutex_);
                if (state_.load() != changing) continue;
                before_.refund(kept_, cost);
                return;
            }
            current.refund(next, cost);
            if (pace::state expected = seen; state_.replace(expected, next)) return;
        }
    }

    [[nodiscard]] std::uint64_t available(time_point now) const noexcept
    {
        auto const [p, s] = look(now);
        return p.available(s, now);
    }
    [[nodiscard]] bool is_full(time_point now) const noexcept
    {
        auto const [p, s] = look(now);
        return p.is_full(s, now);
    }
    [[nodiscard]] quota quota_at(time_point now) const noexcept
    {
        auto const [p, s] = look(now);
        rate const r = settings();
        return {r.permits, r.per, r.burst, p.available(s, now), p.until_full(s, now)};
    }

    [[nodiscard]] rate settings() const noexcept
    {
        std::lock_guard const lock(mutex_);
        return rate_;
    }

    /// Changes the rate while others call. Permits in use, or reserved, at the next call stay so, and come back at the new rate.
    /// Throws `std::invalid_argument` for bad options, and then changes nothing.
    void reconfigure(rate const& r)
    {
        pace const wanted(r);
        std::lock_guard const lock(mutex_);
        rate_ = r;
        pace const current(interval_.load(), floor_.load());
        if (wanted == current) return;
        // From here on the quick way fails, and whoever takes the slow way waits for the lock.
        if (pace::state const seen = state_.exchange(changing); seen != changing) {
            kept_ = seen;
            before_ = current;
        }
        interval_.store(wanted.interval(), std::memory_order_release);
        floor_.store(wanted.floor(), std::memory_order_release);
    }

    /// The rate as the arithmetic uses it.
    [[nodiscard]] pace rule() const noexcept { return look().current; }

private:
    // The settings are two words beside the state, read without a lock. What keeps them together is the state word: while they change
    // it says `changing`, an instant so far ahead that the quick way fails, and afterwards it never says what it said before.
    // A call that reads settings of two minds cannot swap the state: it saw the state as it was before the change, and the swap
    // releases what the exchange to `changing` acquires; had the swap come first, no new setting could have been read.
    // In the other direction, who sees the state after the change acquires the settings with it.
    static constexpr pace::state changing = pace::longest - 1'000'003; // no round number: nobody's clock stands there

    struct view {
        pace current;
        pace::state seen;
    };

    gcra(rate const& r, pace const& p) : interval_(p.interval()), floor_(p.floor()), rate_(r), before_(p) {}

    // Settings and state that belong together; while they change, the state is `changing`.
    view look() const noexcept
    {
        for (;;) {
            pace::state const seen = state_.load(std::memory_order_acquire);
            std::int64_t const interval = interval_.load(std::memory_order_acquire);
            std::int64_t const floor = floor_.load(std::memory_order_acquire);
            if (seen == changing) {
                std::lock_guard const lock(mutex_);
                if (state_.load() == changing) return {pace(interval_.load(), floor_.load()), changing};
            } else if (state_.load() == seen) {
                return {pace(interval, floor), seen};
            }
        }
    }
    // The same; what was kept from before a change is brought to the new settings.
    view look(time_point now) const noexcept
    {
        for (;;) {
            view const v = look();
            if (v.seen != changing) return v;
            std::lock_guard const lock(mutex_);
            if (state_.load() == changing) return adopted(now);
        }
    }
    view adopted(time_point now) const noexcept
    {
        pace const current(interval_.load(), floor_.load());
        pace::state const s = current.adopt(kept_, before_, now);
        if (s != kept_) return {current, s};
        return {current, current.is_full(s, now) ? s - 1 : s + 1}; // what is above full is cut off
    }
    void end_change(time_point now) noexcept
    {
        std::lock_guard const lock(mutex_);
        if (state_.load() == changing) state_.store(adopted(now).seen, std::memory_order_release);
    }

    template<class Change>
    auto update(time_point now, Change change) noexcept
    {
        for (;;) {
            auto const [current, seen] = look();
            if (seen == changing) {
                end_change(now);
                continue;
            }
            pace::state next = seen;
            auto const answer = change(current, next);
            if (!answer) return answer;
            if (pace::state expected = seen; state_.replace(expected, next)) return answer;
        }
    }

    [[gnu::noinline, gnu::cold]] decision try_acquire_slowly(time_point now, std::uint64_t cost) noexcept
    {
        return update(now, [&](pace const& p, pace::state& s) { return p.try_acquire(s, now, cost); });
    }

    typename Threading::template cell<pace::state> state_{pace::fresh};
    typename Threading::template cell<std::int64_t> interval_;
    typename Threading::template cell<std::int64_t> floor_;
    mutable typename Threading::mutex mutex_;
    // Under the lock:
    rate rate_;
    pace before_;                    // the settings before the change that is under way,
    pace::state kept_ = pace::fresh; // and the state that belonged to them
};

static_assert(limiter<gcra<shared>> && limiter<gcra<confined>>);

} // namespace weir::inline v0
