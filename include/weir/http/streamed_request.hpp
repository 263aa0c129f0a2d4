// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/request.hpp>
#include <weir/http/body_reader.hpp>
#include <weir/http/message.hpp>

#include <optional>
#include <string_view>

namespace weir::inline v0::http {

/// A request whose body is not there yet: a handler that takes one is called when the head has come, and reads the body in pieces.
///
/// ```cpp
/// asio::awaitable<http::response> store(http::streamed_request& r)
/// {
///     for (;;) {
///         weir::result<std::string_view> const piece = co_await r.body().read();
///         if (!piece) co_return http::problem(piece.error());
///         if (piece->empty()) co_return http::response(http::status::no_content);
///         ... // as much as came
///     }
/// }
/// ```
/// Policies that read the body refuse it when the program is compiled. The body may have `server_options::streamed_body_bytes`. A client
/// that waits for `100 Continue` gets it with the first read. If the handler returns before the body's end, the connection is closed behind
/// the response. A small view of the connection's request: copies of it, and of its reader, are valid until the response has been sent.
class streamed_request {
public:
    /// Its body is read while it comes, once.
    static constexpr bool can_be_repeated = false;

    streamed_request(request& head, detail::exchange& body) noexcept : head_(&head), body_(body) {}

    /// Everything but the body, which is empty in there.
    [[nodiscard]] request const& head() const noexcept { return *head_; }
    [[nodiscard]] body_reader body() const noexcept { return body_; }

    friend std::optional<std::string_view> weir_header(streamed_request const& r, std::string_view name)
    {
        return detail::find_field(*r.head_, name);
    }
    friend std::string_view weir_method(streamed_request const& r) { return r.head_->method_string(); }
    friend std::string_view weir_target(streamed_request const& r) { return r.head_->target(); }
    friend std::string_view weir_peer(streamed_request const& r) noexcept { return r.head_->peer(); }

private:
    request* head_;
    body_reader body_;
};

} // namespace weir::inline v0::http
