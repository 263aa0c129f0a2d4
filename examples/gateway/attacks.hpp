// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "demo_keys.hpp"
#include "forgeries.hpp"
#include "keys.hpp"
#include "middleman.hpp"
#include "scene.hpp"
#include "visitor.hpp"

#include <weir/http/problem.hpp>
#include <weir/sign/content_digest.hpp>
#include <weir/sign/random_nonce.hpp>

#include <boost/asio/awaitable.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

/// Scenes of the demo in which somebody cheats.
namespace gateway {

/// Tokens that are forged, stolen or out of date: each is refused, with the reason in the problem document, and nothing of it is given back.
inline asio::awaitable<void> forged_tokens(scene& s, visitor& guest, demo_keys const& keys, std::vector<std::string>& secrets)
{
    for (forgery const& each : forgeries(keys)) {
        secrets.push_back(each.token);
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
}

/// Somebody between a client and the gateway: whatever he does to an answer, or a refusal, the client's `open_response` finds it out.
inline asio::awaitable<void> man_before_the_gateway(scene& s, visitor& guest, middleman& him)
{
    auto const ask = [&](std::string_view symbol) -> asio::awaitable<answer> {
        http::request const r = guest.reading(fmt::format("/quotes?symbol={}", symbol), guest.token);
        co_return co_await guest.ask(s, r, &him.here());
    };
    http::response kept;
    him.on_response = [&](http::response& r) { kept = r; };
    answer const honest = co_await ask("ACME");
    s.expect(honest.status == 200, "what he passes on as it is, is opened");

    key_pair const his = key_pair::ed25519();
    weir::message_keys<> const his_keys({{.id = "gateway-1", .key = {weir::signature_algorithm::ed25519, his.private_pem()}}});
    struct attack {
        std::string_view what;
        std::function<void(http::response&)> how;
    };
    std::array<attack, 11> const attacks{{
        {"another price", [](http::response& r) { r.body() = R"({"symbol":"ACME","price":0.01})"; }},
        {"another price, and its digest",
         [](http::response& r) {
             r.body() = R"({"symbol":"ACME","price":0.01})";
             r.set("content-digest", weir::content_digest(r.body()));
         }},
        {"another status", [](http::response& r) { r.result(http::status::accepted); }},
        {"another type", [](http::response& r) { r.set(http::field::content_type, "text/html"); }},
        {"a refusal of his own", [](http::response& r) { r = http::problem(weir::errc::rate_limited); }},
        {"a refusal with the seal of an answer",
         [](http::response& r) {
             r.result(http::status::unauthorized);
             r.body() = R"({"status":401})";
         }},
        {"an empty body", [](http::response& r) { r.body().clear(); }},
        {"the seal stripped",
         [](http::response& r) {
             r.erase("signature");
             r.erase("signature-input");
         }},
        {"a seal that covers less",
         [](http::response& r) {
             std::string input(r["signature-input"]);
             auto const at = input.find(R"( "content-digest")");
             if (at != std::string::npos) input.erase(at, 17);
             r.set("signature-input", input);
         }},
        {"a seal of his own",
         [&](http::response& r) {
             r.erase("signature");
             r.erase("signature-input");
             http::request const asked = guest.reading("/quotes?symbol=ACME", guest.token);
             static_cast<void>(
                 weir::http_signature{seal()}.sign_answer(r, asked, his_keys, weir::system_wall().wall_now(), weir::random_nonce().view()));
         }},
        {"held back for a minute", [&](http::response&) { guest.clock.ahead = std::chrono::minutes(1); }},
    }};
    auto const refused = [&](answer const& got, std::string_view what) {
        s.expect(got.status == 0 && got.policy == "open_response", fmt::format("{}: not taken for the gateway's answer", what));
    };
    for (attack const& each : attacks) {
        him.on_response = each.how;
        answer const got = co_await ask("ACME");
        refused(got, each.what);
        guest.clock.ahead = {};
    }
    him.behave();
    him.instead = kept;
    answer const other = co_await ask("BOLT");
    refused(other, "an answer to another request");
    answer const again = co_await ask("ACME");
    refused(again, "an answer to the same request, asked before");
    him.behave();
    answer const after = co_await ask("ACME");
    s.expect(after.status == 200, "once he is honest again, so are the answers");
}

/// What clients order and read through a gateway that believes somebody else to be its services.
struct way_behind {
    http::upstream gateway;
    middleman& orders;
    middleman& quotes;
    std::function<http::request()> order; ///< makes one
};

/// Somebody between the gateway and its services: what the gateway did not ask is not answered, and what it asked only once.
inline asio::awaitable<void> man_behind_the_gateway(scene& s, visitor& guest, way_behind const& way)
{
    auto const place = [&]() -> asio::awaitable<answer> {
        http::request const r = way.order();
        co_return co_await guest.ask(s, r, &way.gateway);
    };
    auto const failed = [&](answer const& got, std::string_view what) {
        s.expect(got.status == 502 && got.policy == "as_the_service_sees_it", fmt::format("{}: the service refuses", what));
    };
    answer const honest = co_await place();
    s.expect(honest.status == 201, "what he passes on as it is, is taken");

    way.orders.on_request = [](http::request& r) { r.body() = R"({"symbol":"ACME","amount":3000})"; };
    answer const altered = co_await place();
    failed(altered, "another amount");
    way.orders.on_request = [](http::request& r) {
        r.body() = R"({"symbol":"ACME","amount":3000})";
        r.set("content-digest", weir::content_digest(r.body()));
    };
    answer const digested = co_await place();
    failed(digested, "another amount, and its digest");
    way.orders.on_request = [](http::request& r) {
        r.erase("signature");
        r.erase("signature-input");
    };
    answer const stripped = co_await place();
    failed(stripped, "the signature stripped");
    way.orders.behave();
    way.orders.twice = true;
    answer const repeated = co_await place(); // the first of the two is taken
    failed(repeated, "the same order once more");
    way.orders.behave();
    answer const after = co_await place();
    s.expect(after.status == 201, "once he is honest again, orders are taken");

    // A quote for another symbol than was asked for: refused, so that what the client gets says that it is less than a quote.
    way.quotes.on_request = [](http::request& r) { r.target("/quotes?symbol=BOLT"); };
    http::request r = guest.reading("/quotes?symbol=ACME&access_token=" + guest.token, guest.token);
    r.set(http::field::host, way.gateway.address());
    answer const other = co_await guest.ask(s, r, &way.gateway);
    s.expect(other.status == 200 && other.degraded && other.response.body() == R"({"symbol":"ACME","price":null})",
             "a question altered on its way is not answered");
    // And whoever goes to a service himself.
    http::request straight = guest.make("GET", "/quotes?symbol=ACME");
    s.expect(co_await guest.status_of_quotes(straight) == 401, "services answer the gateway, and nobody else");
}

} // namespace gateway
