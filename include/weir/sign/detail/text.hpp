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

/// Whether one of eight bytes may be below `limit`, or DEL: where it is not told, there is none.
inline std::uint64_t looks_odd(std::uint64_t word, std::uint64_t limit) noexcept
{
    constexpr std::uint64_t each = 0x0101'0101'0101'0101, high = each * 0x80;
    std::uint64_t const below = (word - each * limit) & ~word, del = word ^ each * 0x7f;
    return (below | ((del - each) & ~del)) & high;
}

/// All classes of the bytes of a text. Nearly always there is nothing to find, which eight bytes at a time tell; where there is, each is looked at.
inline unsigned byte_classes_in(std::string_view text) noexcept
{
    char const* p = text.data();
    char const* const end = p + text.size();
    for (; end - p >= 8; p += 8) {
        std::uint64_t word;
        std::memcpy(&word, p, sizeof word);
        if (looks_odd(word, 0x21) != 0) {
            p = text.data();
            break;
        }
    }
    unsigned classes = 0;
    for (; p != end; ++p) classes |= byte_classes[static_cast<unsigned char>(*p)];
    return classes;
}

/// Copies a text of a few words, without a call.
[[gnu::always_inline]] inline void copy_short(char* to, std::string_view text) noexcept
{
    std::size_t const size = text.size();
    if (size < 8) {
        for (std::size_t i = 0; i < size; ++i) to[i] = text[i];
        return;
    }
    for (std::size_t at = 0; at + 8 < size; at += 8) std::memcpy(to + at, text.data() + at, 8);
    std::memcpy(to + size - 8, text.data() + size - 8, 8);
}

/// Copies a text, mostly a short one, and looks at it on the way: false if no byte is below `Limit`, or DEL; true if one may be. What is not a multiple of
/// a word ends with one that overlaps the one before.
template<std::uint64_t Limit>
[[gnu::always_inline]] inline bool copy_checked(char* to, std::string_view text) noexcept
{
    char const* const from = text.data();
    std::size_t const size = text.size();
    std::uint64_t odd = 0, word = 0;
    if (size >= 8) {
        std::size_t at = 0;
        for (;;) {
            std::memcpy(&word, from + at, 8);
            std::memcpy(to + at, &word, 8);
            odd |= looks_odd(word, Limit);
            if (at + 8 == size) break;
            at = at + 16 <= size ? at + 8 : size - 8;
        }
        return odd != 0;
    }
    if (size >= 4) {
        std::uint32_t first, last;
        std::memcpy(&first, from, 4);
        std::memcpy(&last, from + size - 4, 4);
        std::memcpy(to, &first, 4);
        std::memcpy(to + size - 4, &last, 4);
        return looks_odd(first | std::uint64_t{last} << 32, Limit) != 0;
    }
    for (std::size_t i = 0; i < size; ++i) {
        auto const c = static_cast<unsigned char>(to[i] = from[i]);
        odd |= std::uint64_t{c < Limit} | std::uint64_t{c == 0x7f};
    }
    return odd != 0;
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
