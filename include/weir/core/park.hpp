// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <utility>

namespace weir::inline v0 {

class waiter_list;

/// Whom to tell that a parked call may go on. A driver brings its own: one that posts to an executor, one that signals a thread.
struct notifier {
    /// Called once, by whoever wakes the waiter, maybe from another thread and with a policy's lock held: it must not block, and
    /// must not touch the notifier after it has told.
    void (*notify)(notifier&) noexcept;
};

/// A parked call's place in a list: it lies in the call's frame, so that waiting allocates nothing.
///
/// A policy links it in under its own lock, and takes it out and wakes it under the same lock. A wake that comes before the driver
/// has begun to wait is not lost.
class waiter {
public:
    waiter() noexcept {} // not defaulted: what has no meaning yet is not cleared for each call
    waiter(waiter const&) = delete;
    waiter& operator=(waiter const&) = delete;

    /// Wakes the call. The waiter may be gone when this returns, unless the caller holds the lock under which it gives up.
    void wake() noexcept
    {
        notifier* const told = state_.exchange(woken(), std::memory_order_acq_rel);
        if (told != nullptr && told != woken()) told->notify(*told);
    }
    /// Says whom to tell; false if the waiter was woken already.
    [[nodiscard]] bool attach(notifier& n) noexcept
    {
        notifier* expected = nullptr;
        return state_.compare_exchange_strong(expected, &n, std::memory_order_acq_rel);
    }
    /// Nobody is told any more; for the driver, when it has stopped waiting.
    void detach() noexcept { state_.store(nullptr, std::memory_order_release); }
    [[nodiscard]] bool linked() const noexcept { return linked_; }

    /// What the policy at which it waits wants to know again: the policy's own, without a meaning until it has written it. A class whose
    /// constructor clears nothing: most calls never wait.
    struct note_type {
        note_type() noexcept {}
        union {
            time_point since; ///< when it began to wait
        };
        union {
            time_point until; ///< how long it will wait
        };
        std::uint64_t key;  ///< whose call it is
        std::uint32_t line; ///< in which of several lists it lies, or of which class it is
        bool refused;       ///< woken to hear that there is nothing for it
    } note;

private:
    friend class waiter_list;
    static notifier* woken() noexcept
    {
        static notifier sentinel{nullptr};
        return &sentinel;
    }
    std::atomic<notifier*> state_{nullptr};
    waiter* before_; // these two mean something while it is linked
    waiter* behind_;
    bool linked_ = false;
};

/// Waiters in the order in which they came. Guarded by the lock of the policy that holds it; it owns nothing. Empty when moved.
class waiter_list {
public:
    waiter_list() = default;
    waiter_list(waiter_list&&) noexcept {}
    waiter_list& operator=(waiter_list&&) noexcept { return *this; }

    [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    void push_back(waiter& w) noexcept
    {
        w.before_ = last_;
        w.behind_ = nullptr;
        (last_ != nullptr ? last_->behind_ : first_) = &w;
        last_ = &w;
        w.linked_ = true;
        ++size_;
    }
    /// Takes the waiter out; false if it was not in.
    bool remove(waiter& w) noexcept
    {
        if (!w.linked_) return false;
        (w.before_ != nullptr ? w.before_->behind_ : first_) = w.behind_;
        (w.behind_ != nullptr ? w.behind_->before_ : last_) = w.before_;
        w.linked_ = false;
        --size_;
        return true;
    }
    /// Who has waited longest, or shortest; null if there is none.
    [[nodiscard]] waiter* front() const noexcept { return first_; }
    [[nodiscard]] waiter* back() const noexcept { return last_; }
    /// Takes the longest waiting one out, or the last that came; null if there is none.
    waiter* pop_front() noexcept
    {
        waiter* const w = first_;
        if (w != nullptr) remove(*w);
        return w;
    }
    waiter* pop_back() noexcept
    {
        waiter* const w = last_;
        if (w != nullptr) remove(*w);
        return w;
    }

    /// Changes places with another list; the waiters stay in the order in which they came.
    void swap(waiter_list& other) noexcept
    {
        std::swap(first_, other.first_);
        std::swap(last_, other.last_);
        std::swap(size_, other.size_);
    }

private:
    waiter* first_ = nullptr;
    waiter* last_ = nullptr;
    std::size_t size_ = 0;
};

namespace detail {

/// How a thread waits for a waiter. True if it was woken, false if the time was up first.
class thread_notifier : public notifier {
public:
    thread_notifier() noexcept : notifier{&tell} {}
    bool wait(waiter& w, time_point until)
    {
        if (!w.attach(*this)) return true;
        std::unique_lock lock(mutex_);
        if (until == never) {
            told_.wait(lock, [this] { return woken_; });
            return true;
        }
        return told_.wait_until(lock, until, [this] { return woken_; });
    }

private:
    static void tell(notifier& self) noexcept
    {
        auto& n = static_cast<thread_notifier&>(self);
        std::lock_guard lock(n.mutex_);
        n.woken_ = true;
        n.told_.notify_one(); // under the lock: the waiting thread frees the notifier as soon as it is awake
    }
    std::mutex mutex_;
    std::condition_variable told_;
    bool woken_ = false;
};

} // namespace detail

} // namespace weir::inline v0
