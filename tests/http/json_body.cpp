// SPDX-License-Identifier: BSL-1.0
#include <weir/http/json_body.hpp>

#include "../validate/described.hpp"
#include "asking.hpp"

#include <weir/asio.hpp>
#include <weir/cache/cached.hpp>
#include <weir/cache/store.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/http/correlate.hpp>
#include <weir/http/edge.hpp>
#include <weir/http/message.hpp>
#include <weir/limit/gcra.hpp>
#include <weir/limit/keyed.hpp>
#include <weir/limit/rate_limit.hpp>
#include <weir/validate/max_body.hpp>
#include <weir/validate/require_headers.hpp>

#include <boost/describe/class.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <limits>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

using namespace std::chrono_literals;
using weir_tests::ask;
using weir_tests::json_of;
namespace asio = boost::asio;
namespace http = weir::http;

namespace {

/// What a codec needs of a call.
struct stand_in {
    http::request const& asked;
    std::optional<weir::violations> told{};
    std::optional<weir::accepted_types> accepted{};
    [[nodiscard]] http::request const& request() const noexcept { return asked; }
    void report(weir::violations all) { told = std::move(all); }
    void report(weir::accepted_types types) { accepted = types; }
};

http::request post(std::string body, std::string_view type = "application/json")
{
    http::request r("POST", "/orders", std::move(body));
    if (!type.empty()) r.set("Content-Type", type);
    return r;
}

struct answer {
    weir::errc kind{};
    std::string told{};
    test::leg leg{};
};
answer decoded(http::request const& r, weir::json_body<test::leg>& codec)
{
    stand_in call{r};
    answer got;
    auto const admission = codec.decode(call, got.leg);
    if (!admission) got.kind = admission.refusal().kind();
    if (call.told) got.told = to_string(*call.told);
    return got;
}
answer decoded(http::request const& r, weir::json_options const& o = {})
{
    weir::json_body<test::leg> codec(o);
    return decoded(r, codec);
}

} // namespace

TEST_CASE("json_body: a body is read into the struct, every fault is told")
{
    answer const good = decoded(post(R"({"venue":"XETR","share":7})"));
    CHECK(good.kind == weir::errc{});
    CHECK(good.told.empty());
    CHECK(good.leg == test::leg{"XETR", 7});

    answer const bad = decoded(post(R"({"venue":1,"share":-1})"));
    CHECK(bad.kind == weir::errc::invalid_request);
    CHECK(bad.told == "body /venue: expected a string; body /share: expected a whole number from 0 to 65535");
    answer const empty = decoded(post(""));
    CHECK(empty.kind == weir::errc::invalid_request);
    CHECK(empty.told == "body: expected a JSON document");
}

TEST_CASE("json_body: what does not say that it is JSON is not read")
{
    std::string const body = R"({"venue":"XETR","share":7})";
    for (std::string_view type :
         {"application/json", "Application/JSON", "application/json; charset=utf-8", "application/json;charset=\"UTF-8\"",
          "application/json ; a=b ; charset=utf-8", "application/vnd.bank+json", "application/problem+JSON; a=b", "application/json;"})
        CHECK(decoded(post(body, type)).kind == weir::errc{});
    for (std::string_view type :
         {"", "text/plain", "application/jsonx", "application/json, text/plain", "application/xml; a=application/json", "json", "+json",
          "/+json", "application/+json", "application/json; charset=latin1", "application/json;charset",
          "application/json; charset=utf-16; charset=utf-8"}) {
        INFO(type);
        answer const got = decoded(post(body, type));
        CHECK(got.kind == weir::errc::unsupported_media_type);
        CHECK(got.told == "header content-type: expected application/json");
    }
    http::request packed = post(body);
    packed.set("Content-Encoding", "gzip");
    CHECK(decoded(packed).kind == weir::errc::unsupported_media_type);
    CHECK(decoded(packed).told == "header content-encoding: expected none");
    http::request twice = post(body);
    twice.insert("Content-Type", "text/plain");
    CHECK(decoded(twice).told == "header content-type: expected application/json");
}

TEST_CASE("json_body: limits are its options, which can be changed while it runs")
{
    std::string const body = R"({"venue":"XETR","share":7})";
    CHECK(decoded(post(body), {.bytes = body.size()}).kind == weir::errc{});
    answer const large = decoded(post(body), {.bytes = body.size() - 1});
    CHECK(large.kind == weir::errc::payload_too_large);
    CHECK(large.told == "body: expected at most 25 bytes");

    weir::json_body<test::leg> codec;
    std::string const more = R"({"venue":"XETR","share":7,"x":1})";
    CHECK(decoded(post(more), codec).kind == weir::errc::invalid_request);
    codec.reconfigure({.ignore_unknown_members = true});
    CHECK(decoded(post(more), codec).kind == weir::errc{});
    CHECK(codec.settings().ignore_unknown_members);
    CHECK_THROWS_AS(codec.reconfigure({.levels = 0}), std::invalid_argument);
    CHECK(codec.settings().levels == 32);
    CHECK_THROWS_AS(weir::json_body<test::leg>({.levels = 65}), std::invalid_argument);
    CHECK(codec.stats().refused == 1);

    std::map<std::string, double> fields;
    codec.describe([&](std::string_view name, auto value) { fields[std::string(name)] = static_cast<double>(value); });
    CHECK(fields == std::map<std::string, double>{{"bytes", 1'048'576},
                                                  {"levels", 32},
                                                  {"values", 10'000},
                                                  {"members", 10'000},
                                                  {"text_bytes", 1'048'576},
                                                  {"ignore_unknown_members", 1}});
}

TEST_CASE("json_body: a value becomes a response, nothing becomes not_found, a response passes")
{
    weir::json_body<test::leg> codec;
    http::request const r = post("");
    stand_in call{r};
    auto const made = codec.encode(call, test::leg{"XETR", 7});
    REQUIRE(made.has_value());
    CHECK(made->result_int() == 200);
    CHECK(made->body() == R"({"venue":"XETR","share":7})");
    CHECK(weir::header(*made, "content-type") == "application/json");

    CHECK(codec.encode(call, std::optional<int>(7)).value().body() == "7");
    CHECK(codec.encode(call, std::optional<int>{}).error() == weir::errc::not_found);
    CHECK(codec.encode(call, http::response(http::status::created, "x")).value().result_int() == 201);
    CHECK(codec.encode(call, std::vector<int>{}).value().body() == "[]");

    CHECK(codec.stats().unwritten == 0);
    CHECK(codec.encode(call, std::numeric_limits<double>::infinity()).error() == weir::errc::foreign);
    CHECK(codec.stats().unwritten == 1);
    std::uint64_t fields = 0;
    codec.stats().each([&](std::string_view, std::uint64_t value) { fields += value; });
    CHECK(fields == 1);
}

namespace {

struct asked {
    std::string symbol;
    std::uint32_t quantity = 0;
};
BOOST_DESCRIBE_STRUCT(asked, (), (symbol, quantity))
struct told {
    std::uint32_t number = 0;
};
BOOST_DESCRIBE_STRUCT(told, (), (number))

} // namespace

TEST_CASE("json_body: in a pipeline, policies outside see HTTP, those inside and the handler see the struct")
{
    int calls = 0;
    weir::pipeline svc{weir::require_headers<"content-type">{}, weir::json_body<asked>{},
                       weir::rate_limit{weir::keyed{
                           weir::gcra{{.permits = 1, .per = std::chrono::hours(1)}}, weir::keyed_by(&asked::symbol), {.capacity = 10}}},
                       [&](asked const& a) -> weir::result<told> {
                           ++calls;
                           if (a.quantity == 13) return weir::errc::forbidden;
                           return told{a.quantity + 1};
                       }};
    auto const post = [](std::string body) {
        weir::http::request r("POST", "/", std::move(body));
        r.set("content-type", "application/json");
        return r;
    };
    auto const good = post(R"({"symbol":"ACME","quantity":41})");
    weir::result<weir::http::response> const answer = svc(good);
    CHECK(answer.value().body() == R"({"number":42})");
    CHECK(weir::header(answer.value(), "content-type") == "application/json");
    CHECK(svc(good).error() == weir::errc::rate_limited); // by the struct's member
    auto const unlucky = post(R"({"symbol":"AXLE","quantity":13})");
    CHECK(svc(unlucky).error() == weir::errc::forbidden);

    auto const bad = post(R"({"symbol":5})");
    auto const reply = svc.call(bad);
    CHECK(reply.result().error() == weir::errc::invalid_request);
    REQUIRE(reply.reported<weir::violations>().has_value());
    CHECK(calls == 2);
    weir::http::request const bare("POST", "/", "{}");
    CHECK(svc(bare).error() == weir::errc::invalid_request); // who stands outside asked first
}

namespace {

struct quote_request {
    std::string symbol{};
    std::optional<int> depth{};
};
BOOST_DESCRIBE_STRUCT(quote_request, (), (symbol, depth))
struct quote {
    std::string symbol{};
    double price{};
};
BOOST_DESCRIBE_STRUCT(quote, (), (symbol, price))

} // namespace

TEST_CASE("json_body: a typed service answers HTTP, policies outside see messages, those inside values")
{
    int asked = 0;
    weir::pipeline svc{weir::correlate{}, weir::max_body{{.bytes = 60}}, weir::json_body<quote_request>{},
                       weir::cached{weir::store<std::string, quote>{{.capacity = 10, .ttl = 30s}}, weir::keyed_by(&quote_request::symbol)},
                       [&](quote_request const& r) -> asio::awaitable<weir::result<quote>> {
                           ++asked;
                           if (r.symbol == "NONE") co_return weir::errc::not_found;
                           if (r.symbol == "THROW") throw std::runtime_error("secret");
                           co_return quote{r.symbol, r.symbol == "BAD" ? std::numeric_limits<double>::quiet_NaN() : 83.97};
                       }};
    auto const edge = http::edge(svc);
    auto const answer = [&](std::string body) {
        http::request r = post(std::move(body));
        return ask(edge, r);
    };

    for (int i = 0; i < 3; ++i) {
        auto const r = answer(R"({"symbol":"ACME"})");
        CHECK(r.result_int() == 200);
        CHECK(weir::header(r, "content-type") == "application/json");
        CHECK(weir::header(r, "x-correlation-id").has_value());
        CHECK(r.body() == R"({"symbol":"ACME","price":83.97})");
    }
    CHECK(asked == 1);

    auto const wrong = answer(R"({"symbol":7,"depth":"x","side":1})");
    CHECK(wrong.result_int() == 400);
    auto const document = json_of(wrong);
    CHECK(document.at("policy") == "json_body");
    CHECK(document.at("detail") == "body /symbol: expected a string (and 2 more)");
    CHECK(document.at("errors").as_array().size() == 3);
    CHECK(document.at("errors").at(1).at("name") == "/depth");
    CHECK(document.at("errors").at(2).at("name") == "");
    CHECK(document.at("errors").at(2).at("expected") == "no members but symbol, depth");
    CHECK(asked == 1);

    CHECK(answer(std::string(61, ' ')).result_int() == 413);
    CHECK(answer(R"({"symbol":"NONE"})").result_int() == 404);
    CHECK(answer(R"({"symbol":"THROW"})").result_int() == 500);
    auto const unwritten = answer(R"({"symbol":"BAD"})");
    CHECK(unwritten.result_int() == 500);
    CHECK(svc.get<weir::json_body>().stats().unwritten == 1);
    http::request text = post("ACME", "text/plain");
    CHECK(ask(edge, text).result_int() == 415);
}
