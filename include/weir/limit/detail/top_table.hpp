// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/detail/hash.hpp>
#include <weir/limit/detail/count_min.hpp>

#include <boost/unordered/unordered_flat_map.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace weir::inline v0::detail {

/// The keys that come most often, as many as are wanted, each with a count and a `Value`: a min-heap of them, and a sketch that counts the
/// others until one of them overtakes the least of these. Keys in the heap are counted there alone, so that they do not fill the sketch
/// (Roy, Khan and Alonso, "Augmented sketch", SIGMOD 2016); one that is replaced goes back into it with its count.
template<class Key, class Value>
class top_table {
public:
    struct entry {
        Key key;
        std::uint64_t hash;
        std::uint64_t count;
        std::size_t place; // in the heap
        Value value;
    };

    top_table(std::size_t top, std::size_t width, seeded_hash const& hash) : top_(top), hash_(hash), sketch_(width), places_(0, hash)
    {
        entries_.reserve(top);
        heap_.reserve(top);
        places_.reserve(top);
    }

    template<class View>
    [[nodiscard]] entry* find(View const& key)
    {
        auto const found = places_.find(key);
        return found == places_.end() ? nullptr : &entries_[found->second];
    }
    /// Counts one call of a key. Returns its entry if it is among the top, made with `fresh` if it was not before; else null.
    template<class View>
    entry* count(View const& key, Value const& fresh)
    {
        if (entry* const held = find(key)) [[likely]] {
            ++held->count;
            sink(held->place);
            return held;
        }
        std::uint64_t const hash = hash_(key);
        std::uint32_t const estimate = sketch_.add(hash);
        if (entries_.size() < top_) return &entries_[enter(key, hash, estimate, fresh)];
        std::size_t const least = heap_.front();
        if (estimate <= entries_[least].count) return nullptr;
        replace(least, key, hash, estimate, fresh);
        return &entries_[least];
    }
    void halve(unsigned times)
    {
        sketch_.halve(times);
        for (entry& e : entries_) e.count = times < 64 ? e.count >> times : 0; // the order stays
    }
    [[nodiscard]] std::vector<entry> const& entries() const noexcept { return entries_; }
    [[nodiscard]] std::vector<entry>& entries() noexcept { return entries_; }
    [[nodiscard]] std::uint64_t replaced() const noexcept { return replaced_; }

private:
    template<class View>
    std::size_t enter(View const& key, std::uint64_t hash, std::uint64_t count, Value const& fresh)
    {
        std::size_t const index = entries_.size();
        places_.emplace(Key(key), index); // may throw: then nothing has changed
        try {
            entries_.push_back({Key(key), hash, count, heap_.size(), fresh});
        } catch (...) {
            places_.erase(key);
            throw;
        }
        heap_.push_back(index);
        rise(heap_.size() - 1);
        return index;
    }
    template<class View>
    void replace(std::size_t index, View const& key, std::uint64_t hash, std::uint64_t count, Value const& fresh)
    {
        Key copy(key);
        places_.emplace(Key(key), index); // may throw: then nothing has changed
        entry& e = entries_[index];
        places_.erase(e.key);
        sketch_.raise(e.hash, static_cast<std::uint32_t>(std::min<std::uint64_t>(e.count, std::numeric_limits<std::uint32_t>::max())));
        ++replaced_;
        e.key = std::move(copy);
        e.hash = hash;
        e.count = count;
        e.value = fresh;
        sink(e.place);
    }

    [[nodiscard]] std::uint64_t count_at(std::size_t place) const noexcept { return entries_[heap_[place]].count; }
    void put(std::size_t place, std::size_t index) noexcept
    {
        heap_[place] = index;
        entries_[index].place = place;
    }
    void exchange(std::size_t a, std::size_t b) noexcept
    {
        std::size_t const first = heap_[a];
        put(a, heap_[b]);
        put(b, first);
    }
    void sink(std::size_t place) noexcept
    {
        for (;;) {
            std::size_t least = place;
            for (std::size_t child = 2 * place + 1; child < std::min(heap_.size(), 2 * place + 3); ++child)
                if (count_at(child) < count_at(least)) least = child;
            if (least == place) return;
            exchange(place, least);
            place = least;
        }
    }
    void rise(std::size_t place) noexcept
    {
        for (; place > 0 && count_at(place) < count_at((place - 1) / 2); place = (place - 1) / 2) exchange(place, (place - 1) / 2);
    }

    struct equal {
        using is_transparent = void;
        template<class A, class B>
        bool operator()(A const& a, B const& b) const
        {
            return a == b;
        }
    };

    std::size_t top_;
    seeded_hash hash_;
    count_min sketch_;
    boost::unordered_flat_map<Key, std::size_t, seeded_hash, equal> places_;
    std::vector<entry> entries_;
    std::vector<std::size_t> heap_; // of places in `entries_`, the least count first
    std::uint64_t replaced_ = 0;
};

} // namespace weir::inline v0::detail
