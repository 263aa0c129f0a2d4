// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/asio/detail/alarms.hpp>
#include <weir/asio/detail/wheel_levels.hpp>
#include <weir/core/clock.hpp>
#include <weir/core/striped.hpp>

#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/query.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

namespace weir::inline v0 {

/// The alarms of an execution context: deadlines and sleeps of its calls, in shards by thread, so that arming and disarming touch no
/// timer of the system. A tick is 2^20 ns, about a millisecond; an alarm is never early. One thread, started by the first
/// alarm, waits for the next one that is due, and only that; it counts as no work of the context.
///
/// Thread-safe. Arming and disarming cost some ten nanoseconds; waking the thread, when an alarm is earlier than all, a system call.
class timer_wheel : public boost::asio::execution_context::service {
public:
    static inline boost::asio::execution_context::id id;
    using key_type = timer_wheel;
    using entry = detail::wheel_entry;

    explicit timer_wheel(boost::asio::execution_context& owner) : service(owner) {}

    /// `e.expire` will be called once at `at`, which may be `never`, or up to a tick and a thread's wake-up later, unless it is disarmed.
    void arm(entry& e, time_point now, time_point at)
    {
        if (book_ != nullptr) [[unlikely]]
            return arm_in_book(e, at);
        unsigned const index = detail::thread_number::current() % shards;
        shard& mine = shards_[index];
        e.shard = static_cast<std::uint8_t>(index);
        e.tick = tick_not_before(at);
        e.state.store(entry::armed, std::memory_order_relaxed);
        {
            std::lock_guard lock(mine.mutex);
            mine.levels.link(e, tick_of(now));
        }
        if (e.tick < wake_at_.load(std::memory_order_relaxed) && at != never && !by_hand_) [[unlikely]]
            wake();
    }
    /// True if it had not expired. Else `expire` has returned by now.
    bool disarm(entry& e) noexcept
    {
        if (book_ != nullptr) [[unlikely]]
            return disarm_in_book(e);
        {
            std::lock_guard lock(shards_[e.shard].mutex);
            if (e.state.load(std::memory_order_relaxed) == entry::armed) {
                shards_[e.shard].levels.unlink(e);
                e.state.store(entry::idle, std::memory_order_relaxed);
                return true;
            }
        }
        while (e.state.load(std::memory_order_acquire) == entry::expiring) std::this_thread::yield();
        return e.state.load(std::memory_order_relaxed) == entry::idle;
    }

    /// From now on no thread runs: whoever drives the time calls `advance`. For simulations; called before the first alarm.
    void drive_by_hand() noexcept { by_hand_ = true; }
    /// The same, and `book` keeps the alarms, such as one that knows their times to the nanosecond.
    void drive_by_hand(std::unique_ptr<detail::alarms> book) noexcept
    {
        by_hand_ = true;
        book_ = std::move(book);
    }
    /// Expires what is due at `now`.
    void advance(time_point now) noexcept
    {
        if (book_ != nullptr) return book_->advance(now);
        for (shard& each : shards_) {
            entry* due = nullptr;
            {
                std::lock_guard lock(each.mutex);
                each.levels.advance(tick_of(now), [&](entry& e) {
                    e.state.store(entry::expiring, std::memory_order_relaxed);
                    e.behind = due;
                    due = &e;
                });
            }
            while (due != nullptr) {
                entry& e = *due;
                due = e.behind;
                e.expire(e);
                e.state.store(entry::expired, std::memory_order_release); // its owner may free it from here on
            }
        }
    }
    /// Keeps what nobody will run any more until the context ends: a coroutine that was posted to a strand which is shut down must not be
    /// destroyed by whoever posts it, who may hold a lock that its end wants.
    template<class T>
    void bury(T&& remains) noexcept
    {
        struct kept final : grave {
            explicit kept(T&& r) : what(std::move(r)) {}
            T what;
        };
        std::lock_guard lock(mutex_);
        if (ended_) return; // nobody can hold such a lock now
        auto made = std::make_unique<kept>(std::move(remains));
        made->next = std::move(graves_);
        graves_ = std::move(made);
    }
    /// When `advance` has to be called next; `never` if nothing is armed.
    [[nodiscard]] time_point next() noexcept
    {
        if (book_ != nullptr) return book_->next();
        std::uint64_t tick = detail::wheel_levels::nothing;
        for (shard& each : shards_) {
            std::lock_guard lock(each.mutex);
            tick = std::min(tick, each.levels.next());
        }
        return time_of(tick);
    }

private:
    struct grave {
        grave() = default;
        grave(grave const&) = delete;
        grave& operator=(grave const&) = delete;
        virtual ~grave() = default;
        std::unique_ptr<grave> next{};
    };

    static constexpr unsigned shards = 8;
    static constexpr unsigned tick_bits = 20;

    struct alignas(128) shard {
        /// Held for a few instructions, and hardly ever wanted by two threads at once.
        class lock_type {
        public:
            void lock() noexcept
            {
                while (taken_.exchange(true, std::memory_order_acquire)) std::this_thread::yield();
            }
            void unlock() noexcept { taken_.store(false, std::memory_order_release); }

        private:
            std::atomic<bool> taken_{false};
        } mutex;
        detail::wheel_levels levels;
    };

    static std::uint64_t tick_of(time_point t) noexcept { return static_cast<std::uint64_t>(t.time_since_epoch().count()) >> tick_bits; }
    static std::uint64_t tick_not_before(time_point t) noexcept
    {
        return (static_cast<std::uint64_t>(t.time_since_epoch().count()) + ((1u << tick_bits) - 1)) >> tick_bits;
    }
    static time_point time_of(std::uint64_t tick) noexcept
    {
        return tick >= (static_cast<std::uint64_t>(never.time_since_epoch().count()) >> tick_bits)
                   ? never
                   : time_point{duration{static_cast<std::int64_t>(tick << tick_bits)}};
    }

    // Out of line: inlined, they cost those who do not want them fifty instructions.
    [[gnu::noinline, gnu::cold]] void arm_in_book(entry& e, time_point at) { book_->arm(e, at); }
    [[gnu::noinline, gnu::cold]] bool disarm_in_book(entry& e) noexcept { return book_->disarm(e); }
    [[gnu::noinline, gnu::cold]] void wake()
    {
        std::lock_guard lock(mutex_);
        scan_again_ = true;
        if (!thread_.joinable() && !stopped_) thread_ = std::thread([this] { run(); });
        changed_.notify_one();
    }
    void run()
    {
        std::unique_lock lock(mutex_);
        while (!stopped_) {
            scan_again_ = false;
            // Whoever arms during the scan, maybe in a shard already passed, finds this and wakes us again.
            wake_at_.store(detail::wheel_levels::nothing, std::memory_order_relaxed);
            lock.unlock();
            advance(steady::now());
            time_point const due = next();
            lock.lock();
            if (scan_again_ || stopped_) continue;
            wake_at_.store(due == never ? detail::wheel_levels::nothing : tick_of(due), std::memory_order_relaxed);
            auto const changed = [this] { return scan_again_ || stopped_; };
            if (due == never)
                changed_.wait(lock, changed);
            else
                changed_.wait_until(lock, due, changed);
        }
    }
    void shutdown() noexcept override
    {
        {
            std::lock_guard lock(mutex_);
            stopped_ = true;
            changed_.notify_one();
        }
        if (thread_.joinable()) thread_.join();
        // The context ends: what still waits is given up, so that the coroutines in whose frames it lies are destroyed.
        auto const give_up = [](entry& e) {
            e.state.store(entry::idle, std::memory_order_relaxed);
            if (e.abandon != nullptr) e.abandon(e);
        };
        for (shard& each : shards_) each.levels.drain(give_up);
        if (book_ != nullptr) book_->drain(give_up);
        for (bool more = true; more;) {
            std::unique_ptr<grave> next;
            {
                std::lock_guard lock(mutex_);
                if (graves_ != nullptr) next = std::exchange(graves_, std::move(graves_->next));
                ended_ = next == nullptr;
            }
            more = next != nullptr;
        }
    }

    std::array<shard, shards> shards_;
    std::atomic<std::uint64_t> wake_at_{detail::wheel_levels::nothing};
    bool by_hand_ = false;
    std::unique_ptr<detail::alarms> book_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool scan_again_ = false;
    bool stopped_ = false;
    bool ended_ = false;
    std::unique_ptr<grave> graves_;
    std::thread thread_;
};

namespace detail {
template<class Executor>
timer_wheel& wheel_of(Executor const& executor)
{
    return boost::asio::use_service<timer_wheel>(boost::asio::query(executor, boost::asio::execution::context));
}
} // namespace detail

} // namespace weir::inline v0
