// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/threading.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace weir::inline v0::detail {

/// From 32 bits of a hash to the slots that may hold the key: open addressing with linear probing, at most half full, and deletion that
/// shifts what follows back (Knuth, TAOCP volume 3, 6.4, algorithm R), so that it holds no tombstones and never rehashes.
/// A word holds the bits of the hash beside the slot: only a slot whose 32 bits agree is looked at.
///
/// Thread-safety: writers need the owner's lock. `find` may run beside a writer if its owner then checks that there was none: it reads
/// each word whole, ends, and names only slots that were once entered. Memory: 16 to 32 bytes a slot.
template<threading_model Threading>
class slot_index {
public:
    using slot = std::uint32_t;
    static constexpr slot none = ~slot{};

    explicit slot_index(std::size_t slots) : words_(std::bit_ceil(2 * slots)), mask_(words_.size() - 1) {}

    /// The first slot entered with `hash` for which `matches(slot)` holds; `none` if there is none.
    template<class Matches>
    [[nodiscard]] slot find(std::uint32_t hash, Matches&& matches) const
    {
        for (std::size_t at = hash & mask_, steps = 0; steps <= mask_; at = (at + 1) & mask_, ++steps) {
            std::uint64_t const word = words_[at].load(std::memory_order_acquire);
            if (word == 0) return none;
            if (hash_of(word) == hash && matches(slot_of(word))) return slot_of(word);
        }
        return none;
    }

    void insert(std::uint32_t hash, slot entered) noexcept
    {
        std::size_t at = hash & mask_;
        while (words_[at].load() != 0) at = (at + 1) & mask_;
        set(at, std::uint64_t{hash} << 32 | (entered + 1u));
    }

    void erase(std::uint32_t hash, slot entered) noexcept
    {
        std::size_t hole = hash & mask_;
        while (slot_of(words_[hole].load()) != entered) hole = (hole + 1) & mask_;
        for (std::size_t at = (hole + 1) & mask_;; at = (at + 1) & mask_) {
            std::uint64_t const word = words_[at].load();
            if (word == 0) break;
            std::size_t const home = hash_of(word) & mask_;
            if (((at - home) & mask_) < ((at - hole) & mask_)) continue; // its home lies behind the hole
            set(std::exchange(hole, at), word);
        }
        set(hole, 0);
    }

private:
    static constexpr std::uint32_t hash_of(std::uint64_t word) noexcept { return static_cast<std::uint32_t>(word >> 32); }
    static constexpr slot slot_of(std::uint64_t word) noexcept { return static_cast<slot>(word) - 1u; }

    void set(std::size_t at, std::uint64_t word) noexcept { words_[at].store(word, std::memory_order_release); }

    std::vector<typename Threading::template cell<std::uint64_t>> words_; // 0: free
    std::size_t mask_;
};

} // namespace weir::inline v0::detail
