// SPDX-License-Identifier: BSL-1.0
#include <weir/http/message.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <utility>

namespace http = weir::http;

TEST_CASE("message: policies reach a request through the customisation points")
{
    http::request r("PATCH", "/quotes/a%20b?symbol=X%2BY&n=1", "body");
    r.peer("127.0.0.1");
    weir::set_header(r, "X-Name", "first");
    weir::set_header(r, "x-name", "second");
    CHECK(weir::method(r) == "PATCH");
    CHECK(weir::target(r) == "/quotes/a%20b?symbol=X%2BY&n=1");
    CHECK(weir::body(r) == "body");
    CHECK(weir::peer(r) == "127.0.0.1");
    CHECK(weir::header(r, "X-NAME") == "second");
    CHECK_FALSE(weir::header(r, "none"));
    CHECK(r.path() == "/quotes/a%20b");
    CHECK(http::query(r, "symbol")->view() == "X+Y");
    CHECK_FALSE(http::query(r, "none"));
}

TEST_CASE("message: an unknown method keeps its name, a reset request keeps its peer only")
{
    http::request r("BREW", "/", "body");
    r.peer("::1");
    CHECK(weir::method(r) == "BREW");
    r.set(http::field::accept, "*/*");
    r.reset();
    CHECK(weir::body(r).empty());
    CHECK_FALSE(weir::header(r, "Accept"));
    CHECK(weir::peer(r) == "::1");
}

TEST_CASE("message: what moves or is copied keeps its views right")
{
    http::request r("GET", "http://host:80/path?q=1");
    http::request const copy = r;
    http::request const moved = std::move(r);
    CHECK(copy.path() == "/path");
    CHECK(moved.path() == "/path");
    CHECK(moved.parts().authority == "host:80");
}

TEST_CASE("message: a response has a status, a body and the body's type")
{
    http::response r(http::status::created, "{}", "application/json");
    CHECK(r.result_int() == 201);
    CHECK(weir::header(r, "content-type") == "application/json");
    CHECK(weir::body(r) == "{}");
    CHECK_FALSE(weir::header(http::response(http::status::no_content), "content-type"));
}

TEST_CASE("message: names of fields differ where a character does, but for the case of ASCII letters")
{
    auto const lower = [](unsigned c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; };
    std::size_t wrong = 0;
    for (std::size_t size = 1; size <= 18; ++size)
        for (std::size_t at = 0; at < size; ++at)
            for (unsigned one = 0; one < 256; ++one)
                for (unsigned other = one % 32; other < 256; other += at == size / 2 && size % 5 == 3 ? 1 : 32) {
                    std::string a(size, 'x'), b(size, 'X');
                    a[at] = static_cast<char>(one);
                    b[at] = static_cast<char>(other);
                    wrong += http::detail::same_name(a, b) != (lower(one) == lower(other));
                }
    CHECK(wrong == 0);
    CHECK(http::detail::same_name("", ""));
    CHECK_FALSE(http::detail::same_name("accept", "accept-"));
    http::request r("GET", "/");
    r.insert("Cookie", "first");
    r.insert("cookie", "second");
    CHECK(weir::header(r, "COOKIE") == "first");
}
