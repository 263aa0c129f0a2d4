// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "demo_keys.hpp"
#include "keys.hpp"
#include "middleman.hpp"
#include "props.hpp"
#include "scene.hpp"
#include "stage.hpp"
#include "visitor.hpp"

#include <weir/http/problem.hpp>
#include <weir/sign/content_digest.hpp>
#include <weir/sign/random_nonce.hpp>
#include <weir/sign/timestamp.hpp>

#include <boost/asio/awaitable.hpp>

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>

/// Scenes of the demo with a man in the middle.
namespace gateway {

/// Somebody between a client and the gateway: whatever he does to an answer, or a refusal, the client's `open_response` finds it out.
inline asio::awaitable<void> man_before_the_gateway(scene& s, props& p)
{
    visitor& guest = p.guest;
    middleman him(p.context, http::upstream("127.0.0.1", p.all.port));
    auto const ask = [&](std::string_view symbol) -> asio::awaitable<answer> {
        http::request const r = guest.reading(fmt::format("/quotes?symbol={}", symbol), guest.token);
        co_return co_await guest.ask(s, r, &him.here());
    };
    http::request asked;
    http::response kept;
    him.on_request = [&](http::request& r) { asked = r; };
    him.on_response = [&](http::response& r) { kept = r; };
    answer const honest = co_await ask("ACME");
    s.expect(honest.status == 200, "what he passes on as it is, is opened");

    key_pair const his = key_pair::ed25519();
    weir::message_keys<> const his_keys({{.id = "gateway-1", .key = {weir::signature_algorithm::ed25519, his.private_pem()}}});
    struct attack {
        std::string_view what;
        std::function<void(http::response&)> how;
    };
    std::array<attack, 13> const attacks{{
        {"another price", [](http::response& r) { r.body() = R"({"symbol":"ACME","price":0.01})"; }},
        {"another price, and its digest",
         [](http::response& r) {
             r.body() = R"({"symbol":"ACME","price":0.01})";
             r.set("content-digest", weir::content_digest(r.body()));
         }},
        {"another status", [](http::response& r) { r.result(http::status::accepted); }},
        {"another type", [](http::response& r) { r.set(http::field::content_type, "text/html"); }},
        {"a refusal of his own", [](http::response& r) { r = http::problem(weir::errc::rate_limited); }},
        {"a path that is not there, says he", [](http::response& r) { r = http::problem(weir::errc::not_found); }},
        {"a good answer, said to be less", [](http::response& r) { r.set("x-degraded", "fallback"); }},
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

    // Whatever the gateway says is sealed, also what none of its routes says.
    http::request const nowhere = guest.reading("/nowhere", guest.token);
    answer const lost = co_await guest.ask(s, nowhere, &him.here());
    s.expect(lost.status == 404 && lost.reason == "no route has this path", "a path that is not there: its 404 is opened");

    // While there is no quote to be had, answers say that they are less: that can be neither taken off them nor changed.
    co_await guest.change_quotes("fail");
    answer const less = co_await ask("ZEST");
    s.expect(less.status == 200 && less.degraded, "an answer that is less than a quote is opened, and says so");
    him.on_response = [](http::response& r) { r.erase("x-degraded"); };
    answer const unmarked = co_await ask("ZEST");
    refused(unmarked, "an answer that no more says that it is less");
    him.on_response = [](http::response& r) { r.set("x-degraded", "a little"); };
    answer const remarked = co_await ask("ZEST");
    refused(remarked, "an answer that says so in other words");
    co_await guest.change_quotes("ok");

    him.behave();
    him.instead = kept;
    answer const other = co_await ask("BOLT");
    refused(other, "an answer to another request");
    answer const again = co_await ask("ACME");
    refused(again, "an answer to the same request, asked before");
    him.behave();
    answer const after = co_await ask("ACME");
    s.expect(after.status == 200, "once he is honest again, so are the answers");
    co_await p.count(s);
}

/// Somebody between the gateway and its services: what the gateway did not ask is not answered, and what it asked only once, and soon. The gateway
/// is a second one, whose settings lead it to him.
inline asio::awaitable<void> man_behind_the_gateway(scene& s, props& p)
{
    visitor& guest = p.guest;
    middleman quotes(p.context, http::upstream("127.0.0.1", p.all.quotes_port)),
        orders(p.context, http::upstream("127.0.0.1", p.all.orders_port));
    stage::other_gateway const other = p.all.another(p.keys, quotes.port(), orders.port());
    http::upstream const there("127.0.0.1", other.port);
    std::string reason; // that the service told the gateway
    auto const place = [&]() -> asio::awaitable<answer> {
        http::request r = p.order(weir::system_wall().wall_now());
        r.set(http::field::host, there.address());
        reason.clear();
        orders.on_response = [&](http::response& came) { reason = visitor::member(came.body(), "detail"); };
        co_return co_await guest.ask(s, r, &there);
    };
    auto const refused = [&](answer const& got, std::string_view what, std::string_view why) {
        s.expect(got.status == 502 && got.policy == "as_the_service_sees_it", fmt::format("{}: the service refuses", what));
        s.expect(reason == why, fmt::format("{}: for \"{}\", and not \"{}\"", what, why, reason));
    };
    answer const honest = co_await place();
    s.expect(honest.status == 201, "what he passes on as it is, is taken");

    struct attack {
        std::string_view what;
        std::function<void(http::request&)> how;
        std::string_view why;
    };
    std::array<attack, 4> const attacks{{
        {"another amount", [](http::request& r) { r.body() = R"({"symbol":"ACME","amount":3000})"; },
         "signature content-digest: expected the digest of the body"},
        {"another amount, and its digest",
         [](http::request& r) {
             r.body() = R"({"symbol":"ACME","amount":3000})";
             r.set("content-digest", weir::content_digest(r.body()));
         },
         "signature: expected a signature by a key that is known"},
        {"the signature stripped",
         [](http::request& r) {
             r.erase("signature");
             r.erase("signature-input");
         },
         "signature signature-input: expected a signature over what is there"},
        {"a signature said to be younger",
         [](http::request& r) {
             std::string input(r["signature-input"]);
             auto const at = input.find(";created=") + 9;
             input.replace(at, input.find(';', at) - at, std::to_string(std::stoll(input.substr(at)) + 1));
             r.set("signature-input", input);
         },
         "signature: expected a signature by a key that is known"},
    }};
    for (attack const& each : attacks) {
        orders.on_request = each.how;
        answer const got = co_await place();
        refused(got, each.what, each.why);
    }
    orders.behave();
    orders.twice = true;
    answer const repeated = co_await place(); // the first of the two is taken
    refused(repeated, "the same order once more", "signature nonce: expected a message that did not come before");
    orders.behave();
    co_await guest.orders_clock_ahead(std::chrono::seconds(8)); // one more than a signature is good for
    answer const late = co_await place();
    refused(late, "an order held back", "signature created: expected a time not so long ago");
    co_await guest.orders_clock_ahead(std::chrono::seconds(0));
    answer const after = co_await place();
    s.expect(after.status == 201, "once he is honest again, orders are taken");

    // A quote for another symbol than was asked for: refused, so that what the client gets says that it is less than a quote.
    quotes.on_request = [](http::request& r) { r.target("/quotes?symbol=BOLT"); };
    http::request r = guest.reading("/quotes?symbol=ACME&access_token=" + guest.token, guest.token);
    r.set(http::field::host, there.address());
    answer const price = co_await guest.ask(s, r, &there);
    s.expect(price.status == 200 && price.degraded && price.response.body() == R"({"symbol":"ACME","price":null})",
             "a question altered on its way is not answered");
    // And whoever goes to a service himself.
    http::request straight = guest.make("GET", "/quotes?symbol=ACME");
    s.expect(co_await guest.status_of_quotes(straight) == 401, "services answer the gateway, and nobody else");
    co_await p.count(s);
    s.expect(s.behind() == 3, "the service takes what was asked, once");
}

} // namespace gateway
