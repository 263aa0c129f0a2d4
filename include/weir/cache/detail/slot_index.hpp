// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/cache/detail/growing_array.hpp>
#include <weir/core/threading.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace weir::inline v0::detail {

/// From 32 bits of a hash to the slots that may hold the key: open addressing with linear probing, at most four sevenths full, and deletion that
/// shifts what follows back (Knuth, TAOCP volume 3, 6.4, algorithm R), so that it holds no tombstones and never rehashes.
/// A word of 32 bits holds the number of the slot and, in what that leaves, the lowest bits of the hash; the highest ones give the place.
/// So a slot is looked at only if nearly all bits agree.
///
/// Thread-safety: writers need the owner's lock. `find` may run beside a writer if its owner then checks that there was none: it reads
/// each word whole, ends, and names only slots that were once entered. Memory: 7 bytes a slot.
template<threading_model Threading>
class slot_index {
public:
    using slot = std::uint32_t;
    static constexpr slot none = ~slot{};

    /// For slots below `slots`, which is at most 2^31.
    explicit slot_index(std::size_t slots) : words_(size_for(slots)), shape_(shape(slots)) {}

    /// The first slot entered with `hash` for which `matches(slot)` holds; `none` if there is none.
    template<class Matches>
    [[nodiscard, gnu::always_inline]] slot find(std::uint32_t hash, Matches&& matches) const
    {
        std::uint64_t const shape = shape_.load(std::memory_order_acquire); // before the words: these are for as many, or more
        std::uint32_t const size = size_of(shape);
        unsigned const bits = bits_of(shape);
        auto const* const words = words_.words();
        std::uint32_t at = home(hash, size);
        for (std::uint32_t left = size; left != 0; --left) {
            std::uint32_t const word = words[at].load(std::memory_order_acquire);
            if (word == 0) return none;
            std::uint32_t const other = word ^ hash << bits; // the number of the slot, if the bits of the hash agree
            if ((other - 1) >> bits == 0 && matches(other - 1)) return other - 1;
            if (++at == size) [[unlikely]]
                at = 0;
        }
        return none;
    }

    void insert(std::uint32_t hash, slot entered) noexcept { enter(words_.words(), shape_.load(), hash, entered); }

    /// Puts `now` into the place of `before`, of the same key.
    void replace(std::uint32_t hash, slot before, slot now) noexcept
    {
        set(where(hash, before), hash << bits_of(shape_.load()) | (now + 1));
    }

    /// `hash_of(slot)` says with which hash a slot was entered.
    template<class HashOf>
    void erase(std::uint32_t hash, slot entered, HashOf&& hash_of) noexcept
    {
        std::uint32_t const size = size_of(shape_.load());
        unsigned const bits = bits_of(shape_.load());
        auto const from = [size](std::uint32_t a, std::uint32_t b) { return a <= b ? b - a : b + size - a; };
        std::uint32_t hole = where(hash, entered);
        for (std::uint32_t at = next(hole, size);; at = next(at, size)) {
            std::uint32_t const word = words_[at].load();
            if (word == 0) break;
            std::uint32_t const its = home(hash_of(slot_of(word, bits)), size);
            if (from(its, at) < from(hole, at)) continue; // its home lies behind the hole
            set(std::exchange(hole, at), word);
        }
        set(hole, 0);
    }

    /// Makes room for slots below `slots`. `each(enter)` calls `enter(hash, slot)` for all that are in.
    template<class Each>
    void grow(std::size_t slots, Each&& each)
    {
        std::uint64_t const wanted = shape(slots);
        words_.renew(size_for(slots),
                     [&](auto* words) { each([&](std::uint32_t hash, slot entered) { enter(words, wanted, hash, entered); }); });
        shape_.store(wanted, std::memory_order_release);
    }

private:
    static constexpr std::size_t size_for(std::size_t slots) noexcept { return slots + slots / 4 * 3 + slots % 4; }
    /// The number of words, and how many bits of each are the slot's.
    static constexpr std::uint64_t shape(std::size_t slots) noexcept
    {
        return std::uint64_t{size_for(slots)} << 8 | static_cast<unsigned>(std::bit_width(slots));
    }
    static constexpr std::uint32_t size_of(std::uint64_t shape) noexcept { return static_cast<std::uint32_t>(shape >> 8); }
    static constexpr unsigned bits_of(std::uint64_t shape) noexcept { return static_cast<unsigned>(shape & 0xff); }

    static constexpr slot slot_of(std::uint32_t word, unsigned bits) noexcept { return (word & ((std::uint32_t{1} << bits) - 1)) - 1; }
    static constexpr std::uint32_t home(std::uint32_t hash, std::uint32_t size) noexcept
    {
        return static_cast<std::uint32_t>(std::uint64_t{hash} * size >> 32);
    }
    static constexpr std::uint32_t next(std::uint32_t at, std::uint32_t size) noexcept { return at + 1 == size ? 0 : at + 1; }

    std::uint32_t where(std::uint32_t hash, slot entered) const noexcept
    {
        std::uint32_t const size = size_of(shape_.load());
        unsigned const bits = bits_of(shape_.load());
        std::uint32_t at = home(hash, size);
        while (slot_of(words_[at].load(), bits) != entered) at = next(at, size);
        return at;
    }
    static void enter(auto* words, std::uint64_t shape, std::uint32_t hash, slot entered) noexcept
    {
        std::uint32_t const size = size_of(shape);
        std::uint32_t at = home(hash, size);
        while (words[at].load() != 0) at = next(at, size);
        words[at].store(hash << bits_of(shape) | (entered + 1), std::memory_order_release);
    }
    void set(std::size_t at, std::uint32_t word) noexcept { words_[at].store(word, std::memory_order_release); }

    growing_array<std::uint32_t, Threading> words_; // 0: free
    typename Threading::template cell<std::uint64_t> shape_;
};

} // namespace weir::inline v0::detail
