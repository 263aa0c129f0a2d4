// SPDX-License-Identifier: BSL-1.0
#include <weir/http/query_parameters.hpp>

#include "../validate/described.hpp"
#include "asking.hpp"

#include <weir/core/pipeline.hpp>
#include <weir/http/edge.hpp>
#include <weir/http/message.hpp>

#include <boost/describe/class.hpp>

#include <doctest/doctest.h>

#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace http = weir::http;

namespace {

struct stand_in {
    http::request const& asked;
    std::optional<weir::violations> told{};
    [[nodiscard]] http::request const& request() const noexcept { return asked; }
    void report(weir::violations all) { told = std::move(all); }
};

} // namespace

TEST_CASE("query_parameters: the query is read into the struct, every fault is told")
{
    weir::query_parameters<test::leg> codec;
    http::request const good("GET", "/legs?share=7&venue=XETR");
    stand_in call{good};
    test::leg leg;
    CHECK(codec.decode(call, leg).is_admitted());
    CHECK(leg == test::leg{"XETR", 7});
    CHECK_FALSE(call.told);

    http::request const bad("GET", "/legs?share=x&other=1");
    stand_in refused{bad};
    auto const admission = codec.decode(refused, leg);
    CHECK(admission.refusal() == weir::errc::invalid_request);
    REQUIRE(refused.told);
    CHECK(to_string(*refused.told) == "query share: expected a whole number from 0 to 65535; query: expected no parameters but venue, "
                                      "share; query venue: expected a string, which is missing");
    CHECK(codec.stats().refused == 1);

    codec.reconfigure({.ignore_unknown_parameters = true});
    CHECK(codec.settings().ignore_unknown_parameters);
    http::request const more("GET", "/legs?share=1&other=1&venue=");
    stand_in lax{more};
    CHECK(codec.decode(lax, leg).is_admitted());
    bool described = false;
    codec.describe([&](std::string_view name, bool value) { described = name == "ignore_unknown_parameters" && value; });
    CHECK(described);
}

TEST_CASE("query_parameters: the answer is JSON")
{
    weir::query_parameters<test::leg> codec;
    http::request const r("GET", "/");
    stand_in call{r};
    CHECK(codec.encode(call, test::leg{"XETR", 7}).value().body() == R"({"venue":"XETR","share":7})");
    CHECK(codec.encode(call, std::optional<test::leg>{}).error() == weir::errc::not_found);
    CHECK(codec.encode(call, std::numeric_limits<double>::infinity()).error() == weir::errc::foreign);
    std::uint64_t unwritten = 0;
    codec.stats().each([&](std::string_view name, std::uint64_t value) { unwritten += name == "unwritten_total" ? value : 0; });
    CHECK(unwritten == 1);
}

namespace {

struct wanted {
    std::string symbol;
    std::optional<std::uint32_t> depth;
};
BOOST_DESCRIBE_STRUCT(wanted, (), (symbol, depth))
struct found {
    std::string price;
};
BOOST_DESCRIBE_STRUCT(found, (), (price))

} // namespace

TEST_CASE("query_parameters: in a pipeline, the handler sees the struct and the caller a response")
{
    weir::pipeline svc{weir::query_parameters<wanted>{},
                       [](wanted const& w) { return found{w.symbol + '@' + std::to_string(w.depth.value_or(1))}; }};
    weir::http::request const good("GET", "/quotes?symbol=A%20B&depth=3"), bad("GET", "/quotes?depth=-3");
    CHECK(svc(good).value().body() == R"({"price":"A B@3"})");
    CHECK(svc(bad).error() == weir::errc::invalid_request);
}

TEST_CASE("query_parameters: a GET is answered by a typed handler, in JSON")
{
    weir::pipeline svc{weir::query_parameters<test::leg>{}, [](test::leg const& l) { return test::leg{l.venue + "!", l.share}; }};
    auto const edge = http::edge(svc);
    auto const good = weir_tests::ask(edge, "/legs?venue=XETR&share=7");
    CHECK(good.result_int() == 200);
    CHECK(good.body() == R"({"venue":"XETR!","share":7})");
    auto const bad = weir_tests::ask(edge, "/legs?share=7&share=8");
    CHECK(bad.result_int() == 400);
    CHECK(weir_tests::json_of(bad).at("errors").as_array().size() == 2);
    CHECK(weir_tests::json_of(bad).at("detail") == "query share: expected one value, not the same parameter twice (and 1 more)");
}
