// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/cache/detail/growing_array.hpp>
#include <weir/core/threading.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace weir::inline v0::detail {

/// From 32 bits of a hash to the slots that may hold the key. The highest bits choose a group of six places, half a cache line; a place
/// holds the number of a slot and, in a word that the group keeps for all six, one byte of the hash, its sign. A key is in the first group
/// from its own on that had room: linear probing by groups, at most two thirds full (16 of 27 with 9 bytes a slot), with deletion that
/// brings back what went on (Knuth, TAOCP volume 3, 6.4, algorithm R), so that there are no tombstones and nothing is ever rehashed.
///
/// The signs are compared at once, by arithmetic: a walk from word to word guesses wrong about every other key. What is in its own
/// group and has no other of its sign before it, about 19 keys of 20, is found by `likely` without a branch that depends on the key.
///
/// Thread-safety: writers need the owner's lock. `find` may run beside a writer if its owner then checks that there was none: it reads
/// each word whole, ends, and names only slots that were once entered. Memory: `BytesASlot` bytes a slot.
template<threading_model Threading, unsigned BytesASlot = 8>
class slot_index {
    static_assert(BytesASlot >= 7, "there has to be a free place in most groups");

public:
    using slot = std::uint32_t;
    static constexpr slot none = ~slot{};
    static constexpr slot further = none - 1;

    /// For slots below `slots`, which is at most 2^31.
    explicit slot_index(std::size_t slots) : groups_(groups_for(slots)), count_(static_cast<std::uint32_t>(groups_for(slots))) {}

    /// The first slot entered with `hash` for which `matches(slot)` holds, which is to compare the keys; `none` if there is none.
    template<class Matches>
    [[nodiscard, gnu::always_inline]] slot find(std::uint32_t hash, Matches&& matches) const
    {
        std::uint32_t const count = count_.load(std::memory_order_acquire); // before the groups: these are as many, or more
        group const* const groups = groups_.words();
        std::uint64_t const wanted = sign(hash) * each_byte;
        std::uint32_t at = home(hash, count);
        std::uint32_t left = count;
        do {
            group const& here = groups[at];
            std::uint64_t const signs = here.signs.load(std::memory_order_acquire);
            for (std::uint64_t alike = all_zeros(signs ^ wanted); alike != 0; alike &= alike - 1) {
                slot const there = here.slots[place(alike)].load(std::memory_order_acquire);
                if (matches(there)) [[likely]]
                    return there;
            }
            if (zeros(signs) != 0) return none;
            at = next(at, count);
        } while (--left != 0);
        return none;
    }

    /// The short way, for one key in twenty not long enough: the first slot in the group of `hash` whose sign is alike. `none`: nothing was
    /// entered with it. `further`: one has to `find`.
    [[nodiscard, gnu::always_inline]] slot likely(std::uint32_t hash) const noexcept
    {
        std::uint32_t const count = count_.load(std::memory_order_acquire); // before the groups: these are as many, or more
        group const& here = groups_.words()[home(hash, count)];
        std::uint64_t const signs = here.signs.load(std::memory_order_acquire);
        if (std::uint64_t const alike = zeros(signs ^ sign(hash) * each_byte); alike != 0) [[likely]] {
            slot const there = here.slots[place(alike)].load(std::memory_order_acquire);
            if (there >= further) __builtin_unreachable();
            return there;
        }
        return zeros(signs) != 0 ? none : further;
    }

    void insert(std::uint32_t hash, slot entered) noexcept { enter(groups_.words(), count_.load(), hash, entered); }

    /// Puts `now` into the place of `before`, of the same key.
    void replace(std::uint32_t hash, slot before, slot now) noexcept
    {
        auto const [in, at] = where(hash, before);
        groups_[in].slots[at].store(now, std::memory_order_release);
    }

    /// `hash_of(slot)` says with which hash a slot was entered.
    template<class HashOf>
    void erase(std::uint32_t hash, slot entered, HashOf&& hash_of) noexcept
    {
        std::uint32_t const count = count_.load();
        group* const groups = groups_.words();
        auto const from = [count](std::uint32_t a, std::uint32_t b) { return a <= b ? b - a : b + count - a; };
        spot hole = where(hash, entered);
        // What went on past a full group comes back to where there is room now, up to the first group that was not full.
        for (std::uint32_t at = hole.in, left = count; zeros(groups[at].signs.load()) == 0 && --left != 0;) {
            at = next(at, count);
            std::uint64_t const signs = groups[at].signs.load();
            for (unsigned i = 0; i < ways; ++i) {
                if (byte(signs, i) == 0) continue;
                slot const its = groups[at].slots[i].load();
                if (from(home(hash_of(its), count), at) < from(hole.in, at)) continue; // its own group lies behind the hole
                put(groups[hole.in], hole.at, byte(signs, i), its);
                hole = {at, i};
                break;
            }
        }
        set_sign(groups[hole.in], hole.at, 0);
    }

    /// Makes room for slots below `slots`. `each(enter)` calls `enter(hash, slot)` for all that are in.
    template<class Each>
    void grow(std::size_t slots, Each&& each)
    {
        auto const count = static_cast<std::uint32_t>(groups_for(slots));
        groups_.renew(count, [&](group* groups) { each([&](std::uint32_t hash, slot entered) { enter(groups, count, hash, entered); }); });
        count_.store(count, std::memory_order_release);
    }

private:
    static constexpr unsigned ways = 6;
    static constexpr std::uint64_t each_byte = 0x0101'0101'0101'0101;
    static constexpr std::uint64_t no_places = 0x8080'0000'0000'0000; // the two bytes left over are neither free nor like any sign

    struct group {
        typename Threading::template cell<std::uint64_t> signs{no_places}; // a byte for each place; 0: free
        std::array<typename Threading::template cell<slot>, ways> slots;
    };
    static_assert(sizeof(group) == 32);
    struct spot {
        std::uint32_t in; // group
        unsigned at;
    };

    static constexpr std::size_t groups_for(std::size_t slots) noexcept { return std::max<std::size_t>((slots * BytesASlot + 31) / 32, 1); }
    static constexpr std::uint32_t home(std::uint32_t hash, std::uint32_t count) noexcept
    {
        return static_cast<std::uint32_t>(std::uint64_t{hash} * count >> 32);
    }
    static constexpr std::uint32_t next(std::uint32_t at, std::uint32_t count) noexcept { return at + 1 == count ? 0 : at + 1; }
    /// Never zero.
    static constexpr std::uint64_t sign(std::uint32_t hash) noexcept { return (hash & 0xff) | 1; }
    static constexpr std::uint64_t byte(std::uint64_t word, unsigned at) noexcept { return word >> 8 * at & 0xff; }
    /// The highest bit of each byte that is zero.
    static constexpr std::uint64_t all_zeros(std::uint64_t word) noexcept
    {
        std::uint64_t const low = each_byte * 0x7f;
        return ~(((word & low) + low) | word | low);
    }
    /// The same for less: of those above the first some may not be zero.
    static constexpr std::uint64_t zeros(std::uint64_t word) noexcept { return (word - each_byte) & ~word & each_byte << 7; }
    static constexpr unsigned place(std::uint64_t bit) noexcept { return static_cast<unsigned>(std::countr_zero(bit)) / 8; }

    spot where(std::uint32_t hash, slot entered) const noexcept
    {
        std::uint32_t const count = count_.load();
        for (std::uint32_t at = home(hash, count);; at = next(at, count)) {
            group const& here = groups_[at];
            for (unsigned i = 0; i < ways; ++i)
                if (byte(here.signs.load(), i) != 0 && here.slots[i].load() == entered) return {at, i};
        }
    }
    static void enter(group* groups, std::uint32_t count, std::uint32_t hash, slot entered) noexcept
    {
        std::uint32_t at = home(hash, count);
        while (zeros(groups[at].signs.load()) == 0) at = next(at, count);
        put(groups[at], place(zeros(groups[at].signs.load())), sign(hash), entered);
    }
    static void put(group& in, unsigned at, std::uint64_t sign, slot entered) noexcept
    {
        in.slots[at].store(entered, std::memory_order_release);
        set_sign(in, at, sign);
    }
    static void set_sign(group& in, unsigned at, std::uint64_t sign) noexcept
    {
        std::uint64_t const others = in.signs.load() & ~(std::uint64_t{0xff} << 8 * at);
        in.signs.store(others | sign << 8 * at, std::memory_order_release);
    }

    growing_array<group, Threading> groups_;
    typename Threading::template cell<std::uint32_t> count_;
};

} // namespace weir::inline v0::detail
