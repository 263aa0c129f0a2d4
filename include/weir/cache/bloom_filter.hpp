// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/detail/hash.hpp>
#include <weir/core/options.hpp>
#include <weir/core/threading.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace weir::inline v0 {

struct bloom_filter_options {
    required<std::size_t> population;       ///< keys it is made for, in [1, 2^36]; more raise the rate of false positives
    double false_positive_rate = 0.01;      ///< of keys never added, at that population; in [1e-6, 0.5]
    std::optional<std::uint64_t> seed = {}; ///< of hashing; nobody knows it if it is left out
};

struct bloom_filter_stats {
    std::size_t added;          ///< keys added, estimated from the bits that are set
    std::size_t size_in_bytes;  ///< memory of the bits
    double false_positive_rate; ///< of keys never added, estimated from the bits that are set
};

/// Remembers which keys were added, with a known rate of false positives and never a false negative: what was added is always found.
/// In front of a cache it keeps look-ups of keys that do not exist away from whatever stands behind.
///
/// A split block filter (Putze, Sanders and Singler, "Cache-, hash- and space-efficient Bloom filters", JEA 2009; Apple, "Split block Bloom
/// filters", arXiv 2101.01719): a key has one cache line of eight 64-bit words, and one bit in each of them. Below a rate of 3e-4 it has two
/// such lines. Keys cannot be taken out; `clear` forgets them all.
///
/// - **Memory**, fixed at construction: 10.1 bits a key for 1 % (a classic Bloom filter, which touches seven lines: 9.6), 15.7 for 0.1 %,
///   20.2 for 0.01 %, 31.5 for 1e-6.
/// - **Thread-safety**: `shared`: `add` and `may_contain` from any thread at any time; what was added before a look-up, in the order of
///   the program or by synchronisation, is found. A `clear` that runs beside an `add` may lose that key.
/// - **Cost**: a hash and eight loads from one line, without a branch. `stats` and `added` read the whole filter.
/// - The hash is seeded: who does not know the seed cannot choose keys that are false positives; see `detail::seeded_hash`.
template<class Key, threading_model Threading = shared>
class bloom_filter {
public:
    using key_type = Key;
    using options = bloom_filter_options;

    /// Throws `std::invalid_argument` that names the member.
    explicit bloom_filter(options const& o)
        : hash_(o.seed.value_or(detail::random_seed())), lines_a_key_(lines_for(o)), blocks_(blocks_for(o))
    {
    }

    /// Adds a key; a string filter takes any string.
    template<detail::key_like<Key> Like>
    void add(Like const& key)
    {
        std::uint64_t hash = hash_(detail::as_key<Key>(key));
        for (unsigned line = 0; line < lines_a_key_; ++line, hash = next(hash)) {
            std::uint64_t const bits = bits_of(hash);
            auto& words = blocks_[block_of(hash)].words;
            for (unsigned i = 0; i < width; ++i) {
                std::uint64_t const bit = std::uint64_t{1} << (bits >> 6 * i & 63);
                std::uint64_t seen = words[i].load();
                while ((seen & bit) == 0 && !words[i].replace(seen, seen | bit, std::memory_order_relaxed)) {}
            }
        }
    }

    /// Whether the key may have been added: always true if it was, seldom if it was not.
    template<detail::key_like<Key> Like>
    [[nodiscard]] bool may_contain(Like const& key) const
    {
        std::uint64_t hash = hash_(detail::as_key<Key>(key));
        if (!line_has(hash)) return false;
        return lines_a_key_ == 1 || line_has(next(hash));
    }

    /// Forgets every key.
    void clear() noexcept
    {
        for (block& each : blocks_)
            for (auto& word : each.words) word.store(0);
    }

    /// Distinct keys added, estimated; within some 1 % up to twice the population.
    [[nodiscard]] std::size_t added() const noexcept { return stats().added; }
    [[nodiscard]] std::size_t size_in_bytes() const noexcept { return blocks_.size() * sizeof(block); }

    [[nodiscard]] bloom_filter_stats stats() const noexcept
    {
        double keys = 0;
        double rate = 0;
        for (block const& each : blocks_) {
            double all_match = 1;
            double free = 0;
            for (auto const& word : each.words) {
                int const ones = std::popcount(word.load());
                all_match *= ones / 64.0;
                free += 1 - ones / 64.0;
            }
            keys += std::log(std::max(free / width, 1.0 / 512)) / std::log(63.0 / 64);
            rate += all_match;
        }
        return {.added = static_cast<std::size_t>(keys / lines_a_key_ + 0.5),
                .size_in_bytes = size_in_bytes(),
                .false_positive_rate = std::pow(rate / static_cast<double>(blocks_.size()), lines_a_key_)};
    }

private:
    static constexpr unsigned width = 8;
    struct alignas(64) block {
        std::array<typename Threading::template cell<std::uint64_t>, width> words;
    };
    __extension__ using wide = unsigned __int128;

    static std::uint64_t next(std::uint64_t hash) noexcept { return detail::splitmix64(hash); }
    // The line by the highest bits (Lemire, "Fast random integer generation in an interval", 2019), the bits in it by all.
    std::size_t block_of(std::uint64_t hash) const noexcept
    {
        return static_cast<std::size_t>(static_cast<wide>(hash) * blocks_.size() >> 64);
    }
    static std::uint64_t bits_of(std::uint64_t hash) noexcept { return hash * 0x9e3779b97f4a7c15u >> 16; }

    bool line_has(std::uint64_t hash) const noexcept
    {
        std::uint64_t const bits = bits_of(hash);
        auto const& words = blocks_[block_of(hash)].words;
        std::uint64_t all = 1;
        for (unsigned i = 0; i < width; ++i) all &= words[i].load() >> (bits >> 6 * i & 63);
        return all != 0;
    }

    /// The rate of false positives of a line among many that hold `load` keys on average (a Poisson distribution).
    static double rate_at(double load)
    {
        double rate = 0;
        double chance = std::exp(-load);
        for (int keys = 1; keys < 10 * (load + 10); ++keys) {
            chance *= load / keys;
            rate += chance * std::pow(1 - std::pow(63.0 / 64, keys), width);
        }
        return rate;
    }

    // From about here on two lines take less memory than one.
    static unsigned lines_for(options const& o) noexcept { return o.false_positive_rate < 3e-4 ? 2 : 1; }

    static std::size_t blocks_for(options const& o)
    {
        expect(o.population >= 1 && o.population <= (std::size_t{1} << 36), "bloom_filter.population", "a number of keys in [1, 2^36]");
        expect(o.false_positive_rate >= 1e-6 && o.false_positive_rate <= 0.5, "bloom_filter.false_positive_rate", "a rate in [1e-6, 0.5]");
        unsigned const lines = lines_for(o);
        double const wanted = lines == 2 ? std::sqrt(o.false_positive_rate) : o.false_positive_rate;
        double low = 0;
        double high = 512;
        for (int i = 0; i < 40; ++i) {
            double const load = (low + high) / 2;
            (rate_at(load) <= wanted ? low : high) = load;
        }
        return static_cast<std::size_t>(std::ceil(static_cast<double>(*o.population) * lines / low));
    }

    detail::seeded_hash hash_;
    unsigned lines_a_key_;
    std::vector<block> blocks_;
};

} // namespace weir::inline v0
