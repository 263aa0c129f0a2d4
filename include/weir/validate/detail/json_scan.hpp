// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/validate/detail/field_text.hpp>
#include <weir/validate/detail/json_text.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace weir::inline v0::detail {

enum class json_fault : std::uint8_t {
    none,
    syntax,
    incomplete,
    trailing,
    too_deep,
    too_many_values,
    too_many_members,
    too_many_elements,
    text_too_long,
    number_too_large,
    number_not_exact,
    repeated_name,
};

struct json_scan_limits {
    static constexpr std::size_t most_levels = 64;
    std::size_t levels = most_levels, values = std::size_t(-1), members = std::size_t(-1), elements = std::size_t(-1),
                text_bytes = std::size_t(-1);
    bool exact_numbers = false, unique_names = false;
};

/// The characters of a string's inside as it stands in the text. `raw` is well formed.
inline void append_unescaped(std::string& out, std::string_view raw)
{
    auto const unit = [&](std::size_t at) {
        unsigned value = 0;
        for (std::size_t i = at; i < at + 4; ++i) value = value * 16 + static_cast<unsigned>(ascii_hex(raw[i]));
        return value;
    };
    auto const add = [&](unsigned bits) { out += static_cast<char>(bits); };
    for (std::size_t i = 0; i < raw.size(); ++i) {
        if (raw[i] != '\\') {
            out += raw[i];
            continue;
        }
        switch (raw[++i]) {
        case 'b': out += '\b'; break;
        case 'f': out += '\f'; break;
        case 'n': out += '\n'; break;
        case 'r': out += '\r'; break;
        case 't': out += '\t'; break;
        case 'u': {
            unsigned code = unit(i + 1);
            i += 4;
            if (code >= 0xd800 && code < 0xdc00) {
                code = 0x10000 + ((code - 0xd800) << 10) + (unit(i + 3) - 0xdc00);
                i += 6;
            }
            if (code < 0x80)
                add(code);
            else if (code < 0x800) {
                add(0xc0 | code >> 6);
                add(0x80 | (code & 0x3f));
            } else {
                if (code < 0x10000)
                    add(0xe0 | code >> 12);
                else {
                    add(0xf0 | code >> 18);
                    add(0x80 | (code >> 12 & 0x3f));
                }
                add(0x80 | (code >> 6 & 0x3f));
                add(0x80 | (code & 0x3f));
            }
            break;
        }
        default: out += raw[i];
        }
    }
}

/// Nobody looks on.
struct json_no_visitor {
    static void name(std::string_view) noexcept {}
    static void text(std::string_view) noexcept {}
    static void scalar(std::string_view) noexcept {}
    static void open(char, std::size_t) noexcept {}
    static void close(std::size_t) noexcept {}
};

/// Passes over a JSON document (RFC 8259) from begin to end, strictly, and keeps nothing of it but a bit a level and, to find two members of one name
/// (RFC 7493 section 2.3), a number for each member of the objects that are open. It calls neither itself nor `new` otherwise.
///
/// The visitor is told a member's name and a string as they stand between the quotation marks, other scalars as they stand, and where arrays
/// and objects begin and end.
template<class Visitor>
class json_scanner {
public:
    json_scanner(std::string_view text, json_scan_limits const& limits, Visitor& visit)
        : begin_(text.data()), p_(text.data()), end_(text.data() + text.size()), limits_(limits), visit_(visit), values_left_(limits.values)
    {
    }

    [[nodiscard]] json_fault run()
    {
        blanks();
        bool goes_on = value();
        while (goes_on && depth_ != 0) {
            blanks();
            goes_on = inside();
        }
        if (fault_ != json_fault::none) return fault_;
        blanks();
        if (p_ != end_) fault_ = json_fault::trailing;
        return fault_;
    }
    /// The byte at which it stopped.
    [[nodiscard]] std::size_t at() const noexcept { return static_cast<std::size_t>(p_ - begin_); }

private:
    struct level {
        std::uint32_t count = 0;
        std::uint32_t first_name = 0;
        bool is_object = false;
    };

    [[gnu::cold]] bool fail(json_fault f) noexcept
    {
        fault_ = f;
        return false;
    }
    [[gnu::cold]] bool no_json() noexcept { return fail(p_ == end_ ? json_fault::incomplete : json_fault::syntax); }
    void blanks() noexcept
    {
        while (p_ != end_ && (*p_ == ' ' || *p_ == '\n' || *p_ == '\r' || *p_ == '\t')) ++p_;
    }

    /// Behind a value, or at the begin of an array or object.
    bool inside()
    {
        level& now = levels_[depth_ - 1];
        if (p_ == end_) return no_json();
        if (*p_ == (now.is_object ? '}' : ']')) return close();
        if (now.count != 0) {
            if (*p_ != ',') return no_json();
            ++p_;
            blanks();
        }
        ++now.count;
        if (!now.is_object) return now.count > limits_.elements ? fail(json_fault::too_many_elements) : value();
        if (now.count > limits_.members) return fail(json_fault::too_many_members);
        if (p_ == end_ || *p_ != '"') return no_json();
        std::string_view raw;
        bool escaped = false;
        if (!string(raw, escaped)) return false;
        visit_.name(raw);
        if (limits_.unique_names) remember(raw, escaped);
        blanks();
        if (p_ == end_ || *p_ != ':') return no_json();
        ++p_;
        blanks();
        return value();
    }
    bool close()
    {
        level const& now = levels_[depth_ - 1];
        if (now.is_object && limits_.unique_names) {
            auto const first = names_.begin() + static_cast<std::ptrdiff_t>(now.first_name);
            std::sort(first, names_.end());
            if (std::adjacent_find(first, names_.end()) != names_.end()) return fail(json_fault::repeated_name);
            names_.erase(first, names_.end());
        }
        ++p_;
        --depth_;
        visit_.close(at());
        return true;
    }
    bool value()
    {
        if (p_ == end_) return no_json();
        if (values_left_ == 0) return fail(json_fault::too_many_values);
        --values_left_;
        char const c = *p_;
        if (c == '"') {
            std::string_view raw;
            bool escaped = false;
            if (!string(raw, escaped)) return false;
            visit_.text(raw);
            return true;
        }
        if (c == '{' || c == '[') {
            if (depth_ == limits_.levels || depth_ == json_scan_limits::most_levels) return fail(json_fault::too_deep);
            levels_[depth_++] = {0, static_cast<std::uint32_t>(names_.size()), c == '{'};
            visit_.open(c, at());
            ++p_;
            return true;
        }
        char const* const from = p_;
        if (!(c == 't' ? word("true") : c == 'f' ? word("false") : c == 'n' ? word("null") : number())) return false;
        visit_.scalar({from, static_cast<std::size_t>(p_ - from)});
        return true;
    }
    bool word(std::string_view wanted) noexcept
    {
        for (char const c : wanted) {
            if (p_ == end_ || *p_ != c) return no_json();
            ++p_;
        }
        return true;
    }
    bool digits() noexcept
    {
        char const* const from = p_;
        while (p_ != end_ && ascii_digit(*p_)) ++p_;
        return p_ != from || no_json();
    }
    bool number() noexcept
    {
        char const* const from = p_;
        if (*p_ == '-') ++p_;
        char const* const whole = p_;
        if (!digits()) return false;
        if (*whole == '0' && p_ - whole > 1) {
            p_ = whole + 1;
            return fail(json_fault::syntax);
        }
        bool const small = p_ - whole <= 15;
        bool integral = true, scaled = false;
        if (p_ != end_ && *p_ == '.') {
            integral = false;
            ++p_;
            if (!digits()) return false;
        }
        if (p_ != end_ && (*p_ == 'e' || *p_ == 'E')) {
            integral = false;
            scaled = true;
            ++p_;
            if (p_ != end_ && (*p_ == '+' || *p_ == '-')) ++p_;
            if (!digits()) return false;
        }
        if (!limits_.exact_numbers || (small && !scaled)) [[likely]]
            return true;
        return fits(from, whole, integral);
    }
    /// Whether whoever reads numbers as doubles reads the same (RFC 7493 section 2.2).
    [[gnu::noinline]] bool fits(char const* from, char const* whole, bool integral) noexcept
    {
        bool good = true;
        if (integral) {
            std::uint64_t n = 0;
            good = std::from_chars(whole, p_, n).ec == std::errc{} && n <= (std::uint64_t{1} << 53) - 1;
        } else {
            double n = 0;
            // Out of range are also those next to zero, which are zero for everybody.
            auto const [end, what] = std::from_chars(from, p_, n);
            good = what == std::errc{} || is_tiny(from);
        }
        if (good) return true;
        p_ = from;
        return fail(integral ? json_fault::number_not_exact : json_fault::number_too_large);
    }
    /// Of a number that is out of range: whether it is next to zero, and not beyond the largest. What counts is where its first digit stands that is
    /// not zero.
    bool is_tiny(char const* from) const noexcept
    {
        std::string_view const text(from, static_cast<std::size_t>(p_ - from));
        std::size_t const e = std::min(text.find_first_of("eE"), text.size());
        std::size_t const point = std::min(text.find('.'), e);
        std::size_t const first = text.substr(0, e).find_first_of("123456789");
        if (first == std::string_view::npos) return true;
        std::int64_t exponent = 0;
        if (e != text.size()) {
            std::string_view digits = text.substr(e + 1);
            bool const negative = digits.front() == '-';
            if (negative || digits.front() == '+') digits.remove_prefix(1);
            for (char const c : digits) exponent = std::min<std::int64_t>(exponent * 10 + (c - '0'), std::int64_t{1} << 40);
            if (negative) exponent = -exponent;
        }
        return static_cast<std::int64_t>(point) - static_cast<std::int64_t>(first) + exponent < 0;
    }

    bool string(std::string_view& raw, bool& escaped)
    {
        char const* const from = ++p_;
        for (;;) {
            while (end_ - p_ >= 8) {
                std::uint64_t eight;
                std::memcpy(&eight, p_, 8);
                if (wants_a_look(eight)) break;
                p_ += 8;
            }
            if (p_ == end_) return fail(json_fault::incomplete);
            auto const byte = static_cast<unsigned char>(*p_);
            if (byte == '"') break;
            if (byte < 0x20) return fail(json_fault::syntax);
            if (byte == '\\') {
                escaped = true;
                if (!escape()) return false;
            } else if (byte < 0x80)
                ++p_;
            else {
                std::size_t const length = utf8_sequence({p_, static_cast<std::size_t>(end_ - p_)});
                if (length == 0) return fail(json_fault::syntax);
                p_ += length;
            }
        }
        raw = {from, static_cast<std::size_t>(p_ - from)};
        if (raw.size() > limits_.text_bytes) {
            p_ = from;
            return fail(json_fault::text_too_long);
        }
        ++p_;
        return true;
    }
    /// Four hexadecimal digits behind `\u`.
    bool unit(unsigned& value) noexcept
    {
        value = 0;
        for (int i = 0; i < 4; ++i, ++p_) {
            int const digit = p_ == end_ ? -1 : ascii_hex(*p_);
            if (digit < 0) return no_json();
            value = value * 16 + static_cast<unsigned>(digit);
        }
        return true;
    }
    bool escape() noexcept
    {
        ++p_;
        if (p_ == end_) return no_json();
        if (*p_ != 'u') {
            if (std::string_view("\"\\/bfnrt").find(*p_) == std::string_view::npos) return no_json();
            ++p_;
            return true;
        }
        ++p_;
        unsigned high = 0, low = 0;
        if (!unit(high)) return false;
        if (high < 0xd800 || high > 0xdfff) return true;
        if (high > 0xdbff || end_ - p_ < 2 || p_[0] != '\\' || p_[1] != 'u') return no_json();
        p_ += 2;
        if (!unit(low)) return false;
        return (low >= 0xdc00 && low <= 0xdfff) || no_json();
    }
    /// FNV-1a: who finds two names of one number has its own document refused.
    void remember(std::string_view raw, bool escaped)
    {
        if (escaped) {
            scratch_.clear();
            append_unescaped(scratch_, raw);
            raw = scratch_;
        }
        std::uint64_t hash = 14695981039346656037u;
        for (char const c : raw) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
        names_.push_back(hash);
    }

    char const* begin_;
    char const* p_;
    char const* end_;
    json_scan_limits limits_;
    Visitor& visit_;
    std::size_t values_left_;
    json_fault fault_ = json_fault::none;
    std::size_t depth_ = 0;
    level levels_[json_scan_limits::most_levels];
    std::vector<std::uint64_t> names_;
    std::string scratch_;
};

} // namespace weir::inline v0::detail
