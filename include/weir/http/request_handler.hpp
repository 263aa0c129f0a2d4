// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/http/message.hpp>

#include <boost/asio/awaitable.hpp>

#include <functional>

namespace weir::inline v0::http {

/// What answers the requests of a server: `edge(svc)`, a `router`, an `actuator`, or a function. The request lives until the
/// awaitable has ended.
using request_handler = std::function<boost::asio::awaitable<response>(request&)>;

namespace detail {

/// An answer that is there already.
inline boost::asio::awaitable<response> say(response r)
{
    co_return r;
}

} // namespace detail

} // namespace weir::inline v0::http
