// SPDX-License-Identifier: BSL-1.0
#include <weir/validate/json_form.hpp>

#include "described.hpp"

#include <weir/validate/read_json.hpp>
#include <weir/validate/write_json.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

using namespace std::chrono_literals;

namespace test {

struct symbol {
    std::string letters{};
    friend bool operator==(symbol const&, symbol const&) = default;
};
struct cents {
    std::int64_t value = 0;
    friend bool operator==(cents const&, cents const&) = default;
};
struct opposite { // of a side
    test::side of{};
    friend bool operator==(opposite const&, opposite const&) = default;
};
struct marked {
    bool yes{};
};
struct ratio {
    double value{};
};
struct all {
    test::symbol symbol{};
    test::cents price{};
    test::opposite side{};
    std::vector<test::cents> fees{};
};
BOOST_DESCRIBE_STRUCT(all, (), (symbol, price, side, fees))

} // namespace test

template<>
struct weir::json_form<test::symbol> {
    using type = std::string;
    static constexpr std::string_view expected = "a symbol of 1 to 8 capital letters";
    static bool read(std::string const& text, test::symbol& into)
    {
        into.letters = text;
        return !text.empty() && text.size() <= 8 && std::ranges::all_of(text, [](char c) { return c >= 'A' && c <= 'Z'; });
    }
    static std::string const& write(test::symbol const& s) { return s.letters; }
};
template<>
struct weir::json_form<test::cents> {
    using type = std::int64_t;
    static constexpr std::string_view expected = "a price in cents, from 0 on";
    static bool read(std::int64_t cents, test::cents& into)
    {
        into.value = cents;
        return cents >= 0;
    }
    static std::int64_t write(test::cents c) { return c.value; }
};
template<>
struct weir::json_form<test::opposite> {
    using type = test::side;
    static constexpr std::string_view expected = "buy or sell";
    static bool read(test::side side, test::opposite& into)
    {
        into.of = side == test::side::buy ? test::side::sell : test::side::buy;
        return true;
    }
    static test::side write(test::opposite o) { return o.of == test::side::buy ? test::side::sell : test::side::buy; }
};
template<>
struct weir::json_form<test::marked> {
    using type = bool;
    static constexpr std::string_view expected = "true";
    static bool read(bool mark, test::marked& into) { return into.yes = mark; }
    static bool write(test::marked m) { return m.yes; }
};
template<>
struct weir::json_form<test::ratio> {
    using type = double;
    static constexpr std::string_view expected = "a ratio in [0, 1]";
    static bool read(double value, test::ratio& into) { return into.value = value, value >= 0 && value <= 1; }
    static double write(test::ratio r) { return r.value; }
};

namespace {

template<class T>
std::string fault(std::string_view text)
{
    auto const read = weir::read_json<T>(text);
    return read ? "none" : to_string(read.error());
}
std::string text_of(auto const& value)
{
    std::string out;
    CHECK(weir::write_json(value, out).has_value());
    return out;
}

} // namespace

TEST_CASE("json_form: a type of one's own is what its form says, both ways")
{
    constexpr std::string_view text = R"({"symbol":"ACME","price":8397,"side":"buy","fees":[1,2]})";
    auto const read = weir::read_json<test::all>(text);
    REQUIRE(read.has_value());
    CHECK(read->symbol == test::symbol{"ACME"});
    CHECK(read->price == test::cents{8397});
    CHECK(read->side == test::opposite{test::side::sell});
    CHECK(read->fees == std::vector<test::cents>{{1}, {2}});
    CHECK(text_of(*read) == text);
    CHECK(weir::read_json<test::marked>("true").value().yes);
    CHECK(weir::read_json<test::ratio>("1").value().value == 1);
    CHECK(weir::read_json<test::ratio>("2.5e-1").value().value == 0.25);
    CHECK(text_of(test::ratio{0.25}) == "0.25");
    CHECK(text_of(test::marked{true}) == "true");
}

TEST_CASE("json_form: a value of another type, or outside of it, is told by the form's words")
{
    for (std::string_view text : {R"("acme")", R"("ABCDEFGHI")", R"("")", "7", "null", "[]"})
        CHECK(fault<test::symbol>(text) == "body: expected a symbol of 1 to 8 capital letters");
    for (std::string_view text : {"-1", "1.0", "9223372036854775808", "\"1\"", "true", "{}"})
        CHECK(fault<test::cents>(text) == "body: expected a price in cents, from 0 on");
    for (std::string_view text : {"\"hold\"", "0", "false"}) CHECK(fault<test::opposite>(text) == "body: expected buy or sell");
    for (std::string_view text : {"false", "1", "\"true\""}) CHECK(fault<test::marked>(text) == "body: expected true");
    for (std::string_view text : {"1.5", "-1", "1e400", "\"0\""}) CHECK(fault<test::ratio>(text) == "body: expected a ratio in [0, 1]");
    CHECK(fault<test::all>(R"({"symbol":"ACME","price":8397,"side":"buy","fees":[1,-2]})") ==
          "body /fees/1: expected a price in cents, from 0 on");
}

TEST_CASE("json_form: a span of time is a number of its unit")
{
    CHECK(weir::read_json<std::chrono::nanoseconds>("-5").value() == -5ns);
    CHECK(weir::read_json<std::chrono::duration<double>>("1.5").value() == 1500ms);
    CHECK(text_of(90s) == "90");
    CHECK(text_of(std::chrono::duration<double>(0.5)) == "0.5");
    CHECK(fault<std::chrono::nanoseconds>("1.5") == "body: expected a number of nanoseconds");
    CHECK(fault<std::chrono::microseconds>("\"1us\"") == "body: expected a number of microseconds");
    CHECK(fault<std::chrono::milliseconds>("true") == "body: expected a number of milliseconds");
    CHECK(fault<std::chrono::seconds>("null") == "body: expected a number of seconds");
    CHECK(fault<std::chrono::minutes>("[]") == "body: expected a number of minutes");
    CHECK(fault<std::chrono::hours>("{}") == "body: expected a number of hours");
    CHECK(fault<std::chrono::days>("1e1") == "body: expected a number of days");
    CHECK(fault<std::chrono::duration<int, std::ratio<1, 3>>>("2147483648") == "body: expected a number of times 1/3 s");
}
