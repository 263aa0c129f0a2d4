// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <ranges>
#include <string_view>
#include <type_traits>

namespace weir::inline v0 {

/// Contiguous bytes that belong to someone else: text, a digest, a vector of `std::byte`. What the functions of `sign/` read.
/// Two words, passed by value. A text literal is its characters without the closing zero.
class byte_view {
public:
    constexpr byte_view() noexcept = default;
    constexpr byte_view(char const* text) noexcept : bytes_(text) {} // NOLINT: implicit, so that text and digests are passed alike

    template<class Range>
    requires std::ranges::contiguous_range<Range const> && std::ranges::sized_range<Range const> &&
        (sizeof(std::ranges::range_value_t<Range const>) == 1) &&
        (!std::is_array_v<Range>)byte_view(Range const& range) noexcept // NOLINT: as above
        : bytes_(reinterpret_cast<char const*>(std::ranges::data(range)), std::ranges::size(range))
    {
    }

    [[nodiscard]] constexpr std::size_t size() const noexcept { return bytes_.size(); }
    [[nodiscard]] constexpr char const* data() const noexcept { return bytes_.data(); }
    /// The byte at `i`, as a number in [0, 255].
    [[nodiscard]] constexpr unsigned operator[](std::size_t i) const noexcept { return static_cast<unsigned char>(bytes_[i]); }
    /// The same bytes as text.
    [[nodiscard]] constexpr std::string_view text() const noexcept { return bytes_; }

private:
    std::string_view bytes_;
};

} // namespace weir::inline v0
