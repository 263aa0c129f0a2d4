// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <memory>
#include <utility>

namespace weir::inline v0 {

/// What a value of a `store` points to, lent by `store::borrow`: it stays as long as this does, also if the store replaces or drops it
/// meanwhile, and its reference count, which all threads would share, is not touched.
///
/// It ends before its store does. It may be moved, and end on another thread. Not thread-safe itself.
template<class T>
class [[nodiscard]] borrowed {
public:
    /// A miss.
    borrowed() noexcept = default;
    borrowed(borrowed&& other) noexcept
        : what_(std::exchange(other.what_, nullptr)), cell_(std::exchange(other.cell_, nullptr)), copy_(std::exchange(other.copy_, nullptr))
    {
    }
    borrowed& operator=(borrowed&& other) noexcept
    {
        borrowed taken(std::move(other));
        std::swap(what_, taken.what_);
        std::swap(cell_, taken.cell_);
        std::swap(copy_, taken.copy_);
        return *this;
    }
    [[gnu::always_inline]] ~borrowed()
    {
        if (cell_ != nullptr) [[likely]]
            cell_->store(nullptr, std::memory_order_release);
        else if (copy_ != nullptr)
            forget_copy();
    }

    /// Whether there was a value: it may point to nothing.
    [[nodiscard]] bool hit() const noexcept { return cell_ != nullptr || copy_ != nullptr; }
    explicit operator bool() const noexcept { return what_ != nullptr; }
    [[nodiscard]] T& operator*() const noexcept { return *what_; }
    [[nodiscard]] T* operator->() const noexcept { return what_; }
    [[nodiscard]] T* get() const noexcept { return what_; }

    /// For stores: a hit that `cell`, which names it, keeps.
    borrowed(T* what, std::atomic<void const*>& cell) noexcept : what_(what), cell_(&cell) {}
    /// The same without one: by a copy.
    explicit borrowed(std::shared_ptr<T> const& value) : what_(value.get()), copy_(new std::shared_ptr<T>(value)) {}

private:
    [[gnu::noinline, gnu::cold]] void forget_copy() noexcept { delete copy_; }

    T* what_ = nullptr;
    std::atomic<void const*>* cell_ = nullptr;
    std::shared_ptr<T>* copy_ = nullptr; // seldom: a member of its own would be destroyed each time
};

} // namespace weir::inline v0
