// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/fixed_string.hpp>
#include <weir/validate/detail/compiled_pattern.hpp>

#include <string>
#include <string_view>

namespace weir::inline v0 {

namespace advice {
template<fixed_string Text>
struct pattern {
    struct is_about_the_whole_text__leave_out_its_anchors;
    struct has_no_back_references__check_that_in_a_rule_of_your_own;
    struct has_no_look_around__check_that_in_a_rule_of_your_own;
    struct has_no_lazy_or_possessive_repeats__they_change_nothing_of_what_matches;
    struct has_a_backslash_before_what_it_means_nothing_for;
    struct has_a_repeat_of_nothing_or_of_a_repeat__write_a_group_or_a_backslash_before_it;
    struct has_a_range_whose_ends_are_not_two_characters_or_numbers_in_their_order;
    struct has_a_bracket_a_brace_or_a_parenthesis_without_its_other__write_a_backslash_before_it_if_it_stands_for_itself;
    struct has_more_than_64_characters_each_repeat_counted__state_lengths_by_weir_length;
    struct is_ascii__what_is_beyond_matches_a_dot_or_a_negated_class;
};
} // namespace advice

namespace detail {

/// Says in the compiler's first line what is wrong with a pattern.
template<fixed_string Text>
constexpr bool checked_pattern() noexcept
{
    constexpr pattern_fault fault = compile_pattern(Text.view()).fault;
    using said = advice::pattern<Text>;
    if constexpr (fault == pattern_fault::anchor) static_cast<void>(sizeof(typename said::is_about_the_whole_text__leave_out_its_anchors));
    if constexpr (fault == pattern_fault::back_reference)
        static_cast<void>(sizeof(typename said::has_no_back_references__check_that_in_a_rule_of_your_own));
    if constexpr (fault == pattern_fault::look_around)
        static_cast<void>(sizeof(typename said::has_no_look_around__check_that_in_a_rule_of_your_own));
    if constexpr (fault == pattern_fault::lazy)
        static_cast<void>(sizeof(typename said::has_no_lazy_or_possessive_repeats__they_change_nothing_of_what_matches));
    if constexpr (fault == pattern_fault::escape)
        static_cast<void>(sizeof(typename said::has_a_backslash_before_what_it_means_nothing_for));
    if constexpr (fault == pattern_fault::nothing_to_repeat)
        static_cast<void>(sizeof(typename said::has_a_repeat_of_nothing_or_of_a_repeat__write_a_group_or_a_backslash_before_it));
    if constexpr (fault == pattern_fault::range)
        static_cast<void>(sizeof(typename said::has_a_range_whose_ends_are_not_two_characters_or_numbers_in_their_order));
    if constexpr (fault == pattern_fault::unclosed)
        static_cast<void>(sizeof(
            typename said::has_a_bracket_a_brace_or_a_parenthesis_without_its_other__write_a_backslash_before_it_if_it_stands_for_itself));
    if constexpr (fault == pattern_fault::too_long)
        static_cast<void>(sizeof(typename said::has_more_than_64_characters_each_repeat_counted__state_lengths_by_weir_length));
    if constexpr (fault == pattern_fault::not_ascii)
        static_cast<void>(sizeof(typename said::is_ascii__what_is_beyond_matches_a_dot_or_a_negated_class));
    return true;
}

} // namespace detail

/// What `pattern<"...">` is: a rule for texts, and a function of one.
template<fixed_string Text, fixed_string Meaning>
class pattern_rule {
    static_assert(detail::checked_pattern<Text>());

public:
    /// Whether the whole text matches.
    [[nodiscard]] constexpr bool operator()(std::string_view text) const noexcept { return compiled_.matches(text); }
    [[nodiscard]] static std::string expected()
    {
        return std::string(Meaning.view().empty() ? "a text of the form " : "")
            .append(Meaning.view().empty() ? Text.view() : Meaning.view());
    }

private:
    static constexpr detail::compiled_pattern compiled_ = detail::compile_pattern(Text.view());
};

/// A form that a text has to have, as a regular expression that is compiled when the program is: `pattern<"[A-Z]{2}\\d{2}[A-Z0-9]{11,30}">`, or
/// `pattern<"[A-Z]{3}", "three capital letters">`, whose second text completes "expected ..." for who does not read regular expressions.
///
/// A part of ECMAScript's: characters, `.` (all but line ends), classes `[a-z]`, `[^"]`, `\d \w \s` and `\D \W \S`, `\t \n \r`, groups (none is kept),
/// `|`, `* + ? {2} {2,} {2,5}`. The whole text has to match. What is not supported does not compile, and the sentence says why: anchors, back
/// references, look-around, lazy repeats. At most 64 characters, each repeat counted. A pattern is ASCII; a text is UTF-8, of which a character beyond
/// ASCII is one for `.` and negated classes, and matches nothing else; a text that is not UTF-8 does not match.
///
/// Time: linear in the text whatever the pattern, at most 64 steps a character, and one where the pattern leaves no choice; there is no
/// backtracking that a stranger could send into the years. Allocates nothing; 1.6 KB of constants a pattern. (Glushkov's automaton in the bits of a
/// word; see `detail/compiled_pattern.hpp`.)
template<fixed_string Text, fixed_string Meaning = "">
inline constexpr pattern_rule<Text, Meaning> pattern{};

} // namespace weir::inline v0
