// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/threading.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace weir::inline v0 {

/// Chooses what a full cache drops: SIEVE (Zhang, Yang, Yue, Vigfusson and Rashmi, "SIEVE is Simpler than LRU", NSDI 2024).
/// Entries stand in the order in which they came. A hit sets one bit and moves nothing. A hand goes from the oldest to the newest, forgives
/// each entry whose bit is set by clearing it, and drops the first whose bit is not. One-time visitors leave early, so a scan does not wash
/// out what is in use, as it would with LRU.
///
/// It knows entries by their slots, numbers below `slots` that its owner gives out, and holds neither keys nor values.
/// Thread-safety: `touch` may run beside anything; all else needs the owner's lock. Cost: constant; `evict` constant amortised.
/// Memory: 9 bytes a slot.
template<threading_model Threading = shared>
class sieve {
public:
    using slot = std::uint32_t;
    /// No slot at all.
    static constexpr slot none = ~slot{};

    explicit sieve(std::size_t slots) : links_(slots), visited_(slots)
    {
        for (slot at = 0; at < slots; ++at) links_[at].newer = at;
    }

    /// Enters `at`, which is not in, as the newest.
    void insert(slot at) noexcept
    {
        links_[at] = {.newer = none, .older = newest_};
        visited_[at].store(0);
        (newest_ == none ? oldest_ : links_[newest_].newer) = at;
        newest_ = at;
        ++size_;
    }

    /// Notes a hit. One that comes after `at` has left spares its successor once: no harm.
    void touch(slot at) noexcept
    {
        if (visited_[at].load() == 0) visited_[at].store(1); // reads first: a hot entry's line stays shared between the cores
    }

    /// Takes out `at`, which is in.
    void erase(slot at) noexcept
    {
        auto const [newer, older] = links_[at];
        (newer == none ? newest_ : links_[newer].older) = older;
        (older == none ? oldest_ : links_[older].newer) = newer;
        if (hand_ == at) hand_ = newer;
        links_[at].newer = at;
        --size_;
    }

    /// Takes out the entry to drop and returns it; `none` if there is none.
    slot evict() noexcept
    {
        if (size_ == 0) return none;
        slot at = hand_ == none ? oldest_ : hand_;
        // Hits that come meanwhile could keep a hand going round: after one round it takes what it stands on.
        for (std::size_t left = size_; left != 0 && visited_[at].load() != 0; --left) {
            visited_[at].store(0);
            at = links_[at].newer == none ? oldest_ : links_[at].newer;
        }
        hand_ = at;
        erase(at);
        return at;
    }

    [[nodiscard]] bool contains(slot at) const noexcept { return links_[at].newer != at; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::size_t slots() const noexcept { return links_.size(); }

private:
    struct link {
        slot newer; // itself: not in
        slot older = none;
    };

    std::vector<link> links_;
    std::vector<typename Threading::template cell<std::uint8_t>> visited_;
    slot newest_ = none;
    slot oldest_ = none;
    slot hand_ = none; // where the next search starts; none: at the oldest
    std::size_t size_ = 0;
};

} // namespace weir::inline v0
