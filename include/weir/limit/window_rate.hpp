// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/core/options.hpp>

#include <chrono>
#include <cstdint>

namespace weir::inline v0 {

/// So many permits in a window of time: the options of `fixed_window` and `sliding_window`.
struct window_rate {
    required<std::uint64_t> permits;        ///< permits a window, 1 to 2^62
    duration per = std::chrono::seconds{1}; ///< the window, at least 1 ns
};

namespace detail {

__extension__ using wide_count = __int128;

inline void expect_window(std::uint64_t permits, duration per)
{
    expect(permits >= 1 && permits <= std::uint64_t{1} << 62, "permits", "1 to 2^62");
    expect(per >= duration{1}, "per", "at least 1 ns");
}

/// The number of the window that an instant lies in; windows begin at the clock's epoch.
constexpr std::int64_t window_at(time_point t, std::int64_t per) noexcept
{
    std::int64_t const ns = t.time_since_epoch().count();
    return ns / per - (ns % per < 0);
}

/// From `now` until so far into a window, at least zero; capped.
constexpr duration until(time_point now, std::int64_t window, wide_count offset, std::int64_t per) noexcept
{
    wide_count const wait = static_cast<wide_count>(window) * per + offset - now.time_since_epoch().count();
    if (wait <= 0) return duration::zero();
    return wait > duration::max().count() ? duration::max() : duration{static_cast<std::int64_t>(wait)};
}

} // namespace detail

} // namespace weir::inline v0
