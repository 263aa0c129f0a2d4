// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace weir::inline v0 {

/// Whether a parameter stands in a query.
enum class query_state : std::uint8_t {
    absent,
    malformed, ///< its value has a `%` without two hexadecimal digits, or a character that has to be encoded
    repeated,  ///< it stands there more than once: two readers could take two different ones
    found,
};

/// A query parameter, decoded, or why there is none.
struct query_value {
    query_state state = query_state::absent;
    std::string value{};
    explicit operator bool() const noexcept { return state == query_state::found; }
};

namespace detail {

/// Decodes `%XX`; nothing for half an escape or a character that a query cannot have (RFC 3986, section 3.4): controls, a space, a
/// fragment's `#`, bytes beyond ASCII. Marks that browsers send as they are, such as `|` and `[`, pass.
inline std::optional<std::string> decode_percent(std::string_view text)
{
    constexpr auto digit = [](char c) noexcept -> int {
        if (c >= '0' && c <= '9') return c - '0';
        if (c >= 'a' && c <= 'f') return c - 'a' + 10;
        return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
    };
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        char c = text[i];
        if (c <= ' ' || c >= 0x7f || c == '#') return std::nullopt;
        if (c == '%') {
            if (text.size() - i < 3) return std::nullopt;
            int const high = digit(text[i + 1]), low = digit(text[i + 2]);
            if (high < 0 || low < 0) return std::nullopt;
            c = static_cast<char>(high * 16 + low);
            i += 2;
        }
        out.push_back(c);
    }
    return out;
}

} // namespace detail

/// Finds the parameter `name` in the query of a request target, as in `/quotes?symbol=ACME&limit=10`. Names are compared decoded, so
/// that `l%69mit` does not slip past a check of `limit`; a parameter without `=` has an empty value; `+` is a plus, as in RFC 3986.
/// A fault in another parameter is not this one's. Cost: one pass, and an allocation where a value or an encoded name is long.
[[nodiscard]] inline query_value find_query(std::string_view path_and_query, std::string_view name)
{
    query_value found;
    std::size_t const question = path_and_query.find('?');
    if (question == std::string_view::npos) return found;
    for (std::string_view rest = path_and_query.substr(question + 1); !rest.empty();) {
        std::string_view const pair = rest.substr(0, rest.find('&'));
        rest.remove_prefix(pair.size() == rest.size() ? rest.size() : pair.size() + 1);
        std::size_t const equals = pair.find('=');
        std::string_view const key = pair.substr(0, equals);
        if (key != name && (key.find('%') == std::string_view::npos || detail::decode_percent(key) != name)) continue;
        if (found.state != query_state::absent) return {query_state::repeated, {}};
        auto value = detail::decode_percent(equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1));
        found = value ? query_value{query_state::found, std::move(*value)} : query_value{query_state::malformed, {}};
    }
    return found;
}

} // namespace weir::inline v0
