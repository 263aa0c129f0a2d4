// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/detail/owner.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace weir::inline v0::detail {

/// How often keys came, in a fixed memory: a count-min sketch (Cormode and Muthukrishnan, "An improved data stream summary", J. Algorithms
/// 2005) of four rows, with conservative update (Estan and Varghese, "New directions in traffic measurement and accounting", SIGCOMM 2002):
/// of the four cells of a key only those are raised that hold its estimate.
///
/// An estimate is never below the count, and with a probability of 1 - e^-4 not more than e / width of all counts above it. The places of
/// the four rows come from the two halves of one hash (Kirsch and Mitzenmacher, "Less hashing, same performance", ESA 2006). 16 bytes a
/// place.
class count_min {
public:
    static constexpr std::size_t depth = 4;

    /// `width` is a power of two.
    explicit count_min(std::size_t width) : mask_(width - 1), cells_(new std::uint32_t[width * depth]()) {}

    /// Counts one more and returns the new estimate.
    std::uint32_t add(std::uint64_t hash) noexcept
    {
        std::uint32_t const seen = estimate(hash);
        if (seen == std::numeric_limits<std::uint32_t>::max()) return seen;
        raise(hash, seen + 1);
        return seen + 1;
    }
    [[nodiscard]] std::uint32_t estimate(std::uint64_t hash) const noexcept
    {
        std::uint32_t least = std::numeric_limits<std::uint32_t>::max();
        for (std::size_t row = 0; row < depth; ++row) least = std::min(least, cells_[place(hash, row)]);
        return least;
    }
    /// The estimate is `count` at least.
    void raise(std::uint64_t hash, std::uint32_t count) noexcept
    {
        for (std::size_t row = 0; row < depth; ++row) {
            std::uint32_t& cell = cells_[place(hash, row)];
            cell = std::max(cell, count);
        }
    }
    /// Every count is halved so many times, each time rounded down.
    void halve(unsigned times) noexcept
    {
        for (std::size_t i = 0; i < (mask_ + 1) * depth; ++i) cells_[i] = times < 32 ? cells_[i] >> times : 0;
    }
    [[nodiscard]] std::size_t width() const noexcept { return mask_ + 1; }

private:
    [[nodiscard]] std::size_t place(std::uint64_t hash, std::size_t row) const noexcept
    {
        std::uint64_t const step = hash >> 32 | 1;
        return row * (mask_ + 1) + (static_cast<std::size_t>(hash + row * step) & mask_);
    }
    std::size_t mask_;
    owner<std::uint32_t[]> cells_;
};

} // namespace weir::inline v0::detail
