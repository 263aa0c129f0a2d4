// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace weir::inline v0::detail {

/// A set of characters: one bit each for ASCII, and one for all beyond.
class character_set {
public:
    static constexpr unsigned beyond_ascii = 128, count = 129;

    constexpr void add(unsigned c) noexcept { bits_[c / 64] |= std::uint64_t{1} << (c % 64); }
    constexpr void add(unsigned from, unsigned to) noexcept
    {
        for (unsigned c = from; c <= to; ++c) add(c);
    }
    constexpr void add(character_set const& other) noexcept
    {
        for (std::size_t i = 0; i < bits_.size(); ++i) bits_[i] |= other.bits_[i];
    }
    [[nodiscard]] constexpr character_set others() const noexcept
    {
        character_set all;
        all.bits_ = {~bits_[0], ~bits_[1], ~bits_[2] & 1};
        return all;
    }
    [[nodiscard]] constexpr int size() const noexcept
    {
        return std::popcount(bits_[0]) + std::popcount(bits_[1]) + std::popcount(bits_[2]);
    }
    /// Calls `f(c)` for each.
    template<class F>
    constexpr void each(F f) const noexcept
    {
        for (unsigned i = 0; i < 3; ++i)
            for (std::uint64_t left = bits_[i]; left != 0; left &= left - 1) f(i * 64 + static_cast<unsigned>(std::countr_zero(left)));
    }
    [[nodiscard]] constexpr bool has(unsigned c) const noexcept { return (bits_[c / 64] >> (c % 64) & 1) != 0; }

private:
    std::array<std::uint64_t, 3> bits_{};
};

} // namespace weir::inline v0::detail
