// SPDX-License-Identifier: BSL-1.0
#include <weir/http/query_key.hpp>

#include <weir/cache/cached.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/http/message.hpp>
#include <weir/limit/gcra.hpp>
#include <weir/limit/keyed.hpp>
#include <weir/limit/rate_limit.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <string_view>

using namespace std::chrono_literals;
namespace http = weir::http;

namespace {

struct call_of {
    http::request const& asked;
    http::request const& request() const { return asked; }
};
std::string key(std::string_view target)
{
    http::request const r("GET", target);
    call_of const call{r};
    return std::string(weir::query<"symbol">(call));
}

} // namespace

TEST_CASE("query: the key is the one parameter, decoded")
{
    CHECK(key("/quotes?symbol=ACME") == "ACME");
    CHECK(key("/quotes?a=1&symbol=ACME&b=2") == "ACME");
    CHECK(key("/quotes?symbol=BRK%20B") == "BRK B");
    CHECK(key("/quotes?symbol=BRK+B") == "BRK B");
    CHECK(key("/quotes?s%79mbol=ACME") == "ACME");
    CHECK(key("http://host/quotes?symbol=ACME") == "ACME");
}

TEST_CASE("query: what is missing, malformed or there twice is no key")
{
    for (auto const* target : {"/quotes", "/quotes?", "/quotes?symbol", "/quotes?symbol=", "/quotes?Symbol=A", "/quotes?xsymbol=A",
                               "/quotes?symbol=%4", "/quotes?symbol=%zz", "/quotes?symbol=A&symbol=A", "/quotes?symbol=A&s%79mbol=B"}) {
        CAPTURE(target);
        CHECK(key(target).empty());
    }
}

TEST_CASE("query: limits and caches take it as their key")
{
    int calls = 0;
    weir::pipeline svc{weir::rate_limit{weir::keyed{weir::gcra{{.permits = 2, .per = 3600s}}, weir::query<"symbol">, {.capacity = 10}}},
                       weir::cached{weir::store<std::string, int>{{.capacity = 10, .ttl = 30s}}, weir::query<"symbol">},
                       [&](http::request const&) { return ++calls; }};
    http::request const a("GET", "/?symbol=A"), b("GET", "/?symbol=B"), none("GET", "/");
    CHECK(svc(a).value() == 1);
    CHECK(svc(a).value() == 1);
    CHECK(svc(b).value() == 2);
    CHECK(svc(a).error() == weir::errc::rate_limited);
    CHECK(svc(none).value() == 3);
    CHECK(svc(none).value() == 4);
}
