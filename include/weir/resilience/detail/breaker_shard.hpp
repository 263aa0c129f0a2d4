// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/core/detail/hash.hpp>
#include <weir/core/detail/owner.hpp>
#include <weir/core/threading.hpp>
#include <weir/resilience/detail/breaker_core.hpp>

#include <boost/unordered/unordered_flat_map.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace weir::inline v0::detail {

/// The breakers of some of the keys, under one lock, which its owner takes. Alone on its cache lines: a lock beside another's would be
/// fought for as if it were one.
template<class Key, breaker_window Window, threading_model Threading>
struct alignas(64) breaker_shard {
    using options = typename Window::options;

    struct entry {
        entry(options const& o, Key k, std::uint64_t number, time_point now) : breaker(o), key(std::move(k)), tenant(number), used(now) {}
        breaker_core<Window, confined> breaker;
        Key key;
        std::uint64_t tenant;
        time_point used;
    };

    breaker_shard(options const& o, seeded_hash const& h, std::uint64_t seed) : places(0, h), current(o), random(seed) {}

    /// The breaker at a place, if it is still that key's.
    [[nodiscard]] entry* find(std::uint32_t place, std::uint64_t tenant) noexcept
    {
        entry* const e = place < entries.size() ? entries[place].get() : nullptr;
        return e != nullptr && e->tenant == tenant ? e : nullptr;
    }
    /// Looks at the next few keys and forgets those that may go.
    std::int64_t sweep(std::size_t steps, time_point now, duration idle)
    {
        std::int64_t freed = 0;
        for (steps = std::min(steps, entries.size()); steps > 0; --steps) {
            hand = hand + 1 < entries.size() ? hand + 1 : 0;
            entry const* const e = entries[hand].get();
            if (e == nullptr || now - e->used < idle || !e->breaker.may_be_forgotten(now)) continue;
            places.erase(e->key);
            free.push_back(static_cast<std::uint32_t>(hand)); // there is room: each place was once pushed
            entries[hand] = nullptr;
            ++freed;
        }
        forgotten += static_cast<std::uint64_t>(freed);
        return freed;
    }
    /// A new key's place. Throws `std::bad_alloc`, or what the key's copy throws, and then holds no more than before.
    template<class View>
    std::uint32_t add(View const& key, time_point now)
    {
        if (free.empty()) {
            entries.emplace_back();
            free.reserve(entries.capacity());
            free.push_back(static_cast<std::uint32_t>(entries.size() - 1));
        }
        std::uint32_t const place = free.back();
        owner<entry> fresh(new entry(current, Key(key), tenants + 1, now));
        places.emplace(Key(key), place);
        ++tenants;
        entries[place] = std::move(fresh);
        free.pop_back();
        return place;
    }

    mutable typename Threading::mutex mutex;
    boost::unordered_flat_map<Key, std::uint32_t, seeded_hash, std::equal_to<>> places;
    std::vector<owner<entry>> entries;
    std::vector<std::uint32_t> free;
    options current;
    std::uint64_t random;
    std::uint64_t tenants = 0;
    std::uint64_t tripped = 0;
    std::uint64_t forgotten = 0;
    std::size_t hand = 0;
};

} // namespace weir::inline v0::detail
