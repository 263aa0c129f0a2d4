// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>

namespace weir::inline v0 {

/// Waiting times drawn evenly between the base and three times the one before, at most the cap: decorrelated jitter (M. Brooker,
/// "Exponential Backoff And Jitter", AWS Architecture Blog, 2015). No wait is shorter than the base, and they grow by what was drawn,
/// not by the attempt's number.
struct decorrelated_jitter {
    duration base = std::chrono::milliseconds(50);
    duration cap = std::chrono::seconds(2);

    /// The wait after one of `before`, zero at the first; `random` is any evenly spread word.
    [[nodiscard]] constexpr duration wait(std::uint32_t, duration before, std::uint64_t random) const noexcept
    {
        std::int64_t const last = std::max(before, base).count();
        std::int64_t const most = last > std::numeric_limits<std::int64_t>::max() / 3 ? cap.count() : last * 3;
        double const drawn = static_cast<double>(random >> 11) * 0x1p-53 * static_cast<double>(most - base.count());
        return std::min(cap, base + duration{static_cast<std::int64_t>(drawn)});
    }
};

} // namespace weir::inline v0
