// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/cache/bloom_options.hpp>
#include <weir/cache/detail/bloom_lines.hpp>
#include <weir/core/detail/hash.hpp>
#include <weir/core/threading.hpp>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace weir::inline v0 {

/// A Bloom filter from which keys can be removed: `bloom_filter` with a counter in the place of each bit (Fan, Cao, Almeida and Broder,
/// "Summary cache", IEEE/ACM ToN 2000). A key has one cache line of eight words, of sixteen four-bit counters each, and one counter
/// in each word; for small rates it has two such lines.
///
/// A key that was added n times is found until it was removed n times. **Remove only what was added**: `remove` of another key is refused
/// if the filter does not know it, but a false positive it does take out, and with it counts of keys that are in. A counter that has
/// reached 15 stays there for good: a key then may be found for longer than it is in, and none is lost.
///
/// - **Memory**, fixed at construction: 46 bits a key for 1 %, four and a half times that of `bloom_filter`, and 69 for 0.1 %. Where keys seldom go it is
///   cheaper to leave them in and to build the filter anew now and then: `bloom_guard::rebuild`.
/// - **Thread-safety**: `shared`: `add`, `remove` and `may_contain` from any thread at any time, without a lock. A key that
///   is being removed is gone when `remove` returns; nobody else's key is missed meanwhile.
/// - **Cost**: a hash and one cache line to look up, eight atomic operations to add or to remove.
template<class Key, threading_model Threading = shared>
class counting_bloom_filter : public detail::bloom_lines<Key, Threading> {
    using base = detail::bloom_lines<Key, Threading>;

public:
    using typename base::options;

    /// Throws `std::invalid_argument` that names the member.
    explicit counting_bloom_filter(options const& o) : base(o, places) {}

    /// Adds a key once more; a string filter takes any string.
    template<detail::key_like<Key> Like>
    void add(Like const& key)
    {
        change(this->hash(key), [](std::uint64_t count) { return count < most ? 1 : 0; });
    }

    /// Takes out a key that was added before, once. False, and nothing is changed, if the filter does not know it.
    template<detail::key_like<Key> Like>
    bool remove(Like const& key)
    {
        std::uint64_t const hash = this->hash(key);
        if (!knows(hash)) return false;
        change(hash, [](std::uint64_t count) { return count > 0 && count < most ? -1 : 0; });
        return true;
    }

    /// Whether the key may be in: always true if it is, seldom if it is not.
    template<detail::key_like<Key> Like>
    [[nodiscard]] bool may_contain(Like const& key) const
    {
        return knows(this->hash(key));
    }

    /// Keys that are in, each as often as it was added, estimated; within some 1 % up to twice the population.
    [[nodiscard]] std::size_t added() const noexcept { return stats().added; }

    /// Reads the whole filter.
    [[nodiscard]] bloom_filter_stats stats() const noexcept
    {
        double counts = 0;
        double rate = 0;
        for (auto const& each : this->lines_) {
            double all_match = 1;
            for (auto const& cell : each.words) {
                int taken = 0;
                for (std::uint64_t word = cell.load(); word != 0; word >>= 4) {
                    counts += static_cast<double>(word & most);
                    taken += (word & most) != 0 ? 1 : 0;
                }
                all_match *= taken / places;
            }
            rate += all_match;
        }
        return {.added = static_cast<std::size_t>(counts / base::width / this->lines_a_key_ + 0.5),
                .size_in_bytes = this->size_in_bytes(),
                .false_positive_rate = std::pow(rate / static_cast<double>(this->lines_.size()), this->lines_a_key_)};
    }

private:
    static constexpr double places = 16;
    static constexpr std::uint64_t most = 15;

    /// Where the counter of word i begins.
    static unsigned shift(std::uint64_t bits, unsigned i) noexcept { return detail::bloom_place(bits, i) / 4 * 4; }

    template<class By>
    void change(std::uint64_t hash, By by)
    {
        for (unsigned line = 0; line < this->lines_a_key_; ++line, hash = base::next(hash)) {
            std::uint64_t const bits = base::places_of(hash);
            auto& words = this->lines_[this->line_of(hash)].words;
            for (unsigned i = 0; i < base::width; ++i) {
                unsigned const at = shift(bits, i);
                std::uint64_t seen = words[i].load();
                int step = by(seen >> at & most);
                // The counter neither overflows nor falls below zero: its neighbours stay as they are.
                while (step != 0 && !words[i].replace(seen, step > 0 ? seen + (std::uint64_t{1} << at) : seen - (std::uint64_t{1} << at),
                                                      std::memory_order_relaxed))
                    step = by(seen >> at & most);
            }
        }
    }
    bool knows(std::uint64_t hash) const noexcept
    {
        for (unsigned line = 0; line < this->lines_a_key_; ++line, hash = base::next(hash)) {
            std::uint64_t const bits = base::places_of(hash);
            auto const& words = this->lines_[this->line_of(hash)].words;
            bool all = true;
            for (unsigned i = 0; i < base::width; ++i) all &= (words[i].load() >> shift(bits, i) & most) != 0;
            if (!all) return false;
        }
        return true;
    }
};

} // namespace weir::inline v0
