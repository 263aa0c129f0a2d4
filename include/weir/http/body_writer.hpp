// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/result.hpp>
#include <weir/http/detail/exchange.hpp>

#include <boost/asio/awaitable.hpp>

#include <string_view>

namespace weir::inline v0::http {

/// Where the producer of a `streamed_response` writes its body. Nothing is buffered: a write ends when the system has taken the
/// piece, so that a producer is as fast as its client. One write at a time, on the connection's executor.
class body_writer {
public:
    explicit body_writer(detail::exchange& to) noexcept : to_(&to) {}

    /// Sends a piece, as one chunk where the body is chunked; an empty one sends nothing. The piece stays where it is until the end.
    /// Errors, after each of which the stream is over: `cancelled` where the client has gone, `deadline_exceeded` where it did not take the
    /// piece within `server_options::body_time`, `payload_too_large` where the body exceeds the length that its response promised.
    [[nodiscard]] boost::asio::awaitable<result<void>> write(std::string_view piece) { return to_->write_body(piece); }

private:
    detail::exchange* to_;
};

} // namespace weir::inline v0::http
