// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/core/park.hpp>
#include <weir/core/result.hpp>
#include <weir/core/scope.hpp>

#include <atomic>
#include <cstdint>
#include <mutex>

namespace weir::inline v0 {

class errand_list;

/// The inside of a call on its way to another thread and back: what a detour, such as `isolate`, is handed. It has a copy of the request
/// and of the facets, and the call's deadline. Two share it: the call, which waits, and whoever runs it; each may be gone before the other.
///
/// Who takes one calls `run` once, or `refuse` once, and then `release`. A pipeline makes it; it lies in one piece of memory.
class errand {
public:
    /// How it went, for statistics.
    enum class ending : std::uint8_t {
        returned,    ///< it ran, and its call was told
        left_behind, ///< it ran, but its call had gone: what came of it is dropped
        expired,     ///< it did not run: the call's deadline had passed
        abandoned,   ///< it did not run: its call had gone
    };

    errand(errand const&) = delete;
    errand& operator=(errand const&) = delete;

    /// Runs the inside on this thread, unless nobody wants it any more, then `before_told()`, and wakes the call: whoever wants the thread
    /// next finds it free.
    template<class Before>
    ending run(Before before_told) noexcept
    {
        {
            std::lock_guard const lock(mutex_);
            if (left_) {
                before_told();
                return ending::abandoned;
            }
        }
        bool const ran = carry_out();
        before_told();
        bool const told = end();
        tidy_up();
        return !ran ? ending::expired : told ? ending::returned : ending::left_behind;
    }
    /// It will not run: its call gets this error.
    void refuse(error why) noexcept
    {
        fail(why);
        static_cast<void>(end());
    }
    /// Asks the inside to end soon, if it can be asked: a coroutine can. From any thread.
    void cancel() noexcept
    {
        std::lock_guard const lock(mutex_);
        if (running_ != nullptr) running_->cancel();
    }
    /// Gives up one of the two shares; with the second it is gone.
    void release() noexcept
    {
        if (shares_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
    }

    /// For detours: whose it is; whatever they like.
    void belongs_to(void* owner) noexcept { owner_ = owner; }
    [[nodiscard]] void* owner() const noexcept { return owner_; }

    /// For the call: says whom to wake.
    void goes_for(waiter& caller) noexcept { caller_ = &caller; }
    /// For the call: it waits no more. False if it was woken, or is about to be.
    bool leave() noexcept
    {
        std::lock_guard const lock(mutex_);
        caller_ = nullptr;
        if (done_) return false;
        left_ = true;
        if (running_ != nullptr) running_->cancel();
        return true;
    }

protected:
    errand() = default;
    virtual ~errand() = default;
    /// For drivers: what `cancel` cancels from now on; null: nothing. False if its call has gone already.
    bool runs_as(work* inside) noexcept
    {
        std::lock_guard const lock(mutex_);
        running_ = inside;
        return !left_;
    }

private:
    friend class errand_list;

    /// Runs the inside and keeps what comes of it; false if the deadline has passed.
    virtual bool carry_out() noexcept = 0;
    virtual void fail(error why) noexcept = 0;
    /// Runs what the inside has begun and left to itself, after its call was told.
    virtual void tidy_up() noexcept = 0;
    bool end() noexcept
    {
        std::lock_guard const lock(mutex_);
        done_ = true;
        running_ = nullptr;
        if (caller_ != nullptr) caller_->wake(); // under the lock: one that leaves meanwhile finds it done
        return !left_;
    }

    std::mutex mutex_;
    waiter* caller_ = nullptr;
    work* running_ = nullptr;
    bool done_ = false;
    bool left_ = false;
    std::atomic<std::uint8_t> shares_{2};
    void* owner_ = nullptr;
    errand_list* in_ = nullptr;
    errand* before_; // these two mean something while it is in a list
    errand* behind_;
};

/// Errands in the order in which they came. Guarded by the lock of whoever holds it; it owns nothing.
class errand_list {
public:
    errand_list() = default;
    errand_list(errand_list const&) = delete; // errands know where they are
    errand_list& operator=(errand_list const&) = delete;
    [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }
    void push_back(errand& e) noexcept
    {
        e.before_ = last_;
        e.behind_ = nullptr;
        (last_ != nullptr ? last_->behind_ : first_) = &e;
        last_ = &e;
        e.in_ = this;
    }
    /// Takes the errand out; false if it was not in.
    bool remove(errand& e) noexcept
    {
        if (e.in_ != this) return false;
        (e.before_ != nullptr ? e.before_->behind_ : first_) = e.behind_;
        (e.behind_ != nullptr ? e.behind_->before_ : last_) = e.before_;
        e.in_ = nullptr;
        return true;
    }
    /// Takes the oldest out; null if there is none.
    errand* pop_front() noexcept
    {
        errand* const e = first_;
        if (e != nullptr) remove(*e);
        return e;
    }
    template<class F>
    void for_each(F f)
    {
        for (errand* e = first_; e != nullptr; e = e->behind_) f(*e);
    }

private:
    errand* first_ = nullptr;
    errand* last_ = nullptr;
};

} // namespace weir::inline v0
