// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/admission.hpp>
#include <weir/core/clock.hpp>
#include <weir/core/detail/owner.hpp>
#include <weir/core/errand.hpp>
#include <weir/core/result.hpp>
#include <weir/resilience/errand_queue.hpp>

#include <atomic>
#include <concepts>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <thread>
#include <utility>

namespace weir::inline v0 {

/// What has come of the errands of one owner. Any thread may read it.
struct errand_tally {
    std::atomic<std::uint64_t> returned{0}, left_behind{0}, expired{0}, abandoned{0}, refused{0};
    void count(errand::ending how) noexcept
    {
        auto& kind = how == errand::ending::returned      ? returned
                     : how == errand::ending::left_behind ? left_behind
                     : how == errand::ending::expired     ? expired
                                                          : abandoned;
        kind.fetch_add(1, std::memory_order_relaxed);
    }
};

/// Threads that run the errands of one or more `isolate` policies, and a bounded queue before them. All threads begin with the pool; its
/// end refuses what waits with `errc::unavailable`, cancels the coroutines among what runs, and waits for the rest.
///
/// An errand costs a lock on its way in and two on its way out; nothing is allocated for one that waits. A handler that runs in a pool must
/// not make a synchronous call that runs in the same pool: all threads could come to wait for a thread. Thread-safe.
class worker_pool {
public:
    using options = worker_pool_options;

    /// Throws `std::invalid_argument` that names the member, or `std::system_error` if the system has no more threads. A template, as
    /// `reconfigure` is: a file that makes no pool does not compile the start of a `std::thread`.
    template<std::same_as<options> O = options>
    explicit worker_pool(O const& o) : queue_(o)
    {
        try {
            start_threads<std::thread>();
        } catch (...) {
            end();
            throw;
        }
    }
    worker_pool(worker_pool const&) = delete;
    worker_pool& operator=(worker_pool const&) = delete;
    ~worker_pool() { end(); }

    /// Whether an errand would be refused: what it said a moment ago, without a lock.
    [[nodiscard]] bool is_full() const noexcept { return full_.load(std::memory_order_relaxed); }
    /// Why: `errc::bulkhead_full`, or `errc::unavailable` if the pool takes nothing any more.
    [[nodiscard]] errc why_full() const noexcept
    {
        return closed_.load(std::memory_order_relaxed) ? errc::unavailable : errc::bulkhead_full;
    }
    /// Takes the errand of a tally in, or refuses it.
    [[nodiscard]] admission<> launch(errand& e, errand_tally& owner)
    {
        e.belongs_to(&owner);
        {
            std::lock_guard const lock(mutex_);
            if (closed_.load(std::memory_order_relaxed) || !queue_.push(e)) return why_full();
            says_if_full();
        }
        wake_.notify_one();
        return admitted;
    }
    /// The call of this errand has left: if it waits, it will not run.
    void recall(errand& e) noexcept
    {
        {
            std::lock_guard const lock(mutex_);
            if (!queue_.recall(e)) return;
            says_if_full();
        }
        static_cast<errand_tally*>(e.owner())->count(errand::ending::abandoned);
        e.release();
    }
    /// Blocks until no errand of this owner runs.
    void wait_for(errand_tally const& owner) noexcept
    {
        std::unique_lock lock(mutex_);
        ended_.wait(lock, [&] {
            bool runs = false;
            queue_.for_each_running([&](errand const& e) { runs = runs || e.owner() == &owner; });
            return !runs;
        });
    }

    /// Takes nothing more, refuses what waits, and asks what runs to end soon. Does not wait.
    void stop() noexcept
    {
        for (;;) {
            errand* next = nullptr;
            {
                std::lock_guard const lock(mutex_);
                close();
                next = queue_.recall_any();
                if (next == nullptr) {
                    queue_.for_each_running([](errand& e) { e.cancel(); });
                    return;
                }
                // Under the lock: its call may leave now, and its pipeline end.
                static_cast<errand_tally*>(next->owner())->refused.fetch_add(1, std::memory_order_relaxed);
            }
            next->refuse(errc::unavailable);
            next->release();
        }
    }
    /// Takes nothing more, and blocks until all that it has taken has run, or `until`; then it stops. True if all has run.
    bool drain(time_point until = never)
    {
        {
            std::unique_lock lock(mutex_);
            close();
            auto const empty = [this] { return queue_.is_empty(); };
            if (until == never) {
                ended_.wait(lock, empty);
                return true;
            }
            if (ended_.wait_until(lock, until, empty)) return true;
        }
        stop();
        return false;
    }

    struct stats_type {
        std::uint64_t active = 0;
        std::uint64_t queued = 0;
        std::uint64_t largest = 0;        ///< the most that ran at a time
        std::uint64_t largest_queued = 0; ///< the most that were left waiting
    };
    [[nodiscard]] stats_type stats() const
    {
        std::lock_guard const lock(mutex_);
        return {queue_.active(), queue_.queued(), queue_.largest(), queue_.largest_queued()};
    }
    [[nodiscard]] options settings() const
    {
        std::lock_guard const lock(mutex_);
        return queue_.settings();
    }
    /// Other bounds from now on: what runs and what waits stays. Threads that are too many sleep. Throws, and changes nothing, as the
    /// constructor.
    template<std::same_as<options> O = options>
    void reconfigure(O const& o)
    {
        std::lock_guard const one_at_a_time(threads_mutex_);
        options const before = settings();
        {
            std::lock_guard const lock(mutex_);
            queue_.reconfigure(o);
            says_if_full();
        }
        try {
            start_threads<std::thread>();
        } catch (...) {
            std::lock_guard const lock(mutex_);
            queue_.reconfigure(before);
            says_if_full();
            throw;
        }
        wake_.notify_all();
    }

private:
    struct worker {
        std::thread thread;
        detail::owner<worker> before;
    };

    template<class Thread>
    void start_threads()
    {
        for (; threads_ < *settings().core_size; ++threads_) {
            detail::owner<worker> fresh(new worker);
            fresh->thread = Thread([this] { work(); });
            fresh->before = std::move(last_);
            last_ = std::move(fresh);
        }
    }
    void end() noexcept
    {
        stop();
        {
            std::lock_guard const lock(mutex_);
            over_ = true;
        }
        wake_.notify_all();
        for (worker* each = last_.get(); each != nullptr; each = each->before.get()) each->thread.join();
    }
    void close() noexcept
    {
        closed_.store(true, std::memory_order_relaxed);
        full_.store(true, std::memory_order_relaxed);
    }
    void says_if_full() noexcept
    {
        if (!closed_.load(std::memory_order_relaxed)) full_.store(!queue_.has_room(), std::memory_order_relaxed);
    }
    void work()
    {
        std::unique_lock lock(mutex_);
        for (;;) {
            errand* const mine = queue_.begin();
            if (mine == nullptr) {
                if (over_) return;
                wake_.wait(lock);
                continue;
            }
            says_if_full();
            lock.unlock();
            static_cast<errand_tally*>(mine->owner())->count(mine->run([this] {
                std::lock_guard const again(mutex_);
                queue_.free();
                says_if_full();
            }));
            lock.lock();
            queue_.end(*mine);
            ended_.notify_all(); // without a listener it costs a load
            lock.unlock();
            mine->release(); // what lies in it may take its time to end
            lock.lock();
        }
    }

    mutable std::mutex mutex_;
    std::condition_variable wake_;
    std::condition_variable ended_;
    errand_queue queue_;
    std::atomic<bool> full_{false};
    std::atomic<bool> closed_{false};
    bool over_ = false;
    std::mutex threads_mutex_;
    std::size_t threads_ = 0;
    detail::owner<worker> last_;
};

} // namespace weir::inline v0
