// SPDX-License-Identifier: BSL-1.0
#include <weir/validate/rules.hpp>

#include <boost/describe/enum.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

using namespace std::chrono_literals;

namespace {

enum class side { buy, sell, hold };
BOOST_DESCRIBE_ENUM(side, buy, sell, hold)

static_assert(weir::range{1, 100}(std::uint8_t{100}) && !weir::range{1, 100}(-1) && !weir::range{1, 100}(0u));
static_assert(weir::range{-5, 5}(std::uint64_t{5}) && !weir::range{-5, 5}(std::numeric_limits<std::uint64_t>::max()));
static_assert(weir::range{0.5, 2}(1) && !weir::range{0.5, 2}(0));
static_assert(weir::at_least{0}(std::numeric_limits<std::uint64_t>::max()) && !weir::at_most{-1}(0u));
static_assert(weir::range{1s, 10s}(1500ms) && !weir::range{1s, 10s}(999ms));
static_assert(weir::one_of{"EUR", "USD"}(std::string_view("USD")) && !weir::one_of{"EUR"}(std::string_view("EURO")));
static_assert(weir::one_of{side::buy, side::sell}(side::buy) && !weir::one_of{side::buy}(side::hold));
static_assert(weir::length{2, 3}(std::string_view("ab")) && !weir::length{2, 3}(std::string_view("abcd")));

TEST_CASE("rules: a number is in a range, whatever its type and sign")
{
    CHECK_FALSE(weir::range{0.0, 1.0}(std::nan("")));
    CHECK(weir::range{0.0, 1.0}(1.0f));
    CHECK_THROWS_AS(weir::range(2, 1), std::invalid_argument);
    CHECK_THROWS_AS(weir::length(2, 1), std::invalid_argument);
    std::mt19937_64 draw(3);
    auto const number = [&] {
        constexpr std::int64_t edges[] = {
            0, 1, -1, 127, -128, 255, std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()};
        return draw() % 2 ? edges[draw() % std::size(edges)] : static_cast<std::int64_t>(draw() % 1'000) - 500;
    };
    for (int round = 0; round < 50'000; ++round) {
        std::int64_t a = number(), b = number();
        if (a > b) std::swap(a, b);
        std::int64_t const v = number();
        auto const bits = static_cast<std::uint64_t>(number());
        bool const in = __int128(a) <= __int128(v) && __int128(v) <= __int128(b);
        bool const bits_in = __int128(a) <= __int128(bits) && __int128(bits) <= __int128(b);
        if (weir::range{a, b}(v) != in || weir::range{a, b}(bits) != bits_in || weir::at_least{a}(bits) != (__int128(a) <= __int128(bits)))
            FAIL(a, " ", b, " ", v, " ", bits);
    }
}

TEST_CASE("rules: a text's length is that of its characters")
{
    weir::length const two_or_three{2, 3};
    CHECK(two_or_three(std::string("\xc3\xa4\xe2\x82\xac")));
    CHECK_FALSE(two_or_three(std::string("\xf0\x9f\x98\x80")));
    CHECK(two_or_three(std::string("\xf0\x9f\x98\x80zz")));
    CHECK_FALSE(two_or_three(std::string("abcd")));
    CHECK_FALSE(two_or_three(std::string("")));
    CHECK(two_or_three(std::vector<int>{1, 2}));
    CHECK_FALSE(two_or_three(std::map<std::string, int>{}));
}

TEST_CASE("rules: what each expects")
{
    CHECK(weir::range{1, 100}.expected() == "a number from 1 to 100");
    CHECK(weir::range{0.5, 2}.expected() == "a number from 0.5 to 2");
    CHECK(weir::range{1ms, 10ms}.expected() == "a number from 1 to 10 milliseconds");
    CHECK(weir::at_least{-3}.expected() == "at least -3");
    CHECK(weir::at_most{10s}.expected() == "at most 10 seconds");
    CHECK(weir::length{1, 8}.expected_of<std::string>() == "from 1 to 8 characters");
    CHECK(weir::length{1}.expected_of<std::vector<int>>() == "at least 1 elements");
    CHECK(weir::length{0, 8}.expected_of<std::string>() == "at most 8 characters");
    CHECK(weir::one_of{"EUR", "USD"}.expected() == "one of EUR, USD");
    CHECK(weir::one_of{1, 2, 5}.expected() == "one of 1, 2, 5");
    CHECK(weir::one_of{side::buy, side::hold}.expected() == "one of buy, hold");
    CHECK(weir::present.expected() == "a value");
    CHECK(weir::present(std::optional<int>{0}));
    CHECK_FALSE(weir::present(std::optional<int>{}));
    CHECK_FALSE(weir::present(std::string{}));
}

} // namespace
