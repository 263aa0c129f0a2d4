// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/cache/detail/growing_array.hpp>
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

    explicit sieve(std::size_t slots) : visited_(slots) { add_links(slots); }

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
    [[gnu::always_inline]] void touch(slot at) noexcept
    {
        auto& visited = visited_[at];
        if (visited.load() == 0) visited.store(1); // reads first: a hot entry's line stays shared between the cores
    }

    /// Whether `at` was hit since it came or was forgiven.
    [[nodiscard]] bool visited(slot at) const noexcept { return visited_[at].load() != 0; }

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

    /// Puts `by`, which is not in, into the place of `at`.
    void replace(slot at, slot by) noexcept
    {
        auto const [newer, older] = links_[by] = links_[at];
        (newer == none ? newest_ : links_[newer].older) = by;
        (older == none ? oldest_ : links_[older].newer) = by;
        if (hand_ == at) hand_ = by;
        visited_[by].store(visited_[at].load());
        links_[at].newer = at;
    }

    /// Takes out the entry to drop and returns it; `none` if there is none.
    slot evict() noexcept
    {
        slot const at = victim(none, [](slot) {});
        if (at != none) erase(at);
        return at;
    }

    /// The entry to drop, which stays in. The entries from `end` to the newest are not looked at: at least one has to be older.
    /// `forgiven(at)` hears of each one spared.
    template<class Forgiven>
    slot victim(slot end, Forgiven&& forgiven) noexcept
    {
        if (size_ == 0) return none;
        auto const next = [&](slot at) { return at == none || at == end ? oldest_ : at; };
        slot at = next(hand_);
        // Hits that come meanwhile could keep a hand going round: after one round it takes what it stands on.
        for (std::size_t left = size_; left != 0 && visited(at); --left) {
            visited_[at].store(0);
            forgiven(at);
            at = next(links_[at].newer);
        }
        return hand_ = at;
    }

    [[nodiscard]] bool contains(slot at) const noexcept { return links_[at].newer != at; }
    /// The entry that came after `at`; `none` if that is the newest.
    [[nodiscard]] slot newer(slot at) const noexcept { return links_[at].newer; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::size_t slots() const noexcept { return links_.size(); }

    /// A slot that is not in has room for a number of its owner's, for a list of what is free.
    void note(slot at, slot number) noexcept { links_[at].older = number; }
    [[nodiscard]] slot noted(slot at) const noexcept { return links_[at].older; }

    /// Makes room for more slots.
    void grow(std::size_t slots)
    {
        links_.reserve(slots);
        visited_.grow(slots);
        add_links(slots);
    }

private:
    struct link {
        slot newer; // itself: not in
        slot older = none;
    };
    void add_links(std::size_t slots)
    {
        links_.reserve(slots);
        for (auto at = static_cast<slot>(links_.size()); at < slots; ++at) links_.push_back({.newer = at});
    }

    detail::growing_array<std::uint8_t, Threading> visited_; // first: it is read by each hit
    std::vector<link> links_;
    slot newest_ = none;
    slot oldest_ = none;
    slot hand_ = none; // where the next search starts; none: at the oldest
    std::size_t size_ = 0;
};

} // namespace weir::inline v0
