// SPDX-License-Identifier: BSL-1.0
#include <weir/core/fixed_string.hpp>

#include <doctest/doctest.h>

#include <string_view>
#include <type_traits>

namespace {

template<weir::fixed_string Text>
struct word {
    static constexpr std::string_view text = Text.view();
};

TEST_CASE("fixed_string: a literal is a template argument, and reads as itself")
{
    static_assert(word<"per tenant">::text == "per tenant");
    CHECK(word<"symbol">::text == "symbol");
    CHECK(word<"symbol">::text.size() == 6);
    CHECK(word<"">::text.empty());
}

TEST_CASE("fixed_string: the same text is the same type, another text another")
{
    CHECK(std::is_same_v<word<"a">, word<"a">>);
    CHECK_FALSE(std::is_same_v<word<"a">, word<"b">>);
    CHECK_FALSE(std::is_same_v<word<"a">, word<"a ">>);
}

TEST_CASE("fixed_string: a zero in the middle does not end it")
{
    CHECK(word<"a\0b">::text == std::string_view("a\0b", 3));
}

} // namespace
