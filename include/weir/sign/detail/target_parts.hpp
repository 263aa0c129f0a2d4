// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/sign/detail/text.hpp>
#include <weir/sign/encoding.hpp>
#include <weir/sign/message_view.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace weir::inline v0::detail {

/// A request target cut where its marks are (RFC 9112, section 3.2). What stands in it is judged by whoever reads it.
struct target_parts {
    std::string_view scheme{}, authority{}; ///< of the absolute form; the authority of the authority form, too
    std::string_view path{};                ///< empty if there is none
    std::string_view query{};               ///< without its question mark
    bool has_query = false;                 ///< whether there is one, be it empty
};

inline target_parts split_target_parts(std::string_view target)
{
    target_parts parts;
    auto const split_path = [&](std::string_view text) {
        auto const mark = text.find('?');
        parts.path = text.substr(0, mark);
        parts.has_query = mark != std::string_view::npos;
        if (parts.has_query) parts.query = text.substr(mark + 1);
    };
    if (target.starts_with('/') || target.starts_with('?')) {
        split_path(target);
    } else if (auto const colon = target.find("://");
               colon != std::string_view::npos && target.substr(0, colon).find_first_of("/?") == std::string_view::npos) {
        parts.scheme = target.substr(0, colon);
        std::string_view const rest = target.substr(colon + 3);
        auto const end = rest.find_first_of("/?");
        parts.authority = rest.substr(0, end);
        if (end != std::string_view::npos) split_path(rest.substr(end));
        if (auto const at = parts.authority.rfind('@'); at != std::string_view::npos) parts.authority.remove_prefix(at + 1);
    } else if (target != "*") {
        parts.authority = target;
    }
    return parts;
}

inline std::string lower_case(std::string_view text)
{
    std::string out(text);
    for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    return out;
}

/// The scheme of a request: of its target, or else `otherwise`, in lower case.
inline std::string scheme_of(target_parts const& parts, std::string_view otherwise)
{
    return lower_case(parts.scheme.empty() ? otherwise : parts.scheme);
}

/// The authority of a request in its normal form (RFC 9110, section 4.2.3): lower case, no default port. Of Host if the target has none, `otherwise` if
/// there is neither; empty if there are several.
inline std::string authority_of(message_view const& request, target_parts const& parts, std::string_view scheme, std::string_view otherwise)
{
    std::string_view given = parts.authority;
    if (given.empty()) {
        auto const hosts = request.fields("host");
        if (hosts.size() > 1) return {};
        given = hosts.empty() ? otherwise : trim_value(hosts.front());
    }
    std::string out = lower_case(given);
    auto const colon = out.rfind(':');
    if (colon != std::string::npos && out.find(']', colon) == std::string::npos) {
        std::string_view const port = std::string_view(out).substr(colon + 1);
        if (port.empty() || port == (scheme == "https" ? "443" : scheme == "http" ? "80" : "none")) out.resize(colon);
    }
    return out;
}

/// The text of a form's name or value: `+` is a space, `%` and two hexadecimal digits a byte, another `%` itself.
inline std::string decode_form(std::string_view text)
{
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        std::byte decoded{};
        if (text[i] == '%' && text.size() - i > 2 && read_hex(text.substr(i + 1, 2), &decoded, 1)) {
            out += static_cast<char>(decoded);
            i += 2;
        } else {
            out += text[i] == '+' ? ' ' : text[i];
        }
    }
    return out;
}

/// Percent-encodes all but letters, digits and `plain`, with capital digits.
inline void append_encoded(std::string& to, std::string_view text, std::string_view plain)
{
    constexpr std::string_view digits = "0123456789ABCDEF";
    for (char const c : text) {
        bool const letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (letter || (c != '\0' && plain.find(c) != std::string_view::npos)) {
            to += c;
        } else {
            auto const byte = static_cast<unsigned char>(c);
            to += '%';
            to += digits[byte >> 4];
            to += digits[byte & 15];
        }
    }
}

} // namespace weir::inline v0::detail
