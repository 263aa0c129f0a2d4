// SPDX-License-Identifier: BSL-1.0
#include <weir/http/edge.hpp>

#include "asking.hpp"

#include <weir/core/directives.hpp>
#include <weir/core/held.hpp>
#include <weir/core/observed.hpp>
#include <weir/http/correlate.hpp>
#include <weir/http/server.hpp>
#include <weir/http/streamed_response.hpp>
#include <weir/limit/all_of.hpp>
#include <weir/limit/gcra.hpp>
#include <weir/limit/keyed.hpp>
#include <weir/limit/rate_limit.hpp>
#include <weir/resilience/bulkhead.hpp>
#include <weir/resilience/circuit_breaker.hpp>
#include <weir/resilience/fallback.hpp>
#include <weir/resilience/timeout.hpp>
#include <weir/testing/manual_clock.hpp>
#include <weir/testing/simulation.hpp>
#include <weir/validate/catalogue.hpp>
#include <weir/validate/challenge.hpp>
#include <weir/validate/content_type.hpp>
#include <weir/validate/max_body.hpp>
#include <weir/validate/paging.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using weir_tests::ask;
using weir_tests::json_of;
namespace asio = boost::asio;
namespace http = weir::http;

namespace {

asio::awaitable<weir::result<http::response>> by_path(http::request const& r)
{
    if (r.path() == "/throws") throw std::runtime_error("secret");
    if (r.path() == "/throws_number") throw 42;
    if (r.path() == "/missing") co_return weir::errc::not_found;
    if (r.path() == "/value") weir::result<int>(weir::errc::forbidden).value();
    if (r.path() == "/late") co_return weir::error(weir::errc::unavailable, 90s);
    co_return http::response(http::status::ok, "hello");
}

struct nobody {
    using role = weir::gate;
    static constexpr std::string_view name = "nobody";
    weir::admission<> admit(auto&) const { return weir::errc::unauthenticated; }
};

struct asks_for_a_token {
    using role = weir::gate;
    using reports = weir::facets<weir::challenge>;
    static constexpr std::string_view name = "asks_for_a_token";
    weir::admission<> admit(auto& call) const
    {
        call.report(weir::challenge{"Bearer error=\"invalid_token\""});
        return weir::errc::unauthenticated;
    }
};

struct refusing {
    using role = weir::gate;
    using reports = weir::facets<weir::violations>;
    static constexpr std::string_view name = "refusing";
    std::size_t faults;
    weir::admission<> admit(auto& call) const
    {
        weir::violations all;
        for (std::size_t i = 0; i < faults; ++i) all.add({"body", "/" + std::to_string(i), "a \"number\""});
        call.report(std::move(all));
        return weir::errc::invalid_request;
    }
};

} // namespace

TEST_CASE("edge: a value is the response as it is")
{
    weir::pipeline svc{weir::max_body{{.bytes = 10}}, by_path};
    auto const r = ask(http::edge(svc), "/x");
    CHECK(r.result_int() == 200);
    CHECK(r.body() == "hello");
    CHECK_FALSE(weir::header(r, "x-degraded"));
}

TEST_CASE("edge: a refusal is a problem with the policy's name, or its label")
{
    weir::manual_clock clock;
    weir::pipeline svc{weir::timed_by{std::ref(clock)}, weir::rate_limit{weir::gcra{{.permits = 1, .per = 10s}}}, by_path};
    auto const edge = http::edge(svc);
    CHECK(ask(edge, "/").result_int() == 200);
    auto const r = ask(edge, "/");
    CHECK(r.result_int() == 429);
    CHECK(weir::header(r, "retry-after") == "10");
    CHECK(weir::header(r, "ratelimit-policy") == "\"rate_limit\";q=1;w=10");
    CHECK(weir::header(r, "ratelimit") == "\"rate_limit\";r=0;t=10");
    CHECK(json_of(r).at("policy") == "rate_limit");

    weir::pipeline named{weir::timed_by{std::ref(clock)},
                         weir::named<"per tenant">(weir::rate_limit{weir::gcra{{.permits = 1, .per = 10s}}}), by_path};
    CHECK(ask(http::edge(named), "/").result_int() == 200);
    auto const labelled = ask(http::edge(named), "/");
    CHECK(json_of(labelled).at("policy") == "per tenant");
    CHECK(weir::header(labelled, "ratelimit") == "\"per tenant\";r=0;t=10");
}

TEST_CASE("edge: several limits are told in one field, on refusals and, where that is wanted, on answers")
{
    weir::manual_clock clock;
    weir::gcra shared_limit{{.permits = 3, .per = 10s}};
    weir::pipeline svc{
        weir::timed_by{std::ref(clock)}, weir::rate_limit{weir::named<"whole">(std::ref(shared_limit)), weir::tell_always},
        weir::rate_limit{weir::all_of{weir::named<"per second">(weir::gcra{{.permits = 2, .per = 1s}}),
                                      weir::named<"per client">(weir::keyed{
                                          weir::gcra{{.permits = 2, .per = 24h}}, weir::by_header<"x-app-id">, {.capacity = 9}})},
                         weir::tell_always, weir::tell_key},
        by_path};
    auto const asked_by = [&](std::string_view app) {
        http::request request("GET", "/x");
        request.set("x-app-id", app);
        return ask(http::edge(svc), request);
    };
    auto r = asked_by("ann");
    CHECK(r.result_int() == 200);
    CHECK(weir::header(r, "ratelimit") == "\"whole\";r=2;t=4, \"per second\";r=1;t=1, \"per client\";r=1;t=43200;pk=:YW5u:");
    CHECK(weir::header(r, "ratelimit-policy") == "\"whole\";q=3;w=10, \"per second\";q=2;w=1, \"per client\";q=2;w=86400;pk=:YW5u:");
    CHECK(asked_by("ann").result_int() == 200);
    clock.advance(1s);
    r = asked_by("ann");
    CHECK(r.result_int() == 429);
    CHECK(weir::header(r, "retry-after") == "43199");
    CHECK(weir::header(r, "ratelimit") == "\"whole\";r=0;t=3, \"per second\";r=2, \"per client\";r=0;t=43199;pk=:YW5u:");
    // What refused sooner than the others have more does not say that it has to be waited for.
    r = asked_by("bob");
    CHECK(weir::header(r, "retry-after") == "3");
    CHECK(weir::header(r, "ratelimit") == "\"whole\";r=0;t=3");
}

TEST_CASE("edge: a limit that no wait satisfies says so by saying nothing of when")
{
    weir::pipeline svc{weir::rate_limit{weir::gcra{{.permits = 5, .per = 1s}}, weir::cost_of{[](http::request const&) { return 6; }}},
                       by_path};
    auto const r = ask(http::edge(svc), "/x");
    CHECK(r.result_int() == 429);
    CHECK_FALSE(weir::header(r, "retry-after"));
    CHECK(weir::header(r, "ratelimit") == "\"rate_limit\";r=5");
}

TEST_CASE("edge: a body of another type is answered with the types that would be taken")
{
    weir::pipeline svc{weir::content_type<"application/json", "text/csv">{}, by_path};
    auto const asked_by = [&](std::string_view method, std::string_view type) {
        http::request r(method, "/x", "{}");
        r.set("Content-Type", type);
        return ask(http::edge(svc), r);
    };
    CHECK(asked_by("POST", "text/csv").result_int() == 200);
    auto const refused = asked_by("POST", "text/plain");
    CHECK(refused.result_int() == 415);
    CHECK(weir::header(refused, "accept-post") == "application/json, text/csv");
    CHECK(json_of(refused).at("detail") == "header content-type: expected one of application/json, text/csv");
    CHECK(weir::header(asked_by("PATCH", "text/plain"), "accept-patch") == "application/json, text/csv");
    CHECK(weir::header(asked_by("PUT", "text/plain"), "accept") == "application/json, text/csv");
}

TEST_CASE("edge: a problem is told in the language that the client asks for, or in English")
{
    constexpr weir::message german[] = {
        {"Bad Request", "Fehlerhafte Anfrage"},
        {"there is no such thing", "das gibt es nicht"},
        {"one number from {0} to {1}", "eine Zahl von {0} bis {1}"},
        {"query {0}: expected {1}", "Parameter {0}: erwartet wird {t1}"},
    };
    auto const messages = std::make_shared<weir::catalogue const>(weir::catalogue("en").add("de", german));
    weir::pipeline svc{weir::paging{}, by_path};
    auto const asked_in = [&](std::string_view language, std::string_view target) {
        http::request r("GET", target);
        if (!language.empty()) r.set("Accept-Language", language);
        return ask(http::edge(svc, {.messages = messages}), r);
    };
    auto const told = asked_in("it, de-AT;q=0.9, en;q=0.1", "/x?limit=0");
    CHECK(told.result_int() == 400);
    CHECK(weir::header(told, "content-language") == "de");
    CHECK(weir::header(told, "vary") == "Accept-Language");
    auto const problem = json_of(told);
    CHECK(problem.at("title") == "Fehlerhafte Anfrage");
    CHECK(problem.at("detail") == "Parameter limit: erwartet wird eine Zahl von 1 bis 100");
    CHECK(problem.at("errors").at(0).at("expected") == "eine Zahl von 1 bis 100");
    CHECK(json_of(asked_in("de", "/missing")).at("detail") == "das gibt es nicht");
    for (std::string_view other : {"", "fr", "*", "de;q=0"}) {
        auto const english = asked_in(other, "/x?limit=0");
        CHECK(weir::header(english, "content-language") == "en");
        CHECK(json_of(english).at("detail") == "query limit: expected one number from 1 to 100");
    }
    CHECK_FALSE(weir::header(ask(http::edge(svc), "/x?limit=0"), "content-language"));
}

TEST_CASE("edge: a violation is the detail and a member of errors")
{
    weir::pipeline svc{weir::paging{}, [](http::request const&) { return http::response(http::status::ok); }};
    auto const r = ask(http::edge(svc), "/?limit=1000");
    CHECK(r.result_int() == 400);
    auto const document = json_of(r);
    CHECK(document.at("detail") == "query limit: expected one number from 1 to 100");
    CHECK(document.at("errors").as_array().size() == 1);
    CHECK(document.at("errors").at(0).at("where") == "query");
    CHECK(document.at("errors").at(0).at("name") == "limit");
    CHECK(document.at("policy") == "paging");

    weir::pipeline small{weir::max_body{{.bytes = 3}}, by_path};
    http::request large("POST", "/", "four");
    auto const refused = ask(http::edge(small), large);
    CHECK(refused.result_int() == 413);
    CHECK(json_of(refused).at("detail") == "body: expected at most 3 bytes");
}

TEST_CASE("edge: several violations are several errors, the first is the detail")
{
    auto const problem = [](std::size_t faults) {
        weir::pipeline svc{refusing{faults}, by_path};
        return json_of(ask(http::edge(svc), "/"));
    };
    auto const one = problem(1);
    CHECK(one.at("detail") == "body /0: expected a \"number\"");
    CHECK(one.at("errors").as_array().size() == 1);
    auto const three = problem(3);
    CHECK(three.at("detail") == "body /0: expected a \"number\" (and 2 more)");
    CHECK(three.at("errors").at(2).at("where") == "body");
    CHECK(three.at("errors").at(2).at("name") == "/2");
    CHECK(three.at("errors").at(2).at("expected") == "a \"number\"");
    CHECK_FALSE(three.as_object().contains("more_errors"));
    auto const many = problem(weir::violations::most + 1);
    CHECK(many.at("detail") == "body /0: expected a \"number\" (and 31 more at least)");
    CHECK(many.at("errors").as_array().size() == weir::violations::most);
    CHECK(many.at("more_errors") == true);
    CHECK_FALSE(problem(0).as_object().contains("errors"));
}

TEST_CASE("edge: a 401 has the challenge, a problem has the type that was chosen")
{
    weir::pipeline svc{nobody{}, by_path};
    auto const r = ask(http::edge(svc, {.type_base = "https://bank.example/problems/", .challenge = "Bearer"}), "/");
    CHECK(r.result_int() == 401);
    CHECK(weir::header(r, "www-authenticate") == "Bearer");
    CHECK(json_of(r).at("type") == "https://bank.example/problems/unauthenticated");
    CHECK(json_of(r).at("policy") == "nobody");
}

TEST_CASE("edge: a challenge that a policy reports is sent, and not that of the options")
{
    weir::pipeline svc{asks_for_a_token{}, by_path};
    auto const r = ask(http::edge(svc), "/");
    CHECK(r.result_int() == 401);
    CHECK(weir::header(r, "www-authenticate") == "Bearer error=\"invalid_token\"");
}

TEST_CASE("edge: a handler's error is a problem without a policy, an exception is a 500 without its text")
{
    weir::pipeline svc{weir::max_body{{.bytes = 10}}, by_path};
    auto const edge = http::edge(svc);
    auto const missing = ask(edge, "/missing");
    CHECK(missing.result_int() == 404);
    CHECK_FALSE(json_of(missing).as_object().contains("policy"));
    CHECK(weir::header(ask(edge, "/late"), "retry-after") == "90");
    for (auto const* path : {"/throws", "/throws_number"}) {
        auto const r = ask(edge, path);
        CHECK(r.result_int() == 500);
        CHECK(json_of(r).at("code") == "handler_threw");
        CHECK(r.body().find("secret") == std::string::npos);
    }
    CHECK(ask(edge, "/value").result_int() == 403);
}

TEST_CASE("edge: a handler that throws because its time was up is answered by that, not by its exception")
{
    weir::simulation world;
    auto const slow = [&](http::request const&) -> asio::awaitable<http::response> {
        co_await world.sleep(1h); // throws when it is cancelled
        co_return http::response(http::status::ok, "late");
    };
    weir::pipeline svc{weir::timed_by{std::ref(world.clock())}, weir::timeout{1s}, slow};
    auto const edge = http::edge(svc);
    auto const asking = [&]() -> asio::awaitable<void> {
        http::request r("GET", "/");
        http::response const answer = co_await edge(r);
        CHECK(answer.result_int() == 504);
        CHECK(json_of(answer).at("code") == "deadline_exceeded");
        CHECK(json_of(answer).at("policy") == "timeout");
    };
    world.spawn(asking());
    world.run();
}

TEST_CASE("edge: an answer that is less than the handler's own says so")
{
    weir::pipeline svc{weir::fallback{http::response(http::status::ok, "old")}, by_path};
    auto const r = ask(http::edge(svc), "/throws");
    CHECK(r.result_int() == 200);
    CHECK(r.body() == "old");
    CHECK(weir::header(r, "x-degraded") == "fallback");
}

TEST_CASE("edge: the id of correlate is on every answer, on problems and on those of exceptions, too")
{
    weir::pipeline svc{weir::correlate{}, weir::max_body{{.bytes = 3}}, by_path};
    auto const edge = http::edge(svc);
    for (auto const* path : {"/", "/missing", "/throws"}) {
        http::request r("GET", path);
        r.set("x-correlation-id", "abc-1");
        CHECK(weir::header(ask(edge, r), "x-correlation-id") == "abc-1");
        CHECK(weir::header(ask(edge, path), "x-correlation-id").value_or("").size() == 32);
    }
    http::request large("POST", "/", "four");
    large.set("x-correlation-id", "abc-2");
    CHECK(weir::header(ask(edge, large), "x-correlation-id") == "abc-2");
}

TEST_CASE("edge: a synchronous pipeline answers a server on loopback")
{
    asio::io_context context(1);
    weir::pipeline svc{weir::correlate{{.required = true}},
                       [](http::request const& r) { return http::response(http::status::ok, std::string(r.path())); }};
    http::server server(context.get_executor(), http::edge(svc));
    auto const good =
        weir_tests::talk(context, server.port(), "GET /a HTTP/1.1\r\nHost: x\r\nX-Correlation-Id: k7\r\nConnection: close\r\n\r\n");
    CHECK(good.starts_with("HTTP/1.1 200 "));
    CHECK(good.find("x-correlation-id: k7\r\n") != std::string::npos);
    CHECK(good.ends_with("\r\n\r\n/a"));
    auto const bad = weir_tests::talk(context, server.port(), "GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    CHECK(bad.starts_with("HTTP/1.1 400 "));
}

namespace {

/// A pipeline whose value streams: how many calls are inside while it does, and how it ends.
struct downloads {
    using stream = weir::held<http::streamed_response>;
    std::vector<std::uint64_t> inside{};
    bool breaks = false;
    std::function<std::uint64_t()> count_inside{};

    asio::awaitable<weir::result<stream>> operator()(http::request const& r)
    {
        if (r.path() == "/missing") co_return weir::errc::not_found;
        auto producer = [this](http::body_writer& to) -> asio::awaitable<weir::result<void>> {
            inside.push_back(count_inside());
            weir::result<void> const sent = co_await to.write("a piece");
            inside.push_back(count_inside());
            if (breaks) co_return weir::errc::upstream_failed;
            co_return sent;
        };
        co_return stream(http::streamed_response(http::status::ok, "text/plain", std::move(producer)));
    }
};

} // namespace

TEST_CASE("edge: what streams carries its permits to its end, and a refusal is a problem as ever")
{
    downloads files;
    weir::pipeline svc{weir::correlate{}, weir::bulkhead{{.max_concurrent = 1}},
                       weir::circuit_breaker{{.failure_rate = 0.5, .minimum_calls = 2}}, std::ref(files)};
    files.count_inside = [&svc] { return svc.get<weir::bulkhead>().stats().inside; };
    asio::io_context context(1);
    http::server server(context.get_executor(), http::edge(svc), {});
    auto const get = [&](std::string_view path) {
        return weir_tests::talk(context, server.port(), std::string("GET ").append(path).append(" HTTP/1.1\r\nHost: x\r\n\r\n"));
    };
    std::string const heard = get("/");
    CHECK(heard.find("a piece\r\n0\r\n\r\n") != std::string::npos);
    CHECK(heard.find("x-correlation-id: ") != std::string::npos);
    CHECK(files.inside == std::vector<std::uint64_t>{1, 1});
    CHECK(svc.get<weir::bulkhead>().stats().inside == 0);
    CHECK(get("/missing").find("HTTP/1.1 404") == 0);
    files.breaks = true; // the head was a success: it is the stream that fails
    for (int i = 0; i < 2; ++i) CHECK(get("/").find("HTTP/1.1 200") == 0);
    CHECK(get("/").find("HTTP/1.1 503") == 0);
    CHECK(svc.get<weir::bulkhead>().stats().inside == 0);
}

TEST_CASE("edge: without a server a stream is collected; a pipeline over a request that is read in pieces, and one that is observed")
{
    downloads files;
    files.count_inside = [] { return std::uint64_t{0}; };
    weir::pipeline svc{weir::bulkhead{{.max_concurrent = 1}}, std::ref(files)};
    CHECK(ask(http::edge(svc), "/").body() == "a piece");

    auto const count = [](http::streamed_request const& r) -> asio::awaitable<weir::result<http::response>> {
        std::size_t bytes = 0;
        http::body_reader from = r.body();
        for (;;) {
            weir::result<std::string_view> const piece = co_await from.read();
            if (!piece) co_return piece.error();
            if (piece->empty()) break;
            bytes += piece->size();
        }
        co_return http::response(http::status::ok, std::to_string(bytes));
    };
    weir::pipeline uploads{weir::bulkhead{{.max_concurrent = 1}}, count};
    http::request r("POST", "/");
    r.body() = std::string(10'000, 'x');
    CHECK(ask(http::edge<http::streamed_request>(uploads), r).body() == "10000");

    struct refusals {
        int seen = 0;
        void operator()(weir::event::refused const&) { ++seen; }
    };
    weir::pipeline closed{weir::named<"the door">(nobody{}), by_path};
    weir::observed watched{closed, refusals{}};
    http::response const refused = ask(http::edge(watched), "/");
    CHECK(json_of(refused).at("policy") == "the door");
    CHECK(watched.observer().seen == 1);
}
