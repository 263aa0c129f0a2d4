// SPDX-License-Identifier: BSL-1.0
#include <weir/http/health.hpp>

#include "asking.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <stdexcept>

using namespace std::chrono_literals;
using weir_tests::ask;
using weir_tests::json_of;
using weir_tests::run;
namespace asio = boost::asio;
namespace http = weir::http;

namespace {

http::health_state up()
{
    return {};
}
http::health_state degraded()
{
    return {http::health_status::degraded, "a bit \"slow\""};
}
/// Waits until it is cancelled.
asio::awaitable<http::health_state> silent()
{
    asio::steady_timer forever(co_await asio::this_coro::executor, weir::never);
    co_await forever.async_wait(asio::use_awaitable);
    co_return http::health_state{};
}
asio::awaitable<http::health_state> throws()
{
    throw std::runtime_error("secret");
    co_return http::health_state{};
}

} // namespace

TEST_CASE("health: the whole is as good as its worst part")
{
    http::health health;
    CHECK(json_of(ask(health, "/")).at("status") == "UP");
    health.add("disk", up);
    CHECK(ask(health, "/").body() == R"({"status":"UP","components":{"disk":{"status":"UP"}}})");
    health.add("cache", degraded);
    auto const r = ask(health, "/");
    CHECK(r.result_int() == 200);
    CHECK(weir::header(r, "content-type") == "application/json");
    CHECK(weir::header(r, "cache-control") == "no-store");
    CHECK(json_of(r).at("status") == "DEGRADED");
    CHECK(json_of(r).at("components").at("cache").at("detail") == "a bit \"slow\"");
    health.add("orders", [] { return http::health_state{http::health_status::down}; });
    CHECK(ask(health, "/").result_int() == 503);
    CHECK_THROWS_AS(health.add("orders", up), std::invalid_argument);
    CHECK_THROWS_AS(http::health({.limit = 0s}), std::invalid_argument);
}

TEST_CASE("health: a check that throws is down, and tells nothing")
{
    http::health health;
    health.add("orders", throws).add("disk", up);
    auto const r = ask(health, "/");
    CHECK(r.result_int() == 503);
    CHECK(json_of(r).at("components").at("orders").at("status") == "DOWN");
    CHECK(json_of(r).at("components").at("disk").at("status") == "UP");
    CHECK(r.body().find("secret") == std::string::npos);
}

TEST_CASE("health: a check that does not answer is down when the time is up, and is cancelled")
{
    asio::io_context context(1);
    http::health health({.limit = 5ms});
    int asked = 0;
    health.add("silent", [&] { return ++asked, silent(); });
    health.add("disk", up);
    for (int i = 1; i <= 2; ++i) {
        auto const report = run(context, health.ask());
        CHECK(report.status() == http::health_status::down);
        CHECK(report.components[0].state.detail == "no answer in time");
        CHECK(report.components[1].state.status == http::health_status::up);
        context.restart();
        context.run(); // it has ended, else this would not
        CHECK(asked == i);
    }
}

TEST_CASE("health: who asks while others do is told what they are told")
{
    using namespace asio::experimental::awaitable_operators;
    asio::io_context context(1);
    http::health health;
    int asked = 0;
    health.add("slow", [&]() -> asio::awaitable<http::health_state> {
        ++asked;
        asio::steady_timer soon(context, 1ms);
        co_await soon.async_wait(asio::use_awaitable);
        co_return degraded();
    });
    auto const both = [&]() -> asio::awaitable<int> {
        auto const [a, b] = co_await (health.ask() && health.ask());
        co_return a.status() == http::health_status::degraded&& b.status() == http::health_status::degraded ? asked : -1;
    };
    CHECK(run(context, both()) == 1);
    CHECK(run(context, both()) == 2);
}

TEST_CASE("health: a context that ends in the middle of a check leaves nothing behind")
{
    http::health health;
    health.add("silent", silent);
    {
        asio::io_context context(1);
        asio::co_spawn(context, health.ask(), [](std::exception_ptr, http::health_report) {});
        context.poll();
    }
    CHECK(true);
}
