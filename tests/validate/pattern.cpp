// SPDX-License-Identifier: BSL-1.0
#include <weir/validate/pattern.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <iterator>
#include <random>
#include <regex>
#include <string>
#include <string_view>

namespace {

using weir::detail::compile_pattern;
using weir::detail::pattern_fault;

constexpr bool matches(std::string_view pattern, std::string_view text)
{
    return compile_pattern(pattern).matches(text);
}

static_assert(weir::pattern<"[A-Z]{2}\\d{2}[A-Z0-9]{11,30}">("DE89370400440532013000"));
static_assert(!weir::pattern<"[A-Z]{2}\\d{2}[A-Z0-9]{11,30}">("DE8937040044"));

TEST_CASE("pattern: the whole text matches, or it does not")
{
    CHECK(matches("", ""));
    CHECK_FALSE(matches("", "a"));
    CHECK(matches("a|", ""));
    CHECK(matches("(a|b)*c", "ababc"));
    CHECK_FALSE(matches("(a|b)*c", "ababcc"));
    CHECK(matches("(?:ab){2,3}", "ababab"));
    CHECK_FALSE(matches("(ab){2,3}", "ab"));
    CHECK_FALSE(matches("(ab){2,3}", "abababab"));
    CHECK(matches("a{0}b", "b"));
    CHECK_FALSE(matches("a{0}b", "ab"));
    CHECK(matches("a{2,}", "aaaaaaaa"));
    CHECK(matches("[^\\d-]+", "ab c"));
    CHECK_FALSE(matches("[^\\d-]+", "a-"));
    CHECK(matches("[-a]+[b-]", "a--"));
    CHECK(matches("\\[\\]\\{\\}\\.\\\\", "[]{}.\\"));
    CHECK(matches("[\\]\\[]", "["));
    CHECK(matches("[\\t-\\r ]*", "\t\n\r "));
    CHECK_FALSE(matches(".", "\n"));
    CHECK(matches("\\w+@\\w+(\\.\\w+)+", "ann@bank.example"));
    CHECK(matches("\\d{4}-\\d{2}-\\d{2}", "2026-11-23"));
}

TEST_CASE("pattern: a character beyond ASCII is one character")
{
    CHECK(matches(".{3}", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"));
    CHECK(matches("[^a]", "\xc3\xa4"));
    CHECK(matches("\\D\\W\\S", "\xc3\xa4\xc3\xb6\xc3\xbc"));
    CHECK_FALSE(matches("\\w", "\xc3\xa4"));
    CHECK_FALSE(matches("[a-z]", "\xc3\xa4"));
    CHECK_FALSE(matches(".*", "\xc3"));
    CHECK_FALSE(matches(".*", "a\xff"));
}

TEST_CASE("pattern: what is not supported is told apart")
{
    struct wanted {
        std::string_view pattern;
        pattern_fault fault;
    };
    for (wanted const w : {wanted{"^a", pattern_fault::anchor},
                           {"a$", pattern_fault::anchor},
                           {"(a)\\1", pattern_fault::back_reference},
                           {"(?=a)", pattern_fault::look_around},
                           {"(?<n>a)", pattern_fault::look_around},
                           {"a*?", pattern_fault::lazy},
                           {"a{2}+", pattern_fault::lazy},
                           {"\\b", pattern_fault::escape},
                           {"\\x41", pattern_fault::escape},
                           {"a\\", pattern_fault::escape},
                           {"*a", pattern_fault::nothing_to_repeat},
                           {"a**", pattern_fault::nothing_to_repeat},
                           {"a|+", pattern_fault::nothing_to_repeat},
                           {"[b-a]", pattern_fault::range},
                           {"[a-\\d]", pattern_fault::range},
                           {"a{3,2}", pattern_fault::range},
                           {"(a", pattern_fault::unclosed},
                           {"a)", pattern_fault::unclosed},
                           {"[a", pattern_fault::unclosed},
                           {"[]", pattern_fault::unclosed},
                           {"[[:alpha:]]", pattern_fault::unclosed},
                           {"a{2", pattern_fault::unclosed},
                           {"a{x}", pattern_fault::unclosed},
                           {"a}", pattern_fault::unclosed},
                           {"a{65}", pattern_fault::too_long},
                           {"(a{8}){9}", pattern_fault::too_long},
                           {"((((){60}){60}){60}){60}", pattern_fault::too_long},
                           {"\xc3\xa4", pattern_fault::not_ascii}}) {
        CAPTURE(w.pattern);
        CHECK(compile_pattern(w.pattern).fault == w.fault);
        CHECK_FALSE(compile_pattern(w.pattern).matches("a b"));
    }
    CHECK(compile_pattern("(a{8}){8}").fault == pattern_fault::none);
}

/// A random pattern of the part of ECMAScript that is supported.
std::string random_pattern(std::mt19937_64& draw, int depth)
{
    constexpr std::string_view atoms[] = {"a", "b", "c", ".", "[ab]", "[^a]", "[a-c]", "\\d", "\\w", "\\.", "[b1-3]", "1", "\\W"};
    std::string text;
    for (auto parts = draw() % 4; parts > 0; --parts) {
        if (depth > 0 && draw() % 3 == 0)
            text += (draw() % 2 ? "(" : "(?:") + random_pattern(draw, depth - 1) + ")";
        else
            text += atoms[draw() % std::size(atoms)];
        constexpr std::string_view repeats[] = {"*", "+", "?", "{2}", "{1,2}", "{0,2}", "{1,}", "{0}"};
        if (draw() % 3 == 0) text += repeats[draw() % std::size(repeats)];
    }
    return draw() % 5 == 0 ? text + "|" + random_pattern(draw, depth - 1 < 0 ? 0 : depth - 1) : text;
}

TEST_CASE("pattern: random patterns and texts against std::regex")
{
    std::mt19937_64 draw(13);
    std::size_t compared = 0, matched = 0;
    for (int round = 0; round < 3'000; ++round) {
        std::string const text_of = random_pattern(draw, 2);
        auto const compiled = compile_pattern(text_of);
        if (compiled.fault == pattern_fault::too_long) continue;
        CAPTURE(text_of);
        REQUIRE(compiled.fault == pattern_fault::none);
        std::regex const oracle(text_of);
        for (int each = 0; each < 12; ++each) {
            std::string text;
            for (auto n = draw() % 7; n > 0; --n) text += "aabbc1.\n"[draw() % 8];
            bool const wanted = std::regex_match(text, oracle);
            if (compiled.matches(text) != wanted) FAIL("\"", text, "\" of ", text_of, ": std::regex says ", wanted);
            ++compared;
            matched += wanted;
        }
    }
    CHECK(compared > 20'000);
    CHECK(matched > 1'000);
}

TEST_CASE("pattern: what kills a backtracking matcher takes a step or two a character")
{
    std::string const text(100'000, 'a');
    CHECK_FALSE(matches("(a+)+b", text));
    CHECK_FALSE(matches("(a|a)*b", text));
    CHECK_FALSE(matches("(a?){20}b", text));
    CHECK(matches("(a*)*", text));
}

TEST_CASE("pattern: says what it expects")
{
    CHECK(weir::pattern<"[A-Z]{3}">.expected() == "a text of the form [A-Z]{3}");
    CHECK(weir::pattern<"[A-Z]{3}", "three capital letters">.expected() == "three capital letters");
}

} // namespace
