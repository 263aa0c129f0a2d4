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
#include <cstdint>

namespace weir::inline v0 {

struct leaky_bucket_options {
    required<std::uint64_t> permits;        ///< permits that leave in each `per`, at least 1
    duration per = std::chrono::seconds{1}; ///< the period, at least 1 ns
    required<std::uint64_t> queue;          ///< permits that may wait at once; with 0 none waits
    duration max_wait = duration::max();    ///< the longest wait, 0 or more; nobody waits longer, whatever the caller allows
};

/// The arithmetic of `leaky_bucket`: that of `pace` without a burst, and the bounds of the queue.
class drip {
public:
    using state = pace::state;
    static constexpr state fresh = pace::fresh;
    static constexpr state elsewhere = pace::elsewhere;

    /// Throws `std::invalid_argument` for bad options.
    explicit drip(leaky_bucket_options const& o) : pace_({.permits = o.permits, .per = o.per, .burst = 1})
    {
        expect(o.max_wait.count() >= 0, "max_wait", "0 or more");
        std::uint64_t const most = static_cast<std::uint64_t>(pace::longest - 1) / static_cast<std::uint64_t>(pace_.interval());
        expect(*o.queue < most, "queue", "queue x per / permits below 146 years");
        longest_ = std::min(static_cast<std::int64_t>(*o.queue) * pace_.interval(), o.max_wait.count());
    }

    [[nodiscard]] constexpr decision try_acquire(state& s, time_point now, std::uint64_t cost) const noexcept
    {
        return pace_.try_acquire(s, now, cost);
    }
    [[nodiscard]] constexpr reservation reserve(state& s, time_point now, std::uint64_t cost, duration max_wait) const noexcept
    {
        if (cost > static_cast<std::uint64_t>(longest_ / pace_.interval()) + 1) return reservation::refused(decision::impossible());
        return pace_.line_up(s, now, cost, std::min(max_wait, duration{longest_}));
    }
    constexpr void refund(state& s, std::uint64_t cost) const noexcept { pace_.refund(s, cost); }

    [[nodiscard]] constexpr std::uint64_t available(state s, time_point now) const noexcept { return pace_.available(s, now); }
    [[nodiscard]] constexpr duration until_full(state s, time_point now) const noexcept { return pace_.until_full(s, now); }
    [[nodiscard]] constexpr bool is_full(state s, time_point now) const noexcept { return pace_.is_full(s, now); }
    [[nodiscard]] constexpr quota quota_at(leaky_bucket_options const& o, state s, time_point now) const noexcept
    {
        return {o.permits, o.per, 1, available(s, now), until_full(s, now)};
    }
    [[nodiscard]] constexpr state adopt(state s, drip const& old, time_point now) const noexcept { return pace_.adopt(s, old.pace_, now); }

    [[nodiscard]] constexpr bool pack(state s, std::int64_t& word) const noexcept { return pace_.pack(s, word); }
    [[nodiscard]] constexpr state unpack(std::int64_t word) const noexcept { return word; }
    [[nodiscard]] constexpr bool quick(std::int64_t seen, time_point now, std::uint64_t cost, std::int64_t& next) const noexcept
    {
        return pace_.quick(seen, now, cost, next);
    }

    friend constexpr bool operator==(drip const&, drip const&) noexcept = default;

private:
    pace pace_;
    std::int64_t longest_;
};

/// The leaky bucket as a queue (Turner, "New directions in communications", 1986): what comes in a burst leaves drop by drop, one permit
/// each `per / permits`. It tells each call the time at which to go, and `throttle` has it wait until then:
/// `weir::throttle{weir::leaky_bucket{{.permits = 10, .per = 1s, .queue = 20}}}` sends ten calls a second, 100 ms apart, to whoever stands
/// no bursts; the twenty-first that would wait is refused, and so is one that would wait longer than `max_wait`.
///
/// In any span of time t no more than `1 + permits * t / per`. A call of cost n goes when its last permit is due, so that more than
/// one never go at once: `try_acquire` of 2 is impossible, `reserve` of 2 waits. The queue holds no calls, only the instant at
/// which it will be empty; a caller that leaves it `refund`s, and those behind keep their times.
///
/// Exactness, time, thread-safety and cost are those of `gcra`: one word, lock-free. Memory: 144 bytes with the lock.
/// Choose `gcra` where a burst after a rest does no harm, `warm_up` where even the full pace would after a rest.
template<threading_model Threading = shared>
class leaky_bucket : public detail::ruled<leaky_bucket<Threading>, drip, leaky_bucket_options, Threading> {
public:
    /// Throws `std::invalid_argument` for bad options.
    explicit leaky_bucket(leaky_bucket_options const& o) : detail::ruled<leaky_bucket<Threading>, drip, leaky_bucket_options, Threading>(o)
    {
    }
};

} // namespace weir::inline v0
