// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/asio/detail/wait.hpp>
#include <weir/core/clock.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <concepts>

namespace weir::inline v0::detail {

// Templates, though of nothing: else every file that includes this pays for Asio's templates within.

/// Waits until `w` is woken, if there is one, or until then. Throws `operation_aborted` if the slot is told to cancel first.
template<std::same_as<waiter> Waiter>
boost::asio::awaitable<void> wait_for(Waiter* w, time_point now, time_point until, boost::asio::cancellation_slot slot)
{
    wait waiting;
    co_await waiting(w, now, until)(boost::asio::bind_cancellation_slot(slot, boost::asio::use_awaitable));
    if (slot.is_connected()) slot.clear();
    if (waiting.finish() == wait_end::cancelled)
        throw boost::system::system_error(boost::asio::error::make_error_code(boost::asio::error::operation_aborted));
}
/// The same, cancelled with the coroutine.
template<std::same_as<waiter> Waiter>
boost::asio::awaitable<void> wait_for(Waiter* w, time_point now, time_point until)
{
    boost::asio::cancellation_state const state = co_await boost::asio::this_coro::cancellation_state;
    co_await wait_for(w, now, until, state.slot());
}

} // namespace weir::inline v0::detail
