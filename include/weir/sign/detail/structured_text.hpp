// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/sign/encoding.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

// What the reader and the writer of structured fields (RFC 9651) both know of their text.
namespace weir::inline v0::sf::detail {

namespace enc = ::weir::v0::detail;

/// What a character may stand for, as bits.
enum character : std::uint8_t { digit = 1, key_start = 2, key_char = 4, token_start = 8, token_char = 16, plain = 32 };
inline constexpr std::array<std::uint8_t, 256> characters = [] {
    std::array<std::uint8_t, 256> t{};
    for (unsigned c = 0x20; c < 0x7f; ++c)
        if (c != '"' && c != '\\') t[c] = plain;
    for (unsigned c = '0'; c <= '9'; ++c) t[c] |= digit | key_char | token_char;
    for (unsigned c = 'a'; c <= 'z'; ++c) t[c] |= key_start | key_char | token_start | token_char;
    for (unsigned c = 'A'; c <= 'Z'; ++c) t[c] |= token_start | token_char;
    for (char const* c = ":/!#$%&'*+-.^_`|~"; *c != '\0'; ++c) t[static_cast<unsigned char>(*c)] |= token_char;
    for (char const* c = "_-.*"; *c != '\0'; ++c) t[static_cast<unsigned char>(*c)] |= key_char;
    t['*'] |= key_start | token_start;
    return t;
}();
constexpr bool is(char c, unsigned bits) noexcept
{
    return (characters[static_cast<unsigned char>(c)] & bits) != 0;
}

/// Whether bytes are UTF-8 in its shortest form, without surrogates (RFC 3629).
constexpr bool is_utf8(std::string_view text) noexcept
{
    for (std::size_t i = 0; i < text.size();) {
        auto const byte = [&](std::size_t k) { return static_cast<unsigned>(static_cast<unsigned char>(text[k])); };
        unsigned const first = byte(i);
        std::size_t const size = first < 0x80                    ? 1
                                 : first >= 0xc2 && first < 0xe0 ? 2
                                 : first >= 0xe0 && first < 0xf0 ? 3
                                 : first >= 0xf0 && first < 0xf5 ? 4
                                                                 : 0;
        if (size == 0 || text.size() - i < size) return false;
        for (std::size_t k = 1; k < size; ++k)
            if ((byte(i + k) & 0xc0) != 0x80) return false;
        if (size > 2) {
            unsigned const second = byte(i + 1);
            if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) || (first == 0xf0 && second < 0x90) ||
                (first == 0xf4 && second > 0x8f))
                return false;
        }
        i += size;
    }
    return true;
}

/// Appends what a display string stands for; false where two hexadecimal digits are missing after a per cent sign.
inline bool append_display(std::string& to, std::string_view text)
{
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            to.push_back(text[i]);
            continue;
        }
        std::byte decoded{};
        std::string_view const digits = text.substr(i + 1, 2);
        if (digits.size() != 2 || !enc::read_lower_hex(digits, &decoded, 1)) return false;
        to.push_back(static_cast<char>(decoded));
        i += 2;
    }
    return true;
}

constexpr bool all_are(std::string_view text, unsigned bits) noexcept
{
    for (char const c : text)
        if (!is(c, bits)) return false;
    return true;
}

inline constexpr std::int64_t greatest = 999'999'999'999'999;

// Each appends the canonical text of a value (section 4.1), and tells whether it has one.
inline bool append_integer(std::string& to, std::int64_t n)
{
    to.append(std::to_string(n));
    return n >= -greatest && n <= greatest;
}
inline bool append_decimal(std::string& to, std::int64_t thousandths)
{
    if (thousandths < -greatest || thousandths > greatest) return false;
    if (thousandths < 0) to.push_back('-');
    std::int64_t const n = std::abs(thousandths);
    to.append(std::to_string(n / 1000)).push_back('.');
    std::string const places = std::to_string(1000 + n % 1000);
    to.append(places, 1, places[3] != '0' ? 3 : places[2] != '0' ? 2 : 1);
    return true;
}
inline bool append_string(std::string& to, std::string_view text)
{
    to.push_back('"');
    std::size_t begin = 0; // appended in runs, each from what needs a backslash to the next
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (is(text[i], plain)) continue;
        if (text[i] != '"' && text[i] != '\\') return false;
        to.append(text.substr(begin, i - begin)).push_back('\\');
        begin = i;
    }
    to.append(text.substr(begin)).push_back('"');
    return true;
}
inline bool append_display_string(std::string& to, std::string_view text)
{
    if (!is_utf8(text)) return false;
    to.append("%\"");
    for (char const c : text) {
        if (c == '%' || c == '"' || c < 0x20 || c > 0x7e) {
            to.push_back('%');
            to.push_back(enc::hex_digits[static_cast<unsigned char>(c) >> 4]);
            to.push_back(enc::hex_digits[c & 15]);
        } else {
            to.push_back(c);
        }
    }
    to.push_back('"');
    return true;
}

} // namespace weir::inline v0::sf::detail
