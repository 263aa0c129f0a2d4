// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>

#include <atomic>
#include <cstdint>

namespace weir::inline v0 {

/// A clock that stands until somebody moves it: `manual_clock clock; pipeline svc{timed_by{std::ref(clock)}, ...};`. Who sleeps on it
/// moves it to the end of the sleep and goes on at once. It never goes back. Thread-safe.
class manual_clock {
public:
    /// Where it stands at first: not at zero, so that a test may look back.
    static constexpr time_point noon{std::chrono::hours(12)};

    explicit manual_clock(time_point start = noon) noexcept : now_(start.time_since_epoch().count()) {}

    [[nodiscard]] time_point now() const noexcept { return time_point{duration{now_.load(std::memory_order_acquire)}}; }
    /// Moves on by `d`, which is 0 or more.
    void advance(duration d) noexcept { now_.fetch_add(d.count(), std::memory_order_acq_rel); }
    /// Moves on to `t`; stays where it is if that is over.
    void set(time_point t) noexcept
    {
        std::int64_t const wanted = t.time_since_epoch().count();
        std::int64_t seen = now_.load(std::memory_order_relaxed);
        while (seen < wanted && !now_.compare_exchange_weak(seen, wanted, std::memory_order_acq_rel)) {}
    }
    void sleep_until(time_point t) noexcept { set(t); }

private:
    std::atomic<std::int64_t> now_;
};

static_assert(sleeping_clock<manual_clock>);

} // namespace weir::inline v0
