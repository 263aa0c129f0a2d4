// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

namespace weir::inline v0::detail {

/// One step of splitmix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014): a small stream
/// of well-mixed numbers from any seed. Not for secrets.
[[nodiscard]] constexpr std::uint64_t splitmix64(std::uint64_t& state) noexcept
{
    std::uint64_t z = (state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

} // namespace weir::inline v0::detail
