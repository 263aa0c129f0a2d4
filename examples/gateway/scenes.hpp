// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "attacks.hpp"
#include "config.hpp"
#include "demo_keys.hpp"
#include "market.hpp"
#include "progress.hpp"
#include "scene.hpp"
#include "stage.hpp"
#include "visitor.hpp"

#include <weir/sign/canonical.hpp>
#include <weir/sign/random_nonce.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <fmt/format.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gateway {

using namespace std::chrono_literals;

/// The demo's scenes: what clients send, and what the gateway has to make of it.
class scenes {
public:
    /// `length` of the scenes, 1 for the full ones.
    scenes(asio::io_context& context, visitor& guest, stage& all, demo_keys const& keys, double length)
        : context_(context),
          guest_(guest),
          stage_(all),
          demo_keys_(keys),
          keys_(std::span(all.settings.keys)),
          scheme_(all.settings.orders.signature.scheme),
          late_(all.settings.orders.signature.scheme.late),
          tightened_(all.settings.quotes.tightened_to * static_cast<double>(*all.settings.quotes.loads.max_loads)),
          length_(length)
    {
    }

    asio::awaitable<void> play()
    {
        co_await play("normal reading", &scenes::normal_reading);
        co_await play("a burst over the limit", &scenes::burst);
        co_await play("a service slows and fails", &scenes::trouble);
        co_await play("made-up symbols", &scenes::made_up_symbols);
        co_await play("a hot symbol", &scenes::hot_symbol);
        co_await play("an avalanche", &scenes::avalanche);
        co_await play("signed orders", &scenes::signed_orders);
        co_await play("careless requests", &scenes::careless_requests);
        co_await play("hostile framing", &scenes::hostile_framing);
        co_await play("forged tokens", &scenes::forged_tokens);
        co_await play("a man before the gateway", &scenes::man_before);
        co_await play("a man behind the gateway", &scenes::man_behind);
        co_await play("a service is gone", &scenes::dead_service);
    }
    [[nodiscard]] std::deque<scene> const& played() const noexcept { return played_; }
    /// What clients proved by who they are, and what was forged: nothing of it belongs into a log.
    [[nodiscard]] std::vector<std::string> const& secrets() const noexcept { return secrets_; }

private:
    using act = asio::awaitable<void> (scenes::*)(scene&);

    asio::awaitable<void> play(std::string title, act scene_of)
    {
        scene& s = played_.emplace_back(std::move(title));
        before_ = co_await guest_.calls_behind();
        progress_.begin(s);
        co_await (this->*scene_of)(s);
        progress_.end(s);
    }

    // Few symbols, asked for again and again: most answers come from the cache.
    asio::awaitable<void> normal_reading(scene& s)
    {
        co_await read(s, lasting(7), 120, 16);
        co_await count(s);
        double const hits = co_await guest_.figure("weir_policy_hits_total", "cached");
        s.note(fmt::format("{} answered by cached", hits));
        s.expect(s.good() == s.total() && s.degraded() == 0, "every request is answered as it should be");
        s.expect(s.spared() * 4 >= s.total() * 3, "the cache spares the service three of four requests");
    }

    // More at once than one client may have: what is over the limit is refused, and told when to come back.
    asio::awaitable<void> burst(scene& s)
    {
        std::uint64_t told_when = 0;
        auto const one = [&]() -> asio::awaitable<void> {
            answer const got = co_await guest_.get(s, "/quotes?symbol=ACME");
            bool const tells = weir::header(got.response, "retry-after") && weir::header(got.response, "ratelimit");
            told_when += got.status == 429 && tells ? 1 : 0;
            progress_.show(s);
        };
        crowd all(context_);
        for (int i = 0; i < 300; ++i) all.join(one());
        co_await all.wait();
        std::uint64_t const refused = s.with_status(429);
        co_await sleep(1s); // as Retry-After said
        answer const later = co_await guest_.get(s, "/quotes?symbol=ACME");
        co_await count(s);
        s.expect(refused >= 30 && s.refused_by("rate_limit") == refused, "the limit refuses a part of the burst with 429");
        s.expect(s.good() >= 50, "as many as the limit allows are answered");
        s.expect(told_when == refused, "every refusal says when to come back, and what the limit is");
        s.expect(later.status == 200, "who waits that long is answered");
    }

    // Timeouts open the breaker; then the service is left alone, but for a few probes, until it works again.
    asio::awaitable<void> trouble(scene& s)
    {
        co_await guest_.change_quotes("slow");
        co_await read(s, lasting(3), 60, symbols.size());
        std::string const health = co_await guest_.look("/actuator/health");
        co_await guest_.change_quotes("fail");
        co_await read(s, lasting(2), 60, symbols.size());
        double const opened = co_await guest_.figure("weir_policy_opened_total", "circuit_breaker");
        double const kept_away = co_await guest_.figure("weir_policy_refused_total", "circuit_breaker");
        s.note(fmt::format("circuit_breaker {}, answered by fallback", kept_away));
        s.expect(s.good() == s.total(), "every request is answered, by the fallback where need be");
        s.expect(s.degraded() * 3 >= s.total(), "such answers are marked as degraded");
        s.expect(opened >= 1, "the breaker opens");
        s.expect(kept_away * 3 >= static_cast<double>(s.total()), "it keeps a third of the requests away from the service, at least");
        s.expect(visitor::member(health, "status") == "DEGRADED", "the gateway's health says so");

        co_await guest_.change_quotes("ok");
        co_await read(s, 2s, 30, symbols.size()); // the probes
        std::uint64_t const before = s.degraded();
        co_await read(s, 1s, 60, symbols.size());
        std::string const after = co_await guest_.look("/actuator/health");
        co_await count(s);
        s.expect(s.degraded() == before, "once the service works again, so does the gateway");
        s.expect(visitor::member(after, "status") == "UP", "the gateway's health says so, too");
    }

    // One symbol that everybody asks for: it is loaded anew before it expires, so that nobody waits and the service sees a call at a time.
    asio::awaitable<void> hot_symbol(scene& s)
    {
        co_await guest_.get(s, "/quotes?symbol=ACME");
        double const missed = co_await guest_.figure("weir_policy_misses_total", "cached");
        double const refreshed = co_await guest_.figure("weir_policy_refreshes_total", "cached");
        auto const one = [this](scene& in) -> asio::awaitable<void> { co_await guest_.get(in, "/quotes?symbol=ACME"); };
        co_await repeat(s, 5s, 60, one); // longer than a quote is good for
        co_await count(s);
        double const refreshes = co_await guest_.figure("weir_policy_refreshes_total", "cached") - refreshed;
        s.note(fmt::format("{} refreshes ahead", refreshes));
        s.expect(s.good() == s.total() && s.degraded() == 0, "every request is answered as it should be");
        s.expect(co_await guest_.figure("weir_policy_misses_total", "cached") == missed, "it never goes out of date");
        s.expect(refreshes >= 2, "it is loaded anew while it is still good");
        s.expect(s.behind() <= 12, "the service is asked once each time");
    }

    // All quotes are out of date at once, and many ask for them in one moment: each is loaded once, and so many at a time as the limit allows.
    // Hits are suddenly rare: the alarm tells, and what comes next is loaded by fewer at a time.
    asio::awaitable<void> avalanche(scene& s)
    {
        double const before = co_await guest_.figure("weir_policy_hit_rate_drops_total", "cached");
        co_await sleep(2500ms); // longer than any quote is good for
        for (std::size_t const from : {0U, 20U}) {
            crowd all(context_);
            auto const one = [&](std::size_t i) -> asio::awaitable<void> {
                co_await guest_.get(s, fmt::format("/quotes?symbol={}", symbols[from + i % 20]));
                progress_.show(s);
            };
            for (std::size_t i = 0; i < 40; ++i) all.join(one(i)); // twenty quotes, each twice: as many as one client may ask for at once
            co_await all.wait();
            co_await sleep(700ms); // longer than the alarm's window
        }
        co_await count(s);
        double const alarms = co_await guest_.figure("weir_policy_hit_rate_drops_total", "cached") - before;
        double const limit = co_await guest_.figure("weir_policy_limit", "load_limit");
        std::string const caches = co_await guest_.look("/actuator/caches");
        s.note(fmt::format("hit rate alarm: {} loads at a time", limit));
        s.expect(s.good() == s.total() && s.degraded() == 0, "every request is answered as it should be");
        s.expect(s.behind() <= 40, "each quote is loaded once at most");
        s.expect(alarms >= 1, "the alarm tells that hits are rare");
        s.expect(limit == tightened_, "and the limit of loads is tightened");
        s.expect(caches.find("\"hit_rate\":") != std::string::npos, "the actuator tells the rates of the cache");
    }

    // The guard knows which symbols exist, so nobody can reach the service through the cache by making some up.
    asio::awaitable<void> made_up_symbols(scene& s)
    {
        auto const one = [this](scene& in) -> asio::awaitable<void> {
            std::string symbol;
            while (symbol.size() < 8) symbol += static_cast<char>('A' + random_() % 26);
            co_await guest_.get(in, "/quotes?symbol=" + symbol);
        };
        co_await repeat(s, lasting(3), 100, one);
        co_await count(s);
        double const spared = co_await guest_.figure("weir_policy_spared_total", "cached");
        s.note(fmt::format("{} by its Bloom guard", spared));
        s.expect(s.with_status(404) == s.total(), "there is no such quote");
        s.expect(s.behind() * 10 <= s.total(), "the Bloom guard spares the service nine of ten requests");
    }

    // An order is taken once, as it was signed, while it is fresh.
    asio::awaitable<void> signed_orders(scene& s)
    {
        auto const now = [] { return weir::system_wall().wall_now(); };
        for (int i = 0; i < 20; ++i) {
            http::request const right = order(now());
            http::request altered = order(now());
            altered.body() = R"({"symbol":"ACME","amount":1000000})";
            http::request const late = order(now() - late_ - 1s);
            std::uint64_t const refused = s.refused_by("verify_request");
            answer const taken = co_await guest_.ask(s, right);
            answer const changed = co_await guest_.ask(s, altered);
            answer const again = co_await guest_.ask(s, right);
            answer const old = co_await guest_.ask(s, late);
            s.expect(taken.status == 201, "an order that is right is taken");
            s.expect(changed.status == 401, "an altered one is refused");
            s.expect(again.status == 401, "a replayed one is refused");
            s.expect(old.status == 401, "a late one is refused");
            s.expect(s.refused_by("verify_request") == refused + 3, "it is the signature that refuses");
            progress_.show(s);
            co_await sleep(20ms);
        }
        co_await count(s);
        s.expect(s.behind() == 20, "only what is right reaches the service");
    }

    // Requests that do not meet the rules of their route do not get far.
    asio::awaitable<void> careless_requests(scene& s)
    {
        // An answer to a request without an id cannot be sealed for it.
        std::string const nameless =
            co_await guest_.say(s, "GET /quotes?symbol=ACME HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "correlate");
        s.expect(nameless.starts_with("HTTP/1.1 400 ") && nameless.find(R"("policy":"correlate")") != std::string::npos,
                 "a request without a correlation id is refused");

        constexpr std::string_view wrong_pages[] = {
            "limit=0", "limit=1000", "limit=ten", "limit=010", "offset=-1", "offset=9999999999999999999999", "limit=5&limit=6"};
        for (std::string_view const page : wrong_pages) {
            answer const got = co_await guest_.get(s, fmt::format("/quotes?{}", page));
            s.expect(got.status == 400 && got.policy == "paging", fmt::format("a page with {} is refused", page));
        }
        constexpr std::string_view wrong_symbols[] = {"", "acme", "ACME%00", "TOOLONGASYMBOL", "A&symbol=B"};
        for (std::string_view const symbol : wrong_symbols) {
            answer const got = co_await guest_.get(s, fmt::format("/quotes?symbol={}", symbol));
            s.expect(got.status == 400 && got.policy == "one_symbol", fmt::format("the symbol \"{}\" is refused", symbol));
        }
        http::request const large = order(weir::system_wall().wall_now(), std::string(2'000, ' '));
        answer const too_large = co_await guest_.ask(s, large);
        s.expect(too_large.status == 413 && too_large.policy == "max_body", "a body that is too large is refused");

        answer const right = co_await guest_.get(s, "/quotes?limit=3&offset=60");
        co_await count(s);
        s.expect(right.status == 200 && right.response.body().find("YARN") != std::string::npos, "a right page is answered");
        s.expect(s.behind() == 1, "nothing else reaches the service");
    }

    // Requests whose end two readers could see at two places: the way to smuggle one past a gateway.
    asio::awaitable<void> hostile_framing(scene& s)
    {
        struct attack {
            std::string_view what, bytes;
        };
        constexpr attack attacks[] = {
            {"two lengths", "POST /orders HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!"},
            {"two lengths in one", "POST /orders HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\nhello"},
            {"a length with a sign", "POST /orders HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nhello"},
            {"a length beside chunks",
             "POST /orders HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
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
            std::string const came = co_await guest_.say(s, bytes);
            s.expect(came.starts_with("HTTP/1.1 400 "), fmt::format("{}: refused with 400, and the connection closed", what));
            progress_.show(s);
        }
        co_await count(s);
        s.expect(s.behind() == 0, "nothing of it reaches a service");
    }

    asio::awaitable<void> forged_tokens(scene& s)
    {
        co_await gateway::forged_tokens(s, guest_, demo_keys_, secrets_);
        co_await count(s);
        s.expect(s.behind() <= 1, "nothing of it reaches the service");
    }
    asio::awaitable<void> man_before(scene& s)
    {
        middleman him(context_, http::upstream("127.0.0.1", stage_.port));
        co_await man_before_the_gateway(s, guest_, him);
        co_await count(s);
    }
    // A second gateway, whose settings lead it to the man in the middle.
    asio::awaitable<void> man_behind(scene& s)
    {
        middleman quotes(context_, http::upstream("127.0.0.1", stage_.quotes_port)),
            orders(context_, http::upstream("127.0.0.1", stage_.orders_port));
        stage::other_gateway const other = stage_.another(demo_keys_, quotes.port(), orders.port());
        http::upstream const there("127.0.0.1", other.port);
        auto const make = [&] {
            http::request made = order(weir::system_wall().wall_now());
            made.set(http::field::host, there.address());
            return made;
        };
        way_behind const way{there, orders, quotes, make};
        co_await man_behind_the_gateway(s, guest_, way);
        co_await count(s);
        s.expect(s.behind() == 3, "the service takes what was asked, once");
    }

    // The gateway lives on when a service behind it does not.
    asio::awaitable<void> dead_service(scene& s)
    {
        stage_.orders().end();
        http::request const right = order(weir::system_wall().wall_now());
        answer const refused = co_await guest_.ask(s, right);
        answer const quote = co_await guest_.get(s, "/quotes?symbol=ACME");
        co_await count(s);
        s.expect(refused.status == 502 || refused.status == 503, "an order is refused while its service is gone");
        s.expect(quote.status == 200, "quotes are answered as before");
    }

    [[nodiscard]] weir::duration lasting(int seconds) const
    {
        return std::chrono::duration_cast<weir::duration>(std::chrono::duration<double>(seconds * length_));
    }
    /// Asks for one of so many symbols, so many times a second.
    asio::awaitable<void> read(scene& s, weir::duration span, int per_second, std::size_t of)
    {
        auto const one = [this, of](scene& in) -> asio::awaitable<void> {
            co_await guest_.get(in, fmt::format("/quotes?symbol={}", symbols[random_() % of]));
        };
        co_await repeat(s, span, per_second, one);
    }
    template<class Act>
    asio::awaitable<void> repeat(scene& s, weir::duration span, int per_second, Act const& one)
    {
        crowd all(context_);
        weir::time_point const begun = weir::steady::now();
        weir::duration const step = weir::duration(1s) / per_second;
        asio::steady_timer timer(context_);
        for (weir::time_point next = begun; next < begun + span; next += step) {
            timer.expires_at(next);
            co_await timer.async_wait(asio::use_awaitable);
            all.join(one(s));
            progress_.show(s);
        }
        co_await all.wait();
    }
    asio::awaitable<void> sleep(weir::duration span)
    {
        asio::steady_timer timer(context_, span);
        co_await timer.async_wait(asio::use_awaitable);
    }
    asio::awaitable<void> count(scene& s)
    {
        std::uint64_t const now = co_await guest_.calls_behind();
        s.calls_behind(now - before_);
    }
    http::request order(weir::wall_time at, std::string body = R"({"symbol":"ACME","amount":3})")
    {
        http::request made = guest_.make("POST", "/orders", std::move(body));
        made.set(http::field::content_type, "application/json");
        weir::random_nonce const nonce;
        static_cast<void>(scheme_.sign(made, {.app = "shop", .device = "till-7", .nonce = nonce.view(), .at = at}, keys_));
        return made;
    }

    asio::io_context& context_;
    visitor& guest_;
    stage& stage_;
    demo_keys const& demo_keys_;
    weir::key_ring<> keys_;
    weir::canonical_scheme scheme_;
    std::chrono::milliseconds late_;
    double tightened_; // loads at a time
    double length_;
    progress progress_;
    std::deque<scene> played_; // a scene stays where it is
    std::uint64_t before_ = 0;
    std::minstd_rand random_{1};
    std::vector<std::string> secrets_;
};

} // namespace gateway
