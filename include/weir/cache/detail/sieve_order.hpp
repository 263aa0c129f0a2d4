// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/detail/owner.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace weir::inline v0::detail {

/// The order and the hand of SIEVE, see `sieve`, without the bits that hits set: those may lie where a hit looks anyway.
/// Under its owner's lock. Memory: 8 bytes a slot.
class sieve_order {
public:
    using slot = std::uint32_t;
    static constexpr slot none = ~slot{};

    explicit sieve_order(std::size_t slots) { grow(slots); }

    /// Enters `at`, which is not in, as the newest.
    void insert(slot at) noexcept
    {
        links_[at] = {.newer = none, .older = newest_};
        (newest_ == none ? oldest_ : links_[newest_].newer) = at;
        newest_ = at;
        ++size_;
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
    /// Puts `by`, which is not in, into the place of `at`.
    void replace(slot at, slot by) noexcept
    {
        auto const [newer, older] = links_[by] = links_[at];
        (newer == none ? newest_ : links_[newer].older) = by;
        (older == none ? oldest_ : links_[older].newer) = by;
        if (hand_ == at) hand_ = by;
        links_[at].newer = at;
    }

    /// The entry to drop, which stays in; `none` if there is none. The entries from `end` to the newest are not looked at: at least one
    /// has to be older. `forgives(at)` says whether `at` was hit, and forgets it.
    template<class Forgives>
    slot victim(slot end, Forgives&& forgives) noexcept
    {
        if (size_ == 0) return none;
        auto const next = [&](slot at) { return at == none || at == end ? oldest_ : at; };
        slot at = next(hand_);
        // Hits that come meanwhile could keep a hand going round: after one round it takes what it stands on.
        for (std::size_t left = size_; left != 0 && forgives(at); --left) at = next(links_[at].newer);
        return hand_ = at;
    }

    [[nodiscard]] bool contains(slot at) const noexcept { return links_[at].newer != at; }
    /// The entry that came after `at`; `none` if that is the newest.
    [[nodiscard]] slot newer(slot at) const noexcept { return links_[at].newer; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::size_t slots() const noexcept { return slots_; }

    /// A slot that is not in has room for a number of its owner's, for a list of what is free.
    void note(slot at, slot number) noexcept { links_[at].older = number; }
    [[nodiscard]] slot noted(slot at) const noexcept { return links_[at].older; }

    /// Makes room for more slots.
    void grow(std::size_t slots)
    {
        if (slots <= slots_) return;
        owner<link[]> longer(new link[slots]);
        for (std::size_t i = 0; i < slots; ++i) longer[i] = i < slots_ ? links_[i] : link{.newer = static_cast<slot>(i)};
        links_ = std::move(longer);
        slots_ = slots;
    }

private:
    struct link {
        slot newer; // itself: not in
        slot older = none;
    };

    owner<link[]> links_;
    std::size_t slots_ = 0;
    slot newest_ = none;
    slot oldest_ = none;
    slot hand_ = none; // where the next search starts; none: at the oldest
    std::size_t size_ = 0;
};

} // namespace weir::inline v0::detail
