// SPDX-License-Identifier: BSL-1.0
#include <weir/cache/key_rule.hpp>

#include <doctest/doctest.h>

#include <climits>
#include <cstddef>
#include <cstdint>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>

TEST_CASE("key_rule: length, prefix and characters of a string")
{
    weir::key_rule const symbols{weir::text_shape{.min_length = 5, .max_length = 8, .prefix = "SYM:", .characters = "A-Z0-9._-"}};
    CHECK(symbols.may_exist("SYM:A"));
    CHECK(symbols.may_exist(std::string("SYM:Z9.-")));
    CHECK_FALSE(symbols.may_exist("SYM:"));
    CHECK_FALSE(symbols.may_exist("SYM:ABCDE"));
    CHECK_FALSE(symbols.may_exist("sym:A"));
    CHECK_FALSE(symbols.may_exist("SYM:a"));
    CHECK_FALSE(symbols.may_exist(std::string_view("SYM:A\0B", 7)));
    CHECK(symbols.stats().refused == 5);
}

TEST_CASE("key_rule: a string that says nothing has to be there and not too long, and may have every byte")
{
    weir::key_rule const any{weir::text_shape{}};
    CHECK_FALSE(any.may_exist(""));
    CHECK(any.may_exist("\xff\x01"));
    CHECK(any.may_exist(std::string(256, 'x')));
    CHECK_FALSE(any.may_exist(std::string(257, 'x')));
}

TEST_CASE("key_rule: random strings against a plain loop")
{
    weir::key_rule const rule{weir::text_shape{.min_length = 2, .max_length = 6, .prefix = "a", .characters = "-b-dX+"}};
    std::mt19937 random(1);
    int good = 0;
    for (int i = 0; i < 20'000; ++i) {
        std::string key(random() % 8, ' ');
        for (char& c : key) c = "abcdeX+-Y"[random() % 9];
        bool expected = key.size() >= 2 && key.size() <= 6 && key[0] == 'a';
        for (std::size_t at = 1; at < key.size(); ++at)
            expected = expected && std::string_view("-bcdX+").find(key[at]) != std::string_view::npos;
        good += expected ? 1 : 0;
        REQUIRE(rule.may_exist(key) == expected);
    }
    CHECK(good > 300);
}

TEST_CASE("key_rule: numbers of a range, and any predicate")
{
    weir::key_rule const ids{weir::number_range<int>{.least = 1, .most = 4'000}};
    CHECK(ids.may_exist(1));
    CHECK(ids.may_exist(4'000));
    CHECK_FALSE(ids.may_exist(0));
    CHECK_FALSE(ids.may_exist(4'001));
    CHECK_FALSE(ids.may_exist(INT_MIN));
    weir::key_rule const positive{weir::number_range<std::int64_t>{.least = 1}};
    CHECK(positive.may_exist(INT64_MAX));

    weir::key_rule const even{[](int key) { return key % 2 == 0; }};
    CHECK(even.may_exist(4));
    CHECK_FALSE(even.may_exist(5));
    static_assert(!weir::guard_of<decltype(even), std::string>);
    std::string told;
    even.stats().each([&](std::string_view name, std::uint64_t value) { told = std::string(name) + "=" + std::to_string(value); });
    CHECK(told == "key_rule_refused_total=1");
}

TEST_CASE("key_rule: bad rules are refused by the name of the member")
{
    auto const rule = [](weir::text_shape const& s) { static_cast<void>(weir::key_rule{s}); };
    CHECK_THROWS_WITH_AS(rule({.min_length = 9, .max_length = 8}), doctest::Contains("key_rule.max_length"), std::invalid_argument);
    CHECK_THROWS_WITH_AS(rule({.max_length = 2, .prefix = "abc"}), doctest::Contains("key_rule.prefix"), std::invalid_argument);
    CHECK_THROWS_WITH_AS(rule({.characters = "z-a"}), doctest::Contains("key_rule.characters"), std::invalid_argument);
    CHECK_THROWS_WITH_AS((weir::key_rule{weir::number_range<int>{.least = 2, .most = 1}}), doctest::Contains("key_rule.most"),
                         std::invalid_argument);
}

namespace weir {
static_assert(guard_of<key_rule<detail::text_test>, std::string>);
static_assert(!guard_of<key_rule<detail::text_test>, int>);
} // namespace weir: what the header promises
