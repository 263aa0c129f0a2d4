// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/admission.hpp>
#include <weir/core/striped.hpp>
#include <weir/core/wait_queue.hpp>

#include <cstdint>
#include <mutex>
#include <utility>

namespace weir::inline v0::detail {

/// Places for calls at the same time, and the queue of those that wait for one: what `bulkhead`, `concurrency_limit` and
/// `adaptive_limit` are made of. Two atomic operations a call while nobody waits; a place that comes free is handed to whom the queue
/// names, without ever being free.
template<class Queue, threading_model Threading>
class turnstile {
public:
    turnstile(std::uint32_t count, wait_bounds const& bounds, Queue queue)
        : word_(std::uint64_t{0}), count_(count), queue_(std::move(queue)), bounds_(bounds)
    {
    }

    [[gnu::always_inline]] auto admit(auto& call, waiter& w) -> admission<>
    {
        std::uint64_t seen = word_.load();
        while (seen < count_.load()) // also says that nobody waits: waiters are counted above the places
            if (word_.replace(seen, seen + 1)) [[likely]]
                return admitted;
        if constexpr (requires { queue_.mark(call, w); }) queue_.mark(call, w);
        return admit_when_full(call.now(), w);
    }
    /// What a call that was woken hears: that it has a place, or that the queue gave it up.
    [[nodiscard]] auto resume(waiter const& w) noexcept -> admission<>
    {
        if (w.note.refused) return gave_up();
        return admitted;
    }
    bool abandon(waiter& w) noexcept
    {
        std::lock_guard lock(lock_);
        if (!queue_.remove(w)) return false;
        word_.add(-one_waiter);
        return true;
    }
    void decline(waiter const& w) noexcept
    {
        if (!w.note.refused) leave();
    }
    error gave_up() noexcept
    {
        refused_.add();
        return errc::bulkhead_full;
    }
    /// Gives a place back; says how many were taken, this one among them.
    [[gnu::always_inline]] std::uint32_t leave(auto& call) noexcept
    {
        std::uint64_t seen = word_.load();
        while (seen < one_waiter)
            if (word_.replace(seen, seen - 1)) [[likely]]
                return static_cast<std::uint32_t>(seen);
        return leave_to_a_waiter(Queue::reads_time ? call.now() : time_point::min());
    }
    /// The same, without a call to ask for the time: it is as late as anybody knows.
    [[gnu::always_inline]] void leave() noexcept
    {
        std::uint64_t seen = word_.load();
        while (seen < one_waiter)
            if (word_.replace(seen, seen - 1)) [[likely]]
                return;
        leave_to_a_waiter(time_point::min());
    }

    /// Other places from now on: whom they are enough for goes on. Fewer than there are calls inside: they leave, nobody is thrown out.
    void resize(std::uint32_t count, time_point now) noexcept
    {
        std::lock_guard lock(lock_);
        resize_locked(count, now);
    }
    void reconfigure(std::uint32_t count, wait_bounds const& bounds, time_point now = time_point::min()) noexcept
    {
        std::lock_guard lock(lock_);
        bounds_ = bounds;
        resize_locked(count, now);
    }
    /// Calls `f(queue)` under the lock.
    decltype(auto) with_queue(auto&& f)
    {
        std::lock_guard lock(lock_);
        return f(queue_);
    }
    decltype(auto) with_queue(auto&& f) const
    {
        std::lock_guard lock(lock_);
        return f(queue_);
    }

    [[nodiscard]] std::uint32_t count() const noexcept { return static_cast<std::uint32_t>(count_.load()); }
    [[nodiscard]] std::uint32_t inside() const noexcept { return static_cast<std::uint32_t>(word_.load() & inside_mask); }
    [[nodiscard]] std::uint32_t waiting() const noexcept { return static_cast<std::uint32_t>(word_.load() / one_waiter); }
    [[nodiscard]] std::uint64_t refused() const { return refused_.sum(); }
    /// The places and the bounds, of one moment.
    [[nodiscard]] std::pair<std::uint32_t, wait_bounds> settings() const noexcept
    {
        std::lock_guard lock(lock_);
        return {count(), bounds_};
    }

private:
    /// Calls inside in the low 32 bits, calls that wait above.
    static constexpr std::uint64_t one_waiter = std::uint64_t{1} << 32;
    static constexpr std::uint64_t inside_mask = one_waiter - 1;

    // All under the lock: one that gives up meanwhile finds itself out of the queue.
    time_point latest(time_point now) noexcept { return latest_ = now < latest_ ? latest_ : now; }
    void refuse(waiter& w) noexcept
    {
        w.note.refused = true;
        word_.add(-one_waiter);
        w.wake();
    }
    // A place that is counted as taken goes to the next, or comes free.
    void hand_over(time_point now) noexcept
    {
        waiter* const next = queue_.pop(now, [this](waiter& late) noexcept { refuse(late); });
        if (next == nullptr) {
            word_.add(-std::uint64_t{1});
            return;
        }
        word_.add(-one_waiter);
        next->wake();
    }
    void resize_locked(std::uint32_t count, time_point now) noexcept
    {
        count_.store(count);
        while ((word_.load() & inside_mask) < count && !queue_.empty()) {
            word_.add(1);
            hand_over(latest(now));
        }
    }
    [[gnu::noinline, gnu::cold]] std::uint32_t leave_to_a_waiter(time_point now) noexcept
    {
        std::lock_guard lock(lock_);
        std::uint64_t const taken = word_.load() & inside_mask;
        if (queue_.empty() || taken > count_.load())
            word_.add(-std::uint64_t{1});
        else
            hand_over(latest(now));
        return static_cast<std::uint32_t>(taken);
    }
    [[gnu::noinline, gnu::cold]] auto admit_when_full(time_point now, waiter& w) noexcept -> admission<>
    {
        std::lock_guard lock(lock_);
        w.note.since = now = latest(now);
        w.note.refused = false;
        std::uint64_t seen = word_.load();
        for (;;) {
            if (seen < count_.load()) {
                if (word_.replace(seen, seen + 1)) return admitted;
            } else if (bounds_.max_wait.count() == 0 || bounds_.max_waiting == 0) {
                return gave_up();
            } else if (seen / one_waiter >= bounds_.max_waiting) {
                waiter* const goes = queue_.make_room(w, bounds_.max_waiting);
                if (goes == nullptr) return gave_up();
                refuse(*goes);
                seen = word_.load();
            } else if (word_.replace(seen, seen + one_waiter)) {
                return park_until{after(now, queue_.push(w, now, bounds_.max_wait))};
            }
        }
    }

    typename Threading::template cell<std::uint64_t> word_;
    typename Threading::template cell<std::uint64_t> count_;
    counter<Threading> refused_;
    mutable typename Threading::mutex lock_;
    Queue queue_;
    wait_bounds bounds_;
    time_point latest_ = time_point::min();
};

} // namespace weir::inline v0::detail
