// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/sign/structured_parse.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

namespace weir::inline v0::sf {

namespace detail {

inline constexpr std::int64_t greatest = 999'999'999'999'999;

inline bool append_key(std::string& to, std::string_view key)
{
    to += key;
    return !key.empty() && is_key_start(key.front()) && std::all_of(key.begin(), key.end(), is_key_char);
}

struct bare_writer {
    std::string& to;

    bool operator()(std::int64_t n) const
    {
        to += std::to_string(n);
        return n >= -greatest && n <= greatest;
    }
    bool operator()(decimal d) const
    {
        if (d.thousandths < -greatest || d.thousandths > greatest) return false;
        if (d.thousandths < 0) to += '-';
        std::int64_t const n = std::abs(d.thousandths);
        to += std::to_string(n / 1000);
        to += '.';
        std::string const places = std::to_string(1000 + n % 1000).substr(1);
        to += places.substr(0, places[2] != '0' ? 3 : places[1] != '0' ? 2 : 1);
        return true;
    }
    bool operator()(std::string const& text) const
    {
        to += '"';
        std::size_t begin = 0; // appended in runs, each from what needs a backslash to the next
        for (std::size_t i = 0; i < text.size(); ++i) {
            char const c = text[i];
            if (c < 0x20 || c > 0x7e) return false;
            if (c != '"' && c != '\\') continue;
            to.append(text, begin, i - begin) += '\\';
            begin = i;
        }
        to.append(text, begin) += '"';
        return true;
    }
    bool operator()(token const& t) const
    {
        to += t.text;
        return !t.text.empty() && is_token_start(t.text.front()) && std::all_of(t.text.begin(), t.text.end(), is_token_char);
    }
    bool operator()(bytes const& b) const
    {
        to += ':';
        to += to_base64(b.data);
        to += ':';
        return true;
    }
    bool operator()(bool b) const
    {
        to += b ? "?1" : "?0";
        return true;
    }
    bool operator()(date d) const
    {
        to += '@';
        return (*this)(d.seconds);
    }
    bool operator()(display_string const& s) const
    {
        if (!is_utf8(s.text)) return false;
        to += "%\"";
        for (char const c : s.text) {
            if (c == '%' || c == '"' || c < 0x20 || c > 0x7e) {
                auto const byte = static_cast<unsigned char>(c);
                to += '%';
                to += enc::hex_lower.digits[byte >> 4];
                to += enc::hex_lower.digits[byte & 15];
            } else {
                to += c;
            }
        }
        to += '"';
        return true;
    }
};

} // namespace detail

/// Appends the canonical text of a value (RFC 9651, section 4.1) and tells whether it has one: a string with a control character, a number out
/// of range or a key in capitals has none, and then what was appended is to be thrown away.
[[nodiscard]] inline bool append(std::string& to, bare_item const& value)
{
    return std::visit(detail::bare_writer{to}, value);
}
[[nodiscard]] inline bool append(std::string& to, parameters const& params)
{
    for (auto const& [key, value] : params) {
        to += ';';
        if (!detail::append_key(to, key)) return false;
        if (auto const* const flag = std::get_if<bool>(&value); flag != nullptr && *flag) continue;
        to += '=';
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
    to += '(';
    for (std::size_t i = 0; i < l.items.size(); ++i) {
        if (i != 0) to += ' ';
        if (!append(to, l.items[i])) return false;
    }
    to += ')';
    return append(to, l.params);
}
[[nodiscard]] inline bool append(std::string& to, member const& m)
{
    return std::visit([&](auto const& one) { return append(to, one); }, m);
}
[[nodiscard]] inline bool append(std::string& to, list const& l)
{
    for (std::size_t i = 0; i < l.size(); ++i) {
        if (i != 0) to += ", ";
        if (!append(to, l[i])) return false;
    }
    return true;
}
[[nodiscard]] inline bool append(std::string& to, dictionary const& d)
{
    bool first = true;
    for (auto const& [key, value] : d) {
        if (!first) to += ", ";
        first = false;
        if (!detail::append_key(to, key)) return false;
        item const* const one = std::get_if<item>(&value);
        bool const flag = one != nullptr && one->value == bare_item(true);
        if (!flag) to += '=';
        if (!(flag ? append(to, one->params) : append(to, value))) return false;
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
