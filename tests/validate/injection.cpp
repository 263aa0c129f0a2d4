// SPDX-License-Identifier: BSL-1.0
#include <weir/validate/detail/compiled_pattern.hpp>
#include <weir/validate/detail/sql_shape.hpp>
#include <weir/validate/injection.hpp>

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace injection = weir::injection;

/// The lines of a file of weir's own corpus.
std::vector<std::string> lines(std::string_view name)
{
    std::ifstream file(std::filesystem::path(__FILE__).parent_path() / "corpus" / name);
    std::vector<std::string> all;
    for (std::string line; std::getline(file, line);) all.push_back(line);
    REQUIRE(all.size() >= 20);
    return all;
}
template<class Detector>
std::size_t found(std::vector<std::string> const& texts)
{
    std::size_t n = 0;
    for (std::string const& text : texts) n += Detector::found(text);
    return n;
}
template<class Detector>
void rate(std::string_view attacks, std::size_t at_least, std::size_t at_most)
{
    auto const bad = lines(attacks), good = lines("texts");
    std::size_t const hits = found<Detector>(bad), alarms = found<Detector>(good);
    MESSAGE(Detector::name, ": ", hits, " of ", bad.size(), " attacks found, ", alarms, " of ", good.size(),
            " innocent texts taken for one");
    CHECK(hits >= at_least);
    CHECK(alarms <= at_most);
}

TEST_CASE("injection: the patterns of shapes are patterns")
{
    auto const& p = weir::detail::sql_patterns::all();
    auto const good = [](weir::detail::compiled_pattern const& each) { return each.fault == weir::detail::pattern_fault::none; };
    for (auto const* each : {&p.second_select, &p.words_taken_apart, &p.condition_on_values, &p.condition_then_end, &p.two_conditions,
                             &p.name_and_condition, &p.second_statement, &p.query_in_the_query, &p.rest_cut_off, &p.columns_counted,
                             &p.quoted_second_select, &p.quoted_second_statement, &p.quoted_condition, &p.quoted_comparison,
                             &p.quoted_rest_cut_off, &p.quoted_call, &p.quoted_columns_counted, &p.quoted_list})
        CHECK(good(*each));
}

TEST_CASE("injection: rates on weir's own corpus")
{
    rate<injection::sql>("sql_attacks", 82, 1);
    rate<injection::script>("script_attacks", 59, 0);
    rate<injection::path>("path_attacks", 20, 2);
}

TEST_CASE("injection: sql is seen from within a number, and from within quotation marks")
{
    CHECK(injection::sql::found("1 or 1=1"));
    CHECK(injection::sql::found("x' or 'a'='a"));
    CHECK(injection::sql::found("x\" or \"a\"=\"a"));
    CHECK_FALSE(injection::sql::found("x' or \"a")); // no quotation mark closes what it opens
    CHECK_FALSE(injection::sql::found("\"a\" or \"b\""));
    CHECK_FALSE(injection::sql::found("O''Reilly or 'sons'"));
    CHECK_FALSE(injection::sql::found(""));
    CHECK_FALSE(injection::sql::found("'"));
    CHECK(weir::detail::sql_shape("1 or (2 = sleep(5)) -- x", '\0', false).letters() == "1&1=f1c");
    CHECK(weir::detail::sql_shape("x' UNION/**/SELECT a,b FROM t#", '\'', false).letters() == "sUCEn,nknc");
}

TEST_CASE("injection: header splitting is a line end and what follows it")
{
    using injection::header_splitting;
    for (std::string_view bad : {"x\r\nSet-Cookie: a=b", "x\nLocation: /", "x\rX-A:b", "x\r\n\r\n<html>", "x\n\nbody",
                                 "\r\nHTTP/1.1 200 OK", "x\xe5\x98\x8a\xe5\x98\x8dSet-Cookie: a", "x\xc4\x8d\xc4\x8aX-A: b"})
        CHECK_MESSAGE(header_splitting::found(bad), bad);
    CHECK(header_splitting::found(std::string_view("a\0b", 3)));
    for (std::string_view good : {"", "one line", "two\nlines", "two\r\nlines of text", "a: b", "\xe5\x98\x89", "ends\r\n"})
        CHECK_MESSAGE(!header_splitting::found(good), good);
}

TEST_CASE("injection: the cases of libinjection")
{
    char const* const given = std::getenv("WEIR_VECTORS");
    std::filesystem::path const folder = std::filesystem::path(given != nullptr ? given : "../shared/vectors") / "libinjection";
    if (!std::filesystem::is_directory(folder)) {
        MESSAGE("skipped: no libinjection beside the project");
        return;
    }
    std::vector<std::string> attacks, innocent;
    for (auto const& entry : std::filesystem::directory_iterator(folder)) {
        if (!entry.path().filename().string().starts_with("test-sqli")) continue;
        std::ifstream file(entry.path());
        std::string input, expected, *into = nullptr;
        for (std::string line; std::getline(file, line);) {
            if (line.starts_with("--INPUT--"))
                into = &input;
            else if (line.starts_with("--EXPECTED--"))
                into = &expected;
            else if (into != nullptr)
                *into += line;
        }
        if (!input.empty()) (expected.find_first_not_of(" \r") == std::string::npos ? innocent : attacks).push_back(input);
    }
    std::size_t const hits = found<injection::sql>(attacks), alarms = found<injection::sql>(innocent);
    MESSAGE("sql: ", hits, " of ", attacks.size(), " that libinjection finds, ", alarms, " of ", innocent.size(), " that it does not");
    CHECK(hits == attacks.size());
    CHECK(alarms == 0);
}

TEST_CASE("injection: random texts are judged to their end, twice the same, and a text that has none of the marks is innocent")
{
    std::mt19937_64 draw(17);
    constexpr std::string_view parts[] = {"'", "\"", "`",  "--", "#",    "/*", "*/",      "(",      ")",    " or ", "=",
                                          "1", "a",  "<",  ">",  "<!--", "&#", "on",      "x=",     "\\",   "%2",   "..",
                                          "/", "\r", "\n", ":",  "@",    ";",  "select ", "union ", "\xc0", "\0"};
    for (int round = 0; round < 30'000; ++round) {
        std::string text;
        for (auto n = draw() % 20; n > 0; --n) text += parts[draw() % std::size(parts)];
        bool const sql = injection::sql::found(text), script = injection::script::found(text);
        REQUIRE(injection::sql::found(text) == sql);
        REQUIRE(injection::script::found(text) == script);
        static_cast<void>(injection::path::found(text));
        static_cast<void>(injection::header_splitting::found(text));
        std::string plain;
        for (auto n = draw() % 30; n > 0; --n) plain += "abcdefgh ,."[draw() % 11];
        REQUIRE_FALSE(injection::sql::found(plain));
        REQUIRE_FALSE(injection::script::found(plain));
        REQUIRE_FALSE(injection::header_splitting::found(plain));
    }
}

} // namespace
