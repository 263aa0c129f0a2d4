// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "loopback.hpp"

#include <weir/http/request_handler.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/json/parse.hpp>

#include <string_view>

namespace weir_tests {

/// What a handler answers, without a socket.
inline weir::http::response ask(weir::http::request_handler const& handler, weir::http::request& r)
{
    boost::asio::io_context context(1);
    return run(context, handler(r));
}
inline weir::http::response ask(weir::http::request_handler const& handler, std::string_view target, std::string_view method = "GET")
{
    weir::http::request r(method, target);
    return ask(handler, r);
}

inline boost::json::value json_of(weir::http::response const& r)
{
    return boost::json::parse(r.body());
}

} // namespace weir_tests
