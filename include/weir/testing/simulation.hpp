// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/asio/driver.hpp>
#include <weir/asio/timer_wheel.hpp>
#include <weir/testing/detail/exact_alarms.hpp>
#include <weir/testing/detail/ready_queue.hpp>
#include <weir/testing/detail/sleep.hpp>
#include <weir/testing/manual_clock.hpp>
#include <weir/testing/schedule.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <exception>
#include <memory>
#include <utility>

namespace weir::inline v0 {

/// Which of several handlers that are ready runs next.
enum class ready_order {
    first_come_first_served,
    drawn ///< any of them, by the schedule's draws: other interleavings with each seed
};

/// Runs coroutines in virtual time, on one thread: whenever all of them wait, the clock goes on to the next alarm, to the nanosecond.
/// ```cpp
/// weir::schedule s(42);
/// weir::pipeline svc{weir::timed_by{std::ref(s.clock())}, weir::timeout{200ms}, [&](int) -> asio::awaitable<int> {
///     co_await weir::sleep(s, 1h);
///     co_return 1;
/// }};
/// auto const caller = [&]() -> asio::awaitable<void> { CHECK((co_await svc(1)).error() == weir::errc::deadline_exceeded); };
/// weir::simulation world(s);
/// world.spawn(caller());
/// world.run();
/// ```
/// It is declared last: when it is destroyed, what still runs is destroyed, too, and may use what was made before. One thread runs
/// all: policies that have threads of their own (`isolate`) do not fit.
class simulation {
public:
    /// With a clock of its own, first come first served.
    simulation() : simulation(std::make_unique<weir::schedule>()) {}
    /// In the time, and by the draws, of a schedule, which outlives it.
    explicit simulation(weir::schedule& s, ready_order order = ready_order::drawn)
        : schedule_(s),
          wheel_(boost::asio::use_service<timer_wheel>(context_)),
          ready_(boost::asio::use_service<detail::ready_queue>(context_)),
          order_(order)
    {
        wheel_.drive_by_hand(std::make_unique<detail::exact_alarms>());
    }
    simulation(simulation const&) = delete;
    simulation& operator=(simulation const&) = delete;

    [[nodiscard]] manual_clock& clock() noexcept { return schedule_.clock(); }
    [[nodiscard]] weir::schedule& schedule() noexcept { return schedule_; }
    [[nodiscard]] boost::asio::io_context& context() noexcept { return context_; }
    /// What `spawn` runs on. What is posted to the context itself comes after all that is ready here.
    template<class Executor = boost::asio::any_io_executor>
    [[nodiscard]] Executor executor()
    {
        if (order_ == ready_order::drawn) return detail::ready_queue::executor(ready_);
        return context_.get_executor();
    }

    /// Starts a coroutine; what it throws comes out of `run`. A lambda that captures has to outlive the coroutine that it returns.
    template<class T>
    void spawn(boost::asio::awaitable<T> work, boost::asio::cancellation_slot slot = {})
    {
        boost::asio::co_spawn(executor(), std::move(work), boost::asio::bind_cancellation_slot(slot, ended{}));
    }

    /// Runs until nothing is left to do: all have ended, or wait for what no alarm will bring; or until the schedule has failed.
    void run() { run_until(never); }
    /// Runs what happens in the next span of time.
    void run_for(duration d) { run_until(after(clock().now(), d)); }
    /// Runs what happens until then; the clock stands at `end` afterwards, unless that is `never`.
    void run_until(time_point end)
    {
        for (;;) {
            while (run_ready())
                if (schedule_.has_failed()) return;
            time_point const next = wheel_.next();
            if (next == never || next > end) break;
            move_on(next);
        }
        if (end != never) clock().set(end);
    }

    /// Does the next thing: runs a handler that is ready, or else moves the clock on to the next alarm. False: nothing is left to do. For
    /// who wants to cancel, or to destroy the simulation, at each step of a run.
    bool step()
    {
        if (run_ready()) return true;
        time_point const next = wheel_.next();
        if (next == never) return false;
        move_on(next);
        return true;
    }

    /// Sleeps in virtual time. Throws `operation_aborted` if the coroutine is cancelled meanwhile.
    template<class T = void>
    [[nodiscard]] boost::asio::awaitable<T> sleep(duration d)
    {
        return detail::wait_for<waiter>(nullptr, clock().now(), after(clock().now(), d));
    }
    /// The same for a handler that binds a slot to its operations; one that is not connected cannot be cancelled.
    template<class T = void>
    [[nodiscard]] boost::asio::awaitable<T> sleep(duration d, boost::asio::cancellation_slot slot)
    {
        return detail::wait_for<waiter>(nullptr, clock().now(), after(clock().now(), d), slot);
    }

private:
    struct ended {
        template<class... Value>
        void operator()(std::exception_ptr thrown, Value&&...) const
        {
            if (thrown != nullptr) std::rethrow_exception(thrown);
        }
    };
    explicit simulation(std::unique_ptr<weir::schedule> own) : simulation(*own, ready_order::first_come_first_served)
    {
        own_ = std::move(own);
    }
    bool run_ready()
    {
        if (!ready_.empty()) {
            ready_.run_one(schedule_.draws());
            return true;
        }
        context_.restart();
        return context_.poll_one() != 0;
    }
    void move_on(time_point to)
    {
        clock().set(to);
        wheel_.advance(clock().now());
    }

    std::unique_ptr<weir::schedule> own_;
    weir::schedule& schedule_;
    boost::asio::io_context context_{1};
    timer_wheel& wheel_;
    detail::ready_queue& ready_;
    ready_order order_;
};

/// Sleeps in the virtual time of the schedule, in whatever simulation the coroutine runs; for handlers that are made before it.
template<class T = void>
[[nodiscard]] boost::asio::awaitable<T> sleep(schedule const& s, duration d)
{
    return detail::wait_for<waiter>(nullptr, s.now(), after(s.now(), d));
}

} // namespace weir::inline v0
