// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/core/threading.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace weir::inline v0 {

/// The quantile of a stream of times, as of lately: which time did 95 % of them not exceed?
///
/// A histogram whose buckets grow with what they hold (as in HdrHistogram): 16 for each doubling, from 1.024 us on. All of them are halved
/// after each `memory` samples, so that what was long ago fades. What it answers is the upper edge of the bucket in which the quantile of
/// the weighted samples lies: never below it, above it by at most 1/16 of it and 1.024 us. What is longer than 19 hours counts as 19 hours.
///
/// Cost: `record` is a load and a store in a table of 2 KB, `at` a walk over it. Thread-safe if `shared`; then samples that two threads
/// record at the same moment may count as one. To keep five numbers only there is the P2 algorithm (Jain and Chlamtac, CACM 28, 1985),
/// whose error is not bounded and which does not forget.
template<threading_model Threading = shared>
class decaying_quantile {
public:
    /// Halves the weights after so many samples; at least 16.
    explicit decaying_quantile(std::uint32_t memory = 1'024) noexcept : memory_(std::max(memory, 16u)) {}

    void record(duration time) noexcept
    {
        cell& count = counts_[bucket_of(time)];
        count.store(count.load() + weight);
        std::uint32_t const seen = since_.load() + 1;
        since_.store(seen);
        if (seen < memory_) [[likely]]
            return;
        since_.store(0);
        for (cell& each : counts_) each.store(each.load() / 2);
    }
    /// The time that the part `q` of the samples did not exceed, `q` in [0, 1]; zero if there are none.
    [[nodiscard]] duration at(double q) const noexcept
    {
        std::uint64_t all = 0;
        for (cell const& each : counts_) all += each.load();
        if (all == 0) return duration::zero();
        double const wanted = q * static_cast<double>(all);
        std::uint64_t below = 0;
        std::size_t i = 0;
        for (; i + 1 < buckets; ++i) {
            below += counts_[i].load();
            if (below != 0 && static_cast<double>(below) >= wanted) break;
        }
        return upper_edge(i);
    }
    /// How many samples it knows by weight, rounded down: at most twice the memory.
    [[nodiscard]] std::uint64_t samples() const noexcept
    {
        std::uint64_t all = 0;
        for (cell const& each : counts_) all += each.load();
        return all / weight;
    }

private:
    static constexpr unsigned unit = 10;         // 2^10 ns
    static constexpr unsigned fraction = 4;      // 2^4 buckets a doubling
    static constexpr unsigned longest = 36;      // 2^36 units: 19 h
    static constexpr std::uint32_t weight = 256; // of a new sample, so that halving it eight times leaves something
    static constexpr std::size_t buckets = ((longest - fraction + 1) << fraction) + 1;
    using cell = typename Threading::template cell<std::uint32_t>;

    static constexpr std::size_t bucket_of(duration time) noexcept
    {
        std::uint64_t const value =
            std::min(static_cast<std::uint64_t>(std::max<std::int64_t>(time.count(), 0)) >> unit, (std::uint64_t{1} << longest) - 1);
        if (value < 1u << fraction) return value;
        unsigned const shift = static_cast<unsigned>(std::bit_width(value)) - 1 - fraction;
        return (std::size_t{shift} << fraction) + (value >> shift);
    }
    static constexpr duration upper_edge(std::size_t bucket) noexcept
    {
        std::size_t const shift = bucket < 2u << fraction ? 0 : (bucket >> fraction) - 1;
        std::uint64_t const top = (bucket - (shift << fraction) + 1) << shift;
        return duration{static_cast<std::int64_t>(top << unit)};
    }

    std::array<cell, buckets> counts_{};
    cell since_{};
    std::uint32_t memory_;
};

} // namespace weir::inline v0
