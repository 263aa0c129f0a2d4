// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/http/body_reader.hpp>
#include <weir/http/detail/exchange.hpp>
#include <weir/http/message.hpp>

#include <memory>
#include <optional>
#include <string_view>
#include <utility>

namespace weir::inline v0::http {

/// A response to a client whose body is read in pieces, as it comes:
/// ```cpp
/// auto came = co_await client.stream(bank, request);
/// if (!came) co_return came.error();
/// for (;;) {
///     weir::result<std::string_view> const piece = co_await came->body().read();
///     if (!piece) co_return piece.error();
///     if (piece->empty()) break;
///     ... // as much as came
/// }
/// ```
/// Nothing is read ahead of what is asked for, one buffer of 64 KiB at most excepted: the upstream is as fast as the reader. The
/// connection goes back to its client behind the last piece; destroyed before, it is closed. Errors of a read are those of
/// `client::send`. Move-only; on the client's executor; may outlive the client.
class incoming_response {
public:
    incoming_response(response head, std::shared_ptr<detail::exchange> body) noexcept : head_(std::move(head)), body_(std::move(body)) {}
    incoming_response(incoming_response&&) noexcept = default;
    incoming_response& operator=(incoming_response&&) noexcept = default;

    /// Everything but the body, which is empty in there.
    [[nodiscard]] response const& head() const noexcept { return head_; }
    [[nodiscard]] response& head() noexcept { return head_; }
    /// Valid as long as the response is.
    [[nodiscard]] body_reader body() const noexcept { return body_reader(*body_); }

    friend std::optional<std::string_view> weir_header(incoming_response const& r, std::string_view name)
    {
        return detail::find_field(r.head_, name);
    }

private:
    response head_;
    std::shared_ptr<detail::exchange> body_;
};

} // namespace weir::inline v0::http
