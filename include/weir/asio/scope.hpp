// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/asio/detail/spawned_work.hpp>
#include <weir/asio/detail/wait.hpp>
#include <weir/core/admission.hpp>
#include <weir/core/clock.hpp>
#include <weir/core/scope.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>
#include <memory>
#include <utility>

namespace weir::inline v0 {

/// Runs `what` in the scope, on a serial executor: for work of your own that outlives its call, such as the release of a remote permit
/// after a cancellation. What it throws is dropped. False if the scope is closed: then nothing was begun.
template<class Executor, class T>
bool spawn(scope& in, Executor const& executor, boost::asio::awaitable<T, Executor> what)
{
    auto const job = std::make_shared<detail::spawned_work<Executor, pass>>(in, executor);
    if (!job->begin()) return false;
    job->run(std::move(what), [](auto&, std::exception_ptr) {});
    return true;
}

/// Closes the scope and waits until its work has ended; what still runs after `patience` is cancelled, and waited for. True if nothing had
/// to be cancelled. Cancelled itself, it throws `operation_aborted`.
template<class Clock = steady>
boost::asio::awaitable<bool> drain(scope& s, duration patience, Clock const& clock = {})
{
    s.close();
    bool in_time = true;
    waiter w;
    struct leave {
        scope& from;
        waiter& who;
        ~leave() { from.abandon(who); }
    };
    while (s.park(w)) {
        leave const guard{s, w};
        detail::wait waiting;
        time_point const now = clock.now();
        auto const cancelling = co_await boost::asio::this_coro::cancellation_state;
        co_await waiting(&w, now, in_time ? after(now, patience) : never)(
            boost::asio::bind_cancellation_slot(cancelling.slot(), boost::asio::use_awaitable));
        if (cancelling.slot().is_connected()) cancelling.slot().clear();
        detail::wait_end const end = waiting.finish();
        w.detach();
        if (end == detail::wait_end::cancelled) throw boost::system::system_error(boost::asio::error::operation_aborted);
        if (end == detail::wait_end::woken) break;
        in_time = false;
        s.cancel();
    }
    co_return in_time;
}

} // namespace weir::inline v0
