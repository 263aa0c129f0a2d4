// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "props.hpp"
#include "scene.hpp"
#include "visitor.hpp"

#include <weir/sign/timestamp.hpp>

#include <boost/asio/awaitable.hpp>

#include <fmt/format.h>

#include <cstdint>

/// Scenes of the demo in which apps order.
namespace gateway {

/// An order is taken once, as it was signed, while it is fresh.
inline asio::awaitable<void> signed_orders(scene& s, props& p)
{
    auto const now = [] { return weir::system_wall().wall_now(); };
    for (int i = 0; i < 20; ++i) {
        http::request const right = p.order(now());
        http::request altered = p.order(now());
        altered.body() = R"({"symbol":"ACME","amount":1000000})";
        http::request const late = p.order(now() - p.late - 1s);
        std::uint64_t const refused = s.refused_by("verify_request");
        answer const taken = co_await p.guest.ask(s, right);
        answer const changed = co_await p.guest.ask(s, altered);
        answer const again = co_await p.guest.ask(s, right);
        answer const old = co_await p.guest.ask(s, late);
        s.expect(taken.status == 201, "an order that is right is taken");
        s.expect(changed.status == 401, "an altered one is refused");
        s.expect(again.status == 401, "a replayed one is refused");
        s.expect(old.status == 401, "a late one is refused");
        s.expect(s.refused_by("verify_request") == refused + 3, "it is the signature that refuses");
        p.shown.show(s);
        co_await p.sleep(20ms);
    }
    co_await p.count(s);
    s.expect(s.behind() == 20, "only what is right reaches the service");
}

/// The gateway lives on when a service behind it does not.
inline asio::awaitable<void> dead_service(scene& s, props& p)
{
    p.all.orders().end();
    http::request const right = p.order(weir::system_wall().wall_now());
    answer const refused = co_await p.guest.ask(s, right);
    answer const quote = co_await p.guest.get(s, "/quotes?symbol=ACME");
    co_await p.count(s);
    s.expect(refused.status == 502 || refused.status == 503, "an order is refused while its service is gone");
    s.expect(quote.status == 200, "quotes are answered as before");
}

} // namespace gateway
