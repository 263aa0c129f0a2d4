// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/cache/bloom_options.hpp>
#include <weir/cache/detail/bloom_line.hpp>
#include <weir/cache/detail/bloom_lines.hpp>
#include <weir/core/detail/hash.hpp>
#include <weir/core/threading.hpp>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace weir::inline v0 {

/// Remembers which keys were added, with a known rate of false positives and never a false negative: what was added is always found.
/// In front of a cache it keeps look-ups of keys that do not exist away from whatever stands behind.
///
/// A split block filter (Putze, Sanders and Singler, "Cache-, hash- and space-efficient Bloom filters", JEA 2009; Apple, "Split block Bloom
/// filters", arXiv 2101.01719): a key has one cache line of eight 64-bit words, and one bit in each of them. Below a rate of 3e-4 it has
/// two such lines. Keys cannot be taken out, except all, by `clear`; `counting_bloom_filter` can, at five times the memory.
/// `bloom_file.hpp` saves and loads one.
///
/// - **Memory**, fixed at construction: 10.1 bits a key for 1 % (a classic Bloom filter, which touches seven lines: 9.6), 15.7 for 0.1 %,
///   20.2 for 0.01 %, 31.5 for 1e-6. Small filters take more, as chance fills them less evenly: 11 for 1 % of 1,000 keys.
/// - **Rate**: at the planned population never more than 5 % above the planned one: six standard deviations of chance are reckoned with.
/// - **Thread-safety**: `shared`: `add` and `may_contain` from any thread at any time, without a lock; what was added before a look-up, in
///   the order of the program or by synchronisation, is found. A `clear` that runs beside an `add` may lose that key.
/// - **Cost**: a hash and one cache line, without a branch; with AVX2 or AVX-512, which are looked for at run time, 20 or 10 instructions for
///   the line, else eight loads and shifts. `add` is an atomic operation for each bit that is not yet set. `stats` and `added` read
///   the whole filter.
/// - The hash is seeded: who does not know the seed cannot choose keys that are false positives; see `detail::seeded_hash`.
template<class Key, threading_model Threading = shared>
class bloom_filter : public detail::bloom_lines<Key, Threading> {
    using base = detail::bloom_lines<Key, Threading>;

public:
    using typename base::options;

    /// Throws `std::invalid_argument` that names the member.
    explicit bloom_filter(options const& o) : base(o, places) {}

    /// Adds a key; a string filter takes any string.
    template<detail::key_like<Key> Like>
    void add(Like const& key)
    {
        std::uint64_t hash = this->hash(key);
        for (unsigned line = 0; line < this->lines_a_key_; ++line, hash = base::next(hash)) {
            std::uint64_t const bits = base::places_of(hash);
            auto& words = this->lines_[this->line_of(hash)].words;
            for (unsigned i = 0; i < base::width; ++i) {
                std::uint64_t const bit = std::uint64_t{1} << detail::bloom_place(bits, i);
                std::uint64_t seen = words[i].load();
                while ((seen & bit) == 0 && !words[i].replace(seen, seen | bit, std::memory_order_relaxed)) {}
            }
        }
    }

    /// Whether the key may have been added: always true if it was, seldom if it was not.
    template<detail::key_like<Key> Like>
    [[nodiscard]] bool may_contain(Like const& key) const
    {
        std::uint64_t const hash = this->hash(key);
        if (!has(hash)) return false;
        return this->lines_a_key_ == 1 || has(base::next(hash));
    }

    /// Distinct keys added, estimated; within some 1 % up to twice the population.
    [[nodiscard]] std::size_t added() const noexcept { return stats().added; }

    [[nodiscard]] bloom_filter_stats stats() const noexcept
    {
        double keys = 0;
        double rate = 0;
        for (auto const& each : this->lines_) {
            double all_match = 1;
            double free = 0;
            for (auto const& word : each.words) {
                int const ones = std::popcount(word.load());
                all_match *= ones / 64.0;
                free += 1 - ones / 64.0;
            }
            keys += std::log(std::max(free / base::width, 1.0 / 512)) / std::log(63.0 / 64);
            rate += all_match;
        }
        return {.added = static_cast<std::size_t>(keys / this->lines_a_key_ + 0.5),
                .size_in_bytes = this->size_in_bytes(),
                .false_positive_rate = std::pow(rate / static_cast<double>(this->lines_.size()), this->lines_a_key_)};
    }

private:
    static constexpr double places = 64;

    bool has(std::uint64_t hash) const noexcept
    {
        auto const& line = this->lines_[this->line_of(hash)];
        if constexpr (!Threading::is_shared) static_cast<void>(line.words[0].load()); // a debug build looks who reads
        return detail::line_has(line, base::places_of(hash));
    }
};

} // namespace weir::inline v0
