// SPDX-License-Identifier: BSL-1.0
#include <weir/validate/strict_json.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace {

using weir::strict_json;
using weir::strict_json_fault;
using kind = weir::json_view::kind;

strict_json_fault fault_of(std::string_view text, weir::strict_json_limits const& limits = {})
{
    strict_json document;
    auto const fault = document.read(text, limits);
    CHECK(bool(document.root()) == (fault == strict_json_fault::none));
    return fault;
}

} // namespace

TEST_CASE("strict_json: values are found by name and place, and what is not there is none")
{
    strict_json document;
    REQUIRE(document.read(R"( {"a":1, "b":[true,null,-2.5e1,"x"], "c":{"d":{}, "e":[]}, "": "empty"} )") == strict_json_fault::none);
    auto const root = document.root();
    CHECK(root.is_object());
    CHECK(root.size() == 4);
    CHECK(root["a"].integer() == 1);
    CHECK(root["a"].number() == 1.0);
    CHECK(!root["a"].text());
    CHECK(root[""].text() == "empty");
    CHECK(root["b"].size() == 4);
    std::string kinds;
    for (auto each : root["b"]) kinds += std::to_string(static_cast<int>(each.what()));
    CHECK(kinds == "2145");
    auto at = root["b"].begin();
    CHECK((*at++).boolean() == true);
    CHECK((*at++).is_null());
    CHECK((*at).number() == -25.0);
    CHECK(!(*at).integer());
    CHECK(root["c"]["d"].is_object());
    CHECK(root["c"]["d"].begin() == root["c"]["d"].end());
    CHECK(root["c"]["e"].is_list());
    CHECK(root["c"].begin().operator*().name() == "d");
    CHECK(!root["c"]["d"]["e"]["f"]);
    CHECK(!root["x"]);
    CHECK(root["x"].what() == kind::none);
    CHECK(root["x"].begin() == root["x"].end());
}

TEST_CASE("strict_json: escapes are resolved, in names too")
{
    strict_json document;
    REQUIRE(document.read(R"({"\u0061\n":"\"\\\/\b\f\n\r\t\u00e9\u20ac\ud83d\ude00 \u0000.","b":"é"})") == strict_json_fault::none);
    using namespace std::string_view_literals;
    CHECK(document.root()["a\n"].text() == "\"\\/\b\f\n\r\té€😀 \0."sv);
    CHECK(document.root()["b"].text() == "é");
}

TEST_CASE("strict_json: a document is used again, and forgets what it read before")
{
    strict_json document;
    CHECK(document.read(R"({"a":1})") == strict_json_fault::none);
    CHECK(document.read("[") == strict_json_fault::grammar);
    CHECK(!document.root());
    CHECK(document.read(std::string(70'000, ' ')) == strict_json_fault::too_long);
    CHECK(!document.root());
    document.buffer() = "[1,2]";
    CHECK(document.parse() == strict_json_fault::none);
    CHECK(document.root().size() == 2);
}

TEST_CASE("strict_json: no member twice, however it is written and however many there are")
{
    using enum strict_json_fault;
    CHECK(fault_of(R"({"a":1,"a":1})") == duplicate_member);
    CHECK(fault_of(R"({"exp":1,"ex\u0070":2})") == duplicate_member);
    CHECK(fault_of(R"({"a":{"b":1,"c":2,"b":3}})") == duplicate_member);
    CHECK(fault_of(R"({"":1,"":2})") == duplicate_member);
    CHECK(fault_of(R"({"a":{"a":1},"b":{"a":1}})") == none);
    CHECK(fault_of(R"({"a":1,"A":2,"a ":3})") == none);
    for (int twin : {-1, 0, 31, 32, 33, 99}) {
        std::string text = "{";
        for (int i = 0; i < 100; ++i) text += "\"m" + std::to_string(i) + "\":{\"x\":0},";
        text += "\"m" + std::to_string(twin) + "\":0}";
        CHECK(fault_of(text) == (twin < 0 ? none : duplicate_member));
    }
}

TEST_CASE("strict_json: numbers are those of RFC 8259, whole ones of 64 bits, others what a double holds")
{
    using enum strict_json_fault;
    for (char const* good :
         {"0", "-0", "1", "-1", "9223372036854775807", "-9223372036854775808", "0.1", "1e5", "1E-5", "-0.0e+0", "1.7e308"})
        CHECK(fault_of(good) == none);
    for (char const* bad : {"9223372036854775808", "-9223372036854775809", "99999999999999999999999", "1e400", "-1e400", "1.8e308"})
        CHECK(fault_of(bad) == number);
    for (char const* bad : {"01", "-", "+1", ".5", "5.", "1e", "1e+", "0x1", "1_0", "NaN", "Infinity", "-Infinity", "--1", "1 2", "- 1"})
        CHECK(fault_of(bad) == grammar);
}

TEST_CASE("strict_json: what is not UTF-8 is refused, and half a surrogate pair")
{
    using enum strict_json_fault;
    for (char const* bad : {"\"\x80\"", "\"\xc0\xaf\"", "\"\xe0\x80\xaf\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"", "\"\xff\"",
                            "\"abcdefgh\xc3\"", R"("\ud800")", R"("\udc00")", R"("\ud800\ud800")", R"("\ud800x")", R"("\ud83d\n")"})
        CHECK(fault_of(bad) == encoding);
    CHECK(fault_of("\xef\xbb\xbf{}") == grammar);
}

TEST_CASE("strict_json: nothing stands behind the value, and nothing else than JSON is read")
{
    using enum strict_json_fault;
    using namespace std::string_view_literals;
    for (std::string_view bad :
         {""sv,      " "sv,         "{}x"sv,        "{} {}"sv,  "{}\0"sv,    "\0"sv,          "nul"sv,      "nulll"sv,           "tru"sv,
          "[1,]"sv,  "[,1]"sv,      "{\"a\":1,}"sv, "{,}"sv,    "{a:1}"sv,   "{\"a\" 1}"sv,   "{\"a\":}"sv, "{1:1}"sv,           "['a']"sv,
          "[1}"sv,   "{\"a\":1]"sv, "\"a"sv,        "\"\n\""sv, "\"\\x\""sv, "\"\\u12g4\""sv, "\"\\"sv,     "\"\\u"sv,           "[1 2]"sv,
          "/**/1"sv, "[\"a\0\"]"sv, "\v1"sv,        "["sv,      "{"sv,       "[["sv,          "]"sv,        "\"\\ud800\\u12\""sv})
        CHECK(fault_of(bad) == grammar);
}

TEST_CASE("strict_json: what is beyond a limit is refused, what is at it is read")
{
    using enum strict_json_fault;
    CHECK(fault_of("[[[1]]]", {.levels = 3}) == none);
    CHECK(fault_of("[[[[]]]]", {.levels = 3}) == too_deep);
    CHECK(fault_of("[1,2,3]", {.values = 4}) == none);
    CHECK(fault_of("[1,2,3]", {.values = 3}) == too_many);
    CHECK(fault_of("[1]", {.bytes = 3}) == none);
    CHECK(fault_of("[1] ", {.bytes = 3}) == too_long);
    CHECK(fault_of(std::string(100'000, '['), {.bytes = 100'000, .levels = 100'000, .values = 1'000'000}) == too_deep);
}

TEST_CASE("strict_json: any cut of a text is refused, and no byte before the end is read twice or skipped")
{
    std::string const text =
        R"({"a":[1,2.5,{"b":"x\u00e9y\\"}],"c":true,"d":null,"long name of a member":"and a text that is long as well"})";
    CHECK(fault_of(text) == strict_json_fault::none);
    for (std::size_t size = 0; size < text.size(); ++size)
        CHECK(fault_of(std::string_view(text).substr(0, size)) != strict_json_fault::none);
}
