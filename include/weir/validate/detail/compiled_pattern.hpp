// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/validate/detail/character_set.hpp>
#include <weir/validate/detail/field_text.hpp>
#include <weir/validate/detail/json_text.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weir::inline v0::detail {

enum class pattern_fault : std::uint8_t {
    none,
    anchor,         ///< `^` or `$`
    back_reference, ///< `\1`
    look_around,    ///< `(?=`, `(?!`, `(?<`
    lazy,           ///< `*?`, `+?`, `??`, `{2}?`, `*+`
    escape,         ///< a letter that means nothing here, or nothing behind the backslash
    nothing_to_repeat,
    range,    ///< `[z-a]`, `{3,2}`, a class as an end
    unclosed, ///< a group, a class or a brace; or one closed that is not open
    too_long, ///< more than 64 characters, each repeat counted
    not_ascii,
};

/// A pattern as an automaton without empty moves, one state a character of the pattern (V. M. Glushkov, "The abstract theory of automata", 1961),
/// whose states are the bits of a word (G. Navarro, M. Raffinot, "Fast regular expression search", WAE 1999).
struct compiled_pattern {
    static constexpr unsigned most = 64;

    pattern_fault fault = pattern_fault::none;
    std::size_t fault_at = 0;
    bool takes_nothing = false; // whether the empty text matches
    unsigned count = 0;         // of states
    std::uint64_t first = 0, last = 0;
    std::array<std::uint64_t, most> follow{};
    std::uint64_t usual = 0;                              // the states that most characters lead to
    std::array<std::uint64_t, character_set::count> on{}; // those for which a character is not like most

    /// Whether the whole text matches. At most 64 steps a character, one where the pattern leaves no choice.
    [[nodiscard]] constexpr bool matches(std::string_view text) const noexcept
    {
        if (text.empty()) return takes_nothing;
        std::uint64_t next = first, now = 0;
        for (std::size_t i = 0; i < text.size();) {
            auto const byte = static_cast<unsigned char>(text[i]);
            if (byte < 0x80) [[likely]] {
                now = next & (usual ^ on[byte]);
                ++i;
            } else {
                std::size_t const length = utf8_sequence(text.substr(i));
                if (length == 0) return false;
                now = next & (usual ^ on[character_set::beyond_ascii]);
                i += length;
            }
            if (now == 0) return false;
            next = 0;
            for (std::uint64_t left = now; left != 0; left &= left - 1) next |= follow[static_cast<std::size_t>(std::countr_zero(left))];
        }
        return (now & last) != 0;
    }
};

class pattern_compiler {
public:
    constexpr explicit pattern_compiler(std::string_view text) noexcept : text_(text) {}

    [[nodiscard]] constexpr compiled_pattern run() noexcept
    {
        part const all = alternatives();
        if (made_.fault == pattern_fault::none && at_ != text_.size()) fail(pattern_fault::unclosed);
        made_.takes_nothing = all.nullable;
        made_.first = all.first;
        made_.last = all.last;
        return made_;
    }

private:
    struct part {
        std::uint64_t first = 0, last = 0;
        bool nullable = true;
    };

    constexpr void fail(pattern_fault f) noexcept
    {
        if (made_.fault != pattern_fault::none) return;
        made_.fault = f;
        made_.fault_at = at_;
        at_ = text_.size(); // all that reads on finds the end
    }
    [[nodiscard]] constexpr bool done() const noexcept { return at_ == text_.size(); }
    [[nodiscard]] constexpr char peek(std::size_t ahead = 0) const noexcept
    {
        return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
    }
    constexpr bool take(char c) noexcept
    {
        if (done() || text_[at_] != c) return false;
        ++at_;
        return true;
    }

    constexpr void link(std::uint64_t from, std::uint64_t to) noexcept
    {
        for (; from != 0; from &= from - 1) made_.follow[static_cast<std::size_t>(std::countr_zero(from))] |= to;
    }
    constexpr part then(part const& a, part const& b) noexcept
    {
        link(a.last, b.first);
        return {a.first | (a.nullable ? b.first : 0), b.last | (b.nullable ? a.last : 0), a.nullable && b.nullable};
    }

    constexpr part alternatives() noexcept
    {
        part all = sequence();
        while (take('|')) {
            part const other = sequence();
            all = {all.first | other.first, all.last | other.last, all.nullable || other.nullable};
        }
        return all;
    }
    constexpr part sequence() noexcept
    {
        part all;
        while (!done() && peek() != '|' && peek() != ')') all = then(all, repeated());
        return all;
    }
    /// An atom and how often: what is repeated by number is read so many times.
    constexpr part repeated() noexcept
    {
        std::size_t const begin = at_;
        part one = atom();
        bool more = false;
        std::size_t least = 1, most = 1;
        if (take('*'))
            least = 0, more = true;
        else if (take('+'))
            more = true;
        else if (take('?'))
            least = 0;
        else if (take('{'))
            braces(least, most, more);
        else
            return one;
        std::size_t const after = at_;
        char const next = peek();
        if (next == '?' || next == '+') fail(pattern_fault::lazy);
        if (next == '*' || next == '{') fail(pattern_fault::nothing_to_repeat);
        if (made_.fault != pattern_fault::none) return one;
        if (!more && most == 0) return {};
        // Each copy follows the one before it alone, so that where the pattern leaves no choice one state is active: a{1,3} is a(a(a)?)?.
        part all = one;
        std::uint64_t tail = one.last; // what ends the copies so far
        if (least > 1) all.last = 0;
        for (std::size_t i = 1; i < (more ? least : most) && made_.fault == pattern_fault::none; ++i) {
            at_ = begin;
            one = atom();
            link(tail, one.first);
            if (all.nullable) all.first |= one.first;
            tail = one.last | (one.nullable ? tail : 0);
            if (i + 1 >= least) all.last |= tail;
        }
        if (made_.fault == pattern_fault::none) at_ = after;
        if (more) link(one.last, one.first);
        if (least == 0) all.nullable = true;
        return all;
    }
    constexpr void braces(std::size_t& least, std::size_t& most, bool& more) noexcept
    {
        auto const number = [&](std::size_t& n) {
            bool const there = ascii_digit(peek());
            n = 0;
            while (ascii_digit(peek())) {
                if (n < 1'000) n = n * 10 + static_cast<std::size_t>(text_[at_] - '0');
                ++at_;
            }
            return there;
        };
        if (!number(least)) return fail(pattern_fault::unclosed);
        most = least;
        if (take(',')) more = !number(most);
        if (!take('}')) return fail(pattern_fault::unclosed);
        if (!more && most < least) return fail(pattern_fault::range);
        if ((more ? least : most) > compiled_pattern::most) return fail(pattern_fault::too_long);
    }
    constexpr part atom() noexcept
    {
        if (++steps_ > 512) { // copies of copies of what takes no state
            fail(pattern_fault::too_long);
            return {};
        }
        char const c = peek();
        character_set set;
        switch (c) {
        case '(': return group();
        case '[':
            ++at_;
            set = characters();
            break;
        case '.':
            ++at_;
            set.add('\n');
            set.add('\r');
            set = set.others();
            break;
        case '\\':
            ++at_;
            set = escaped();
            break;
        case '^':
        case '$': fail(pattern_fault::anchor); return {};
        case '*':
        case '+':
        case '?':
        case '{': fail(pattern_fault::nothing_to_repeat); return {};
        case '}':
        case ']': fail(pattern_fault::unclosed); return {};
        default: set.add(plain());
        }
        return state(set);
    }
    constexpr part group() noexcept
    {
        ++at_;
        if (peek() == '?') {
            if (peek(1) != ':') {
                fail(pattern_fault::look_around);
                return {};
            }
            at_ += 2;
        }
        part const inside = alternatives();
        if (!take(')')) fail(pattern_fault::unclosed);
        return inside;
    }
    constexpr part state(character_set const& set) noexcept
    {
        if (made_.fault != pattern_fault::none) return {};
        if (made_.count == compiled_pattern::most) {
            fail(pattern_fault::too_long);
            return {};
        }
        std::uint64_t const bit = std::uint64_t{1} << made_.count++;
        bool const most = set.size() > 64; // steps of the compiler are dear: a dot is told by what it is not
        if (most) made_.usual |= bit;
        (most ? set.others() : set).each([&](unsigned c) { made_.on[c] |= bit; });
        return {bit, bit, false};
    }
    constexpr unsigned plain() noexcept
    {
        auto const byte = static_cast<unsigned char>(text_[at_]);
        if (byte >= 0x80) {
            fail(pattern_fault::not_ascii);
            return 0;
        }
        ++at_;
        return byte;
    }
    /// Behind a backslash: a class, a control, or a sign that stands for itself.
    constexpr character_set escaped() noexcept
    {
        character_set set;
        if (done()) {
            fail(pattern_fault::escape);
            return set;
        }
        char const c = text_[at_];
        char const kind = ascii_lower(c);
        if (kind == 'd' || kind == 'w' || kind == 's') {
            ++at_;
            if (kind == 's') {
                for (char const blank : {' ', '\t', '\n', '\v', '\f', '\r'}) set.add(static_cast<unsigned char>(blank));
            } else {
                set.add('0', '9');
                if (kind == 'w') {
                    set.add('a', 'z');
                    set.add('A', 'Z');
                    set.add('_');
                }
            }
            return c == kind ? set : set.others();
        }
        if (ascii_digit(c)) {
            fail(pattern_fault::back_reference);
            return set;
        }
        ++at_;
        switch (c) {
        case 't': set.add('\t'); return set;
        case 'n': set.add('\n'); return set;
        case 'r': set.add('\r'); return set;
        default: break;
        }
        --at_;
        if (ascii_letter(c)) {
            fail(pattern_fault::escape);
            return set;
        }
        set.add(plain());
        return set;
    }
    /// Behind `[`.
    constexpr character_set characters() noexcept
    {
        character_set set;
        bool const negated = take('^');
        bool empty = true;
        for (;;) {
            if (done()) {
                fail(pattern_fault::unclosed);
                return set;
            }
            if (peek() == ']') break;
            if (peek() == '[') { // a class of names, such as [:alpha:], or one that was forgotten to be closed
                fail(pattern_fault::unclosed);
                return set;
            }
            empty = false;
            bool is_class = false;
            unsigned const from = one_of_class(set, is_class);
            if (peek() == '-' && peek(1) != ']' && peek(1) != '\0') {
                ++at_;
                bool also_class = false;
                character_set ignored;
                unsigned const to = one_of_class(ignored, also_class);
                if (is_class || also_class || to < from) {
                    fail(pattern_fault::range);
                    return set;
                }
                set.add(from, to);
            } else if (!is_class)
                set.add(from);
            if (made_.fault != pattern_fault::none) return set;
        }
        ++at_;
        if (empty) fail(pattern_fault::unclosed);
        return negated ? set.others() : set;
    }
    /// A character, or a class such as `\d`, which is added.
    constexpr unsigned one_of_class(character_set& set, bool& is_class) noexcept
    {
        if (peek() != '\\') return plain();
        ++at_;
        char const kind = ascii_lower(peek());
        is_class = kind == 'd' || kind == 'w' || kind == 's';
        character_set const one = escaped();
        if (is_class) {
            set.add(one);
            return 0;
        }
        for (unsigned c = 0; c < 128; ++c)
            if (one.has(c)) return c;
        return 0;
    }

    std::string_view text_;
    std::size_t at_ = 0;
    unsigned steps_ = 0;
    compiled_pattern made_;
};

[[nodiscard]] constexpr compiled_pattern compile_pattern(std::string_view text) noexcept
{
    return pattern_compiler(text).run();
}

} // namespace weir::inline v0::detail
