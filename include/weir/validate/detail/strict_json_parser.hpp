// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/validate/strict_json.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <system_error>
#include <vector>

namespace weir::inline v0 {

/// The zero behind a string's last byte is no character of JSON, so that looking at the next byte needs no question whether there is one.
class strict_json::parser {
public:
    parser(strict_json& into, strict_json_limits const& limits) noexcept
        : nodes_(into.nodes_),
          start_(into.buffer_.data()),
          at_(start_),
          end_(start_ + into.buffer_.size()),
          levels_(std::min(limits.levels, strict_json_limits::most_levels)),
          values_(limits.values)
    {
    }

    strict_json_fault run()
    {
        skip_space();
        for (node named{};;) {
            if (nodes_.size() >= values_) return strict_json_fault::too_many;
            bool opened = false;
            nodes_.push_back(named);
            if (strict_json_fault const f = value(opened); f != strict_json_fault::none) [[unlikely]]
                return f;
            if (!opened) {
                if (strict_json_fault const f = behind_value(); f != strict_json_fault::none || depth_ == 0) return f;
            }
            frame& f = frames_[depth_ - 1];
            named = node{};
            if (nodes_[f.node].kind == json_view::kind::object) {
                if (strict_json_fault const bad = member_name(f, named); bad != strict_json_fault::none) [[unlikely]]
                    return bad;
            }
            ++nodes_[f.node].size;
        }
    }

private:
    struct frame {
        std::uint32_t node;
        std::uint64_t seen; // a bit for each member name that it may be
    };
    static constexpr std::size_t few_members = 32;

    void skip_space() noexcept
    {
        while (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t') ++at_;
    }
    [[nodiscard]] std::uint32_t offset(char const* p) const noexcept { return static_cast<std::uint32_t>(p - start_); }

    strict_json_fault value(bool& opened)
    {
        auto const index = static_cast<std::uint32_t>(nodes_.size() - 1);
        node& n = nodes_.back();
        n.next = index + 1;
        switch (*at_) {
        case '"': n.kind = json_view::kind::text; return text(n.at, n.size);
        case '{': n.kind = json_view::kind::object; return open(index, opened);
        case '[': n.kind = json_view::kind::list; return open(index, opened);
        case 't': n.integer = 1; return word("true", json_view::kind::boolean);
        case 'f': return word("false", json_view::kind::boolean);
        case 'n': return word("null", json_view::kind::null);
        default: return number(n);
        }
    }
    strict_json_fault open(std::uint32_t index, bool& opened) noexcept
    {
        if (depth_ == levels_) return strict_json_fault::too_deep;
        bool const empty = (++at_, skip_space(), *at_ == closing(index));
        if (empty) return ++at_, strict_json_fault::none;
        frames_[depth_++] = {index, 0};
        opened = true;
        return strict_json_fault::none;
    }
    [[nodiscard]] char closing(std::uint32_t index) const noexcept { return nodes_[index].kind == json_view::kind::object ? '}' : ']'; }

    /// Goes on to where the next element or member begins, or to the end.
    strict_json_fault behind_value()
    {
        for (;;) {
            skip_space();
            if (depth_ == 0) return at_ == end_ ? strict_json_fault::none : strict_json_fault::grammar;
            std::uint32_t const inside = frames_[depth_ - 1].node;
            if (*at_ == ',') return ++at_, skip_space(), strict_json_fault::none;
            if (*at_ != closing(inside)) return strict_json_fault::grammar;
            ++at_;
            --depth_;
            nodes_[inside].next = static_cast<std::uint32_t>(nodes_.size());
            if (nodes_[inside].size > few_members && has_duplicates(inside)) return strict_json_fault::duplicate_member;
        }
    }

    strict_json_fault member_name(frame& f, node& named)
    {
        if (*at_ != '"') return strict_json_fault::grammar;
        if (strict_json_fault const bad = text(named.name_at, named.name_size); bad != strict_json_fault::none) return bad;
        skip_space();
        if (*at_ != ':') return strict_json_fault::grammar;
        ++at_;
        skip_space();
        if (nodes_[f.node].size >= few_members) return strict_json_fault::none; // compared at the object's end
        std::string_view const name{start_ + named.name_at, named.name_size};
        std::uint64_t const bit = name.empty()
                                      ? 1
                                      : std::uint64_t{1} << ((std::to_integer<unsigned>(std::byte(name.front())) * 5 +
                                                              std::to_integer<unsigned>(std::byte(name.back())) * 3 + name.size()) %
                                                             64);
        bool const met = (f.seen & bit) != 0 && is_member(f.node, name);
        f.seen |= bit;
        return met ? strict_json_fault::duplicate_member : strict_json_fault::none;
    }
    [[nodiscard]] std::string_view name_of(node const& n) const noexcept { return {start_ + n.name_at, n.name_size}; }
    [[nodiscard]] bool is_member(std::uint32_t object, std::string_view name) const noexcept
    {
        for (std::size_t i = object + 1; i < nodes_.size(); i = nodes_[i].next)
            if (detail::same_text(name_of(nodes_[i]), name)) return true;
        return false;
    }
    [[gnu::noinline, gnu::cold]] bool has_duplicates(std::uint32_t object) const
    {
        if (nodes_[object].kind != json_view::kind::object) return false;
        struct row { // a vector of another type is 3% of what a compiler does for this header
            std::string_view* const names;
            explicit row(std::size_t size) : names(new std::string_view[size]) {}
            row(row const&) = delete;
            ~row() { delete[] names; }
        };
        std::size_t const size = nodes_[object].size;
        row const all(size);
        std::string_view* const names = all.names;
        std::string_view* end = names;
        for (std::size_t i = object + 1; i < nodes_.size(); i = nodes_[i].next) *end++ = name_of(nodes_[i]);
        // The C library's: std::sort takes a compiler 20 ms, in each file that reads a token.
        std::qsort(names, size, sizeof(std::string_view), [](void const* a, void const* b) {
            return static_cast<std::string_view const*>(a)->compare(*static_cast<std::string_view const*>(b));
        });
        for (std::size_t i = 1; i < size; ++i)
            if (detail::same_text(names[i - 1], names[i])) return true;
        return false;
    }

    strict_json_fault word(std::string_view expected, json_view::kind k)
    {
        if (static_cast<std::size_t>(end_ - at_) < expected.size() || std::memcmp(at_, expected.data(), expected.size()) != 0)
            return strict_json_fault::grammar;
        at_ += expected.size();
        nodes_.back().kind = k;
        return strict_json_fault::none;
    }

    static bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
    bool digits() noexcept
    {
        if (!is_digit(*at_)) return false;
        while (is_digit(*at_)) ++at_;
        return true;
    }
    strict_json_fault number(node& n)
    {
        char const* const first = at_;
        bool const negative = *at_ == '-';
        if (negative) ++at_;
        char const* const start = at_;
        std::int64_t value = 0;
        if (*at_ == '0') {
            ++at_;
        } else {
            // Eighteen digits fit; what has more is read with care below.
            while (is_digit(*at_) && at_ - start < 18) value = value * 10 + (*at_++ - '0');
            if (at_ == start) return strict_json_fault::grammar;
        }
        if (*at_ != '.' && (*at_ | 0x20) != 'e' && (value == 0 || !is_digit(*at_))) [[likely]] {
            n.kind = json_view::kind::integer;
            n.integer = negative ? -value : value;
            return strict_json_fault::none;
        }
        return long_number(n, first);
    }
    [[gnu::noinline]] strict_json_fault long_number(node& n, char const* first)
    {
        while (is_digit(*at_)) ++at_;
        bool const whole = *at_ != '.' && *at_ != 'e' && *at_ != 'E';
        if (*at_ == '.' && (++at_, !digits())) return strict_json_fault::grammar;
        if (*at_ == 'e' || *at_ == 'E') {
            ++at_;
            if (*at_ == '+' || *at_ == '-') ++at_;
            if (!digits()) return strict_json_fault::grammar;
        }
        n.kind = whole ? json_view::kind::integer : json_view::kind::real;
        return (whole ? read_integer(first, n) : read_real(first, n)) ? strict_json_fault::none : strict_json_fault::number;
    }
    /// Of any number of digits, up to `at_`. (By hand: `std::from_chars` for integers is a template.)
    bool read_integer(char const* first, node& n) const noexcept
    {
        constexpr std::int64_t least = INT64_MIN;
        bool const negative = *first == '-';
        std::int64_t value = 0; // or less: there is one more below zero than above it
        for (char const* p = first + negative; p != at_; ++p) {
            std::int64_t const d = *p - '0';
            if (value < (least + d) / 10) return false;
            value = value * 10 - d;
        }
        if (!negative && value == least) return false;
        n.integer = negative ? value : -value;
        return true;
    }
    bool read_real(char const* first, node& n) const
    {
        double real = 0;
        std::from_chars_result const r = std::from_chars(first, at_, real);
        n.real = real;
        return r.ec == std::errc{} && r.ptr == at_;
    }

    /// How many of eight bytes, from the first on, stand for themselves and are ASCII; a big-endian machine knows only all or none.
    static std::size_t plain_bytes(std::uint64_t eight) noexcept
    {
        constexpr std::uint64_t ones = 0x0101010101010101, tops = ones * 0x80;
        if constexpr (std::endian::native == std::endian::little) {
            // A borrow goes to bytes behind the first that has to be looked at, so that one is exact.
            std::uint64_t const quote = eight ^ (ones * '"'), backslash = eight ^ (ones * '\\');
            std::uint64_t const looks =
                (eight | (eight - ones * 0x20) | ((quote - ones) & ~quote) | ((backslash - ones) & ~backslash)) & tops;
            return static_cast<std::size_t>(std::countr_zero(looks)) / 8;
        } else {
            return detail::wants_a_look(eight) ? 0 : 8;
        }
    }

    /// From the quotation mark to behind the other; escapes are resolved in place.
    strict_json_fault text(std::uint32_t& where, std::uint32_t& size)
    {
        char* const first = ++at_;
        for (;;) {
            while (end_ - at_ >= 8) {
                std::uint64_t eight;
                std::memcpy(&eight, at_, 8);
                std::size_t const plain = plain_bytes(eight);
                at_ += plain;
                if (plain != 8) break;
            }
            char const c = *at_;
            if (c == '"') {
                where = offset(first);
                size = offset(at_) - where;
                ++at_;
                return strict_json_fault::none;
            }
            if (c == '\\') return escaped_text(first, where, size);
            if (strict_json_fault const bad = plain(); bad != strict_json_fault::none) return bad;
        }
    }
    /// Goes over one character that stands for itself.
    strict_json_fault plain() noexcept
    {
        auto const byte = static_cast<unsigned char>(*at_);
        if (byte < 0x20) return strict_json_fault::grammar; // the zero at the end too
        std::size_t const length = byte < 0x80 ? 1 : detail::utf8_sequence({at_, static_cast<std::size_t>(end_ - at_)});
        at_ += length;
        return length == 0 ? strict_json_fault::encoding : strict_json_fault::none;
    }
    [[gnu::noinline]] strict_json_fault escaped_text(char* first, std::uint32_t& where, std::uint32_t& size)
    {
        char* out = at_;
        for (;;) {
            if (*at_ == '"') {
                where = offset(first);
                size = offset(out) - where;
                ++at_;
                return strict_json_fault::none;
            }
            if (*at_ == '\\') {
                ++at_;
                if (strict_json_fault const bad = escape(out); bad != strict_json_fault::none) return bad;
                continue;
            }
            char const* const from = at_;
            if (strict_json_fault const bad = plain(); bad != strict_json_fault::none) return bad;
            auto const length = static_cast<std::size_t>(at_ - from);
            std::memmove(out, from, length);
            out += length;
        }
    }
    strict_json_fault escape(char*& out) noexcept
    {
        switch (*at_++) {
        case '"': *out++ = '"'; return strict_json_fault::none;
        case '\\': *out++ = '\\'; return strict_json_fault::none;
        case '/': *out++ = '/'; return strict_json_fault::none;
        case 'b': *out++ = '\b'; return strict_json_fault::none;
        case 'f': *out++ = '\f'; return strict_json_fault::none;
        case 'n': *out++ = '\n'; return strict_json_fault::none;
        case 'r': *out++ = '\r'; return strict_json_fault::none;
        case 't': *out++ = '\t'; return strict_json_fault::none;
        case 'u': return code_point(out);
        default: return strict_json_fault::grammar;
        }
    }
    /// Four hexadecimal digits, or a number above 0xffff.
    std::uint32_t unit() noexcept
    {
        std::uint32_t made = 0;
        for (int i = 0; i < 4; ++i) {
            char const c = *at_;
            bool const letter = (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
            if (!is_digit(c) && !letter) return 0x10000;
            made = made << 4 | static_cast<std::uint32_t>(letter ? (c & 7) + 9 : c - '0');
            ++at_;
        }
        return made;
    }
    strict_json_fault code_point(char*& out) noexcept
    {
        std::uint32_t point = unit();
        if (point > 0xffff) return strict_json_fault::grammar;
        if (point >= 0xd800 && point < 0xe000) {
            if (point >= 0xdc00 || at_[0] != '\\' || at_[1] != 'u') return strict_json_fault::encoding;
            at_ += 2;
            std::uint32_t const low = unit();
            if (low < 0xdc00 || low > 0xdfff) return low > 0xffff ? strict_json_fault::grammar : strict_json_fault::encoding;
            point = 0x10000 + ((point & 0x3ff) << 10 | (low & 0x3ff));
        }
        auto const put = [&](std::uint32_t bits) { *out++ = static_cast<char>(bits); };
        if (point < 0x80) return put(point), strict_json_fault::none;
        if (point < 0x800) {
            put(0xc0 | point >> 6);
        } else {
            if (point < 0x10000) {
                put(0xe0 | point >> 12);
            } else {
                put(0xf0 | point >> 18);
                put(0x80 | (point >> 12 & 63));
            }
            put(0x80 | (point >> 6 & 63));
        }
        put(0x80 | (point & 63));
        return strict_json_fault::none;
    }

    std::vector<node>& nodes_;
    char* const start_;
    char* at_;
    char* const end_;
    std::size_t const levels_, values_;
    std::size_t depth_ = 0;
    std::array<frame, strict_json_limits::most_levels> frames_;
};

inline strict_json_fault strict_json::parse(strict_json_limits const& limits)
{
    nodes_.clear();
    nodes_.reserve(12); // most tokens
    if (buffer_.size() > limits.bytes || buffer_.size() > 0xffff'fffe) return strict_json_fault::too_long;
    strict_json_fault const fault = parser(*this, limits).run();
    if (fault != strict_json_fault::none) nodes_.clear();
    return fault;
}

} // namespace weir::inline v0
