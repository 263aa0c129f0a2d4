// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/cache/detail/sieve_order.hpp>
#include <weir/cache/frequency_sketch.hpp>
#include <weir/core/detail/owner.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace weir::inline v0::detail {

/// SIEVE behind a gate. The newest entries, a hundredth, are a window in which everybody gets a chance. When the cache is full, the
/// oldest of the window and the one that the hand of SIEVE would drop compare how often they were asked for lately, and the one asked for
/// less leaves: the admission of W-TinyLFU (Einziger, Friedman and Manes, 2017) with SIEVE in the place of the segmented LRU. Window and
/// main part are one list: the gate is a place in it.
///
/// Hits count at the entry, as with SIEVE; the sketch hears of them when the hand forgives, so that a hit costs nothing more.
/// Under its owner's lock. Memory: 13.5 bytes a slot.
class gated_sieve {
public:
    using slot = std::uint32_t;
    static constexpr slot none = ~slot{};

    /// For `limit` entries in `slots` slots.
    gated_sieve(std::size_t slots, std::size_t limit)
        : order_(slots), fresh_(new std::uint64_t[words_for(slots)]()), sketch_(limit), window_(window_for(limit))
    {
    }

    void insert(slot at, std::uint32_t hash) noexcept
    {
        sketch_.add(hash);
        order_.insert(at);
        be_fresh(at, true);
        if (gate_ == none) gate_ = at;
        if (++waiting_ > window_) pass();
    }
    void erase(slot at) noexcept
    {
        if (is_fresh(at)) pass(at);
        order_.erase(at);
    }
    void replace(slot at, slot by) noexcept
    {
        be_fresh(by, is_fresh(at));
        be_fresh(at, false);
        if (gate_ == at) gate_ = by;
        order_.replace(at, by);
    }

    /// The entry to drop: there is one, and it stays in. `entries` knows of each with which hash it was entered, `hash(slot)`, whether it
    /// was hit, `visited(slot)`, and how to forget that, `forgive(slot)`.
    template<class Entries>
    slot victim(Entries& entries) noexcept
    {
        slot at = gate_; // the candidate
        if (waiting_ != order_.size()) {
            slot const victim = order_.victim(gate_, [&](slot each) {
                if (!entries.visited(each)) return false;
                entries.forgive(each);
                sketch_.add(entries.hash(each));
                return true;
            });
            if (waiting_ < window_ || wins(entries.hash(at), entries.visited(at), entries.hash(victim))) {
                if (waiting_ >= window_) pass();
                at = victim;
            }
        }
        return at;
    }

    [[nodiscard]] bool contains(slot at) const noexcept { return order_.contains(at); }
    [[nodiscard]] std::size_t slots() const noexcept { return order_.slots(); }
    void note(slot at, slot number) noexcept { order_.note(at, number); }
    [[nodiscard]] slot noted(slot at) const noexcept { return order_.noted(at); }

    /// From now on for `limit` entries. What was known of frequencies is forgotten.
    void resize(std::size_t slots, std::size_t limit)
    {
        frequency_sketch fresh(limit);
        if (slots > order_.slots()) grow(slots);
        sketch_ = std::move(fresh);
        window_ = window_for(limit);
        while (waiting_ > window_) pass();
    }

private:
    static std::size_t window_for(std::size_t limit) noexcept { return std::max<std::size_t>(limit / 100, 1); }

    static std::size_t words_for(std::size_t slots) noexcept { return (slots + 63) / 64; }
    void grow(std::size_t slots)
    {
        owner<std::uint64_t[]> more(new std::uint64_t[words_for(slots)]());
        for (std::size_t i = 0; i < words_for(order_.slots()); ++i) more[i] = fresh_[i];
        order_.grow(slots);
        fresh_ = std::move(more);
    }
    bool is_fresh(slot at) const noexcept { return (fresh_[at / 64] >> at % 64 & 1) != 0; }
    void be_fresh(slot at, bool yes) noexcept
    {
        std::uint64_t const bit = std::uint64_t{1} << at % 64;
        fresh_[at / 64] = yes ? fresh_[at / 64] | bit : fresh_[at / 64] & ~bit;
    }

    bool wins(std::uint32_t candidate, bool visited, std::uint32_t victim) const noexcept
    {
        return sketch_.estimate(candidate) + visited > sketch_.estimate(victim);
    }
    // The oldest of the window goes on.
    void pass() noexcept { pass(gate_); }
    void pass(slot at) noexcept
    {
        be_fresh(at, false);
        if (gate_ == at) gate_ = order_.newer(at);
        --waiting_;
    }

    sieve_order order_;
    owner<std::uint64_t[]> fresh_; // a bit a slot: it is in the window
    frequency_sketch sketch_;
    std::size_t window_; // how many entries may wait before the gate
    std::size_t waiting_ = 0;
    slot gate_ = none; // the oldest in the window; none: nobody waits
};

} // namespace weir::inline v0::detail
