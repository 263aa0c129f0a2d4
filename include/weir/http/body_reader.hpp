// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/result.hpp>
#include <weir/http/detail/exchange.hpp>

#include <boost/asio/awaitable.hpp>

#include <string_view>

namespace weir::inline v0::http {

/// The body of a request as it comes: the socket is read when the handler asks, and not before, so that a client is as fast as its reader.
/// Holds one buffer of the connection, 64 KiB at most. Small and copied freely; valid until the response has been sent. One read at a
/// time, on the connection's executor.
class body_reader {
public:
    explicit body_reader(detail::exchange& from) noexcept : from_(&from) {}

    /// The next piece, in whatever size it came, valid until the next call. Empty: the body has ended, and stays so. Errors:
    /// `invalid_request` where the framing is broken, `payload_too_large`, `deadline_exceeded` where no byte came within
    /// `server_options::body_time`, `cancelled` where the client has gone. After one of them the server answers for itself (400, 413, 408)
    /// or closes, whatever the handler returns.
    [[nodiscard]] boost::asio::awaitable<result<std::string_view>> read() const { return from_->read_body(); }

private:
    detail::exchange* from_;
};

} // namespace weir::inline v0::http
