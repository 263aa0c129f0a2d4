// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "props.hpp"
#include "scene.hpp"
#include "visitor.hpp"

#include <weir/core/request.hpp>

#include <boost/asio/awaitable.hpp>

#include <fmt/format.h>

#include <cstdint>
#include <string>

/// Scenes of the demo in which clients read while the service behind the gateway is well.
namespace gateway {

/// Few symbols, asked for again and again: most answers come from the cache.
inline asio::awaitable<void> normal_reading(scene& s, props& p)
{
    co_await p.read(s, p.lasting(7), 120, 16);
    co_await p.count(s);
    double const hits = co_await p.guest.figure("weir_policy_hits_total", "cached");
    s.note(fmt::format("{} answered by cached", hits));
    s.expect(s.good() == s.total() && s.degraded() == 0, "every request is answered as it should be");
    s.expect(s.spared() * 4 >= s.total() * 3, "the cache spares the service three of four requests");
}

/// More at once than one client may have: what is over the limit is refused, and told when to come back.
inline asio::awaitable<void> burst(scene& s, props& p)
{
    std::uint64_t told_when = 0;
    auto const one = [&]() -> asio::awaitable<void> {
        answer const got = co_await p.guest.get(s, "/quotes?symbol=ACME");
        bool const tells = weir::header(got.response, "retry-after") && weir::header(got.response, "ratelimit");
        told_when += got.status == 429 && tells ? 1 : 0;
        p.shown.show(s);
    };
    crowd all(p.context);
    for (int i = 0; i < 300; ++i) all.join(one());
    co_await all.wait();
    std::uint64_t const refused = s.with_status(429);
    co_await p.sleep(1s); // as Retry-After said
    answer const later = co_await p.guest.get(s, "/quotes?symbol=ACME");
    co_await p.count(s);
    s.expect(refused >= 30 && s.refused_by("rate_limit") == refused, "the limit refuses a part of the burst with 429");
    s.expect(s.good() >= 50, "as many as the limit allows are answered");
    s.expect(told_when == refused, "every refusal says when to come back, and what the limit is");
    s.expect(later.status == 200, "who waits that long is answered");
}

/// The guard knows which symbols exist, so nobody can reach the service through the cache by making some up.
inline asio::awaitable<void> made_up_symbols(scene& s, props& p)
{
    auto const one = [&p](scene& in) -> asio::awaitable<void> {
        std::string symbol;
        while (symbol.size() < 8) symbol += static_cast<char>('A' + p.random() % 26);
        co_await p.guest.get(in, "/quotes?symbol=" + symbol);
    };
    co_await p.repeat(s, p.lasting(3), 100, one);
    co_await p.count(s);
    double const spared = co_await p.guest.figure("weir_policy_spared_total", "cached");
    s.note(fmt::format("{} by its Bloom guard", spared));
    s.expect(s.with_status(404) == s.total(), "there is no such quote");
    s.expect(s.behind() * 10 <= s.total(), "the Bloom guard spares the service nine of ten requests");
}

} // namespace gateway
