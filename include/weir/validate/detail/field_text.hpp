// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <string_view>

namespace weir::inline v0::detail {

[[nodiscard]] constexpr char ascii_lower(char c) noexcept
{
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}
[[nodiscard]] constexpr bool ascii_letter(char c) noexcept
{
    return ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z';
}
[[nodiscard]] constexpr bool ascii_digit(char c) noexcept
{
    return c >= '0' && c <= '9';
}
/// The value of a hexadecimal digit; -1 if it is none.
[[nodiscard]] constexpr int ascii_hex(char c) noexcept
{
    if (ascii_digit(c)) return c - '0';
    char const l = ascii_lower(c);
    return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

/// The same but for the case of ASCII letters.
[[nodiscard]] constexpr bool same_ignoring_case(std::string_view a, std::string_view b) noexcept
{
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i)
        if (ascii_lower(a[i]) != ascii_lower(b[i])) return false;
    return true;
}

/// A character of a token (RFC 9110 section 5.6.2).
[[nodiscard]] constexpr bool is_token_char(char c) noexcept
{
    return ascii_letter(c) || ascii_digit(c) || (c != '\0' && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos);
}
/// Takes the token at the front off the text; empty if there is none.
constexpr std::string_view take_token(std::string_view& text) noexcept
{
    std::size_t n = 0;
    while (n < text.size() && is_token_char(text[n])) ++n;
    std::string_view const token = text.substr(0, n);
    text.remove_prefix(n);
    return token;
}
/// Optional white space: spaces and tabs (section 5.6.3).
constexpr void skip_blanks(std::string_view& text) noexcept
{
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
}
[[nodiscard]] constexpr std::string_view trim_blanks(std::string_view text) noexcept
{
    skip_blanks(text);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

} // namespace weir::inline v0::detail
