// SPDX-License-Identifier: BSL-1.0
#include <weir/validate/number.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <random>
#include <regex>
#include <string>
#include <string_view>

namespace {

using weir::number_fault;
using weir::parse_number;

TEST_CASE("number: the whole text is the number, within its range")
{
    CHECK(parse_number("0").value == 0);
    CHECK(parse_number("-12").value == -12);
    CHECK(parse_number<int>("100", 1, 100).value == 100);
    CHECK(parse_number<int>("0", 1, 100).fault == number_fault::too_small);
    CHECK(parse_number<int>("101", 1, 100).fault == number_fault::too_large);
    CHECK(parse_number<int>("-1", 1, 100).fault == number_fault::too_small);
    CHECK(parse_number("9223372036854775807").value == std::numeric_limits<std::int64_t>::max());
    CHECK(parse_number("-9223372036854775808").value == std::numeric_limits<std::int64_t>::min());
    CHECK(parse_number("9223372036854775808").fault == number_fault::too_large);
    CHECK(parse_number("-9223372036854775809").fault == number_fault::too_small);
    CHECK(parse_number<std::uint8_t>("255").value == 255);
    CHECK(parse_number<std::uint8_t>("256").fault == number_fault::too_large);
    CHECK(parse_number<std::uint8_t>("-1").fault == number_fault::too_small);
    CHECK(parse_number(std::string(10'000, '9')).fault == number_fault::too_large);
}

TEST_CASE("number: what others may read differently is refused")
{
    CHECK(parse_number("").fault == number_fault::empty);
    for (std::string_view text :
         {"-", "+1", " 1", "1 ", "01", "00", "-0", "-01", "1.0", "1e1", "0x10", "1_000", "1,000", "ten", "--1", "\xd9\xa1"}) {
        CAPTURE(text);
        CHECK(parse_number(text).fault == number_fault::not_decimal);
    }
    CHECK(parse_number(std::string_view("1\0", 2)).fault == number_fault::not_decimal);
}

TEST_CASE("number: random texts, as a regular expression and wide arithmetic say")
{
    std::mt19937 random(23);
    std::regex const form("0|-?[1-9][0-9]*");
    constexpr std::string_view some = "00112233445566778899--+ .e";
    for (int round = 0; round < 20'000; ++round) {
        std::string text(1 + random() % 6, '0');
        for (char& c : text) c = some[random() % some.size()];
        auto const n = parse_number<std::int16_t>(text, -500, 20'000);
        CAPTURE(text);
        bool const decimal = std::regex_match(text, form);
        REQUIRE((n.fault == number_fault::not_decimal) == !decimal);
        if (!decimal) continue;
        long const wide = std::stol(text);
        CHECK((n.fault == number_fault::too_small) == (wide < -500));
        CHECK((n.fault == number_fault::too_large) == (wide > 20'000));
        if (n) CHECK(n.value == wide);
    }
}

TEST_CASE("number: a fault is told with the name and the range")
{
    CHECK(weir::describe(number_fault::too_large, "limit", 1, 100) == "limit: expected a number from 1 to 100, got one too large");
    CHECK(weir::describe(number_fault::empty, "offset", 0, 9) == "offset: expected a number from 0 to 9, got nothing");
    CHECK(weir::describe(number_fault::not_decimal, "offset", 0, 9) == "offset: expected a number from 0 to 9, got something else");
}

} // namespace
