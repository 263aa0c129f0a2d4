// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/cache/detail/growing_array.hpp>
#include <weir/cache/detail/sieve_order.hpp>
#include <weir/core/threading.hpp>

#include <cstddef>
#include <cstdint>

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

    explicit sieve(std::size_t slots) : visited_(slots), order_(slots) {}

    /// Enters `at`, which is not in, as the newest.
    void insert(slot at) noexcept
    {
        visited_[at].store(0);
        order_.insert(at);
    }

    /// Notes a hit. One that comes after `at` has left spares its successor once: no harm.
    void touch(slot at) noexcept
    {
        auto& visited = visited_[at];
        if (visited.load() == 0) visited.store(1); // reads first: a hot entry's line stays shared between the cores
    }

    /// Whether `at` was hit since it came or was forgiven.
    [[nodiscard]] bool visited(slot at) const noexcept { return visited_[at].load() != 0; }

    /// Takes out `at`, which is in.
    void erase(slot at) noexcept { order_.erase(at); }

    /// Puts `by`, which is not in, into the place of `at`.
    void replace(slot at, slot by) noexcept
    {
        visited_[by].store(visited_[at].load());
        order_.replace(at, by);
    }

    /// Takes out the entry to drop and returns it; `none` if there is none.
    slot evict() noexcept
    {
        slot const at = order_.victim(none, [this](slot each) { return visited_[each].exchange(0) != 0; });
        if (at != none) order_.erase(at);
        return at;
    }

    [[nodiscard]] bool contains(slot at) const noexcept { return order_.contains(at); }
    [[nodiscard]] std::size_t size() const noexcept { return order_.size(); }
    [[nodiscard]] std::size_t slots() const noexcept { return order_.slots(); }

    /// Makes room for more slots.
    void grow(std::size_t slots)
    {
        visited_.grow(slots);
        order_.grow(slots);
    }

private:
    detail::growing_array<std::uint8_t, Threading> visited_;
    detail::sieve_order order_;
};

} // namespace weir::inline v0
