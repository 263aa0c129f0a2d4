// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/core/detail/hash.hpp>
#include <weir/core/detail/heap_bytes.hpp>
#include <weir/core/threading.hpp>
#include <weir/limit/detail/key_readers.hpp>
#include <weir/limit/detail/short_lock.hpp>

#include <boost/unordered/unordered_flat_map.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace weir::inline v0::detail {

/// What is given back, or taken: keys, and the bytes that belong to them.
struct key_room {
    std::int64_t keys = 0;
    std::int64_t bytes = 0;
};

/// A state that a thread may change by compare-and-swap while it lies in a table.
template<class State>
concept state_in_a_word =
    sizeof(State) == sizeof(std::uint64_t) && std::is_trivially_copyable_v<State>&& std::has_unique_object_representations_v<State>;

/// A part of the keys of `keyed`. Who holds `mutex` knows that the table stays as it is; who changes it, or a state in it, holds
/// `changing_lock`. Where a state is a word, calls of keys that are there hold neither: as `readers` they look a key up and swap its word,
/// and find `changing` set while somebody changes the table. So two threads meet in the key's word only. Alone on its cache lines.
template<class Key, class Rule, threading_model Threading>
class alignas(64) key_shard {
public:
    using state = typename Rule::state;
    static constexpr bool has_readers = Threading::is_shared && state_in_a_word<state>;
    struct nobody {};
    using readers = std::conditional_t<has_readers, key_readers, nobody>;

    // What each call reads besides the table, on the first cache line.
    mutable short_lock_of<Threading> mutex;
    std::atomic<bool> changing{false};
    time_point latest = time_point::min(); // the latest time at which keys were taken in or forgotten
    Rule current;

    /// For who changes the table: keeps the others off, and waits for the readers that are in some table now.
    class changing_lock {
    public:
        changing_lock(key_shard& of, readers& all) noexcept : of_(of), readers_(all) {}
        void lock()
        {
            of_.mutex.lock();
            if constexpr (has_readers) {
                of_.changing.store(true, std::memory_order_relaxed); // `wait` releases it
                readers_.wait();
            }
        }
        void unlock() noexcept
        {
            if constexpr (has_readers) of_.changing.store(false, std::memory_order_release);
            of_.mutex.unlock();
        }

    private:
        key_shard& of_;
        readers& readers_;
    };

    /// A key with its hash, so that it is hashed once for the shard and the slot.
    template<class View>
    struct probe {
        View const& key;
        std::uint64_t hash;
    };

    key_shard(Rule const& r, seeded_hash const& h) : current(r), entries(0, hasher{h}, equal{}) {}
    key_shard(key_shard&& other) noexcept : current(other.current), entries(std::move(other.entries)) {} // before anybody uses it

    /// The state of a key; null if it is not held.
    template<class View>
    [[nodiscard, gnu::always_inline]] state* find(probe<View> const& p)
    {
        auto const found = entries.find(p);
        return found == entries.end() ? nullptr : &found->second;
    }
    /// Reads the state of a key, which readers may be changing.
    [[nodiscard]] static state look_at(state& s) noexcept
    {
        if constexpr (has_readers)
            return std::atomic_ref(s).load(std::memory_order_relaxed);
        else
            return s;
    }
    /// Lets `act(rule, state&, time)` decide on a key's state as it is, and as often as another thread changes it meanwhile.
    template<class Act>
    [[gnu::always_inline]] auto swap_word(state& s, time_point now, Act& act)
    {
        std::atomic_ref word(s);
        for (state seen = word.load(std::memory_order_relaxed);;) {
            state next = seen;
            auto const answer = act(current, next, now);
            if (!answer || word.compare_exchange_weak(seen, next, std::memory_order_relaxed)) return answer;
        }
    }
    [[nodiscard]] std::size_t size() const noexcept { return entries.size(); }

    /// What a new key needs at most: its own bytes, and those of a table of twice the size if this one is full, for then there are both for
    /// a while.
    template<class View>
    [[nodiscard]] key_room needs(View const& key) const
    {
        std::size_t const table = entries.size() < entries.max_load() ? 0 : std::max(2 * table_bytes(), first_table_bytes);
        return {1, static_cast<std::int64_t>(table + heap_bytes(key))};
    }
    /// Keeps a new key. Returns how much of what it needed at most it did not need after all.
    template<class View>
    std::int64_t insert(View const& key, state s)
    {
        key_room const most = needs(key);
        std::size_t const before = table_bytes();
        bool const moves = entries.size() >= entries.max_load(); // then no iterator survives
        entries.emplace(Key(key), s);
        if (moves) hand = entries.end();
        return most.bytes - static_cast<std::int64_t>(table_bytes() - before + heap_bytes(key));
    }
    /// Goes on to the next few keys and forgets those that are full.
    key_room sweep(std::size_t steps)
    {
        key_room freed;
        for (steps = std::min(steps, entries.size()); steps > 0; --steps) {
            if (hand == entries.end()) hand = entries.begin();
            auto const at = hand++;
            if (!current.is_full(at->second, latest)) continue;
            freed.bytes += static_cast<std::int64_t>(heap_bytes(at->first));
            ++freed.keys;
            entries.erase(at);
        }
        evicted += static_cast<std::uint64_t>(freed.keys);
        return freed;
    }
    /// Brings every key to another rule.
    void adopt(Rule const& wanted)
    {
        for (auto& [key, s] : entries) s = wanted.adopt(s, current, latest);
        current = wanted;
    }

    /// Bytes of a table of so many slots: those of the keys and states, and 16 a group of 15 for marks.
    [[nodiscard]] static constexpr std::size_t bytes_of_slots(std::size_t slots) noexcept
    {
        return slots == 0 ? 0 : (slots + 14) / 15 * (15 * sizeof(typename map::value_type) + 16);
    }
    static constexpr std::size_t first_table_bytes = bytes_of_slots(30); // Boost starts with two groups

private:
    struct hasher {
        using is_transparent = void;
        using is_avalanching = void;
        seeded_hash hash;
        std::size_t operator()(Key const& key) const { return hash(key); }
        template<class View>
        std::size_t operator()(probe<View> const& p) const noexcept
        {
            return p.hash;
        }
    };
    struct equal {
        using is_transparent = void;
        bool operator()(Key const& a, Key const& b) const { return a == b; }
        template<class View>
        bool operator()(Key const& a, probe<View> const& b) const
        {
            return a == b.key;
        }
        template<class View>
        bool operator()(probe<View> const& a, Key const& b) const
        {
            return b == a.key;
        }
    };
    using map = boost::unordered_flat_map<Key, state, hasher, equal>;

    [[nodiscard]] std::size_t table_bytes() const noexcept { return bytes_of_slots(entries.bucket_count()); }

    map entries;
    typename map::iterator hand{};

public:
    std::uint64_t evicted = 0;
};

} // namespace weir::inline v0::detail
