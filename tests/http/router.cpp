// SPDX-License-Identifier: BSL-1.0
#include <weir/http/router.hpp>

#include "asking.hpp"

#include <weir/core/pipeline.hpp>
#include <weir/http/edge.hpp>
#include <weir/http/streamed_response.hpp>

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

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

namespace {

/// A policy that leaves its mark on every response.
struct stamp {
    using role = weir::transform;
    static constexpr std::string_view name = "stamp";
    void up(auto&, auto& outcome) const
    {
        if (outcome.has_value()) outcome->set("x-stamp", std::to_string(outcome->body().size()));
    }
};

} // namespace

TEST_CASE("router: as the handler of a pipeline, what it answers itself goes up through the policies, too")
{
    http::request const* at = nullptr;
    auto const seen = [&at](auto& r) {
        at = &r;
        return http::detail::say(http::response(http::status::ok, std::string(r.target())));
    };
    auto const counting = [](http::request&) -> asio::awaitable<http::streamed_response> {
        auto const count = [](http::body_writer& to) -> asio::awaitable<weir::result<void>> {
            for (std::string_view const piece : {"one", "two"})
                if (auto const sent = co_await to.write(piece); !sent) co_return sent.error();
            co_return weir::result<void>();
        };
        co_return http::streamed_response(http::status::ok, "text/plain", count);
    };
    auto inside = http::router{}.add("GET", "/in/deep", [seen](http::request const& r) { return seen(r); });
    weir::pipeline svc{stamp{}, http::router{}
                                    .add("GET", "/read", [seen](http::request const& r) { return seen(r); })
                                    .add("GET", "/change",
                                         [seen](http::request& r) {
                                             r.target("/changed");
                                             return seen(r);
                                         })
                                    .add("GET", "/stream", counting)
                                    .add("GET", "/in/*", std::move(inside))};
    auto const all = http::edge(svc);
    auto const stamped = [&](http::response const& r) { return weir::header(r, "x-stamp") == std::to_string(r.body().size()); };

    http::request read("GET", "/read");
    auto const kept = ask(all, read);
    CHECK(kept.body() == "/read");
    CHECK(stamped(kept));
    CHECK(at == &read); // no copy
    http::request deep("GET", "/in/deep");
    CHECK(ask(all, deep).body() == "/in/deep");
    CHECK(at == &deep);
    http::request change("GET", "/change");
    CHECK(ask(all, change).body() == "/changed");
    CHECK(at != &change);
    CHECK(change.target() == "/change"); // the caller's own stays as it was

    auto const stream = ask(all, "/stream");
    CHECK(stream.body() == "onetwo");
    CHECK(stamped(stream));
    for (auto const& [target, method, status] :
         {std::tuple{"/none", "GET", 404}, {"/read", "PUT", 405}, {"/in/none", "GET", 404}, {"/read/../read", "GET", 400}}) {
        CAPTURE(target);
        auto const own = ask(all, target, method);
        CHECK(own.result_int() == static_cast<unsigned>(status));
        CHECK(stamped(own));
    }
    CHECK(weir::header(ask(all, "/read", "PUT"), "allow") == "GET, HEAD");
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
