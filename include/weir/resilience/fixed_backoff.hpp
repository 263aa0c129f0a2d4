// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>

#include <cstdint>

namespace weir::inline v0 {

/// The same waiting time before each attempt, without jitter: callers who failed together come back together. For one caller of a thing of
/// its own, a local lock or a file; against a service that others use, too, take `exponential_backoff` or `decorrelated_jitter`.
struct fixed_backoff {
    duration time = std::chrono::milliseconds(50);

    [[nodiscard]] constexpr duration wait(std::uint32_t, duration, std::uint64_t) const noexcept { return time; }
};

} // namespace weir::inline v0
