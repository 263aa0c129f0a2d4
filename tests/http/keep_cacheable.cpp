// SPDX-License-Identifier: BSL-1.0
#include <weir/http/keep_cacheable.hpp>

#include <weir/cache/cached.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/http/message.hpp>

#include <doctest/doctest.h>

#include <string>
#include <utility>

namespace http = weir::http;

namespace {

http::response made(unsigned status, std::string const& control = {})
{
    http::response r(static_cast<http::status>(status), "", "text/plain");
    if (!control.empty()) r.set(http::field::cache_control, control);
    return r;
}

static_assert(weir::keep_rule<http::keep_cacheable, http::response>);

} // namespace

TEST_CASE("keep_cacheable: statuses that can be cached without being asked for, and no refusal or failure")
{
    http::keep_cacheable const rule;
    for (unsigned const status : {200u, 203u, 204u, 300u, 301u, 308u, 404u, 405u, 410u, 414u, 501u}) CHECK(rule.keeps(made(status)));
    for (unsigned const status : {100u, 201u, 206u, 302u, 304u, 307u, 400u, 401u, 403u, 408u, 422u, 429u, 500u, 502u, 503u, 504u})
        CHECK_FALSE(rule.keeps(made(status)));
}

TEST_CASE("keep_cacheable: what the response says of itself, whatever its case and place")
{
    http::keep_cacheable const rule;
    for (char const* const fine : {"max-age=60", "public", "no-transform, max-age=1", "x-private", ",,"})
        CHECK(rule.keeps(made(200, fine)));
    for (char const* const no : {"no-store", "No-Store", "max-age=60 , PRIVATE", "private=\"set-cookie\"", "no-cache,", ", no-store"})
        CHECK_FALSE(rule.keeps(made(200, no)));
    http::response cookie = made(200);
    cookie.set(http::field::set_cookie, "a=b");
    CHECK_FALSE(rule.keeps(cookie));
    http::response varies = made(200);
    varies.set(http::field::vary, "*");
    CHECK_FALSE(rule.keeps(varies));
    varies.set(http::field::vary, "accept-language");
    CHECK(rule.keeps(varies)); // the key has to hold it
}

TEST_CASE("keep_cacheable: in a cache a refusal goes to its caller alone")
{
    int asked = 0;
    unsigned status = 429;
    weir::pipeline svc{weir::cached{weir::store<int, http::response>{{.capacity = 10}}, weir::keyed_by<int>([](int n) { return n; }),
                                    http::keep_cacheable{}},
                       [&](int) { return ++asked, made(status); }};
    for (int i = 0; i < 3; ++i) CHECK(svc(1)->result_int() == 429);
    CHECK(asked == 3);
    status = 200;
    for (int i = 0; i < 3; ++i) CHECK(svc(1)->result_int() == 200);
    CHECK(asked == 4);
}
