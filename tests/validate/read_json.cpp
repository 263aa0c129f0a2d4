// SPDX-License-Identifier: BSL-1.0
#include <weir/validate/read_json.hpp>

#include "../http/vectors.hpp"
#include "described.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace json = boost::json;
using weir::read_json;

namespace {

/// The faults of a text as `pointer: expected`.
template<class T>
std::vector<std::string> faults(std::string_view text, weir::json_options const& o = {})
{
    T into{};
    std::vector<std::string> lines;
    for (weir::violation const& v : read_json(text, into, o).list) {
        CHECK(v.where == "body");
        lines.push_back(v.name + ": " + v.expected);
    }
    return lines;
}
using lines = std::vector<std::string>;

template<class T>
struct one {
    T value{};
    BOOST_DESCRIBE_CLASS(one, (), (value), (), ())
};
template<class T>
weir::result<T> value_of(std::string_view text)
{
    auto const read = read_json<one<T>>("{\"value\":" + std::string(text) + "}");
    if (!read) return weir::errc::invalid_request;
    return read->value;
}

struct node {
    std::vector<node> children{};
};
BOOST_DESCRIBE_STRUCT(node, (), (children))

struct nothing {};
BOOST_DESCRIBE_STRUCT(nothing, (), ())

struct base {
    int first{};
};
BOOST_DESCRIBE_STRUCT(base, (), (first))
struct derived : base {
    int second{};
};
BOOST_DESCRIBE_STRUCT(derived, (base), (second))

constexpr std::string_view good_order =
    R"({"symbol":"ACME","quantity":-5,"side":"sell","price":83.97,"whole":true,"limit":null,"legs":[{"venue":"XETR","share":1}],)"
    R"("range":[-128,127],"fees":{"desk":0.5,"tax":1},"valid_ms":1500})";

/// Whether the grammar was at fault, not what the struct wants.
bool is_json(std::string_view text)
{
    nothing into;
    auto const found = read_json(text, into, {.bytes = 10'000'000, .values = 10'000'000, .ignore_unknown_members = true});
    return std::ranges::none_of(found.list, [](weir::violation const& v) { return v.expected.find("JSON") != std::string::npos; });
}

} // namespace

TEST_CASE("read_json: a struct is filled by its description, in any order of the members")
{
    auto const read = read_json<test::order>(good_order);
    REQUIRE(read.has_value());
    CHECK(*read == test::order{.symbol = "ACME",
                               .quantity = -5,
                               .side = test::side::sell,
                               .price = 83.97,
                               .whole = true,
                               .legs = {{"XETR", 1}},
                               .range = {-128, 127},
                               .fees = {{"desk", 0.5}, {"tax", 1}},
                               .valid_ms = std::chrono::milliseconds(1'500)});
    auto const leg = read_json<test::leg>(
        " {\t\"share\" : 65535 ,\r\n \"v\\u0065nue\" : \"a\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4\\ud83d\\ude00\\u0000\" } ");
    REQUIRE(leg.has_value());
    CHECK(leg->share == 65535);
    using namespace std::string_literals;
    CHECK(leg->venue == "a\"\\/\b\f\n\r\t\xc3\xa4\xf0\x9f\x98\x80\0"s);
    auto const both = read_json<derived>(R"({"first":1,"second":2})");
    REQUIRE(both.has_value());
    CHECK((both->first == 1 && both->second == 2));
    CHECK(read_json<nothing>("{}").has_value());
}

TEST_CASE("read_json: a root may be any type, and what is in it already is replaced")
{
    CHECK(read_json<int>("7").value() == 7);
    CHECK(read_json<std::vector<bool>>("[true,false,true]").value() == std::vector<bool>{true, false, true});
    CHECK(read_json<std::optional<std::string>>("null").value() == std::nullopt);
    CHECK(read_json<std::map<std::string, std::map<std::string, int>>>(R"({"a":{"b":1},"c":{}})").value().at("a").at("b") == 1);
    std::vector<int> list{1, 2, 3};
    CHECK(read_json("[4]", list).empty());
    CHECK(list == std::vector<int>{4});
    std::optional<int> maybe = 5;
    CHECK(read_json("null", maybe).empty());
    CHECK(!maybe);
}

TEST_CASE("read_json: integers have their range and no other way to be written")
{
    CHECK(value_of<std::int8_t>("-128") == -128);
    CHECK_FALSE(value_of<std::int8_t>("-129").has_value());
    CHECK(value_of<std::int8_t>("127") == 127);
    CHECK_FALSE(value_of<std::int8_t>("128").has_value());
    CHECK(value_of<std::uint8_t>("255") == 255);
    CHECK_FALSE(value_of<std::uint8_t>("256").has_value());
    CHECK_FALSE(value_of<std::uint8_t>("-1").has_value());
    CHECK(value_of<std::int16_t>("-32768") == -32768);
    CHECK_FALSE(value_of<std::int16_t>("32768").has_value());
    CHECK(value_of<std::uint16_t>("65535") == 65535);
    CHECK_FALSE(value_of<std::uint16_t>("65536").has_value());
    CHECK(value_of<std::int32_t>("-2147483648") == std::numeric_limits<std::int32_t>::min());
    CHECK_FALSE(value_of<std::int32_t>("2147483648").has_value());
    CHECK(value_of<std::uint32_t>("4294967295") == 4'294'967'295u);
    CHECK_FALSE(value_of<std::uint32_t>("4294967296").has_value());
    CHECK(value_of<std::int64_t>("-9223372036854775808") == std::numeric_limits<std::int64_t>::min());
    CHECK_FALSE(value_of<std::int64_t>("-9223372036854775809").has_value());
    CHECK(value_of<std::int64_t>("9223372036854775807") == std::numeric_limits<std::int64_t>::max());
    CHECK_FALSE(value_of<std::int64_t>("9223372036854775808").has_value());
    CHECK(value_of<std::uint64_t>("18446744073709551615") == std::numeric_limits<std::uint64_t>::max());
    CHECK_FALSE(value_of<std::uint64_t>("18446744073709551616").has_value());
    CHECK(value_of<std::uint64_t>("-0") == 0);
    for (std::string_view text : {"1.0", "1e2", "1E0", "0.0", "-1.0", "1.5", "\"1\"", "true", "null", "[1]", "{}"})
        CHECK_FALSE(value_of<int>(text).has_value());
    for (std::string_view text : {"01", "+1", "0x1", "1_000", "--1", "1.", ".1", "NaN", "Infinity", ""})
        CHECK_FALSE(value_of<double>(text).has_value());
}

TEST_CASE("read_json: a floating-point number is the nearest to its digits, and none is infinite")
{
    CHECK(value_of<double>("1") == 1.0);
    CHECK(value_of<double>("1.7976931348623157e308") == std::numeric_limits<double>::max());
    CHECK(value_of<double>("5e-324") == std::numeric_limits<double>::denorm_min());
    CHECK(value_of<double>("1e-400") == 0.0);
    CHECK(std::signbit(*value_of<double>("-1e-400")));
    CHECK(std::signbit(*value_of<double>("-0")));
    CHECK(std::signbit(*value_of<double>("-0.0")));
    CHECK(std::signbit(*value_of<float>("-0")));
    CHECK(value_of<double>("9007199254740993") == 9007199254740992.0);
    CHECK(value_of<double>("18446744073709551615") == 18446744073709551616.0);
    CHECK(value_of<double>("18446744073709551616") == 18446744073709551616.0);
    CHECK(value_of<double>("8.9255e-22") == 8.9255e-22);
    CHECK(value_of<float>("3.4028234663852886e38") == std::numeric_limits<float>::max());
    CHECK(value_of<float>("16777217") == 16777216.0f);
    for (std::string_view text : {"1e400", "-1e400", "1.8e308", "1e999999999999"}) CHECK_FALSE(value_of<double>(text).has_value());
    CHECK(value_of<double>("0E400").value() == 0.0); // Boost.JSON itself makes NaN of it
    CHECK_FALSE(value_of<float>("1e39").has_value());
    CHECK(value_of<double>(std::string(400, '1') + "e-300").has_value());
    CHECK_FALSE(value_of<double>(std::string(400, '1')).has_value());
}

TEST_CASE("read_json: all faults are found at once, each with its pointer and what would be right")
{
    CHECK(faults<test::order>(R"({"symbol":7,"quantity":9223372036854775808,"side":"hold","price":"x","whole":1,"limit":"none",
            "legs":[{"venue":"a","share":1},{"venue":"b","share":65536},3],"range":[1,2,3],"fees":{"desk":true},"valid_ms":1.5,"best":{"venue":"c"}})") ==
          lines{"/symbol: a string", "/quantity: a whole number from -9223372036854775808 to 9223372036854775807",
                "/side: one of buy, sell", "/price: a number within the range of a floating-point number", "/whole: true or false",
                "/limit: a whole number from -2147483648 to 2147483647", "/legs/1/share: a whole number from 0 to 65535",
                "/legs/2: an object", "/range: an array of 2 elements",
                "/fees: in each member: a number within the range of a floating-point number", "/valid_ms: a number of milliseconds",
                "/best/share: a whole number from 0 to 65535, which is missing"});
    CHECK(faults<test::leg>("{}") ==
          lines{"/venue: a string, which is missing", "/share: a whole number from 0 to 65535, which is missing"});
    CHECK(faults<test::leg>("[]") == lines{": an object"});
    CHECK(faults<std::array<int, 2>>("[1]") == lines{": an array of 2 elements"});
    CHECK(faults<std::vector<std::vector<int>>>("[[1,2],[3,\"4\"]]") == lines{"/1/1: a whole number from -2147483648 to 2147483647"});
    CHECK(faults<std::map<std::string, test::leg>>(R"({"secret":{"venue":1,"share":1}})") ==
          lines{": in each member, at /venue: a string"});
    CHECK(faults<std::map<std::string, std::map<std::string, int>>>(R"({"a":{"b":true}})") ==
          lines{": in each member, at /*: a whole number from -2147483648 to 2147483647"});
}

TEST_CASE("read_json: a member stands once, and none that the struct does not have")
{
    CHECK(faults<test::leg>(R"({"venue":"a","share":1,"venue":"b"})") == lines{"/venue: one value, not the same member twice"});
    CHECK(faults<test::leg>(R"({"venue":"a","share":1,"v\u0065nue":{"x":[]}})") == lines{"/venue: one value, not the same member twice"});
    CHECK(faults<test::leg>(R"({"venue":"a","x":{"venue":[1,{}]},"share":1,"y":2})") == lines{": no members but venue, share"});
    CHECK(faults<nothing>(R"({"x":1})") == lines{": no members"});
    CHECK(faults<std::map<std::string, int>>(R"({"a":1,"\u0061":2})") == lines{": each member once"});
    CHECK(faults<std::vector<std::map<std::string, int>>>(R"([{"a":1,"a":2}])") == lines{"/0: each member once"});
    weir::json_options const lax{.ignore_unknown_members = true};
    CHECK(faults<test::leg>(R"({"x":{"venue":[1,{}]},"venue":"a","y":"\u0041","share":1})", lax).empty());
    CHECK(faults<test::leg>(R"({"VENUE":"a","share":1})", lax) == lines{"/venue: a string, which is missing"});
    CHECK(faults<test::leg>(R"({"x":[,],"venue":"a","share":1})", lax).size() == 1);
}

TEST_CASE("read_json: what is found ends at 32, and says that there are more")
{
    std::string text = "[";
    for (int i = 0; i < 40; ++i) text += "true,";
    std::vector<int> into;
    auto const many = read_json(text + "true]", into);
    CHECK(many.list.size() == weir::violations::most);
    CHECK(many.more);
    CHECK(many.list.back().name == "/31");
    auto const few = read_json("[true,true]", into);
    CHECK(few.list.size() == 2);
    CHECK_FALSE(few.more);
}

TEST_CASE("read_json: limits of members and of strings are kept to the last one")
{
    using map = std::map<std::string, int>;
    CHECK(faults<map>(R"({"a":1,"b":2})", {.members = 2}).empty());
    CHECK(faults<map>(R"({"a":1,"b":2,"c":3})", {.members = 2}) == lines{": at most 2 members of an object"});
    CHECK(faults<std::vector<map>>(R"([{"a":1,"b":2},{"a":1,"b":2}])", {.members = 2}).empty());
    for (std::string_view four : {"\"abcd\"", "\"ab\\u0063d\""}) CHECK(faults<std::string>(four, {.text_bytes = 4}).empty());
    for (std::string_view five : {"\"abcde\"", "\"ab\\u0063de\""})
        CHECK(faults<std::string>(five, {.text_bytes = 4}) == lines{": at most 4 bytes of a string"});
    CHECK(faults<map>(R"({"abcd":1,"abcde":2})", {.text_bytes = 4}) == lines{": at most 4 bytes of a string"});
}

TEST_CASE("read_json: limits of bytes, levels and values are kept to the last one")
{
    CHECK(faults<int>("  7", {.bytes = 3}).empty());
    CHECK(faults<int>("  7 ", {.bytes = 3}) == lines{": at most 3 bytes"});
    auto const nested = [](int levels) {
        std::string text = "{\"children\":[]}";
        for (int i = 2; i < levels; i += 2) text = "{\"children\":[" + text + "]}";
        return text;
    };
    CHECK(faults<node>(nested(8), {.levels = 8}).empty());
    CHECK(faults<node>(nested(8), {.levels = 7}) == lines{": at most 7 arrays and objects inside each other"});
    CHECK(faults<node>(nested(64), {.levels = 64}).empty());
    CHECK(faults<node>(nested(66), {.levels = 64}).size() == 1);
    CHECK(faults<nothing>("{\"x\":" + std::string(100'000, '['), {.ignore_unknown_members = true}) ==
          lines{": at most 32 arrays and objects inside each other"});
    CHECK(faults<std::vector<int>>("[1,2,3]", {.values = 4}).empty());
    CHECK(faults<std::vector<int>>("[1,2,3]", {.values = 3}) == lines{": at most 3 values"});
    CHECK(faults<nothing>(R"({"x":[1,2,3]})", {.values = 4, .ignore_unknown_members = true}) == lines{": at most 4 values"});
}

TEST_CASE("read_json: what is no JSON is told by the byte, after the faults before it")
{
    CHECK(faults<int>("") == lines{": a JSON document"});
    CHECK(faults<test::leg>(R"({"venue":"a")") == lines{": a JSON document that is complete"});
    CHECK(faults<test::leg>(R"({"venue":7,,"share":1})") ==
          lines{"/venue: a string", ": a JSON document in UTF-8 (RFC 8259), without its fault at byte 11"});
    CHECK(faults<int>("1 2") == lines{": one JSON document, and nothing after byte 2"});
    CHECK(faults<int>("1 \n\t\r").empty());
    for (std::string_view text :
         {"\"\xff\"", "\"\xc0\x80\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"", "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"",
          "\"\t\"", "\xef\xbb\xbf\"\"", "'a'", "\"\\x41\"", "// x\n\"\"", "\"a\xc3\"", "\"\\u12", "\"a"})
        CHECK_FALSE(read_json<std::string>(text).has_value());
    CHECK_FALSE(read_json<std::vector<int>>("[1,]").has_value());
    CHECK_FALSE(read_json<test::leg>(R"({"venue":"a","share":1,})").has_value());
}

TEST_CASE("read_json: nothing of what was sent is told")
{
    std::string const secret = "hunter2";
    for (std::string const& text : {"{\"" + secret + "\":1}", "{\"venue\":\"a\",\"share\":\"" + secret + "\"}",
                                    "{\"venue\":\"a\",\"share\":" + secret + "}", "\"" + secret + "\""}) {
        auto const read = read_json<test::leg>(text);
        REQUIRE(read.has_error());
        CHECK(to_string(read.error()).find(secret) == std::string::npos);
    }
    auto const in_map =
        read_json<std::map<std::string, test::order>>("{\"" + secret + "\":{\"" + secret + "\":{},\"side\":\"" + secret + "\"}}");
    REQUIRE(in_map.has_error());
    CHECK(to_string(in_map.error()).find(secret) == std::string::npos);
    CHECK_THROWS_AS(static_cast<void>(in_map.value()), std::invalid_argument);
}

TEST_CASE("read_json: texts cut and bent at every byte are refused or read, and leave nothing behind")
{
    std::string const text(good_order);
    std::size_t refused = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        CHECK_FALSE(read_json<test::order>(std::string_view(text).substr(0, i)).has_value());
        for (char const c : {'"', '{', ']', '\\', '\0', '\xc3', '-', '9', ' '}) {
            std::string bent = text;
            bent[i] = c;
            refused += read_json<test::order>(bent).has_error() ? 1 : 0;
        }
    }
    CHECK(refused > text.size() * 4);
}

namespace {

/// The naive model: the pointers of the faults of a document that Boost.JSON has read, in its order; members that are missing come last.
struct model {
    std::vector<std::string> found{};

    void integer(json::value const& v, std::string const& at, std::int64_t low, std::int64_t high)
    {
        if (!v.is_int64() || v.get_int64() < low || v.get_int64() > high) found.push_back(at);
    }
    void leg(json::value const& v, std::string const& at)
    {
        if (!v.is_object()) return found.push_back(at);
        bool unknown = false, venue = false, share = false;
        for (auto const& [name, each] : v.get_object()) {
            if (name == "venue") {
                venue = true;
                if (!each.is_string()) found.push_back(at + "/venue");
            } else if (name == "share") {
                share = true;
                integer(each, at + "/share", 0, 65535);
            } else if (!std::exchange(unknown, true))
                found.push_back(at);
        }
        if (!venue) found.push_back(at + "/venue");
        if (!share) found.push_back(at + "/share");
    }
    void legs(json::value const& v)
    {
        if (!v.is_array()) return found.push_back("");
        for (std::size_t i = 0; i < v.get_array().size(); ++i) leg(v.get_array()[i], '/' + std::to_string(i));
    }
};

json::value random_value(std::mt19937_64& random, int levels)
{
    switch (random() % (levels == 0 ? 5 : 7)) {
    case 0: return nullptr;
    case 1: return random() % 2 == 0;
    case 2: return static_cast<std::int64_t>(random() % 140'000) - 2'000;
    case 3: return static_cast<double>(random() % 1000) / 8 + 0.0625;
    case 4: return json::value(std::string(random() % 20, 'x') + (random() % 2 == 0 ? "\"\n\xc3\xa4" : ""));
    case 5: {
        json::array list;
        for (auto n = random() % 4; n > 0; --n) list.push_back(random_value(random, levels - 1));
        return list;
    }
    default: {
        json::object made;
        for (auto n = random() % 4; n > 0; --n)
            made[random() % 3 == 0 ? "other" : random() % 2 == 0 ? "venue" : "share"] = random_value(random, levels - 1);
        return made;
    }
    }
}
json::value random_leg(std::mt19937_64& random)
{
    if (random() % 10 == 0) return random_value(random, 3);
    json::object made;
    auto const put = [&](char const* name, json::value right) {
        made[name] = random() % 12 == 0 ? random_value(random, 2) : std::move(right);
    };
    if (random() % 12 == 0) put("other", 1);
    if (random() % 2 == 0) put("share", static_cast<std::int64_t>(random() % 65'536));
    if (random() % 12 != 0) put("venue", json::value(std::to_string(random())));
    if (random() % 12 != 0 && !made.contains("share")) put("share", 65'535);
    return made;
}

} // namespace

TEST_CASE("read_json: random documents have the faults that a walk through Boost.JSON's document finds")
{
    std::mt19937_64 random(20);
    std::size_t good = 0, bad = 0;
    for (int round = 0; round < 4'000; ++round) {
        json::array list;
        for (auto n = random() % 6; n > 0; --n) list.push_back(random_leg(random));
        model expected;
        expected.legs(list);
        std::vector<test::leg> read;
        auto const found = read_json(json::serialize(list), read);
        std::vector<std::string> pointers;
        for (auto const& v : found.list) pointers.push_back(v.name);
        REQUIRE(pointers == expected.found);
        ++(found.empty() ? good : bad);
        if (!found.empty()) continue;
        REQUIRE(read.size() == list.size());
        for (std::size_t i = 0; i < read.size(); ++i) {
            CHECK(read[i].venue == list[i].at("venue").as_string());
            CHECK(read[i].share == list[i].at("share").as_int64());
        }
    }
    CHECK(good > 500);
    CHECK(bad > 500);
}

TEST_CASE("read_json: the JSON test suite's verdicts on the grammar")
{
    for (std::string_view text :
         {"{}", "[]", "0", "-0", "-0.0e-0", "\"\"", "null", " [1 , 2 ]\n", "\"\\u0000\xf4\x8f\xbf\xbf\"", "{\"\":{\"\":[]}}", "1E+2"})
        CHECK(is_json(text));
    for (std::string_view text : {"",
                                  " ",
                                  "{",
                                  "[",
                                  "[1",
                                  "[1,",
                                  "[,1]",
                                  "[1 2]",
                                  "{1:2}",
                                  "{\"a\" 1}",
                                  "{\"a\":}",
                                  "{\"a\":1,}",
                                  "nul",
                                  "True",
                                  "\"\\a\"",
                                  "\"\\u00g0\"",
                                  "-",
                                  "1.e1",
                                  "0.1.2",
                                  "00",
                                  "-01",
                                  "1e",
                                  "1e+",
                                  "[1]]",
                                  "{}}",
                                  "\x01",
                                  "/**/1",
                                  "[\"\\uD800\\uD800\\x\"]",
                                  "\xef\xbb\xbf{}"})
        CHECK_FALSE(is_json(text));

    auto const files = weir_tests::vectors("json-test-suite");
    if (files.empty()) MESSAGE("skipped: no vectors here, set WEIR_VECTORS");
    for (auto const& [name, text] : files) {
        INFO(name);
        if (name.starts_with("y_")) CHECK(is_json(text));
        if (name.starts_with("n_")) CHECK_FALSE(is_json(text));
        if (name.starts_with("i_")) static_cast<void>(is_json(text)); // either; not a crash
    }
}
