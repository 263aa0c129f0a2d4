// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/asio/driver.hpp>
#include <weir/core/laws.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

namespace weir::inline v0 {

/// Makes a pipeline asynchronous around a handler that is not: `asynchronous{f}`. The pipeline may then hold policies that wait or ask
/// elsewhere, and gives an awaitable; `f` itself runs on the call's executor, without a frame of its own, and nothing interrupts it.
template<class Handler, class Executor = boost::asio::any_io_executor>
struct asynchronous {
    [[no_unique_address]] Handler handler;
    using weir_wraps = Handler;
    using weir_awaits = boost::asio::awaitable<void, Executor>;
    static constexpr bool weir_is_idempotent = detail::is_idempotent<Handler>;
};
template<class Handler>
asynchronous(Handler) -> asynchronous<Handler>;

} // namespace weir::inline v0
