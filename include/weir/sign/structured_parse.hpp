// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/sign/encoding.hpp>
#include <weir/sign/structured_value.hpp>

#include <boost/system/result.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace weir::inline v0::sf {

/// How much a field may hold. The defaults are what RFC 9651 wants a parser to take at least, but for the length.
struct parse_options {
    std::size_t max_bytes = 65'536;   ///< the whole field, its lines joined
    std::size_t max_members = 1'024;  ///< of a list or a dictionary, and of each inner list
    std::size_t max_parameters = 256; ///< of each item and inner list
    bool refuse_duplicate_keys =
        false; ///< the RFC lets the last one win, which two readers may see otherwise: where security depends on it, refuse
};

/// What was read, or the first fault.
template<class T>
using parsed = boost::system::result<T, fault>;

namespace detail {

namespace enc = ::weir::v0::detail;

constexpr bool is_digit(char c) noexcept
{
    return c >= '0' && c <= '9';
}
constexpr bool is_lower(char c) noexcept
{
    return c >= 'a' && c <= 'z';
}
constexpr bool is_alpha(char c) noexcept
{
    return is_lower(c) || (c >= 'A' && c <= 'Z');
}
constexpr bool is_key_start(char c) noexcept
{
    return is_lower(c) || c == '*';
}
constexpr bool is_key_char(char c) noexcept
{
    return is_lower(c) || is_digit(c) || c == '_' || c == '-' || c == '.' || c == '*';
}
constexpr bool is_token_start(char c) noexcept
{
    return is_alpha(c) || c == '*';
}
constexpr bool is_token_char(char c) noexcept
{
    return is_alpha(c) || is_digit(c) || (c != '\0' && std::string_view(":/!#$%&'*+-.^_`|~").find(c) != std::string_view::npos);
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

/// Reads one field from its beginning to its end (RFC 9651, section 4.2). The first fault stays.
class reader {
public:
    reader(std::string_view text, parse_options const& options) noexcept : text_(text), options_(options)
    {
        if (text.size() > options.max_bytes) fail("a field that is not so long");
    }

    void read(item& into)
    {
        blanks(false);
        read_item(into);
        finish();
    }
    void read(list& into)
    {
        members([&] {
            read_member(into.emplace_back());
            return into.size();
        });
    }
    void read(dictionary& into)
    {
        members([&] {
            std::string_view const key = read_key();
            if (options_.refuse_duplicate_keys && into.find(key) != nullptr) fail("each key once");
            member value = item{true, {}};
            if (take('=')) {
                read_member(value);
            } else {
                read_parameters(std::get<item>(value).params);
            }
            if (good()) into.set(key, std::move(value));
            return into.size();
        });
    }
    [[nodiscard]] std::optional<fault> const& found() const noexcept { return fault_; }

private:
    [[nodiscard]] bool good() const noexcept { return !fault_; }
    [[nodiscard]] bool at_end() const noexcept { return at_ == text_.size(); }
    [[nodiscard]] char peek() const noexcept { return at_end() ? '\0' : text_[at_]; }
    [[nodiscard]] bool sees(char c) const noexcept { return !at_end() && text_[at_] == c; }
    void fail(std::string_view expected) noexcept
    {
        if (good()) fault_ = fault{at_, expected};
    }
    bool take(char c) noexcept
    {
        bool const is = good() && sees(c);
        at_ += is;
        return is;
    }
    void blanks(bool tabs_too) noexcept
    {
        while (sees(' ') || (tabs_too && sees('\t'))) ++at_;
    }
    void finish() noexcept
    {
        blanks(false);
        if (!at_end()) fail("the end of the field");
    }

    template<class ReadOne>
    void members(ReadOne read_one)
    {
        blanks(false);
        if (at_end()) return;
        while (good()) {
            if (read_one() > options_.max_members) fail("fewer members");
            blanks(true);
            if (at_end() || !good()) return;
            if (!take(',')) return fail("a comma");
            blanks(true);
            if (at_end()) return fail("a member after the comma");
        }
    }
    void read_member(member& into)
    {
        if (!sees('(')) return read_item(std::get<item>(into));
        read_inner_list(into.emplace<inner_list>());
    }
    void read_inner_list(inner_list& into)
    {
        take('(');
        for (;;) {
            blanks(false);
            if (take(')')) return read_parameters(into.params);
            read_item(into.items.emplace_back());
            if (!good()) return;
            if (into.items.size() > options_.max_members) return fail("fewer members");
            if (!sees(' ') && !sees(')')) return fail("a space or a closing parenthesis");
        }
    }
    void read_item(item& into)
    {
        read_bare(into.value);
        read_parameters(into.params);
    }
    void read_parameters(parameters& into)
    {
        while (take(';')) {
            blanks(false);
            std::string_view const key = read_key();
            if (options_.refuse_duplicate_keys && into.find(key) != nullptr) fail("each parameter once");
            bare_item value = true;
            if (take('=')) read_bare(value);
            if (!good()) return;
            into.set(key, std::move(value));
            if (into.size() > options_.max_parameters) return fail("fewer parameters");
        }
    }
    std::string_view read_key()
    {
        if (at_end() || !is_key_start(peek())) fail("a key");
        if (!good()) return {};
        std::size_t const begin = at_;
        while (!at_end() && is_key_char(peek())) ++at_;
        return text_.substr(begin, at_ - begin);
    }

    void read_bare(bare_item& into)
    {
        if (!good()) return;
        char const c = peek();
        if (at_end()) return fail("an item");
        if (c == '-' || is_digit(c)) return read_number(into);
        if (c == '"') return read_string(into);
        if (is_token_start(c)) return read_token(into);
        if (c == ':') return read_bytes(into);
        if (c == '?') return read_boolean(into);
        if (c == '@') return read_date(into);
        if (c == '%') return read_display_string(into);
        fail("an item");
    }
    void read_number(bare_item& into)
    {
        bool const negative = take('-');
        if (!is_digit(peek())) return fail("a digit");
        std::int64_t value = 0;
        std::size_t digits = 0;
        for (; is_digit(peek()); ++at_) {
            if (++digits > 15) return fail("at most 15 digits");
            value = value * 10 + (peek() - '0');
        }
        if (!sees('.')) {
            into = negative ? -value : value;
            return;
        }
        if (digits > 12) return fail("at most 12 digits before the point");
        ++at_;
        std::size_t places = 0;
        for (; is_digit(peek()); ++at_) {
            if (++places > 3) return fail("at most 3 digits after the point");
            value = value * 10 + (peek() - '0');
        }
        if (places == 0) return fail("a digit after the point");
        for (; places < 3; ++places) value *= 10;
        into = decimal{negative ? -value : value};
    }
    void read_string(bare_item& into)
    {
        ++at_;
        std::string& text = into.emplace<std::string>();
        for (std::size_t begin = at_; !at_end(); ++at_) { // appended in runs, from one backslash to the next
            char const c = text_[at_];
            if (c == '"') {
                text += text_.substr(begin, at_++ - begin);
                return;
            }
            if (c == '\\') {
                text += text_.substr(begin, at_ - begin);
                begin = ++at_;
                if (at_end() || (peek() != '"' && peek() != '\\')) return fail("a quotation mark or a backslash after the backslash");
            } else if (c < 0x20 || c > 0x7e) {
                return fail("printable ASCII in a string");
            }
        }
        fail("a closing quotation mark");
    }
    void read_token(bare_item& into)
    {
        std::size_t const begin = at_;
        while (!at_end() && is_token_char(peek())) ++at_;
        into = token{std::string(text_.substr(begin, at_ - begin))};
    }
    void read_bytes(bare_item& into)
    {
        std::size_t const begin = ++at_, end = text_.find(':', begin);
        if (end == std::string_view::npos) return fail("a closing colon");
        auto decoded = from_base64(text_.substr(begin, end - begin));
        if (!decoded) return fail("base64 with its padding");
        at_ = end + 1;
        into = bytes{*std::move(decoded)};
    }
    void read_boolean(bare_item& into)
    {
        ++at_;
        if (!sees('0') && !sees('1')) return fail("?0 or ?1");
        into = text_[at_++] == '1';
    }
    void read_date(bare_item& into)
    {
        ++at_;
        if (peek() != '-' && !is_digit(peek())) return fail("a number of seconds");
        std::size_t const begin = at_;
        read_number(into);
        if (!good()) return;
        if (auto const* const seconds = std::get_if<std::int64_t>(&into)) {
            into = date{*seconds};
        } else {
            at_ = begin;
            fail("a whole number of seconds");
        }
    }
    void read_display_string(bare_item& into)
    {
        std::size_t const begin = at_++;
        if (!take('"')) return fail("a quotation mark after the per cent sign");
        std::string& text = into.emplace<display_string>().text;
        for (; !at_end(); ++at_) {
            char const c = text_[at_];
            if (c == '"') {
                ++at_;
                if (is_utf8(text)) return;
                at_ = begin;
                return fail("UTF-8 in a display string");
            }
            if (c < 0x20 || c > 0x7e) return fail("printable ASCII in a display string");
            if (c != '%') {
                text += c;
                continue;
            }
            std::byte decoded{};
            std::string_view const digits = text_.substr(at_ + 1, 2);
            if (digits.size() != 2 || !enc::read_hex(digits, enc::hex_lower, std::span(&decoded, 1)))
                return fail("two lower-case hexadecimal digits after the per cent sign");
            text += static_cast<char>(decoded);
            at_ += 2;
        }
        fail("a closing quotation mark");
    }

    std::string_view text_;
    parse_options options_;
    std::size_t at_ = 0;
    std::optional<fault> fault_{};
};

template<class T>
parsed<T> parse(std::string_view text, parse_options const& options)
{
    T value;
    reader r(text, options);
    if (!r.found()) r.read(value);
    if (r.found()) return *r.found();
    return value;
}

} // namespace detail

/// Reads an Item (RFC 9651, section 4.2.3). Cost: one pass, an allocation for each text beyond 15 characters. A field of several lines is given
/// as the lines joined by `", "`. Byte sequences have their padding and no stray bits, so that two texts never stand for the same bytes.
[[nodiscard]] inline parsed<item> parse_item(std::string_view text, parse_options const& options = {})
{
    return detail::parse<item>(text, options);
}
/// Reads a List (section 4.2.1); an empty text is an empty one.
[[nodiscard]] inline parsed<list> parse_list(std::string_view text, parse_options const& options = {})
{
    return detail::parse<list>(text, options);
}
/// Reads a Dictionary (section 4.2.2); an empty text is an empty one.
[[nodiscard]] inline parsed<dictionary> parse_dictionary(std::string_view text, parse_options const& options = {})
{
    return detail::parse<dictionary>(text, options);
}

} // namespace weir::inline v0::sf
