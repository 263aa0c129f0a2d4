// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/handler.hpp>

#include <boost/asio/cancellation_signal.hpp>

namespace weir::inline v0 {

/// The facet of a handler that binds the call's own cancellation to its operations:
/// ```cpp
/// awaitable<quote> fetch(quote_request const& r, weir::view<weir::cancellation> v)
/// {
///     auto const token = asio::bind_cancellation_slot(v.get<weir::cancellation>().slot, asio::use_awaitable);
///     co_await timer.async_wait(token);
/// }
/// ```
/// A timeout then costs an entry in the timer wheel and nothing else. What the handler does not bind is not cancelled.
struct cancellation {
    boost::asio::cancellation_slot slot{};
};

} // namespace weir::inline v0
