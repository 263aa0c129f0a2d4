// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/request.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weir::inline v0 {

namespace detail {

/// Text of bounded length that allocates nothing; what goes beyond is cut off.
template<std::size_t Most>
class short_text {
    static_assert(Most <= 255);

public:
    short_text() noexcept {} // NOLINT: leaves the bytes as they are
    explicit short_text(std::string_view text) noexcept : size_(static_cast<std::uint8_t>(std::min(text.size(), Most)))
    {
        std::copy_n(text.data(), size_, bytes_);
    }
    [[nodiscard]] std::string_view view() const noexcept { return {bytes_, size_}; }

private:
    std::uint8_t size_ = 0;
    char bytes_[Most];
};

} // namespace detail

/// The facet by which the traces of one call are found in the logs of all services that took part. `correlate` provides it; it borrows
/// nothing and may be kept.
class correlation_id {
public:
    static constexpr std::string_view field = "x-correlation-id"; ///< the header field that carries it
    static constexpr std::size_t longest = 128;                   ///< characters

    correlation_id() noexcept = default;
    correlation_id(std::string_view id, std::string_view traceparent) noexcept : id_(id), traceparent_(traceparent) {}

    /// The id: up to 128 visible ASCII characters.
    [[nodiscard]] std::string_view key() const noexcept { return id_.view(); }
    /// The W3C `traceparent`: `00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01`.
    [[nodiscard]] std::string_view traceparent() const noexcept { return traceparent_.view(); }
    /// Puts both into a request that is sent on behalf of this call.
    void write_to(auto& request) const
    {
        set_header(request, field, key());
        set_header(request, "traceparent", traceparent());
    }

private:
    detail::short_text<longest> id_;
    detail::short_text<55> traceparent_;
};

} // namespace weir::inline v0
