// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/threading.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace weir::inline v0::detail {

template<class Value>
struct lent_by {
    static constexpr bool can = false;
};
/// Values that a store can lend: what they point to stays where it is when they move.
template<class T>
struct lent_by<std::shared_ptr<T>> {
    static constexpr bool can = true;
    using element = T;
};

/// In which a thread names what it borrows: hazard pointers (Michael, "Hazard Pointers: Safe Memory Reclamation for Lock-Free Objects",
/// IEEE TPDS 15, 2004). It names a value while it is announced as a reader, or under the lock, so that whoever waited for the readers sees
/// the name.
struct loan_cells {
    static constexpr std::size_t most = 4;
    std::array<std::atomic<void const*>, most> names{};

    /// For the thread that owns them: a cell that now names `what`; null if all are in use.
    [[nodiscard]] std::atomic<void const*>* take(void const* what) noexcept
    {
        for (auto& each : names)
            if (each.load(std::memory_order_acquire) == nullptr) {
                each.store(what, std::memory_order_release);
                return &each;
            }
        return nullptr;
    }
    [[nodiscard]] bool any() const noexcept
    {
        for (auto const& each : names)
            if (each.load(std::memory_order_acquire) != nullptr) return true;
        return false;
    }
    [[nodiscard]] bool name(void const* what) const noexcept
    {
        for (auto const& each : names)
            if (each.load(std::memory_order_acquire) == what) return true;
        return false;
    }
};

/// Values that left the store while they were lent: at most one for each loan. `is_lent(what)` looks into the cells.
/// Thread-safe.
template<class Value>
class lent_values {
public:
    template<class IsLent>
    void keep(Value&& value, IsLent&& is_lent)
    {
        std::scoped_lock const lock(mutex_);
        drop(is_lent);
        auto const same = [&](Value const& other) { // it keeps this one, too
            return other.get() == value.get() && !other.owner_before(value) && !value.owner_before(other);
        };
        if (std::none_of(kept_.begin(), kept_.end(), same)) kept_.push_back(std::move(value));
        count_.store(kept_.size());
    }
    /// Drops those that were given back. Seen afresh, under the lock: what is kept was named before it came here.
    template<class IsLent>
    void settle(IsLent&& is_lent)
    {
        if (size() == 0) return;
        std::scoped_lock const lock(mutex_);
        drop(is_lent);
        count_.store(kept_.size());
    }
    [[nodiscard]] std::size_t size() const noexcept { return count_.load(); }

private:
    template<class IsLent>
    void drop(IsLent& is_lent)
    {
        std::erase_if(kept_, [&](Value const& each) { return !is_lent(each.get()); });
    }

    movable_mutex mutex_;
    std::vector<Value> kept_;
    atomic_cell<std::size_t> count_{0};
};
/// In its place where nothing is lent.
struct not_lent {};

} // namespace weir::inline v0::detail
