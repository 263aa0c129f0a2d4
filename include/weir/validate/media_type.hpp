// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/validate/detail/field_text.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::inline v0 {

namespace detail {

enum class media_parameter : std::uint8_t { none, found, malformed };

/// Takes `;name=value` off the front; the value as it came, with its quotation marks. Empty parameters are passed over (RFC 9110 section 5.6.6).
constexpr media_parameter take_parameter(std::string_view& rest, std::string_view& name, std::string_view& value) noexcept
{
    for (;;) {
        skip_blanks(rest);
        if (rest.empty()) return media_parameter::none;
        if (rest.front() != ';') return media_parameter::malformed;
        rest.remove_prefix(1);
        skip_blanks(rest);
        if (!rest.empty() && rest.front() != ';') break;
    }
    name = take_token(rest);
    if (name.empty() || rest.empty() || rest.front() != '=') return media_parameter::malformed;
    rest.remove_prefix(1);
    if (rest.empty() || rest.front() != '"') {
        value = take_token(rest);
        return value.empty() ? media_parameter::malformed : media_parameter::found;
    }
    for (std::size_t i = 1; i < rest.size(); ++i) { // a quoted string, section 5.6.4
        auto const byte = static_cast<unsigned char>(rest[i]);
        if ((byte < 0x20 && byte != '\t') || byte == 0x7f) return media_parameter::malformed;
        if (byte == '"') {
            value = rest.substr(0, i + 1);
            rest.remove_prefix(i + 1);
            return media_parameter::found;
        }
        if (byte != '\\') continue;
        ++i;
        if (i == rest.size()) break;
        auto const quoted = static_cast<unsigned char>(rest[i]);
        if ((quoted < 0x20 && quoted != '\t') || quoted == 0x7f) return media_parameter::malformed;
    }
    return media_parameter::malformed;
}

/// Calls `f(character)` for each character of a parameter's value, without quotation marks and escapes, while it returns true.
template<class F>
constexpr bool each_of_value(std::string_view value, F f)
{
    bool const quoted = value.starts_with('"');
    if (quoted) value = value.substr(1, value.size() - 2);
    for (std::size_t i = 0; i < value.size(); ++i) {
        if (quoted && value[i] == '\\') ++i;
        if (!f(value[i])) return false;
    }
    return true;
}

} // namespace detail

/// A media type as Content-Type has it (RFC 9110 section 8.3.1): `application/json; charset=utf-8`. Views into the text.
struct media_type {
    std::string_view type{};       ///< `application`, as it came: its case means nothing
    std::string_view subtype{};    ///< `json`, likewise
    std::string_view parameters{}; ///< all behind the subtype, well formed

    /// At most so many parameters: whoever sends more is refused.
    static constexpr std::size_t most_parameters = 16;

    /// Nothing if the text is none: another character, a space around `=`, an open quotation mark, a list, or the same parameter twice, of which
    /// two readers could take two different ones. Allocates nothing.
    [[nodiscard]] static constexpr std::optional<media_type> parse(std::string_view text) noexcept
    {
        media_type found;
        std::string_view rest = detail::trim_blanks(text);
        found.type = detail::take_token(rest);
        if (found.type.empty() || !rest.starts_with('/')) return std::nullopt;
        rest.remove_prefix(1);
        found.subtype = detail::take_token(rest);
        if (found.subtype.empty()) return std::nullopt;
        found.parameters = rest;
        std::string_view names[most_parameters];
        std::size_t count = 0;
        for (std::string_view name, value;;) {
            auto const state = detail::take_parameter(rest, name, value);
            if (state == detail::media_parameter::none) return found;
            if (state == detail::media_parameter::malformed || count == most_parameters) return std::nullopt;
            for (std::size_t i = 0; i < count; ++i)
                if (detail::same_ignoring_case(names[i], name)) return std::nullopt;
            names[count++] = name;
        }
    }

    /// Whether it is that type, without regard to its case and its parameters: `is("application", "json")`.
    [[nodiscard]] constexpr bool is(std::string_view wanted_type, std::string_view wanted_subtype) const noexcept
    {
        return detail::same_ignoring_case(type, wanted_type) && detail::same_ignoring_case(subtype, wanted_subtype);
    }
    /// The value of a parameter, without quotation marks; the name's case means nothing.
    [[nodiscard]] std::optional<std::string> parameter(std::string_view wanted) const
    {
        std::string_view const raw = find(wanted);
        if (raw.empty()) return std::nullopt;
        std::string value;
        detail::each_of_value(raw, [&](char c) { return value += c, true; });
        return value;
    }
    /// Whether the parameter is there and has that value but for the case of letters, as a charset is compared.
    [[nodiscard]] constexpr bool has(std::string_view wanted, std::string_view value) const noexcept
    {
        std::string_view const raw = find(wanted);
        return !raw.empty() && same_value(raw, value, true);
    }

    /// Whether what was sent is of this type. This one may have `*` for its type and subtype, or `*+json` for all subtypes with that suffix
    /// (RFC 6838 section 4.2.8). A parameter that this one names has to be there with the same value, of which the case counts, but for `charset`'s;
    /// others may be there. A charset that this one does not name is UTF-8 or its part US-ASCII, or does not fit: whoever reads the body
    /// takes it for UTF-8.
    [[nodiscard]] constexpr bool takes(media_type const& sent) const noexcept
    {
        if (type != "*" && !detail::same_ignoring_case(type, sent.type)) return false;
        if (subtype.starts_with("*+")) {
            std::string_view const suffix = subtype.substr(1);
            if (sent.subtype.size() <= suffix.size()) return false;
            if (!detail::same_ignoring_case(sent.subtype.substr(sent.subtype.size() - suffix.size()), suffix)) return false;
        } else if (subtype != "*" && !detail::same_ignoring_case(subtype, sent.subtype))
            return false;
        if (find("charset").empty() && !sent.find("charset").empty() && !sent.has("charset", "utf-8") && !sent.has("charset", "us-ascii"))
            return false;
        std::string_view rest = parameters;
        for (std::string_view name, value; detail::take_parameter(rest, name, value) == detail::media_parameter::found;) {
            std::string_view const other = sent.find(name);
            if (other.empty() || !same_raw(other, value, detail::same_ignoring_case(name, "charset"))) return false;
        }
        return true;
    }

private:
    /// As it came; empty if it is not there.
    [[nodiscard]] constexpr std::string_view find(std::string_view wanted) const noexcept
    {
        std::string_view rest = parameters;
        for (std::string_view name, value; detail::take_parameter(rest, name, value) == detail::media_parameter::found;)
            if (detail::same_ignoring_case(name, wanted)) return value;
        return {};
    }
    [[nodiscard]] static constexpr bool same_value(std::string_view raw, std::string_view value, bool any_case) noexcept
    {
        std::size_t i = 0;
        return detail::each_of_value(raw,
                                     [&](char c) {
                                         if (i == value.size()) return false;
                                         char const other = value[i++];
                                         return c == other || (any_case && detail::ascii_lower(c) == detail::ascii_lower(other));
                                     }) &&
               i == value.size();
    }
    [[nodiscard]] static constexpr bool same_raw(std::string_view raw, std::string_view other, bool any_case) noexcept
    {
        std::size_t length = 0;
        char text[256]{};
        bool const fits = detail::each_of_value(other, [&](char c) { return length < sizeof text && (text[length++] = c, true); });
        return fits && same_value(raw, {text, length}, any_case);
    }
};

} // namespace weir::inline v0
