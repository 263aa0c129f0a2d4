// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "props.hpp"
#include "scene.hpp"
#include "visitor.hpp"

#include <weir/sign/timestamp.hpp>

#include <boost/asio/awaitable.hpp>

#include <fmt/format.h>

#include <string>
#include <string_view>

/// Scenes of the demo in which requests break the rules of their route, or of HTTP.
namespace gateway {

/// Requests that do not meet the rules of their route do not get far.
inline asio::awaitable<void> careless_requests(scene& s, props& p)
{
    // An answer to a request without an id cannot be sealed for it.
    std::string const nameless =
        co_await p.guest.say(s, "GET /quotes?symbol=ACME HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "correlate");
    s.expect(nameless.starts_with("HTTP/1.1 400 ") && nameless.find(R"("policy":"correlate")") != std::string::npos,
             "a request without a correlation id is refused");

    constexpr std::string_view wrong_pages[] = {
        "limit=0", "limit=1000", "limit=ten", "limit=010", "offset=-1", "offset=9999999999999999999999", "limit=5&limit=6"};
    for (std::string_view const page : wrong_pages) {
        answer const got = co_await p.guest.get(s, fmt::format("/quotes?{}", page));
        s.expect(got.status == 400 && got.policy == "paging", fmt::format("a page with {} is refused", page));
    }
    constexpr std::string_view wrong_symbols[] = {"", "acme", "ACME%00", "TOOLONGASYMBOL", "A&symbol=B"};
    for (std::string_view const symbol : wrong_symbols) {
        answer const got = co_await p.guest.get(s, fmt::format("/quotes?symbol={}", symbol));
        s.expect(got.status == 400 && got.policy == "one_symbol", fmt::format("the symbol \"{}\" is refused", symbol));
    }
    http::request const large = p.order(weir::system_wall().wall_now(), std::string(2'000, ' '));
    answer const too_large = co_await p.guest.ask(s, large);
    s.expect(too_large.status == 413 && too_large.policy == "max_body", "a body that is too large is refused");

    answer const nowhere = co_await p.guest.get(s, "/quote?symbol=ACME");
    s.expect(nowhere.status == 404 && nowhere.reason == "no route has this path", "a path that nobody has is told, under seal");
    http::request drop = p.guest.reading("/quotes?symbol=ACME", p.guest.token);
    drop.method(http::verb::delete_);
    answer const undone = co_await p.guest.ask(s, drop);
    s.expect(undone.status == 405 && weir::header(undone.response, "allow") == "GET, HEAD", "so is a method that the path has not");

    answer const right = co_await p.guest.get(s, "/quotes?limit=3&offset=60");
    co_await p.count(s);
    s.expect(right.status == 200 && right.response.body().find("YARN") != std::string::npos, "a right page is answered");
    s.expect(s.behind() == 1, "nothing else reaches the service");
}

/// Requests whose end two readers could see at two places: the way to smuggle one past a gateway.
inline asio::awaitable<void> hostile_framing(scene& s, props& p)
{
    struct attack {
        std::string_view what, bytes;
    };
    constexpr attack attacks[] = {
        {"two lengths", "POST /orders HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!"},
        {"two lengths in one", "POST /orders HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\nhello"},
        {"a length with a sign", "POST /orders HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nhello"},
        {"a length beside chunks", "POST /orders HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
        {"chunks that are not last", "POST /orders HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"},
        {"a negative chunk", "POST /orders HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n\r\n"},
        {"no host", "GET /quotes HTTP/1.1\r\n\r\n"},
        {"two hosts", "GET /quotes HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"},
        {"a folded field", "GET /quotes HTTP/1.1\r\nHost: a\r\nx-folded: a\r\n b\r\n\r\n"},
        {"a space before a colon", "GET /quotes HTTP/1.1\r\nHost : a\r\n\r\n"},
        {"two spaces", "GET  /quotes HTTP/1.1\r\nHost: a\r\n\r\n"},
        {"bare line feeds", "GET /quotes HTTP/1.1\nHost: a\n\n"},
    };
    for (auto const& [what, bytes] : attacks) {
        std::string const came = co_await p.guest.say(s, bytes);
        s.expect(came.starts_with("HTTP/1.1 400 "), fmt::format("{}: refused with 400, and the connection closed", what));
        p.shown.show(s);
    }
    co_await p.count(s);
    s.expect(s.behind() == 0, "nothing of it reaches a service");
}

} // namespace gateway
