// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/detail/requirements.hpp>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <thread>

namespace weir::inline v0 {

/// A point on a monotonic clock, in nanoseconds. Every policy and algorithm is told the time as one of these.
using time_point = std::chrono::steady_clock::time_point;

/// A span of time, in nanoseconds.
using duration = std::chrono::nanoseconds;

/// The time that never comes: the deadline of a call that has none.
inline constexpr time_point never = time_point::max();

/// A source of time: `now()` never goes back. The smallest one is
/// `struct frozen { static weir::time_point now() noexcept { return {}; } };`
template<class T>
concept clock_source = requires(T& clock)
{
    {
        clock.now()
        } -> std::convertible_to<time_point>;
};

/// A clock on which a thread can wait: what the blocking driver needs for a retry or a throttle.
template<class T>
concept sleeping_clock = clock_source<T> && requires(T& clock, time_point t)
{
    clock.sleep_until(t);
};

/// The machine's monotonic clock. A reading costs about 25 ns; a pipeline takes at most two a call. Thread-safe.
struct steady {
    static time_point now() noexcept { return std::chrono::steady_clock::now(); }
    static void sleep_until(time_point t) { std::this_thread::sleep_until(t); }
};

/// Adds without wrapping: a deadline far away is `never`, not in the past.
[[nodiscard]] constexpr time_point after(time_point start, duration d) noexcept
{
    std::int64_t sum = 0;
    if (!__builtin_add_overflow(start.time_since_epoch().count(), d.count(), &sum)) return time_point{duration{sum}};
    return d.count() > 0 ? never : time_point::min();
}

static_assert(sleeping_clock<steady>);

} // namespace weir::inline v0
