// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/detail/splitmix64.hpp>

#include <chrono>
#include <cstdint>

#include <sys/random.h>

namespace weir::inline v0::detail {

/// A seed that nobody outside the process knows: from the kernel, or from the clock and an address if the kernel has none.
[[nodiscard]] inline std::uint64_t random_seed() noexcept
{
    std::uint64_t seed = 0;
    if (::getentropy(&seed, sizeof seed) == 0) return seed;
    seed = static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
    seed ^= static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(&seed)) << 20;
    return splitmix64(seed);
}

} // namespace weir::inline v0::detail
