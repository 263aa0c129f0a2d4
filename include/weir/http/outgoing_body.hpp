// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/result.hpp>
#include <weir/http/body_writer.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <functional>
#include <optional>

namespace weir::inline v0::http {

/// The body of a client's request, written in pieces while it is sent:
/// ```cpp
/// auto const count = [](http::body_writer& to) -> asio::awaitable<weir::result<void>> {
///     for (int i = 0; i < 1'000'000; ++i) {
///         std::string const line = std::to_string(i) + '\n';
///         if (auto const sent = co_await to.write(line); !sent) co_return sent.error();
///     }
///     co_return weir::result<void>();
/// };
/// http::outgoing_body numbers{count};
/// auto const came = co_await client.send(bank, request, numbers);
/// ```
/// An error that the producer returns ends the request and its connection, and is the error of the call. A write that fails because the
/// upstream has closed early is not: what the upstream said is. Such a request is never sent twice.
struct outgoing_body {
    std::function<boost::asio::awaitable<result<void>>(body_writer&)> produce;
    std::optional<std::uint64_t> length = {}; ///< if known, the body goes with Content-Length; else in chunks
};

} // namespace weir::inline v0::http
