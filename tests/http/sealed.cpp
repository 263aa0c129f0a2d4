// SPDX-License-Identifier: BSL-1.0
// A service that seals its responses, a client that opens them, and between them, on real sockets, a man in the middle.
#include <weir/sign/open_response.hpp>

#include "../sign/fresh_keys.hpp"
#include "loopback.hpp"

#include <weir/asio.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/http/client.hpp>
#include <weir/http/edge.hpp>
#include <weir/http/router.hpp>
#include <weir/resilience/fallback.hpp>
#include <weir/sign/add_signature.hpp>
#include <weir/sign/jwt_seal.hpp>
#include <weir/sign/replay_guard.hpp>
#include <weir/sign/verify_signature.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <variant>

using namespace std::chrono_literals;
using weir_tests::run;
namespace asio = boost::asio;
namespace http = weir::http;

namespace {

struct set_clock {
    weir::wall_time now{1'700'000'000'000ms};
    weir::wall_time wall_now() const noexcept { return now; }
};

/// A store on another machine: each question takes a turn of the event loop.
struct remote_store {
    weir::nonce_store<> inside{{.capacity = 100, .late = 360s, .early = 60s}, 1};
    asio::awaitable<weir::nonce_verdict> remember_later(std::string_view group, std::string_view id, weir::wall_time signed_at,
                                                        weir::wall_time now)
    {
        co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
        co_return inside.remember(group, id, signed_at, now);
    }
};
static_assert(weir::awaited_replay_store<remote_store> && !weir::replay_store<remote_store>);

weir::message_keys<> pair_of(char const* name, bool is_private)
{
    using enum weir::signature_algorithm;
    auto const& pair = weir_tests::fresh_pair(ed25519);
    return weir::message_keys<>({{name, weir::signature_key(ed25519, is_private ? pair.private_key : pair.public_key)}});
}

/// Either way to seal, so that the pipelines are compiled once.
struct either_seal {
    std::variant<weir::http_signature, weir::jwt_seal> scheme;

    template<class... Arguments>
    weir::message_check sign_answer(Arguments&&... arguments) const
    {
        return std::visit([&](auto const& s) { return s.sign_answer(arguments...); }, scheme);
    }
    template<class... Arguments>
    weir::message_check verify_answer(Arguments&&... arguments) const
    {
        return std::visit([&](auto const& s) { return s.verify_answer(arguments...); }, scheme);
    }
    either_seal const& settings() const noexcept { return *this; }
    void describe(auto&&) const {}
};

void attack(either_seal const& seal, std::string const& seal_header)
{
    asio::io_context context(1);
    set_clock service_clock, client_clock;
    weir::http_signature const requests({.authority = "bank.example"});
    remote_store store;

    // The service: it verifies requests, each once, and seals its answers.
    bool fails = false;
    auto const balance = [&](http::request const& r) -> asio::awaitable<weir::result<http::response>> {
        if (fails) co_return weir::errc::unavailable;
        co_return http::response(http::status::ok, "balance for " + std::string(r.target()), "text/plain");
    };
    auto const yesterdays = [](http::request const&, weir::error) -> weir::result<http::response> {
        return http::response(http::status::ok, "balance of yesterday", "text/plain");
    };
    weir::pipeline service{weir::verify_signature{requests, pair_of("till", false), std::ref(service_clock)},
                           weir::replay_guard{std::ref(store), std::ref(service_clock)}, weir::fallback{yesterdays}, balance};
    // Around the whole router, so that refusals and its own answers are sealed as well.
    http::router service_routes;
    service_routes.add("GET", "/balance", http::edge(service));
    weir::pipeline sealed{weir::seal_response{seal, pair_of("bank", true), std::ref(service_clock)}, std::move(service_routes)};
    http::server bank(context.get_executor(), http::edge(sealed), {.port = 0});

    // The man in the middle: he passes on what he likes.
    http::client his(context.get_executor());
    http::upstream const to_bank("127.0.0.1", bank.port());
    std::function<void(http::response&)> meddle;
    std::optional<http::response> kept;
    bool doubled = false;
    auto const middle = [&](http::request const& r) -> asio::awaitable<http::response> {
        if (kept) co_return *kept;
        http::request copy = r;
        if (doubled) (void)co_await his.send(to_bank, copy);
        auto answer = co_await his.send(to_bank, copy);
        if (!answer) co_return http::response(http::status::bad_gateway);
        if (meddle) meddle(*answer);
        co_return std::move(*answer);
    };
    http::server road(context.get_executor(), middle, {.port = 0});

    // The client: it signs what it asks and opens what it gets.
    http::client mine(context.get_executor());
    http::upstream const to_road("127.0.0.1", road.port());
    auto const send = [&](http::request const& r) -> asio::awaitable<weir::result<http::response>> {
        co_return co_await mine.send(to_road, r);
    };
    weir::pipeline client{weir::open_response{seal, pair_of("bank", false), std::ref(client_clock)},
                          weir::add_signature{requests, pair_of("till", true), std::ref(client_clock)}, send};
    auto const ask = [&](std::string const& target = "/balance?of=7", std::string_view method = "GET") -> std::string {
        http::request r(method, target);
        r.set(http::field::host, "bank.example");
        auto const one = [](auto& svc, http::request const& request) -> asio::awaitable<weir::result<http::response>> {
            co_return co_await svc(request);
        };
        auto const answer = run(context, one(client, r));
        if (!answer) return std::string(to_string(answer.error().kind()));
        return std::string(weir::header(*answer, "x-degraded").value_or("")) + answer->body();
    };

    CHECK(ask() == "balance for /balance?of=7");
    CHECK(ask("/balance?of=8") == "balance for /balance?of=8");

    // Altered.
    meddle = [](http::response& r) { r.body() += "000"; };
    CHECK(ask() == "upstream_failed");
    meddle = [](http::response& r) {
        r.body() = "balance: nothing";
        r.set("Content-Digest", weir::content_digest(r.body()));
    };
    CHECK(ask() == "upstream_failed");
    meddle = [](http::response& r) { r.result(http::status::accepted); };
    CHECK(ask() == "upstream_failed");
    // Stripped, and replaced by an error of his own.
    meddle = [&](http::response& r) { r.erase(seal_header); };
    CHECK(ask() == "upstream_failed");
    meddle = [](http::response& r) { r = http::response(http::status::service_unavailable, "later"); };
    CHECK(ask() == "upstream_failed");
    CHECK(client.get<weir::open_response>().stats().good == 2);

    // Replayed: an answer that was good, for another request, and for the same one asked again.
    http::response good;
    meddle = [&](http::response& r) { good = r; };
    CHECK(ask() == "balance for /balance?of=7");
    kept = good;
    CHECK(ask("/balance?of=8") == "upstream_failed");
    bool const bound_to_the_very_request = ask() == "upstream_failed";
    CHECK(bound_to_the_very_request);
    kept.reset();
    meddle = {};
    // Held back for an hour.
    meddle = [&](http::response&) { client_clock.now += 1h; };
    CHECK(ask() == "upstream_failed");
    meddle = {};
    service_clock.now = client_clock.now;
    CHECK(ask() == "balance for /balance?of=7");
    // The service refuses a request that comes twice: a refusal of its own, sealed, is told from those that he makes up, or keeps for another request.
    CHECK(service.get<weir::replay_guard>().stats().replayed == 0);
    doubled = true;
    http::response refused;
    meddle = [&](http::response& r) { refused = r; };
    CHECK(ask().find("\"code\":\"replayed\"") != std::string::npos);
    CHECK(refused.result() == http::status::unauthorized);
    CHECK(service.get<weir::replay_guard>().stats().replayed == 1);
    doubled = false;
    meddle = [&](http::response& r) {
        r.result(refused.result());
        r.body() = refused.body();
    };
    CHECK(ask() == "upstream_failed");
    meddle = [&](http::response& r) { r = http::problem(weir::error(weir::errc::rate_limited, 1h)); };
    CHECK(ask() == "upstream_failed");
    meddle = {};
    kept = refused;
    CHECK(ask("/balance?of=8") == "upstream_failed");
    kept.reset();
    CHECK(ask("/balance?of=8") == "balance for /balance?of=8");

    // An answer to HEAD loses its body on the way, and what is left of it is sealed.
    CHECK(ask("/balance", "HEAD") == "");
    meddle = [](http::response& r) { r.result(http::status::not_found); };
    CHECK(ask("/balance", "HEAD") == "upstream_failed");
    meddle = {};

    // What the router answers itself is sealed, and told from what he answers in its place.
    CHECK(ask("/nowhere").find("\"code\":\"not_found\"") != std::string::npos);
    CHECK(ask("/balance", "DELETE").find("\"code\":\"method_not_allowed\"") != std::string::npos);
    meddle = [](http::response& r) { r = http::problem(weir::errc::not_found); };
    CHECK(ask("/balance") == "upstream_failed");
    // An answer that is less than it should be says so: he can neither take that off it, nor change it, nor say it of a good one.
    meddle = {};
    fails = true;
    CHECK(ask() == "fallbackbalance of yesterday");
    meddle = [](http::response& r) { r.erase("x-degraded"); };
    CHECK(ask() == "upstream_failed");
    meddle = [](http::response& r) { r.set("x-degraded", "a little"); };
    CHECK(ask() == "upstream_failed");
    fails = false;
    meddle = [](http::response& r) { r.set("x-degraded", "fallback"); };
    CHECK(ask() == "upstream_failed");
    meddle = [](http::response& r) { r.set(http::field::content_encoding, "gzip"); };
    CHECK(ask() == "upstream_failed");
    meddle = [](http::response& r) { r.set(http::field::content_type, "text/html"); };
    CHECK(ask() == "upstream_failed");
    meddle = {};
    CHECK(ask() == "balance for /balance?of=7");
}

} // namespace

TEST_CASE("sealed responses: a man in the middle on real sockets, HTTP signatures")
{
    weir::http_signature_options o = weir::sealed_answer();
    o.components.push_back("signature;req");
    attack({weir::http_signature(o)}, "Signature");
}

TEST_CASE("sealed responses: a man in the middle on real sockets, a JWT in a header")
{
    attack({weir::jwt_seal({.issuer = "bank"})}, "X-Response-Seal");
}
