// SPDX-License-Identifier: BSL-1.0
#include <weir/http/router.hpp>

#include "asking.hpp"

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <string_view>

using weir_tests::ask;
using weir_tests::json_of;
namespace asio = boost::asio;
namespace http = weir::http;

namespace {

/// A handler that says its name.
http::request_handler named(std::string name)
{
    return [name](http::request&) { return http::detail::say(http::response(http::status::ok, name)); };
}

http::router routes()
{
    return http::router{}
        .add("GET", "/", named("root"))
        .add("GET", "/quotes", named("all"))
        .add("POST", "/quotes", named("new"))
        .add("GET", "/quotes/{symbol}", named("one"))
        .add("GET", "/quotes/best", named("best"))
        .add("GET", "/files/*", named("files"))
        .add("GET", "/files/secret/*", named("secret"))
        .add("*", "/any", named("any"))
        .add("PUT", "/any", named("put"));
}

} // namespace

TEST_CASE("router: the exact path wins over a segment, that over the longest prefix")
{
    auto const all = routes();
    for (auto const& [target, name] : {std::pair{"/", "root"},
                                       {"/quotes", "all"},
                                       {"/quotes?x=/a", "all"},
                                       {"http://host/quotes", "all"},
                                       {"/quotes/best", "best"},
                                       {"/quotes/ACME", "one"},
                                       {"/quotes/A%2FB", "one"},
                                       {"/files/", "files"},
                                       {"/files/a/b", "files"},
                                       {"/files/secret", "files"},
                                       {"/files/secret/a/b", "secret"}}) {
        CAPTURE(target);
        CHECK(ask(all, target).body() == name);
    }
}

TEST_CASE("router: a path that nobody has is a 404, a near miss too")
{
    auto const all = routes();
    for (auto const* target : {"/quote", "/quotes/", "/quotes/a/b", "/files", "/filesx/", "/Quotes", "//quotes"}) {
        CAPTURE(target);
        auto const r = ask(all, target);
        CHECK(r.result_int() == 404);
        CHECK(json_of(r).at("code") == "not_found");
    }
    CHECK(ask(all, "*", "OPTIONS").result_int() == 404);
    CHECK(ask(http::router{}, "/").result_int() == 404);
}

TEST_CASE("router: a method that the path has not is a 405 with what it has")
{
    auto const all = routes();
    auto const r = ask(all, "/quotes", "DELETE");
    CHECK(r.result_int() == 405);
    CHECK(weir::header(r, "allow") == "GET, POST, HEAD");
    CHECK(json_of(r).at("status") == 405);
    CHECK(ask(all, "/quotes", "get").result_int() == 405);
    CHECK(ask(all, "/quotes", "POST").body() == "new");
    CHECK(ask(all, "/quotes", "HEAD").result_int() == 200);
    CHECK(ask(all, "/any", "BREW").body() == "any");
    CHECK(ask(all, "/any", "PUT").body() == "put");
}

TEST_CASE("router: no spelling of a path gets past its route")
{
    auto const all = routes();
    CHECK(ask(all, "/%71uotes").body() == "all");
    CHECK(ask(all, "/files/%73ecret/a").body() == "secret");
    for (auto const* target : {"/files/../quotes", "/files/%2e%2E/quotes", "/./quotes", "/files/.", "/files/%2e"}) {
        CAPTURE(target);
        CHECK(ask(all, target).result_int() == 400);
    }
    CHECK(ask(all, "/files/.hidden").body() == "files");
    CHECK(ask(all, "/files/...").body() == "files");
}

TEST_CASE("router: the last segment is decoded")
{
    auto const all = http::router{}.add("GET", "/quotes/{symbol}", [](http::request& r) {
        return http::detail::say(http::response(http::status::ok, std::string(http::last_segment(r))));
    });
    CHECK(ask(all, "/quotes/BRK%20B?x=1").body() == "BRK B");
}

TEST_CASE("router: a pattern that is none, or is there already, is refused")
{
    for (auto const* pattern : {"", "quotes", "/a/*/b", "/a/{b}/c", "/a*", "/a b", "/a?b", "/../a", "/%61", "*"}) {
        CAPTURE(pattern);
        bool const refused = [&] {
            try {
                http::router{}.add("GET", pattern, named("x"));
                return false;
            } catch (std::invalid_argument const&) {
                return true;
            }
        }();
        CHECK(refused);
    }
    auto all = routes();
    CHECK_THROWS_AS(all.add("GET", "/quotes", named("x")), std::invalid_argument);
    CHECK_THROWS_AS(all.add("GET", "/quotes/{other}", named("x")), std::invalid_argument);
    CHECK_THROWS_AS(all.add("", "/x", named("x")), std::invalid_argument);
    CHECK_THROWS_AS(all.add("GET", "/x", nullptr), std::invalid_argument);
}
