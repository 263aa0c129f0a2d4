// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/cache/detail/slab.hpp>
#include <weir/cache/detail/slot_index.hpp>
#include <weir/cache/sieve.hpp>
#include <weir/core/clock.hpp>
#include <weir/core/threading.hpp>

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <type_traits>
#include <utility>
#include <vector>

namespace weir::inline v0::detail {

/// How many entries a write dropped, and why.
struct drops {
    unsigned for_room = 0;
    unsigned expired = 0;
};

/// One shard's entries: where each key is (`slot_index`), the entries (a slab), and which of them to drop (`sieve`). It never holds more
/// than `slots` entries and takes all its memory at once.
///
/// Thread-safety: its owner's lock; `find`, `key`, `value`, `expiry`, `touch` and `size` may run beside a writer where `Readable` says that the entries are
/// plain bits in atomic words, if the owner then checks that there was no writer.
template<class Key, class Value, threading_model Threading, bool Readable>
class entry_table {
public:
    using slot = std::uint32_t;
    static constexpr slot none = ~slot{};

    using entry_type = cache_entry<Key, Value>;

    explicit entry_table(std::size_t slots) : index_(slots), entries_(slots), order_(slots), free_(slots)
    {
        std::iota(free_.rbegin(), free_.rend(), slot{0});
    }
    entry_table(entry_table&&) noexcept = default;
    entry_table& operator=(entry_table&&) = delete;
    ~entry_table()
    {
        for (slot at = 0; at < order_.slots(); ++at) // none if moved from
            if (order_.contains(at)) entries_.drop(at);
    }

    template<class Matches>
    [[nodiscard]] slot find(std::uint32_t hash, Matches&& matches) const
    {
        return index_.find(hash, matches);
    }
    [[nodiscard]] decltype(auto) key(slot at) const noexcept { return entries_.key(at); }
    [[nodiscard]] decltype(auto) value(slot at) const noexcept { return entries_.value(at); }
    [[nodiscard]] time_point expiry(slot at) const noexcept { return entries_.expiry(at); }
    void touch(slot at) noexcept { order_.touch(at); }
    [[nodiscard]] std::size_t size() const noexcept { return size_.load(std::memory_order_acquire); }

    /// Writes over the entry at `at`, of the same key. It counts as a hit.
    void replace(slot at, entry_type&& written) noexcept
    {
        entries_.drop(at);
        entries_.write(at, std::move(written));
        order_.touch(at);
    }

    /// Enters what is not in, if need be in the place of another.
    drops insert(entry_type&& written, time_point reclaim_before) noexcept
    {
        drops out;
        if (free_.empty()) {
            slot const victim = order_.evict();
            ++(entries_.expiry(victim) <= reclaim_before ? out.expired : out.for_room);
            release(victim);
        }
        slot const at = free_.back();
        free_.pop_back();
        index_.insert(written.hash, at);
        entries_.write(at, std::move(written));
        order_.insert(at);
        size_.store(size_.load() + 1, std::memory_order_release);
        return out;
    }

    void erase(slot at) noexcept
    {
        order_.erase(at);
        release(at);
    }

    void clear() noexcept
    {
        for (slot at = order_.evict(); at != none; at = order_.evict()) release(at);
    }

    /// Drops what expired at or before `reclaim_before` among the next two slots: called by each write, it visits every slot in time.
    unsigned sweep(time_point reclaim_before) noexcept
    {
        constexpr unsigned slots_a_write = 2;
        unsigned expired = 0;
        for (unsigned i = 0; i < slots_a_write; ++i) {
            cursor_ = cursor_ + 1 < order_.slots() ? cursor_ + 1 : 0;
            if (!order_.contains(cursor_) || entries_.expiry(cursor_) > reclaim_before) continue;
            erase(cursor_);
            ++expired;
        }
        return expired;
    }

private:
    void release(slot at) noexcept
    {
        index_.erase(entries_.hash(at), at);
        entries_.drop(at);
        free_.push_back(at);
        size_.store(size_.load() - 1, std::memory_order_release);
    }

    using slab = std::conditional_t<Readable, word_slab<Key, Value, Threading>, object_slab<Key, Value>>;

    slot_index<Threading> index_;
    slab entries_;
    sieve<Threading> order_;
    std::vector<slot> free_; // never grows past its first size
    typename Threading::template cell<std::size_t> size_;
    slot cursor_ = 0;
};

} // namespace weir::inline v0::detail
