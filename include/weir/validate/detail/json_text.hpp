// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace weir::inline v0::detail {

/// The length of the UTF-8 sequence at the front, which begins with a byte beyond ASCII; 0 if it is none. No overlong form, no
/// surrogate, nothing above U+10FFFF (RFC 3629 section 4).
[[nodiscard]] constexpr std::size_t utf8_sequence(std::string_view text) noexcept
{
    auto const byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
    auto const follows = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xbf) { return byte(i) >= low && byte(i) <= high; };
    unsigned const first = byte(0);
    if (first >= 0xc2 && first <= 0xdf) return follows(1) ? 2 : 0;
    if (first >= 0xe0 && first <= 0xef) return follows(1, first == 0xe0 ? 0xa0 : 0x80, first == 0xed ? 0x9f : 0xbf) && follows(2) ? 3 : 0;
    if (first >= 0xf0 && first <= 0xf4)
        return follows(1, first == 0xf0 ? 0x90 : 0x80, first == 0xf4 ? 0x8f : 0xbf) && follows(2) && follows(3) ? 4 : 0;
    return 0;
}

/// Whether the whole text is UTF-8.
[[nodiscard]] constexpr bool is_utf8(std::string_view text) noexcept
{
    while (!text.empty()) {
        std::size_t const length = static_cast<unsigned char>(text.front()) < 0x80 ? 1 : utf8_sequence(text);
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

/// Whether two texts are the same: for short ones quicker than a call.
[[nodiscard]] inline bool same_text(std::string_view a, std::string_view b) noexcept
{
    constexpr auto same = []<class Word>(Word, char const* x, char const* y) {
        Word p, q;
        std::memcpy(&p, x, sizeof p);
        std::memcpy(&q, y, sizeof q);
        return p == q;
    };
    std::size_t const size = a.size();
    if (size != b.size()) return false;
    char const *x = a.data(), *y = b.data();
    if (size > 16) return std::memcmp(x, y, size) == 0;
    if (size >= 8) return same(std::uint64_t{}, x, y) && same(std::uint64_t{}, x + size - 8, y + size - 8);
    if (size >= 4) return same(std::uint32_t{}, x, y) && same(std::uint32_t{}, x + size - 4, y + size - 4);
    return size == 0 || (x[0] == y[0] && x[size / 2] == y[size / 2] && x[size - 1] == y[size - 1]);
}

/// Whether one of eight bytes is a quotation mark, a backslash, a control or beyond ASCII.
[[nodiscard]] constexpr bool wants_a_look(std::uint64_t eight) noexcept
{
    constexpr std::uint64_t ones = 0x0101010101010101, tops = ones * 0x80;
    std::uint64_t const quote = eight ^ (ones * '"'), backslash = eight ^ (ones * '\\');
    return ((eight | (eight - ones * 0x20) | ((quote - ones) & ~quote) | ((backslash - ones) & ~backslash)) & tops) != 0;
}

/// Appends a text as a JSON string. False if it is not UTF-8; then what was appended means nothing.
inline bool append_json_text(std::string& out, std::string_view text)
{
    out += '"';
    std::size_t plain = 0; // the first byte that is not appended
    for (std::size_t i = 0; i < text.size();) {
        if (text.size() - i >= 8) {
            std::uint64_t eight;
            std::memcpy(&eight, text.data() + i, 8);
            if (!wants_a_look(eight)) [[likely]] {
                i += 8;
                continue;
            }
        }
        auto const byte = static_cast<unsigned char>(text[i]);
        if (byte >= 0x80) {
            std::size_t const length = utf8_sequence(text.substr(i));
            if (length == 0) return false;
            i += length;
            continue;
        }
        if (byte >= 0x20 && byte != '"' && byte != '\\') {
            ++i;
            continue;
        }
        out.append(text, plain, i - plain);
        plain = ++i;
        out += '\\';
        switch (byte) {
        case '"':
        case '\\': out += static_cast<char>(byte); break;
        case '\b': out += 'b'; break;
        case '\t': out += 't'; break;
        case '\n': out += 'n'; break;
        case '\f': out += 'f'; break;
        case '\r': out += 'r'; break;
        default:
            out += "u00";
            out += "0123456789abcdef"[byte >> 4];
            out += "0123456789abcdef"[byte & 15];
        }
    }
    out.append(text, plain, text.size() - plain);
    out += '"';
    return true;
}

} // namespace weir::inline v0::detail
