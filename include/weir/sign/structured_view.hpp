// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/sign/detail/structured_text.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Structured Field Values for HTTP (RFC 9651), as views: a field is read once, checked whole, and nothing of it is copied. What wants
/// values of its own includes `structured_parse.hpp`, which reads by this.
namespace weir::inline v0::sf {

/// What a value is (section 3).
enum class kind : std::uint8_t {
    integer,        ///< up to fifteen digits
    decimal,        ///< up to twelve digits, a point, up to three digits
    string,         ///< printable ASCII in quotation marks
    token,          ///< a short word, such as `gzip` or `*/*`
    bytes,          ///< base64 between colons
    boolean,        ///< `?0` or `?1`
    date,           ///< seconds since 1970
    display_string, ///< Unicode text
    inner_list,     ///< items between parentheses
};

/// What a part of a field belongs to.
enum class level : std::uint8_t {
    member,         ///< of the field: an item, or a member of a list or dictionary
    element,        ///< of the inner list that is the member before it
    parameter,      ///< of the member or element before it
    list_parameter, ///< of the inner list that is the member before it
};

/// One part of a field. It refers to the text that was read.
struct part {
    level of = level::member;
    kind what = kind::integer;
    std::string_view key{};   ///< of a member of a dictionary or a parameter; of an element all its text, with its parameters
    std::string_view text{};  ///< of strings, tokens and bytes what stands between the marks, not decoded
    std::int64_t number = 0;  ///< of an integer or date its value, of a decimal its thousandths, of a boolean 0 or 1
    bool has_escapes = false; ///< of a string: a backslash stands in it
};

/// How much a field may hold. The defaults are what RFC 9651 wants a parser to take at least, but for the length.
struct parse_options {
    std::size_t max_bytes = 65'536;   ///< the whole field, its lines joined
    std::size_t max_members = 1'024;  ///< of a list or a dictionary, and of each inner list
    std::size_t max_parameters = 256; ///< of each item and inner list
    bool refuse_duplicate_keys =
        false; ///< the RFC lets the last one win, which two readers may see otherwise: where security depends on it, refuse
};

/// Why a text is no structured field: where, and what was expected there.
struct fault {
    std::size_t at = 0;          ///< the place in the text, from 0
    std::string_view expected{}; ///< `"a key"`; a literal
    friend constexpr bool operator==(fault a, fault b) noexcept { return a.at == b.at && a.expected == b.expected; }
};

/// A sentence: `"character 7: expected a key"`.
[[nodiscard]] inline std::string to_string(fault f)
{
    std::string text = "character ";
    text.append(std::to_string(f.at)).append(": expected ").append(f.expected);
    return text;
}

namespace detail {

/// Reads one field from its beginning to its end (RFC 9651, section 4.2), and stops at the first fault.
class scanner {
public:
    scanner(std::string_view text, parse_options const& options, std::vector<part>& into) noexcept
        : begin_(text.data()), at_(begin_), end_(begin_ + text.size()), options_(options), parts_(into)
    {
    }

    bool item()
    {
        if (!fits()) return false;
        blanks(false);
        part p;
        if (!bare(p)) return false;
        parts_.push_back(p);
        if (!parameters(level::parameter)) return false;
        blanks(false);
        return at_ == end_ || fail("the end of the field");
    }
    /// A list; a dictionary, if its members have keys.
    bool members(bool keyed)
    {
        if (!fits()) return false;
        std::size_t const first = parts_.size();
        blanks(false);
        if (at_ == end_) return true;
        for (std::size_t count = 1;; ++count) {
            if (!member(keyed, first)) return false;
            if (count > options_.max_members) return fail("fewer members");
            blanks(true);
            if (at_ == end_) return true;
            if (!sees(',')) return fail("a comma");
            ++at_;
            blanks(true);
            if (at_ == end_) return fail("a member after the comma");
        }
    }
    [[nodiscard]] fault found() const noexcept { return fault_; }

private:
    bool fits() noexcept { return static_cast<std::size_t>(end_ - begin_) <= options_.max_bytes || fail("a field that is not so long"); }
    bool fail(char const* expected) noexcept
    {
        fault_ = {static_cast<std::size_t>(at_ - begin_), expected};
        return false;
    }
    bool fail_at(char const* at, char const* expected) noexcept
    {
        at_ = at;
        return fail(expected);
    }
    [[nodiscard]] bool sees(char c) const noexcept { return at_ != end_ && *at_ == c; }
    [[nodiscard]] bool sees_digit() const noexcept { return at_ != end_ && is(*at_, digit); }
    [[nodiscard]] std::string_view since(char const* begin) const noexcept { return {begin, static_cast<std::size_t>(at_ - begin)}; }
    void blanks(bool tabs_too) noexcept
    {
        while (at_ != end_ && (*at_ == ' ' || (tabs_too && *at_ == '\t'))) ++at_;
    }
    void run(unsigned bits) noexcept
    {
        while (at_ != end_ && is(*at_, bits)) ++at_;
    }
    [[nodiscard]] bool stands(std::size_t first, level of, std::string_view key) const noexcept
    {
        for (; first < parts_.size(); ++first)
            if (parts_[first].of == of && parts_[first].key == key) return true;
        return false;
    }

    bool key(std::string_view& into) noexcept
    {
        if (at_ == end_ || !is(*at_, key_start)) return fail("a key");
        char const* const begin = at_;
        run(key_char);
        into = since(begin);
        return true;
    }
    bool member(bool keyed, std::size_t first)
    {
        part p;
        if (keyed) {
            if (!key(p.key)) return false;
            if (options_.refuse_duplicate_keys && stands(first, level::member, p.key)) return fail("each key once");
            if (!sees('=')) {
                p.what = kind::boolean;
                p.number = 1;
                parts_.push_back(p);
                return parameters(level::parameter);
            }
            ++at_;
        }
        if (sees('(')) return inner_list(p);
        if (!bare(p)) return false;
        parts_.push_back(p);
        return parameters(level::parameter);
    }
    bool inner_list(part& p)
    {
        p.what = kind::inner_list;
        parts_.push_back(p);
        ++at_;
        for (std::size_t count = 1;; ++count) {
            blanks(false);
            if (sees(')')) {
                ++at_;
                return parameters(level::list_parameter);
            }
            part e;
            e.of = level::element;
            char const* const begin = at_;
            if (!bare(e)) return false;
            std::size_t const place = parts_.size();
            parts_.push_back(e);
            if (!parameters(level::parameter)) return false;
            parts_[place].key = since(begin);
            if (count > options_.max_members) return fail("fewer members");
            if (!sees(' ') && !sees(')')) return fail("a space or a closing parenthesis");
        }
    }
    bool parameters(level of)
    {
        std::size_t const first = parts_.size();
        while (sees(';')) {
            ++at_;
            blanks(false);
            part p;
            p.of = of;
            p.what = kind::boolean;
            p.number = 1;
            if (!key(p.key)) return false;
            if (options_.refuse_duplicate_keys && stands(first, of, p.key)) return fail("each parameter once");
            if (sees('=')) {
                ++at_;
                if (!bare(p)) return false;
            }
            parts_.push_back(p);
            if (parts_.size() - first > options_.max_parameters) return fail("fewer parameters");
        }
        return true;
    }

    bool bare(part& p)
    {
        if (at_ == end_) return fail("an item");
        if (*at_ == '"') return string(p);
        if (*at_ == '-' || is(*at_, digit)) return number(p);
        if (is(*at_, token_start)) {
            char const* const begin = at_;
            run(token_char);
            p.what = kind::token;
            p.text = since(begin);
            return true;
        }
        if (*at_ == ':') return bytes(p);
        if (*at_ == '?') {
            ++at_;
            if (!sees('0') && !sees('1')) return fail("?0 or ?1");
            p.what = kind::boolean;
            p.number = *at_++ == '1';
            return true;
        }
        if (*at_ == '@') return date(p);
        return *at_ == '%' ? display_string(p) : fail("an item");
    }
    bool number(part& p) noexcept
    {
        bool const negative = *at_ == '-';
        at_ += negative;
        if (!sees_digit()) return fail("a digit");
        std::int64_t value = 0;
        unsigned digits = 0, places = 0;
        for (; sees_digit(); ++at_) {
            if (++digits > 15) return fail("at most 15 digits");
            value = value * 10 + (*at_ - '0');
        }
        p.what = kind::integer;
        if (sees('.')) {
            if (digits > 12) return fail("at most 12 digits before the point");
            for (++at_; sees_digit(); ++at_) {
                if (++places > 3) return fail("at most 3 digits after the point");
                value = value * 10 + (*at_ - '0');
            }
            if (places == 0) return fail("a digit after the point");
            for (; places < 3; ++places) value *= 10;
            p.what = kind::decimal;
        }
        p.number = negative ? -value : value;
        return true;
    }
    bool string(part& p) noexcept
    {
        p.what = kind::string;
        for (char const* const begin = ++at_;; ++at_) {
            run(plain);
            if (at_ == end_) return fail("a closing quotation mark");
            if (*at_ == '"') {
                p.text = since(begin);
                ++at_;
                return true;
            }
            if (*at_ != '\\') return fail("printable ASCII in a string");
            p.has_escapes = true;
            ++at_;
            if (!sees('"') && !sees('\\')) return fail("a quotation mark or a backslash after the backslash");
        }
    }
    bool bytes(part& p) noexcept
    {
        char const* const begin = ++at_;
        while (at_ != end_ && *at_ != ':') ++at_;
        p.what = kind::bytes;
        p.text = since(begin);
        if (at_ == end_) return fail_at(begin, "a closing colon");
        if (!enc::is_base64(p.text)) return fail_at(begin, "base64 with its padding");
        ++at_;
        return true;
    }
    bool date(part& p) noexcept
    {
        char const* const begin = ++at_;
        if (!sees('-') && !sees_digit()) return fail("a number of seconds");
        if (!number(p)) return false;
        if (p.what != kind::integer) return fail_at(begin, "a whole number of seconds");
        p.what = kind::date;
        return true;
    }
    bool display_string(part& p)
    {
        char const* const mark = at_++;
        if (!sees('"')) return fail("a quotation mark after the per cent sign");
        char const* const begin = ++at_;
        for (; at_ != end_ && *at_ != '"'; ++at_) {
            if (*at_ < 0x20 || *at_ > 0x7e) return fail("printable ASCII in a display string");
            auto const is_digit = [&](int i) { return end_ - at_ > i && enc::hex_value(at_[i], false) < 16; };
            if (*at_ == '%' && !(is_digit(1) && is_digit(2))) return fail("two lower-case hexadecimal digits after the per cent sign");
        }
        if (at_ == end_) return fail("a closing quotation mark");
        p.what = kind::display_string;
        p.text = since(begin);
        std::string decoded;
        if (!append_display(decoded, p.text) || !is_utf8(decoded)) return fail_at(mark, "UTF-8 in a display string");
        ++at_;
        return true;
    }

    char const *begin_, *at_, *end_;
    parse_options const& options_;
    std::vector<part>& parts_;
    fault fault_{};
};

} // namespace detail

/// Appends the parts of an Item (RFC 9651, section 4.2.3); the first fault, if it is none. Cost: one pass. A field of several lines is
/// given as the lines joined by `", "`. Byte sequences have their padding and no stray bits, so that two texts never stand for the same
/// bytes.
[[nodiscard]] inline std::optional<fault> scan_item(std::string_view text, std::vector<part>& into, parse_options const& options = {})
{
    detail::scanner s(text, options, into);
    return s.item() ? std::nullopt : std::optional<fault>(s.found());
}
/// The same of a List (section 4.2.1); an empty text is an empty one.
[[nodiscard]] inline std::optional<fault> scan_list(std::string_view text, std::vector<part>& into, parse_options const& options = {})
{
    detail::scanner s(text, options, into);
    return s.members(false) ? std::nullopt : std::optional<fault>(s.found());
}
/// The same of a Dictionary (section 4.2.2); an empty text is an empty one.
[[nodiscard]] inline std::optional<fault> scan_dictionary(std::string_view text, std::vector<part>& into, parse_options const& options = {})
{
    detail::scanner s(text, options, into);
    return s.members(true) ? std::nullopt : std::optional<fault>(s.found());
}

/// The text of a string, without its backslashes.
[[nodiscard]] inline std::string plain_text(part const& p)
{
    if (!p.has_escapes) return std::string(p.text);
    std::string out;
    for (std::size_t i = 0; i < p.text.size(); ++i) out.push_back(p.text[p.text[i] == '\\' ? ++i : i]);
    return out;
}

} // namespace weir::inline v0::sf
