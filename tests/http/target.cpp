// SPDX-License-Identifier: BSL-1.0
#include <weir/http/target.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace weir::http;

TEST_CASE("target: the origin form has a path and a query, both as they came")
{
    auto const t = parse_target("GET", "/a%20b/c?x=1&y=%2F");
    REQUIRE(t);
    CHECK(t->form == target_form::origin);
    CHECK(t->path == "/a%20b/c");
    CHECK(t->query == "x=1&y=%2F");
    CHECK(parse_target("GET", "/")->query.empty());
    CHECK(parse_target("GET", "//double/slash")->path == "//double/slash");
}

TEST_CASE("target: the absolute form gives its authority without user information")
{
    auto const t = parse_target("GET", "http://user:pass@example.com:8080/foo?q=1");
    REQUIRE(t);
    CHECK(t->form == target_form::absolute);
    CHECK(t->scheme == "http");
    CHECK(t->authority == "example.com:8080");
    CHECK(t->path == "/foo");
    CHECK(t->query == "q=1");
    CHECK(parse_target("GET", "HTTPS://[::1]:8080")->path == "/");
    CHECK(parse_target("GET", "http://h?q")->query == "q");
    for (char const* bad : {"http://", "http:///x", "http://:80/", "http://a b/", "http://[::1/", "http://[]/", "http://[g::]/", "ftp://a/",
                            "s://]ufd/:", "http://h:port/", "http://h:123456/", "http://a@b@c/ ", "http://<@h/"}) {
        CAPTURE(bad);
        CHECK_FALSE(parse_target("GET", bad));
    }
}

TEST_CASE("target: the authority form is for CONNECT alone, the asterisk for OPTIONS alone")
{
    CHECK(parse_target("CONNECT", "example.com:443")->authority == "example.com:443");
    CHECK(parse_target("CONNECT", "[::1]:443")->form == target_form::authority);
    CHECK_FALSE(parse_target("CONNECT", "example.com"));
    CHECK_FALSE(parse_target("CONNECT", "example.com:"));
    CHECK_FALSE(parse_target("CONNECT", ":443"));
    CHECK_FALSE(parse_target("CONNECT", "/"));
    CHECK_FALSE(parse_target("GET", "example.com:443"));
    CHECK(parse_target("OPTIONS", "*")->form == target_form::asterisk);
    CHECK_FALSE(parse_target("GET", "*"));
    CHECK_FALSE(parse_target("OPTIONS", "**"));
}

TEST_CASE("target: fragments, controls, spaces, bytes beyond ASCII and broken escapes are refused")
{
    for (std::string_view bad : {"",    "a",    "foo/bar", "/a#b", "/a?b#c", "/a b",   "/a\tb", "/\x7f", "/\xc3\xa0", "/%",
                                 "/%4", "/%4g", "/%g4?",   "/a?%", "/<",     "/\"q\"", "/{x}",  "/a?\"", "/a?<",      "/a\\b"}) {
        CAPTURE(bad);
        CHECK_FALSE(parse_target("GET", bad));
    }
    CHECK_FALSE(parse_target("GET", std::string_view("/a\0b", 4)));
    CHECK(parse_target("GET", "/a?filter[name]={x}|y^`\\"));
    CHECK(parse_target("GET", "/:@!$&'()*+,;=-._~"));
}

TEST_CASE("target: what was parsed is found again from the text alone")
{
    for (auto [method, text] : {std::pair{"GET", "/a/b?c=d"},
                                {"GET", "/"},
                                {"GET", "http://u@h:1/p?q"},
                                {"GET", "http://h"},
                                {"OPTIONS", "*"},
                                {"CONNECT", "h:1"}}) {
        CAPTURE(text);
        auto const parsed = parse_target(method, text);
        auto const split = split_target(text);
        REQUIRE(parsed);
        CHECK(parsed->form == split.form);
        CHECK(parsed->authority == split.authority);
        CHECK(parsed->path == split.path);
        CHECK(parsed->query == split.query);
    }
}

TEST_CASE("target: segments of a path, one by one")
{
    auto const all = [](std::string_view path) {
        std::vector<std::string> found;
        for (path_segments s(path); auto segment = s.next();) found.emplace_back(*segment);
        return found;
    };
    using list = std::vector<std::string>;
    CHECK(all("/") == list{""});
    CHECK(all("/a/b%2Fc/") == list{"a", "b%2Fc", ""});
    CHECK(all("//a") == list{"", "a"});
    CHECK(all("").empty());
}

TEST_CASE("target: a query parameter is found by its decoded name and decoded, nothing is copied where nothing was encoded")
{
    std::string_view const text = "symbol=ABC&empty=&flag&na%6De=a%2Bb+c&symbol=second";
    auto const symbol = query(text, "symbol");
    REQUIRE(symbol);
    CHECK(symbol->view() == "ABC");
    CHECK(symbol->view().data() == text.data() + 7);
    CHECK(query(text, "empty")->view().empty());
    CHECK(query(text, "flag")->view().empty());
    CHECK(query(text, "name")->view() == "a+b c");
    CHECK_FALSE(query(text, "none"));
    CHECK_FALSE(query(text, "Symbol"));
    CHECK_FALSE(query("", "a"));
    CHECK_FALSE(query("&&", "a"));
}

TEST_CASE("target: decoded text that moves keeps what it says")
{
    decoded first("a%41");
    decoded const second = std::move(first);
    CHECK(second.view() == "aA");
    CHECK(decoded("100%25").view() == "100%");
    CHECK(decoded("a+b").view() == "a+b");
}
