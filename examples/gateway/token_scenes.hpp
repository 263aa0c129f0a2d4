// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "forgeries.hpp"
#include "props.hpp"
#include "scene.hpp"
#include "visitor.hpp"

#include <weir/core/request.hpp>

#include <boost/asio/awaitable.hpp>

#include <fmt/format.h>

#include <string>
#include <string_view>

/// The scene of the demo in which somebody comes with a token that he should not have.
namespace gateway {

/// Tokens that are forged, stolen or out of date: each is refused, with the reason in the problem document, and nothing of it is given back.
inline asio::awaitable<void> forged_tokens(scene& s, props& p)
{
    visitor& guest = p.guest;
    for (forgery const& each : forgeries(p.keys)) {
        p.secrets.push_back(each.token);
        http::request const r = guest.reading("/quotes?symbol=ACME", each.token);
        answer const got = co_await guest.ask(s, r);
        bool const unknown = !each.challenge.empty();
        std::string const reason =
            fmt::format("header {}: expected {}", each.what == "one of another device" ? "x-device-id" : "authorization", each.reason);
        auto const challenge = weir::header(got.response, "www-authenticate");
        s.expect(got.status == (unknown ? 401U : 403U) && got.policy == each.policy,
                 fmt::format("{}: refused by {}", each.what, each.policy));
        s.expect(got.reason == reason, fmt::format("{}: told \"{}\", and not \"{}\"", each.what, reason, got.reason));
        s.expect(unknown ? challenge == each.challenge : !challenge, fmt::format("{}: the right WWW-Authenticate", each.what));
        std::string_view const signed_by = std::string_view(each.token).substr(each.token.rfind('.') + 1);
        s.expect(signed_by.size() < 16 || got.response.body().find(signed_by) == std::string::npos,
                 fmt::format("{}: nothing of it is given back", each.what));
    }
    http::request const without = guest.make("GET", "/quotes?symbol=ACME");
    http::request in_query = guest.make("GET", "/quotes?symbol=ACME&access_token=" + guest.token);
    http::request twice = guest.reading("/quotes?symbol=ACME", guest.token);
    twice.insert(http::field::authorization, "Bearer " + guest.token);
    answer const none = co_await guest.ask(s, without);
    answer const queried = co_await guest.ask(s, in_query);
    answer const doubled = co_await guest.ask(s, twice);
    for (answer const* each : {&none, &queried})
        s.expect(each->status == 401 && weir::header(each->response, "www-authenticate") == "Bearer" &&
                     each->reason == "header authorization: expected a bearer token",
                 "without a token in its place: 401, and how to bring one");
    s.expect(doubled.status == 401, "two tokens are none");

    answer const right = co_await guest.get(s, "/quotes?symbol=ACME");
    s.expect(right.status == 200, "a good one is good");
    s.expect(co_await guest.figure("weir_policy_wrong_algorithm_total", "verify_jwt") >= 4, "the gateway counts what it was");
    s.expect(co_await guest.figure("weir_policy_expired_total", "verify_jwt") == 1, "and the one that has expired");

    co_await p.count(s);
    s.expect(s.behind() <= 1, "nothing of it reaches the service");
}

} // namespace gateway
