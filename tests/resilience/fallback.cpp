// SPDX-License-Identifier: BSL-1.0
#include <weir/resilience/fallback.hpp>

#include <weir/core/directives.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/resilience/circuit_breaker.hpp>
#include <weir/testing/manual_clock.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <stdexcept>
#include <string>

namespace {

using namespace std::chrono_literals;
using weir::errc;

weir::result<int> failing(errc e)
{
    if (e == errc{}) return 1;
    return e;
}

} // namespace

TEST_CASE("fallback: answers for trouble, not for the caller's own fault")
{
    weir::pipeline svc{weir::fallback{-1}, failing};
    for (errc const e : {errc::unavailable, errc::upstream_failed, errc::deadline_exceeded, errc::overloaded, errc::circuit_open,
                         errc::bulkhead_full, errc::foreign})
        CHECK(svc(e).value() == -1);
    for (errc const e : {errc::rate_limited, errc::cancelled, errc::not_found, errc::invalid_request, errc::forbidden, errc::replayed})
        CHECK(svc(e).error() == e);
    CHECK(svc(errc{}).value() == 1);
    CHECK(svc.get<weir::fallback>().stats().used == 7);
}

TEST_CASE("fallback: a value, or a function of the request and the error, of the error, or of nothing")
{
    weir::pipeline of_both{weir::fallback{[](errc r, weir::error e) { return static_cast<int>(r) * 1'000 + static_cast<int>(e.kind()); }},
                           failing};
    weir::pipeline of_error{weir::fallback{[](weir::error e) { return static_cast<int>(e.kind()); }}, failing};
    weir::pipeline of_nothing{weir::fallback{[] { return 9; }}, failing};
    weir::pipeline failing_too{weir::fallback{[](weir::error) -> weir::result<int> { return errc::not_found; }}, failing};
    int const kind = static_cast<int>(errc::unavailable);
    CHECK(of_both(errc::unavailable).value() == kind * 1'001);
    CHECK(of_error(errc::unavailable).value() == kind);
    CHECK(of_nothing(errc::unavailable).value() == 9);
    CHECK(failing_too(errc::unavailable).error() == errc::not_found);
}

TEST_CASE("fallback: reports that the answer is degraded, and only then")
{
    weir::pipeline svc{weir::fallback{-1}, failing};
    CHECK(svc.call(errc::unavailable).reported<weir::degraded>()->by == "fallback");
    CHECK_FALSE(svc.call(errc{}).reported<weir::degraded>().has_value());
    CHECK_FALSE(svc.call(errc::not_found).reported<weir::degraded>().has_value());
}

TEST_CASE("fallback: judges values by the classifier")
{
    weir::pipeline svc{weir::classify{[](int code) { return code >= 500; }}, weir::fallback{200}, [](int code) { return code; }};
    CHECK(svc(503).value() == 200);
    CHECK(svc(404).value() == 404);
}

TEST_CASE("fallback: outside a breaker it answers while the circuit is open")
{
    weir::manual_clock clock;
    int asked = 0;
    weir::pipeline svc{weir::timed_by{std::ref(clock)}, weir::fallback{std::string("cached")},
                       weir::circuit_breaker{{.minimum_calls = 2, .open_for = 1s}}, [&](int) -> std::string {
                           ++asked;
                           throw std::runtime_error("down");
                       }};
    for (int i = 0; i < 10; ++i) CHECK(svc(1).value() == "cached");
    CHECK(asked == 2);
    CHECK(svc.get<weir::fallback>().stats().used == 10);
}
