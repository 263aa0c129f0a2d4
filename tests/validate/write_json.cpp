// SPDX-License-Identifier: BSL-1.0
#include <weir/validate/write_json.hpp>

#include "described.hpp"

#include <weir/validate/read_json.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace json = boost::json;
using weir::write_json;

namespace {

std::string text_of(auto const& value)
{
    std::string out;
    auto const written = write_json(value, out);
    CHECK(written.has_value());
    return out;
}
std::string fault_of(auto const& value)
{
    std::string out = "before";
    auto const written = write_json(value, out);
    CHECK(out == "before");
    return written ? "none" : written.error().name + ": " + written.error().expected;
}

} // namespace

TEST_CASE("write_json: a struct is an object in the order of its members, without those that have no value")
{
    test::order o{.symbol = "ACME", .quantity = -5, .side = test::side::sell, .price = 83.97, .whole = true, .legs = {{"XETR", 1}, {}}};
    o.fees = {{"desk", 0.5}, {"a\"b", 1}};
    CHECK(text_of(o) ==
          R"({"symbol":"ACME","quantity":-5,"side":"sell","price":83.97,"whole":true,)"
          R"("legs":[{"venue":"XETR","share":1},{"venue":"","share":0}],"range":[0,0],"fees":{"a\"b":1,"desk":0.5},"valid_ms":0})");
    o.limit = 7;
    o.best = test::leg{"b", 2};
    CHECK(text_of(o).ends_with(R"("valid_ms":0,"best":{"venue":"b","share":2}})"));
    CHECK(text_of(std::vector<std::optional<int>>{1, std::nullopt}) == "[1,null]");
    CHECK(text_of(std::vector<bool>{true, false}) == "[true,false]");
    CHECK(text_of(std::map<std::string, int>{}) == "{}");
    std::string out = "x";
    CHECK(write_json(1, out).has_value());
    CHECK(out == "x1");
}

TEST_CASE("write_json: text has the escapes that it needs, wherever they stand")
{
    using namespace std::string_literals;
    CHECK(text_of("\"\\/\b\f\n\r\t\x01\x1f\x7f\0"s) == "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\\u0000\"");
    CHECK(text_of("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf"s) == "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf\"");
    for (std::size_t size = 0; size < 20; ++size)
        for (std::size_t at = 0; at < size; ++at)
            for (int c = 0; c < 128; ++c) {
                std::string text(size, '~');
                text[at] = static_cast<char>(c);
                std::string const written = text_of(text);
                REQUIRE(json::parse(written).as_string() == text);
                REQUIRE(written.size() == json::serialize(json::string(text)).size());
            }
}

TEST_CASE("write_json: what JSON cannot say is refused by the pointer to it, and nothing is written")
{
    CHECK(fault_of(std::numeric_limits<double>::infinity()) == ": a finite number");
    CHECK(fault_of(std::numeric_limits<float>::quiet_NaN()) == ": a finite number");
    test::order o;
    o.fees = {{"desk", 1}, {"a/b~", std::nan("")}};
    CHECK(fault_of(o) == "/fees/a~1b~0: a finite number");
    o.fees = {{"\xff", 1}};
    CHECK(fault_of(o) == "/fees: names in UTF-8");
    o.fees.clear();
    o.legs = {{}, {"\xc0\x80", 0}};
    CHECK(fault_of(o) == "/legs/1/venue: a text in UTF-8");
    o.legs.clear();
    o.side = static_cast<test::side>(7);
    CHECK(fault_of(std::vector<test::order>{{}, o}) == "/1/side: an enumerator that is described");
    for (char const* bad : {"\x80", "\xc1\xbf", "\xc3", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xe2\x82", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
                            "\xf5\x80\x80\x80", "\xff", "\xf0\x9f\x98", "\xc3\x28"})
        CHECK(fault_of(std::string("0123456789") + bad) == ": a text in UTF-8");
}

TEST_CASE("write_json: what is written is read back as the same value, number for number, and as Boost.JSON reads it")
{
    std::mt19937_64 random(7);
    auto const text = [&] {
        static constexpr std::string_view parts[] = {
            "a", "\"", "\\", "\n", "\x01", "\xc3\xa4", "\xf0\x9f\x98\x80", " plain text of some length "};
        std::string made;
        for (auto n = random() % 6; n > 0; --n) made += parts[random() % std::size(parts)];
        return made;
    };
    auto const number = [&] {
        for (;;)
            if (double const d = std::bit_cast<double>(random()); std::isfinite(d))
                return random() % 3 == 0 ? std::round(std::fmod(d, 1e6)) : d;
    };
    for (int round = 0; round < 3'000; ++round) {
        test::order o{.symbol = text(),
                      .quantity = static_cast<std::int64_t>(random()),
                      .side = random() % 2 == 0 ? test::side::buy : test::side::sell,
                      .price = number(),
                      .whole = random() % 2 == 0};
        if (random() % 2 == 0) o.limit = static_cast<std::int32_t>(random());
        for (auto n = random() % 4; n > 0; --n) o.legs.push_back({text(), static_cast<std::uint16_t>(random())});
        o.range = {static_cast<std::int8_t>(random()), static_cast<std::int8_t>(random())};
        for (auto n = random() % 4; n > 0; --n) o.fees[text()] = number();
        o.valid_ms = std::chrono::milliseconds(static_cast<std::int64_t>(random()));
        if (random() % 2 == 0) o.best = test::leg{text(), 3};

        std::string const written = text_of(o);
        auto const read = weir::read_json<test::order>(written);
        REQUIRE(read.has_value());
        REQUIRE(*read == o);
        REQUIRE(std::bit_cast<std::uint64_t>(read->price) == std::bit_cast<std::uint64_t>(o.price));

        json::value const document = json::parse(written);
        REQUIRE(document.at("symbol").as_string() == o.symbol);
        REQUIRE(document.at("quantity").to_number<std::int64_t>() == o.quantity);
        REQUIRE(document.at("legs").as_array().size() == o.legs.size());
        REQUIRE(document.at("fees").as_object().size() == o.fees.size());
        REQUIRE(document.as_object().contains("limit") == o.limit.has_value());
        auto const again = weir::read_json<test::order>(json::serialize(document)); // other escapes, other ways to write numbers
        REQUIRE(again.has_value());
        REQUIRE((again->symbol == o.symbol && again->quantity == o.quantity && again->legs == o.legs && again->limit == o.limit));
    }
}
