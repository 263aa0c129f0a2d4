// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/asio/detail/wait.hpp>
#include <weir/asio/timer_wheel.hpp>
#include <weir/testing/manual_clock.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <exception>
#include <utility>

namespace weir::inline v0 {

/// Runs coroutines in virtual time, on one thread: whenever all of them wait, the clock goes on to the next alarm.
/// ```cpp
/// weir::simulation world;
/// weir::pipeline svc{weir::timed_by{std::ref(world.clock())}, weir::timeout{200ms}, [&](int) -> asio::awaitable<int> {
///     co_await world.sleep(1h);
///     co_return 1;
/// }};
/// auto const caller = [&]() -> asio::awaitable<void> { CHECK((co_await svc(1)).error() == weir::errc::deadline_exceeded); };
/// world.spawn(caller());
/// world.run();
/// ```
/// Alarms are up to a tick of the timer wheel late, about a millisecond, and never early.
class simulation {
public:
    simulation() : wheel_(boost::asio::use_service<timer_wheel>(context_)) { wheel_.drive_by_hand(); }
    simulation(simulation const&) = delete;
    simulation& operator=(simulation const&) = delete;

    [[nodiscard]] manual_clock& clock() noexcept { return clock_; }
    [[nodiscard]] boost::asio::io_context& context() noexcept { return context_; }

    /// Starts a coroutine; what it throws comes out of `run`. A lambda that captures has to outlive the coroutine that it returns.
    template<class T>
    void spawn(boost::asio::awaitable<T> work, boost::asio::cancellation_slot slot = {})
    {
        boost::asio::co_spawn(context_, std::move(work), boost::asio::bind_cancellation_slot(slot, ended{}));
    }

    /// Runs until nothing is left to do: all have ended, or wait for what no alarm will bring.
    void run() { run_until(never); }
    /// Runs what happens in the next span of time.
    void run_for(duration d) { run_until(after(clock_.now(), d)); }
    /// Runs what happens until then; the clock stands at `end` afterwards, unless that is `never`.
    void run_until(time_point end)
    {
        for (;;) {
            context_.restart();
            context_.poll();
            time_point const next = wheel_.next();
            if (next == never || next > end) break;
            clock_.set(next);
            wheel_.advance(clock_.now());
        }
        if (end != never) clock_.set(end);
    }

    /// Does the next thing: runs a handler that is ready, or else moves the clock on to the next alarm. False: nothing is left to do. For who
    /// wants to cancel, or to destroy the simulation, at each step of a run.
    bool step()
    {
        context_.restart();
        if (context_.poll_one() != 0) return true;
        time_point const next = wheel_.next();
        if (next == never) return false;
        clock_.set(next);
        wheel_.advance(clock_.now());
        return true;
    }

    /// Sleeps in virtual time. Throws `operation_aborted` if the coroutine is cancelled meanwhile.
    [[nodiscard]] boost::asio::awaitable<void> sleep(duration d)
    {
        auto const state = co_await boost::asio::this_coro::cancellation_state;
        co_await sleep(d, state.slot());
    }
    /// The same for a handler that binds a slot to its operations; one that is not connected cannot be cancelled.
    [[nodiscard]] boost::asio::awaitable<void> sleep(duration d, boost::asio::cancellation_slot slot)
    {
        detail::wait waiting;
        time_point const now = clock_.now();
        co_await waiting(nullptr, now, after(now, d))(boost::asio::bind_cancellation_slot(slot, boost::asio::use_awaitable));
        if (slot.is_connected()) slot.clear();
        if (waiting.finish() == detail::wait_end::cancelled)
            throw boost::system::system_error(boost::asio::error::make_error_code(boost::asio::error::operation_aborted));
    }

private:
    struct ended {
        template<class... Value>
        void operator()(std::exception_ptr thrown, Value&&...) const
        {
            if (thrown != nullptr) std::rethrow_exception(thrown);
        }
    };

    manual_clock clock_;
    boost::asio::io_context context_{1};
    timer_wheel& wheel_;
};

} // namespace weir::inline v0
