// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/core/park.hpp>

#include <cstddef>
#include <exception>
#include <mutex>

namespace weir::inline v0 {

class scope;

/// A piece of work that outlives the call that began it. Whoever runs it says how to cancel it.
class work {
public:
    work() = default;
    work(work const&) = delete;
    work& operator=(work const&) = delete;
    /// Asks the work to end soon. From any thread, any number of times; it must not block.
    virtual void cancel() noexcept = 0;

protected:
    ~work() = default;

private:
    friend class scope;
    work* before_ = nullptr;
    work* behind_ = nullptr;
};

/// Where work goes that outlives its call: a load that others still wait for, a refresh, a release after cancellation. Its owner drains it
/// before what the work uses is gone: `scope jobs; ...; jobs.close(); jobs.cancel(); jobs.wait(...)`, or, in a coroutine,
/// `co_await weir::drain(jobs, 5s)` of `weir/asio/scope.hpp`.
///
/// A scope that is destroyed with work in it ends the program, as a `std::thread` does that nobody joined. Thread-safe. Memory: none of
/// its own; work lies in a list through itself.
class scope {
public:
    scope() = default;
    scope(scope const&) = delete;
    scope& operator=(scope const&) = delete;
    ~scope()
    {
        if (size() != 0) std::terminate(); // work would go on in what is no more
    }

    /// Takes the work in; false if the scope is closed. `end` has to be called when it is over.
    [[nodiscard]] bool begin(work& w)
    {
        std::scoped_lock const lock(mutex_);
        if (closed_) return false;
        w.behind_ = first_;
        if (first_ != nullptr) first_->before_ = &w;
        first_ = &w;
        ++size_;
        return true;
    }
    void end(work& w) noexcept
    {
        std::scoped_lock const lock(mutex_);
        (w.before_ != nullptr ? w.before_->behind_ : first_) = w.behind_;
        if (w.behind_ != nullptr) w.behind_->before_ = w.before_;
        if (--size_ != 0) return;
        while (waiter* const next = waiting_.pop_front()) next->wake();
    }

    /// Work under way.
    [[nodiscard]] std::size_t size() const
    {
        std::scoped_lock const lock(mutex_);
        return size_;
    }
    /// Takes no more work in: who would fork does the work within its call.
    void close()
    {
        std::scoped_lock const lock(mutex_);
        closed_ = true;
    }
    /// Cancels all that is under way; it ends when it has noticed.
    void cancel() noexcept
    {
        std::scoped_lock const lock(mutex_);
        for (work* w = first_; w != nullptr; w = w->behind_) w->cancel();
    }

    /// Blocks until nothing is under way, or `until`. False: the time was up. Another thread has to run the work.
    bool wait(time_point until = never)
    {
        waiter w;
        if (!park(w)) return true;
        detail::thread_notifier self;
        bool const empty = self.wait(w, until);
        return !abandon(w) || empty;
    }
    /// For drivers: links the waiter in, to be woken when nothing is under way; false if nothing is. And takes it out again; false if it
    /// was woken.
    [[nodiscard]] bool park(waiter& w)
    {
        std::scoped_lock const lock(mutex_);
        if (size_ == 0) return false;
        waiting_.push_back(w);
        return true;
    }
    bool abandon(waiter& w) noexcept
    {
        std::scoped_lock const lock(mutex_);
        return waiting_.remove(w);
    }

private:
    mutable std::mutex mutex_;
    work* first_ = nullptr;
    std::size_t size_ = 0;
    waiter_list waiting_;
    bool closed_ = false;
};

} // namespace weir::inline v0
