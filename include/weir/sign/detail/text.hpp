// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace weir::inline v0::detail {

struct byte_class {
    static constexpr std::uint8_t blank = 1, control = 2;
};

inline constexpr std::array<std::uint8_t, 256> byte_classes = [] {
    std::array<std::uint8_t, 256> made{};
    for (std::size_t c = 0; c < ' '; ++c) made[c] = byte_class::control;
    made[0x7f] = byte_class::control;
    made[' '] = made['\t'] = byte_class::blank;
    return made;
}();

/// All classes of the bytes of a text. Nearly always there is nothing to find, which eight bytes at a time tell; where there is, each is looked at.
inline unsigned byte_classes_in(std::string_view text) noexcept
{
    constexpr std::uint64_t each = 0x0101'0101'0101'0101, high = each * 0x80;
    char const* p = text.data();
    char const* const end = p + text.size();
    for (; end - p >= 8; p += 8) {
        std::uint64_t word;
        std::memcpy(&word, p, sizeof word);
        std::uint64_t const below = (word - each * 0x21) & ~word, del = word ^ each * 0x7f;
        if (((below | ((del - each) & ~del)) & high) != 0) {
            p = text.data();
            break;
        }
    }
    unsigned classes = 0;
    for (; p != end; ++p) classes |= byte_classes[static_cast<unsigned char>(*p)];
    return classes;
}

/// A field's value without the spaces and tabs around it (RFC 9110, section 5.5).
inline std::string_view trim_value(std::string_view value) noexcept
{
    auto const is_blank = [](char c) noexcept { return c == ' ' || c == '\t'; };
    while (!value.empty() && is_blank(value.front())) value.remove_prefix(1);
    while (!value.empty() && is_blank(value.back())) value.remove_suffix(1);
    return value;
}

} // namespace weir::inline v0::detail
