// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weir::inline v0::http::detail {

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

} // namespace weir::inline v0::http::detail
