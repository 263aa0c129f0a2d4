// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "market.hpp"
#include "props.hpp"
#include "scene.hpp"
#include "visitor.hpp"

#include <boost/asio/awaitable.hpp>

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <string>

/// Scenes of the demo in which the cache carries the load: the service is in trouble, or everybody wants the same at once.
namespace gateway {

/// Timeouts open the breaker; then the service is left alone, but for a few probes, until it works again.
inline asio::awaitable<void> trouble(scene& s, props& p)
{
    co_await p.guest.change_quotes("slow");
    co_await p.read(s, p.lasting(3), 60, symbols.size());
    std::string const health = co_await p.guest.look("/actuator/health");
    co_await p.guest.change_quotes("fail");
    co_await p.read(s, p.lasting(2), 60, symbols.size());
    double const opened = co_await p.guest.figure("weir_policy_opened_total", "circuit_breaker");
    double const kept_away = co_await p.guest.figure("weir_policy_refused_total", "circuit_breaker");
    s.note(fmt::format("circuit_breaker {}, answered by fallback", kept_away));
    s.expect(s.good() == s.total(), "every request is answered, by the fallback where need be");
    s.expect(s.degraded() * 3 >= s.total(), "such answers are marked as degraded");
    s.expect(opened >= 1, "the breaker opens");
    s.expect(kept_away * 3 >= static_cast<double>(s.total()), "it keeps a third of the requests away from the service, at least");
    s.expect(visitor::member(health, "status") == "DEGRADED", "the gateway's health says so");

    co_await p.guest.change_quotes("ok");
    co_await p.read(s, 2s, 30, symbols.size()); // the probes
    std::uint64_t const before = s.degraded();
    co_await p.read(s, 1s, 60, symbols.size());
    std::string const after = co_await p.guest.look("/actuator/health");
    co_await p.count(s);
    s.expect(s.degraded() == before, "once the service works again, so does the gateway");
    s.expect(visitor::member(after, "status") == "UP", "the gateway's health says so, too");
}

/// One symbol that everybody asks for: it is loaded anew before it expires, so that nobody waits and the service sees a call at a time.
inline asio::awaitable<void> hot_symbol(scene& s, props& p)
{
    co_await p.guest.get(s, "/quotes?symbol=ACME");
    double const missed = co_await p.guest.figure("weir_policy_misses_total", "cached");
    double const refreshed = co_await p.guest.figure("weir_policy_refreshes_total", "cached");
    auto const one = [&p](scene& in) -> asio::awaitable<void> { co_await p.guest.get(in, "/quotes?symbol=ACME"); };
    co_await p.repeat(s, 5s, 60, one); // longer than a quote is good for
    co_await p.count(s);
    double const refreshes = co_await p.guest.figure("weir_policy_refreshes_total", "cached") - refreshed;
    s.note(fmt::format("{} refreshes ahead", refreshes));
    s.expect(s.good() == s.total() && s.degraded() == 0, "every request is answered as it should be");
    s.expect(co_await p.guest.figure("weir_policy_misses_total", "cached") == missed, "it never goes out of date");
    s.expect(refreshes >= 2, "it is loaded anew while it is still good");
    s.expect(s.behind() <= 12, "the service is asked once each time");
}

/// All quotes are out of date at once, and many ask for them in one moment: each is loaded once, and so many at a time as the limit allows.
/// Hits are suddenly rare: the alarm tells, and what comes next is loaded by fewer at a time.
inline asio::awaitable<void> avalanche(scene& s, props& p)
{
    double const before = co_await p.guest.figure("weir_policy_hit_rate_drops_total", "cached");
    co_await p.sleep(2500ms); // longer than any quote is good for
    for (std::size_t const from : {0U, 20U}) {
        crowd all(p.context);
        auto const one = [&](std::size_t i) -> asio::awaitable<void> {
            co_await p.guest.get(s, fmt::format("/quotes?symbol={}", symbols[from + i % 20]));
            p.shown.show(s);
        };
        for (std::size_t i = 0; i < 40; ++i) all.join(one(i)); // twenty quotes, each twice: as many as one client may ask for at once
        co_await all.wait();
        co_await p.sleep(700ms); // longer than the alarm's window
    }
    co_await p.count(s);
    double const alarms = co_await p.guest.figure("weir_policy_hit_rate_drops_total", "cached") - before;
    double const limit = co_await p.guest.figure("weir_policy_limit", "load_limit");
    std::string const caches = co_await p.guest.look("/actuator/caches");
    s.note(fmt::format("hit rate alarm: {} loads at a time", limit));
    s.expect(s.good() == s.total() && s.degraded() == 0, "every request is answered as it should be");
    s.expect(s.behind() <= 40, "each quote is loaded once at most");
    s.expect(alarms >= 1, "the alarm tells that hits are rare");
    s.expect(limit == p.tightened, "and the limit of loads is tightened");
    s.expect(caches.find("\"hit_rate\":") != std::string::npos, "the actuator tells the rates of the cache");
}

} // namespace gateway
