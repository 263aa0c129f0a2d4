// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/asio/driver.hpp>

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
};
template<class Handler>
asynchronous(Handler) -> asynchronous<Handler>;

} // namespace weir::inline v0
