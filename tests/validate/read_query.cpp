// SPDX-License-Identifier: BSL-1.0
#include <weir/validate/read_query.hpp>

#include "described.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <string_view>

namespace {

struct search {
    std::string symbol{};
    std::int16_t depth{};
    std::optional<test::side> side{};
    std::optional<double> above{};
    std::optional<bool> exact{};
    std::optional<std::chrono::seconds> within{};
    friend bool operator==(search const&, search const&) = default;
};
BOOST_DESCRIBE_STRUCT(search, (), (symbol, depth, side, above, exact, within))

std::string faults(std::string_view target, weir::query_options const& o = {})
{
    search into;
    return weir::to_string(weir::read_query(target, into, o));
}
search read(std::string_view target)
{
    search into;
    CHECK(weir::read_query(target, into).empty());
    return into;
}

} // namespace

TEST_CASE("read_query: a struct is filled by the names of its members")
{
    CHECK(read("/quotes?symbol=ACME&depth=-5") == search{.symbol = "ACME", .depth = -5});
    CHECK(read("/q?within=90&exact=true&above=-1.5e3&side=sell&depth=32767&symbol=") ==
          search{.depth = 32'767, .side = test::side::sell, .above = -1'500, .exact = true, .within = std::chrono::seconds(90)});
    CHECK(read("/q?s%79mbol=a%20%26b+%c3%a4&depth=0&above=0.1").symbol == "a &b+\xc3\xa4");
    CHECK(read("/q?symbol=a&depth=0&above=0.1").above == 0.1);
    CHECK(std::signbit(*read("/q?symbol=a&depth=0&above=-0.0").above));
    CHECK(read("/q?symbol&depth=1&").symbol.empty());
}

TEST_CASE("read_query: all faults are told at once, by parameter")
{
    CHECK(faults("/q?depth=32768&side=hold&above=x&exact=1&within=1.5") ==
          "query depth: expected a whole number from -32768 to 32767; query side: expected one of buy, sell; "
          "query above: expected a number within the range of a floating-point number; query exact: expected true or false; "
          "query within: expected a number of seconds; query symbol: expected a string, which is missing");
    CHECK(faults("/q") ==
          "query symbol: expected a string, which is missing; query depth: expected a whole number from -32768 to 32767, which is missing");
    CHECK(faults("/q?symbol=a&depth=1&depth=2") == "query depth: expected one value, not the same parameter twice");
    CHECK(faults("/q?symbol=a&depth=1&d%65pth=1") == "query depth: expected one value, not the same parameter twice");
    CHECK(faults("/q?symbol=a&depth=1&x=1&y=2&%zz=3") == "query: expected no parameters but symbol, depth, side, above, exact, within");
    CHECK(faults("/q?symbol=a&depth=1&x=1&y=2", {.ignore_unknown_parameters = true}).empty());
    for (std::string_view symbol : {"%", "%4", "%zz", "a#b", "a b", "%ff", "%c0%80", "%ed%a0%80"})
        CHECK(faults("/q?depth=1&symbol=" + std::string(symbol)) == "query symbol: expected a string");
    for (std::string_view depth : {"", "+1", "01", "-0", "1.0", "1e1", "0x1", "%31%20", "--1", "99999999999999999999"})
        CHECK(faults("/q?symbol=a&depth=" + std::string(depth)) == "query depth: expected a whole number from -32768 to 32767");
    for (std::string_view above : {"", "inf", "nan", "-inf", "1e400", "1,5", "1.5x", "+1", "0x1p3", "-", "e", "."})
        CHECK(faults("/q?symbol=a&depth=1&above=" + std::string(above)) ==
              "query above: expected a number within the range of a floating-point number");
}

TEST_CASE("read_query: faults are bounded, and nothing of what was sent is told")
{
    std::string many = "/q?symbol=a&depth=1";
    for (int i = 0; i < 100; ++i) many += "&depth=hunter2";
    search into;
    auto const found = weir::read_query(many, into);
    CHECK(found.list.size() == weir::violations::most);
    CHECK(found.more);
    CHECK(to_string(found).find("hunter2") == std::string::npos);
    CHECK(faults("/q?hunter2=hunter2&side=hunter2&symbol=hunter2&depth=hunter2").find("hunter2") == std::string::npos);
}

TEST_CASE("read_query: random structs come through a query as they were")
{
    std::mt19937_64 random(3);
    auto const encoded = [&](std::string_view text) {
        std::string made;
        for (char const c : text) {
            constexpr std::string_view digits = "0123456789abcdef";
            auto const byte = static_cast<unsigned char>(c);
            if (byte > 0x20 && byte < 0x7f && c != '%' && c != '&' && c != '#' && random() % 3 != 0)
                made += c;
            else
                ((made += '%') += digits[byte >> 4]) += digits[byte & 15];
        }
        return made;
    };
    for (int round = 0; round < 5'000; ++round) {
        search s{.depth = static_cast<std::int16_t>(random())};
        static constexpr std::string_view parts[] = {"a", "&", "=", "%", "\xc3\xa4", "+", "#", "\n"};
        for (auto n = random() % 6; n > 0; --n) s.symbol += parts[random() % std::size(parts)];
        std::string target = "/q?" + encoded("symbol") + '=' + encoded(s.symbol) + "&depth=" + encoded(std::to_string(s.depth));
        if (random() % 2 == 0) target += "&side=" + encoded((s.side = test::side::sell, "sell"));
        if (random() % 2 == 0) {
            s.above = static_cast<double>(static_cast<std::int64_t>(random())) / 1024;
            char digits[32];
            target += "&above=" + encoded({digits, std::to_chars(digits, digits + sizeof digits, *s.above).ptr});
        }
        if (random() % 2 == 0) target += "&exact=" + encoded((s.exact = random() % 2 == 0, *s.exact ? "true" : "false"));
        if (random() % 2 == 0)
            target += "&within=" + encoded((s.within = std::chrono::seconds(random() % 1'000), std::to_string(s.within->count())));
        REQUIRE(read(target) == s);
    }
}
