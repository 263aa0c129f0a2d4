// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/detail/owner.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace weir::inline v0 {

/// How often each of many keys was seen lately, from their hashes, in a few bytes for all: a count-min sketch (Cormode and
/// Muthukrishnan, J. Algorithms 55, 2005) of four-bit counters with conservative update, in which all counts are halved from time to
/// time, as in TinyLFU (Einziger, Friedman and Manes, "TinyLFU: A Highly Efficient Cache Admission Policy", ACM TOS 13, 2017).
/// An estimate is never below the true count since the last ageing, up to 15, and seldom much above.
///
/// The four counters of a hash lie in one block of 64 bytes. Not thread-safe. Memory: 5.3 bytes an entry. Cost: one cache line.
class frequency_sketch {
public:
    static constexpr unsigned most = 15;

    /// For a cache of `entries`. It ages after ten times as many additions.
    explicit frequency_sketch(std::size_t entries)
        : size_(entries / entries_a_block + 1), blocks_(new block[size_]()), period_(10 * std::max<std::size_t>(entries, 8))
    {
    }

    [[nodiscard]] unsigned estimate(std::uint32_t hash) const noexcept
    {
        places const at = places_of(hash);
        unsigned least = most;
        for (std::size_t row = 0; row < rows; ++row) least = std::min(least, counter(at, row));
        return least;
    }

    /// Notes that the key of `hash` was seen.
    void add(std::uint32_t hash) noexcept
    {
        places const at = places_of(hash);
        unsigned const least = estimate(hash);
        if (least < most)
            for (std::size_t row = 0; row < rows; ++row)
                if (counter(at, row) == least) blocks_[at.block][at.word[row]] += std::uint64_t{1} << at.shift[row];
        if (++added_ >= period_) age();
    }

private:
    static constexpr std::size_t rows = 4;
    static constexpr std::size_t entries_a_block = 12;
    using block = std::array<std::uint64_t, 8>; // two words of 16 counters for each row

    struct places {
        std::size_t block;
        std::array<std::uint8_t, rows> word;
        std::array<std::uint8_t, rows> shift;
    };
    places places_of(std::uint32_t hash) const noexcept
    {
        // The places of a table that uses the same hash are its highest bits: spread anew.
        std::uint64_t spread = (hash ^ std::uint64_t{hash} << 32) * 0x9e3779b97f4a7c15u;
        spread ^= spread >> 29;
        places at{.block = static_cast<std::size_t>((spread >> 32) * size_ >> 32), .word{}, .shift{}};
        for (std::size_t row = 0; row < rows; ++row, spread >>= 5) {
            at.word[row] = static_cast<std::uint8_t>(2 * row + (spread & 1));
            at.shift[row] = static_cast<std::uint8_t>(4 * (spread >> 1 & 15));
        }
        return at;
    }
    [[nodiscard]] unsigned counter(places const& at, std::size_t row) const noexcept
    {
        return static_cast<unsigned>(blocks_[at.block][at.word[row]] >> at.shift[row] & 15);
    }
    void age() noexcept
    {
        for (std::size_t i = 0; i < size_; ++i)
            for (std::uint64_t& word : blocks_[i]) word = word >> 1 & 0x7777777777777777u;
        added_ /= 2;
    }

    std::size_t size_;
    detail::owner<block[]> blocks_;
    std::size_t period_;
    std::size_t added_ = 0;
};

} // namespace weir::inline v0
