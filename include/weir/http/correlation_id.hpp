// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/request.hpp>
#include <weir/http/detail/short_text.hpp>
#include <weir/http/detail/trace.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace weir::inline v0 {

/// The facet by which the traces of one call are found in the logs of all services that took part. `correlate` provides it. It borrows
/// nothing and may be kept; a copy is some 200 bytes and allocates nothing.
class correlation_id {
public:
    static constexpr std::string_view field = "x-correlation-id"; ///< the header field that carries it
    static constexpr std::size_t longest = 128;                   ///< characters

    correlation_id() noexcept {} // NOLINT: leaves the bytes as they are
    correlation_id(std::string_view id, std::string_view traceparent) noexcept
        : correlation_id(id, http::detail::trace_parent(parent_text(traceparent)))
    {
    }
    /// For `correlate`.
    correlation_id(std::string_view id, http::detail::trace_parent const& parent) noexcept : id_(id), parent_(parent) {}

    /// The id: up to 128 visible ASCII characters.
    [[nodiscard]] std::string_view key() const noexcept { return id_.view(); }
    /// The W3C `traceparent`: `00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01`. One that `correlate` made is written
    /// here, each time.
    [[nodiscard]] std::string traceparent() const { return std::string(parent_.text().view()); }
    /// Puts both into a request that is sent on behalf of this call.
    void write_to(auto& request) const
    {
        set_header(request, field, key());
        set_header(request, "traceparent", parent_.text().view());
    }

private:
    using parent_text = http::detail::short_text<http::detail::trace_parent::size>;

    http::detail::short_text<longest> id_;
    http::detail::trace_parent parent_;
};

} // namespace weir::inline v0
