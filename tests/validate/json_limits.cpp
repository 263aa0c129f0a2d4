// SPDX-License-Identifier: BSL-1.0
#include <weir/validate/json_limits.hpp>

#include "request.hpp"

#include <weir/core/pipeline.hpp>
#include <weir/validate/read_json.hpp>

#include <boost/json/parse.hpp>

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>

namespace {

std::string wrong_with(std::string_view text, weir::json_limits_options const& o = {})
{
    auto const found = weir::check_json(text, o);
    return found.empty() ? "" : found.list.front().expected;
}

TEST_CASE("json_limits: what JSON is and what is none")
{
    for (std::string_view good : {"0", "-0", "1.5e-3", "\"\"", "null", " [ ] ", "{}", "[1,\"a\",{\"b\":[true,false,null]}]",
                                  "\"\\ud83d\\ude00\"", "\"\xc3\xa4\"", "{\"a\":1,\"b\":{\"a\":2}}", "1e-999", "0e999"})
        CHECK_MESSAGE(wrong_with(good).empty(), good);
    for (std::string_view bad : {"",
                                 "[",
                                 "{",
                                 "\"",
                                 "[1,]",
                                 "{\"a\":1,}",
                                 "{\"a\"}",
                                 "{a:1}",
                                 "01",
                                 "-",
                                 "1.",
                                 "1e",
                                 ".5",
                                 "+1",
                                 "tru",
                                 "nul",
                                 "[1 2]",
                                 "\"\x01\"",
                                 "\"\xff\"",
                                 "\"\\x\"",
                                 "\"\\ud800\"",
                                 "\"\\ude00\"",
                                 "\"\\ud800\\u0041\"",
                                 "1 2",
                                 "[]]",
                                 "{]",
                                 "[}",
                                 "\xef\xbb\xbf[]",
                                 "'a'",
                                 "//",
                                 "NaN",
                                 "\"\\u00g0\"",
                                 "[,1]",
                                 "{,}"})
        CHECK_MESSAGE(!wrong_with(bad).empty(), bad);
    CHECK(wrong_with("[1,x]") == "a JSON document in UTF-8 (RFC 8259), without its fault at byte 3");
    CHECK(wrong_with("[1,") == "a JSON document that is complete");
    CHECK(wrong_with("1 2") == "one JSON document, and nothing after byte 2");
    CHECK(wrong_with("") == "a JSON document");
}

TEST_CASE("json_limits: each limit is met exactly, and told")
{
    weir::json_limits_options const o{.bytes = 60, .levels = 2, .values = 6, .members = 2, .elements = 3, .text_bytes = 4};
    CHECK(wrong_with("[[1],[2],3]", o).empty());
    CHECK(wrong_with("[[[]]]", o) == "at most 2 arrays and objects inside each other, unlike at byte 2");
    CHECK(wrong_with("[[1,2,3],[4]]", o) == "at most 6 values, unlike at byte 10");
    CHECK(wrong_with("{\"a\":1,\"b\":2}", o).empty());
    CHECK(wrong_with("{\"a\":1,\"b\":2,\"c\":3}", o) == "at most 2 members of an object, unlike at byte 13");
    CHECK(wrong_with("[1,2,3,4]", o) == "at most 3 elements of an array, unlike at byte 7");
    CHECK(wrong_with("\"1234\"", o).empty());
    CHECK(wrong_with("\"12345\"", o) == "at most 4 bytes of a string, unlike at byte 1");
    CHECK(wrong_with("{\"12345\":1}", o) == "at most 4 bytes of a string, unlike at byte 2");
    CHECK(wrong_with(std::string(61, ' '), o) == "at most 60 bytes");
    std::string const deep = std::string(64, '[') + std::string(64, ']');
    CHECK(wrong_with(deep, {.levels = 64}).empty());
    CHECK_FALSE(wrong_with('[' + deep + ']', {.levels = 64}).empty());
}

TEST_CASE("json_limits: two readers read the same numbers and members")
{
    CHECK(wrong_with("9007199254740991").empty());
    CHECK(wrong_with("-9007199254740991").empty());
    CHECK(wrong_with("[9007199254740992]") == "whole numbers from -9007199254740991 to 9007199254740991, unlike at byte 1");
    CHECK_FALSE(wrong_with("123456789012345678901234567890").empty());
    CHECK(wrong_with("9007199254740992", {.exact_numbers = false}).empty());
    CHECK(wrong_with("1.7e308").empty());
    CHECK(wrong_with("1e400") == "numbers within the range of a floating-point number, unlike at byte 0");
    CHECK(wrong_with("0.00001e-400").empty());
    CHECK(wrong_with("1" + std::string(320, '0') + "e-1") == "numbers within the range of a floating-point number, unlike at byte 0");
    CHECK(wrong_with("1" + std::string(320, '0') + "e-700").empty());
    CHECK(wrong_with("1e99999999999999999999") == "numbers within the range of a floating-point number, unlike at byte 0");
    CHECK(wrong_with("{\"a\":1,\"\\u0061\":2}") == "objects with each member once, unlike the one that ends at byte 17");
    CHECK(wrong_with("{\"a\":1,\"a\":2}", {.unique_names = false}).empty());
    CHECK(wrong_with("[{\"a\":{\"a\":1}},{\"a\":1}]").empty());
    CHECK_FALSE(wrong_with("{\"\\ud83d\\ude00\":1,\"\xf0\x9f\x98\x80\":2}").empty());
}

TEST_CASE("json_limits: seeded texts, good and broken, against Boost.JSON's parser")
{
    std::mt19937_64 draw(5);
    std::size_t good = 0;
    for (int round = 0; round < 60'000; ++round) {
        std::string text;
        for (auto parts = 1 + draw() % 8; parts > 0; --parts) {
            constexpr std::string_view all[] = {
                "[", "]",           "{",         "}",  ",",  ":",     "\"a\"",   "\"b\"",        "1",    "-2.5", "true", "null", " ",
                "0", "\"\\u00e4\"", "\"\\ud83d", "e5", "\"", "[1,2]", "{\"a\":", "\"\xc3\xa4\"", "\xc3", "\\",   "[]",   "{}"};
            text += all[draw() % std::size(all)];
        }
        boost::system::error_code fault;
        boost::json::parse(text, fault);
        bool const fine = weir::check_json(text, {.unique_names = false}).empty();
        good += fine;
        CAPTURE(text);
        REQUIRE(fine == !fault);
    }
    CHECK(good > 1'000);
}

TEST_CASE("json_limits: the verdicts of JSONTestSuite")
{
    char const* const given = std::getenv("WEIR_VECTORS");
    std::filesystem::path folder = given != nullptr ? std::filesystem::path(given) : std::filesystem::path("../shared/vectors");
    folder /= "json-test-suite";
    if (!std::filesystem::is_directory(folder)) {
        MESSAGE("skipped: no json-test-suite beside the project");
        return;
    }
    std::size_t judged = 0;
    for (auto const& entry : std::filesystem::recursive_directory_iterator(folder)) {
        std::string const name = entry.path().filename().string();
        if (!name.starts_with("y_") && !name.starts_with("n_")) continue;
        std::ifstream file(entry.path(), std::ios::binary);
        std::string const text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
        CAPTURE(name);
        CHECK(weir::check_json(text, {.exact_numbers = false, .unique_names = false}).empty() == name.starts_with("y_"));
        ++judged;
    }
    CHECK(judged > 100);
}

TEST_CASE("json_limits: the policy refuses what is none, too long or encoded")
{
    weir::pipeline svc{weir::json_limits{{.bytes = 10}}, [](test::request const&) { return 1; }};
    auto const asked = [&](std::string body, std::string encoding = {}) {
        test::request r{.body = std::move(body)};
        if (!encoding.empty()) r.fields.emplace("content-encoding", encoding);
        return svc.call(r);
    };
    CHECK(asked("{\"a\":1}").result().has_value());
    CHECK(asked("").result().has_value());
    CHECK(asked("{\"a\":1}", "identity").result().has_value());
    CHECK(asked("{").result().error() == weir::errc::invalid_request);
    CHECK(asked("[1,2,3,4,5,6]").result().error() == weir::errc::payload_too_large);
    auto const packed = asked("xyz", "gzip");
    CHECK(packed.result().error() == weir::errc::unsupported_media_type);
    CHECK(packed.reported<weir::accepted_types>() == weir::accepted_types{"Accept-Encoding", "identity"});
    CHECK(packed.reported<weir::violations>()->list.front() == weir::violation{"header", "content-encoding", "none"});
    CHECK(svc.get<weir::json_limits>().stats().refused == 3);

    auto& policy = svc.get<weir::json_limits>();
    CHECK_THROWS_WITH_AS(policy.reconfigure({.levels = 65}), "json_limits.levels: expected from 1 to 64", std::invalid_argument);
    CHECK_THROWS_WITH_AS(weir::json_limits({.members = 0}), "json_limits.members: expected at least 1", std::invalid_argument);
    CHECK(policy.settings().bytes == 10);
    policy.reconfigure({.bytes = 20});
    CHECK(asked("[1,2,3,4,5,6]").result().has_value());
}

TEST_CASE("json_limits: a body of two encodings is encoded")
{
    weir::pipeline svc{weir::json_limits{}, [](test::request_of_lines const&) { return 1; }};
    test::request_of_lines r;
    r.body = "{}";
    r.lines = {{"content-encoding", "identity"}};
    CHECK(svc(r).has_value());
    r.lines.emplace("content-encoding", "gzip");
    CHECK(svc(r).error() == weir::errc::unsupported_media_type);
}

} // namespace
