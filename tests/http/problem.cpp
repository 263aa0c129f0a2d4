// SPDX-License-Identifier: BSL-1.0
#include <weir/http/problem.hpp>

#include <boost/json/parse.hpp>

#include <doctest/doctest.h>

#include <chrono>

using namespace std::chrono_literals;
namespace http = weir::http;

TEST_CASE("problem: an error becomes a document with its status, and says when to come back")
{
    auto const r = http::problem(weir::error(weir::errc::rate_limited, 1'001ms), {.policy = "per tenant"});
    CHECK(r.result_int() == 429);
    CHECK(weir::header(r, "content-type") == "application/problem+json");
    CHECK(weir::header(r, "retry-after") == "2");
    auto const document = boost::json::parse(r.body());
    CHECK(document.at("type") == "about:blank");
    CHECK(document.at("title") == "Too Many Requests");
    CHECK(document.at("status") == 429);
    CHECK(document.at("code") == "rate_limited");
    CHECK(document.at("policy") == "per tenant");
    CHECK(document.at("detail").as_string().size() > 10);
    CHECK_FALSE(document.as_object().contains("instance"));
}

TEST_CASE("problem: every kind of error has a status and a sentence")
{
    using weir::errc;
    for (auto [kind, code] : {std::pair{errc::rate_limited, 429},
                              {errc::circuit_open, 503},
                              {errc::bulkhead_full, 503},
                              {errc::overloaded, 503},
                              {errc::deadline_exceeded, 504},
                              {errc::cancelled, 503},
                              {errc::handler_threw, 500},
                              {errc::upstream_failed, 502},
                              {errc::unavailable, 503},
                              {errc::not_found, 404},
                              {errc::invalid_request, 400},
                              {errc::unauthenticated, 401},
                              {errc::forbidden, 403},
                              {errc::replayed, 401},
                              {errc::payload_too_large, 413},
                              {errc::unsupported_media_type, 415},
                              {errc::method_not_allowed, 405},
                              {errc::conflict, 409},
                              {errc::key_reused, 422},
                              {errc::foreign, 500}}) {
        CAPTURE(code);
        auto const r = http::problem(kind);
        CHECK(static_cast<int>(r.result_int()) == code);
        CHECK_FALSE(weir::header(r, "retry-after"));
        CHECK(boost::json::parse(r.body()).at("status") == code);
    }
    CHECK(weir::header(http::problem(errc::unauthenticated), "WWW-Authenticate") == "Signature");
    CHECK(weir::header(http::problem(errc::method_not_allowed, {.allow = "GET, HEAD"}), "Allow") == "GET, HEAD");
}

TEST_CASE("problem: text from outside is escaped, a base makes the type")
{
    auto const r =
        http::problem(weir::errc::invalid_request, {.detail = "a \"b\" \\ \n\x1f", .type_base = "https://bank.example/problems/"});
    auto const document = boost::json::parse(r.body());
    CHECK(document.at("detail") == "a \"b\" \\ \n\x1f");
    CHECK(document.at("type") == "https://bank.example/problems/invalid_request");
    CHECK(boost::json::parse(http::problem(http::status::not_acceptable).body()).at("title") == "Not Acceptable");
}

TEST_CASE("problem: when to come back is told in seconds rounded up, and not at all if no wait helps")
{
    CHECK(weir::header(http::problem(weir::error(weir::errc::rate_limited, 1ns)), "Retry-After") == "1");
    CHECK(weir::header(http::problem(weir::error(weir::errc::rate_limited, 1s)), "Retry-After") == "1");
    CHECK(weir::header(http::problem(weir::error(weir::errc::rate_limited, 1s + 1ns)), "Retry-After") == "2");
    CHECK_FALSE(weir::header(http::problem(weir::error(weir::errc::rate_limited, weir::duration::max())), "Retry-After"));
}

TEST_CASE("problem: an outcome is answered by its response or by its error")
{
    CHECK(http::answer(http::response(http::status::created)).result_int() == 201);
    CHECK(http::answer(weir::error(weir::errc::not_found)).result_int() == 404);
}
