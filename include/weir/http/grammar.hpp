// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace weir::inline v0::http::detail {

/// The classes of characters that HTTP and URIs are made of, one bit each.
enum class in : std::uint8_t {
    token = 1,      ///< tchar, RFC 9110 section 5.6.2
    value = 2,      ///< field-vchar, SP and HTAB, RFC 9110 section 5.5
    path = 4,       ///< pchar without "%", and "/", RFC 3986 section 3.3
    query = 8,      ///< as `path`, "?", and those of `[]{}|\^` and the grave accent that browsers send unencoded
    host = 16,      ///< unreserved and sub-delims: a reg-name without "%", RFC 3986 section 3.2.2
    digit = 32,     ///< 0-9
    hex = 64,       ///< 0-9, a-f, A-F
    quotable = 128, ///< HTAB, SP, VCHAR and obs-text: what may stand after a backslash
};

consteval std::array<std::uint8_t, 256> make_classes()
{
    std::array<std::uint8_t, 256> classes{};
    auto const add = [&](std::string_view characters, auto... kinds) {
        for (char c : characters) {
            auto& bits = classes[static_cast<unsigned char>(c)];
            ((bits = static_cast<std::uint8_t>(bits | static_cast<unsigned>(kinds))), ...);
        }
    };
    constexpr std::string_view digits = "0123456789";
    constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    add(digits, in::token, in::path, in::query, in::host, in::digit, in::hex);
    add(letters, in::token, in::path, in::query, in::host);
    add("abcdefABCDEF", in::hex);
    add("!#$%&'*+-.^_`|~", in::token);
    add("-._~!$&'()*+,;=", in::path, in::query, in::host);
    add(":@/", in::path, in::query);
    add("?[]{}|\\^`", in::query);
    for (unsigned c = 0x20; c < 0x100; ++c) {
        if (c != 0x7f)
            classes[c] = static_cast<std::uint8_t>(classes[c] | static_cast<unsigned>(in::value) | static_cast<unsigned>(in::quotable));
    }
    add("\t", in::value, in::quotable);
    return classes;
}

inline constexpr std::array<std::uint8_t, 256> classes = make_classes();

[[nodiscard]] constexpr bool is(in kind, char c) noexcept
{
    return (classes[static_cast<unsigned char>(c)] & static_cast<unsigned>(kind)) != 0;
}

/// The first character of [p, end) that is not of the class.
[[nodiscard]] constexpr char const* skip(in kind, char const* p, char const* end) noexcept
{
    while (p != end && is(kind, *p)) ++p;
    return p;
}

[[nodiscard]] constexpr bool all(in kind, std::string_view text) noexcept
{
    return skip(kind, text.data(), text.data() + text.size()) == text.data() + text.size();
}

[[nodiscard]] constexpr bool is_blank(char c) noexcept
{
    return c == ' ' || c == '\t';
}

/// The value of a hexadecimal digit.
[[nodiscard]] constexpr unsigned hex_value(char c) noexcept
{
    return c <= '9' ? static_cast<unsigned>(c - '0') : static_cast<unsigned>((c | 0x20) - 'a') + 10;
}

/// All of one class or percent-encoded: "%" and two hexadecimal digits, RFC 3986 section 2.1.
[[nodiscard]] constexpr bool all_or_encoded(in kind, std::string_view text) noexcept
{
    char const* p = text.data();
    char const* const end = p + text.size();
    while ((p = skip(kind, p, end)) != end) {
        if (*p != '%' || end - p < 3 || !is(in::hex, p[1]) || !is(in::hex, p[2])) return false;
        p += 3;
    }
    return true;
}

[[nodiscard]] constexpr char lower(char c) noexcept
{
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

/// Equal without regard to the case of ASCII letters; `lower_case` is a literal in lower case.
[[nodiscard]] constexpr bool equals(std::string_view text, std::string_view lower_case) noexcept
{
    if (text.size() != lower_case.size()) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (lower(text[i]) != lower_case[i]) return false;
    }
    return true;
}

[[nodiscard]] constexpr std::string_view trim(std::string_view text) noexcept
{
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    return text;
}

/// Whether a list separated by commas (RFC 9110 section 5.6.1) has the element, without regard to case.
[[nodiscard]] constexpr bool has_element(std::string_view list, std::string_view lower_case) noexcept
{
    for (;;) {
        auto const comma = list.find(',');
        if (equals(trim(list.substr(0, comma)), lower_case)) return true;
        if (comma == std::string_view::npos) return false;
        list.remove_prefix(comma + 1);
    }
}

/// `IPvFuture` of RFC 3986 section 3.2.2: "v", a version in hexadecimal digits, ".", and at least one character more.
[[nodiscard]] constexpr bool is_future_address(std::string_view text) noexcept
{
    auto const dot = text.find('.');
    if (dot == std::string_view::npos || dot < 2 || dot + 1 == text.size() || lower(text[0]) != 'v') return false;
    if (!all(in::hex, text.substr(1, dot - 1))) return false;
    for (char c : text.substr(dot + 1)) {
        if (c != ':' && !is(in::host, c)) return false;
    }
    return true;
}

/// `host [ ":" port ]` of RFC 3986 section 3.2.2: a name or an IPv4 address, or an IP literal in brackets. An empty host passes.
[[nodiscard]] constexpr bool is_authority(std::string_view text, bool needs_port = false) noexcept
{
    std::size_t host_end = 0;
    if (text.starts_with('[')) {
        host_end = text.find(']');
        if (host_end == std::string_view::npos) return false;
        std::string_view const inside = text.substr(1, host_end - 1);
        if (!is_future_address(inside)) {
            if (inside.size() < 2 || inside.find(':') == std::string_view::npos) return false;
            for (char c : inside) {
                if (c != ':' && c != '.' && !is(in::hex, c)) return false;
            }
        }
        ++host_end;
    } else {
        host_end = text.find(':');
        if (host_end == std::string_view::npos) host_end = text.size();
        if (!all_or_encoded(in::host, text.substr(0, host_end))) return false;
    }
    if (host_end == text.size()) return !needs_port;
    if (text[host_end] != ':' || (needs_port && host_end == 0)) return false;
    std::string_view const port = text.substr(host_end + 1);
    return all(in::digit, port) && port.size() <= 5 && (!needs_port || !port.empty());
}

} // namespace weir::inline v0::http::detail
