// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/sign/detail/structured_text.hpp>
#include <weir/sign/structured_value.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace weir::inline v0::sf {

namespace detail {

inline bool append_key(std::string& to, std::string_view key)
{
    to.append(key);
    return !key.empty() && is(key.front(), key_start) && all_are(key, key_char);
}

} // namespace detail

/// Appends the canonical text of a value (RFC 9651, section 4.1) and tells whether it has one: a string with a control character, a number out
/// of range or a key in capitals has none, and then what was appended is to be thrown away.
[[nodiscard]] inline bool append(std::string& to, bare_item const& value)
{
    std::string const& text = value.text();
    switch (value.what()) {
    case kind::decimal: return detail::append_decimal(to, value.number());
    case kind::string: return detail::append_string(to, text);
    case kind::token:
        to.append(text);
        return !text.empty() && detail::is(text.front(), detail::token_start) && detail::all_are(text, detail::token_char);
    case kind::bytes: to.append(":").append(to_base64(text)).append(":"); return true;
    case kind::boolean: to.append(value.number() != 0 ? "?1" : "?0"); return true;
    case kind::date: to.push_back('@'); return detail::append_integer(to, value.number());
    case kind::display_string: return detail::append_display_string(to, text);
    default: return detail::append_integer(to, value.number());
    }
}
[[nodiscard]] inline bool append(std::string& to, parameters const& params)
{
    for (auto const& [key, value] : params) {
        to.push_back(';');
        if (!detail::append_key(to, key)) return false;
        if (value.is_true()) continue;
        to.push_back('=');
        if (!append(to, value)) return false;
    }
    return true;
}
[[nodiscard]] inline bool append(std::string& to, item const& i)
{
    return append(to, i.value) && append(to, i.params);
}
[[nodiscard]] inline bool append(std::string& to, inner_list const& l)
{
    to.push_back('(');
    for (std::size_t i = 0; i < l.items.size(); ++i) {
        if (i != 0) to.push_back(' ');
        if (!append(to, l.items[i])) return false;
    }
    to.push_back(')');
    return append(to, l.params);
}
[[nodiscard]] inline bool append(std::string& to, member const& m)
{
    return m.as_item() != nullptr ? append(to, *m.as_item()) : append(to, *m.as_list());
}
[[nodiscard]] inline bool append(std::string& to, list const& l)
{
    for (std::size_t i = 0; i < l.size(); ++i) {
        if (i != 0) to.append(", ");
        if (!append(to, l[i])) return false;
    }
    return true;
}
[[nodiscard]] inline bool append(std::string& to, dictionary const& d)
{
    bool first = true;
    for (auto const& [key, value] : d) {
        if (!first) to.append(", ");
        first = false;
        if (!detail::append_key(to, key)) return false;
        if (value.as_item() != nullptr && value.as_item()->value.is_true()) {
            if (!append(to, value.as_item()->params)) return false;
            continue;
        }
        to.push_back('=');
        if (!append(to, value)) return false;
    }
    return true;
}

/// The canonical text of an `item`, `inner_list`, `list` or `dictionary`; nothing if it has none. An empty list or dictionary is an empty text:
/// such a field is not sent at all.
template<class Value>
[[nodiscard]] std::optional<std::string> write(Value const& value)
{
    std::string text;
    if (!append(text, value)) return std::nullopt;
    return text;
}

} // namespace weir::inline v0::sf
