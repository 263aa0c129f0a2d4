// SPDX-License-Identifier: BSL-1.0
#include <weir/validate/media_type.hpp>

#include <doctest/doctest.h>

#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using weir::media_type;

bool takes(std::string_view wanted, std::string_view sent)
{
    return media_type::parse(wanted)->takes(*media_type::parse(sent));
}

TEST_CASE("media_type: type, subtype and parameters as they came")
{
    auto const t = media_type::parse(" Text/HTML ;Charset=\"utf-8\" ; x=\"a\\\"b;c\"; ; ");
    REQUIRE(t);
    CHECK(t->type == "Text");
    CHECK(t->subtype == "HTML");
    CHECK(t->is("text", "html"));
    CHECK(t->parameter("charset") == "utf-8");
    CHECK(t->parameter("X") == "a\"b;c");
    CHECK_FALSE(t->parameter("y"));
    CHECK(t->has("CHARSET", "UTF-8"));
    CHECK(media_type::parse("a/b;x=\"\"")->parameter("x") == "");
    static_assert(media_type::parse("application/json")->is("application", "json"));
}

TEST_CASE("media_type: what is malformed is none")
{
    for (std::string_view wrong : {"",
                                   "text",
                                   "text/",
                                   "/html",
                                   "text /html",
                                   "text/ html",
                                   "text/html,text/plain",
                                   "text/html; charset",
                                   "text/html; charset=",
                                   "text/html; charset =utf-8",
                                   "text/html; charset= utf-8",
                                   "text/html; charset=\"utf-8",
                                   "text/html; charset=\"utf-8\\\"",
                                   "text/html; a=1; A=2",
                                   "text/html charset=utf-8",
                                   "text/h(ml",
                                   "text/html; a=\"\x01\"",
                                   "text/html; a=\"\\\x7f\"",
                                   "text/html; =a",
                                   "t\xc3\xa4xt/html",
                                   "text/html\r\n",
                                   "text/html; a=b c"}) {
        CAPTURE(wrong);
        CHECK_FALSE(media_type::parse(wrong));
    }
    std::string many = "a/b";
    for (int i = 0; i < 16; ++i) many += ";p" + std::to_string(i) + "=1";
    CHECK(media_type::parse(many));
    CHECK_FALSE(media_type::parse(many + ";p=1"));
}

TEST_CASE("media_type: ranges, suffixes and parameters decide what is taken")
{
    CHECK(takes("application/json", "APPLICATION/json"));
    CHECK(takes("application/json", "application/json; charset=\"UTF-8\"; profile=x"));
    CHECK(takes("application/json", "application/json;charset=us-ascii"));
    CHECK_FALSE(takes("application/json", "application/json; charset=utf-16"));
    CHECK_FALSE(takes("application/json", "application/jsonp"));
    CHECK_FALSE(takes("application/json", "text/json"));
    CHECK(takes("application/*+json", "application/vnd.bank+JSON"));
    CHECK_FALSE(takes("application/*+json", "application/+json"));
    CHECK_FALSE(takes("application/*+json", "application/json"));
    CHECK(takes("text/*", "text/csv"));
    CHECK_FALSE(takes("text/*", "application/csv"));
    CHECK(takes("*/*", "a/b"));
    CHECK(takes("a/b; version=2", "a/b; x=1; VERSION=\"2\""));
    CHECK_FALSE(takes("a/b; version=2", "a/b"));
    CHECK_FALSE(takes("a/b; v=a", "a/b; v=A"));
    CHECK(takes("a/b; charset=Latin1", "a/b; charset=LATIN1"));
    CHECK_FALSE(takes("a/b; charset=utf-8", "a/b"));
}

TEST_CASE("media_type: seeded texts that are put together are taken apart")
{
    std::mt19937_64 draw(11);
    auto const token = [&] {
        std::string text;
        for (auto n = 1 + draw() % 5; n > 0; --n) text += "abzAZ09!#$%&'*+-.^_`|~"[draw() % 22];
        return text;
    };
    auto const blanks = [&] { return std::string(draw() % 3, draw() % 2 ? ' ' : '\t'); };
    for (int round = 0; round < 20'000; ++round) {
        std::string const type = token(), subtype = token();
        std::string text = type + '/' + subtype;
        std::vector<std::pair<std::string, std::string>> parameters;
        for (auto n = draw() % 4; n > 0; --n) {
            std::string const name = token() + std::to_string(n), value = draw() % 2 ? token() : "a \"quoted\\ \" one;=,";
            text += blanks() + ';' + blanks() + name + '=';
            if (value.find(' ') == std::string::npos)
                text += value;
            else {
                text += '"';
                for (char const c : value) (text += c == '"' || c == '\\' ? "\\" : "") += c;
                text += '"';
            }
            parameters.emplace_back(name, value);
        }
        CAPTURE(text);
        auto const t = media_type::parse(text);
        REQUIRE(t);
        REQUIRE(t->type == type);
        REQUIRE(t->subtype == subtype);
        for (auto const& [name, value] : parameters) REQUIRE(t->parameter(name) == value);
        // One character more that cannot stand where it stands.
        std::string broken = text;
        broken.insert(draw() % (text.size() + 1), 1, '\n');
        REQUIRE_FALSE(media_type::parse(broken));
    }
}

} // namespace
