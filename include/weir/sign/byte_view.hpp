// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <string_view>
#include <utility>

namespace weir::inline v0 {

namespace detail {

/// What has its bytes one after the other: `data()` points to the first of `size()` objects of one byte each.
template<class Range>
concept byte_range = sizeof(*std::declval<Range const&>().data()) == 1 && sizeof(std::size_t(std::declval<Range const&>().size())) != 0;

constexpr char const* as_text(char const* bytes) noexcept
{
    return bytes;
}
template<class Byte>
char const* as_text(Byte const* bytes) noexcept
{
    return reinterpret_cast<char const*>(bytes);
}

} // namespace detail

/// Contiguous bytes that belong to someone else: text, a digest, a vector of `std::byte`. What the functions of `sign/` read.
/// Two words, passed by value. A text literal is its characters without the closing zero.
class byte_view {
public:
    constexpr byte_view() noexcept = default;
    constexpr byte_view(char const* text) noexcept : bytes_(text) {} // NOLINT: implicit, so that text and digests are passed alike

    template<detail::byte_range Range>
    constexpr byte_view(Range const& range) noexcept // NOLINT: as above
        : bytes_(detail::as_text(range.data()), range.size())
    {
    }
    /// `size` objects of one byte each, from the first.
    template<class Byte>
    requires(sizeof(Byte) == 1) constexpr byte_view(Byte const* first, std::size_t size) noexcept : bytes_(detail::as_text(first), size) {}

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
