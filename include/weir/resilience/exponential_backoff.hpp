// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>

#include <algorithm>
#include <cstdint>

namespace weir::inline v0 {

/// Waiting times that double, drawn evenly from zero to the bound: exponential backoff with full jitter (M. Brooker, "Exponential Backoff
/// And Jitter", AWS Architecture Blog, 2015). It spreads callers who failed together.
struct exponential_backoff {
    duration base = std::chrono::milliseconds(50);
    duration cap = std::chrono::seconds(2);

    /// The longest wait after the attempt with this number, the first being 1: base * 2^(attempt - 1), at most the cap.
    [[nodiscard]] constexpr duration bound(std::uint32_t attempt) const noexcept
    {
        std::uint32_t const doublings = std::min(attempt - 1, 62u);
        return (cap.count() >> doublings) < base.count() ? cap : duration{base.count() << doublings};
    }
    /// The wait itself; `random` is any evenly spread word.
    [[nodiscard]] constexpr duration wait(std::uint32_t attempt, std::uint64_t random) const noexcept
    {
        return duration{
            static_cast<std::int64_t>(static_cast<double>(random >> 11) * 0x1p-53 * static_cast<double>(bound(attempt).count()))};
    }
    /// The same, for who may have another backoff: what was waited before does not count.
    [[nodiscard]] constexpr duration wait(std::uint32_t attempt, duration, std::uint64_t random) const noexcept
    {
        return wait(attempt, random);
    }
};

} // namespace weir::inline v0
