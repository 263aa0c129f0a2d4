// SPDX-License-Identifier: BSL-1.0
#include <weir/resilience/fallback.hpp>

#include <weir/asio.hpp>
#include <weir/core/directives.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/resilience/circuit_breaker.hpp>
#include <weir/testing/simulation.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/cancellation_type.hpp>

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

TEST_CASE("fallback: for some errors only, or as a predicate says")
{
    weir::pipeline by_error{weir::fallback{-1, weir::on_errors<errc::not_found, errc::unavailable>}, failing};
    CHECK(by_error(errc::not_found).value() == -1);
    CHECK(by_error(errc::unavailable).value() == -1);
    CHECK(by_error(errc::upstream_failed).error() == errc::upstream_failed);
    CHECK(by_error(errc{}).value() == 1);
    weir::pipeline by_value{weir::fallback{-1, [](weir::result<int> const& r) { return r.has_value() && *r == 1; }}, failing};
    CHECK(by_value(errc{}).value() == -1);
    CHECK(by_value(errc::unavailable).error() == errc::unavailable);
}

TEST_CASE("fallback: another pipeline answers, with policies of its own")
{
    int asked = 0;
    weir::pipeline other{weir::fallback{-2}, [&](errc e) -> weir::result<int> {
                             ++asked;
                             if (e == errc::overloaded) return errc::unavailable;
                             return 7;
                         }};
    weir::pipeline svc{weir::fallback{std::ref(other)}, failing};
    auto const reply = svc.call(errc::unavailable);
    CHECK(reply.result().value() == 7);
    CHECK(reply.reported<weir::degraded>()->by == "fallback");
    CHECK(svc(errc::overloaded).value() == -2);
    CHECK(svc(errc{}).value() == 1);
    CHECK(asked == 2);
}

TEST_CASE("fallback: another pipeline, or a function, that awaits")
{
    namespace asio = boost::asio;
    weir::simulation world;
    auto const handler = [&](errc e) -> asio::awaitable<weir::result<int>> {
        co_await world.sleep(10ms);
        co_return failing(e);
    };
    auto const yesterday = [&](errc e) -> asio::awaitable<weir::result<int>> {
        co_await world.sleep(1h);
        if (e == errc::overloaded) co_return errc::not_found;
        if (e == errc::foreign) throw std::runtime_error("no yesterday");
        co_return 7;
    };
    auto const by_function = [&](weir::error) -> asio::awaitable<int> {
        co_await world.sleep(1s);
        co_return 8;
    };
    weir::pipeline other{weir::timed_by{std::ref(world.clock())}, yesterday};
    weir::pipeline svc{weir::timed_by{std::ref(world.clock())}, weir::fallback{std::ref(other)}, handler};
    weir::pipeline quick{weir::timed_by{std::ref(world.clock())}, weir::fallback{by_function}, handler};
    weir::result<int> got = 0;
    bool threw = false, degraded = false;
    auto const ask = [&](auto& pipeline, errc e) -> asio::awaitable<void> {
        try {
            auto const reply = co_await pipeline.call(e);
            got = reply.result();
            degraded = reply.template reported<weir::degraded>().has_value();
        } catch (std::runtime_error const&) {
            threw = true;
        }
    };
    auto const run = [&](auto& pipeline, errc e) {
        world.spawn(ask(pipeline, e));
        world.run();
        return got;
    };
    CHECK(run(svc, errc{}).value() == 1);
    CHECK_FALSE(degraded);
    CHECK(run(svc, errc::unavailable).value() == 7);
    CHECK(degraded);
    CHECK(run(svc, errc::overloaded).error() == errc::not_found);
    CHECK(run(svc, errc::forbidden).error() == errc::forbidden);
    CHECK(run(quick, errc::unavailable).value() == 8);
    run(svc, errc::foreign);
    CHECK(threw);

    asio::cancellation_signal stop;
    world.spawn(ask(svc, errc::unavailable), stop.slot());
    world.run_for(10s);
    stop.emit(asio::cancellation_type::terminal);
    world.run();
    CHECK(got.error() == errc::cancelled);
}
