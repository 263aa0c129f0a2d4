// SPDX-License-Identifier: BSL-1.0
#include <weir/http/server_group.hpp>

#include "loopback.hpp"

#include <weir/asio/per_thread.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/limit/gcra.hpp>
#include <weir/limit/rate_limit.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

using namespace std::chrono_literals;
using weir_tests::raw_client;
using weir_tests::run;
using weir_tests::talk;
namespace asio = boost::asio;
namespace http = weir::http;

namespace {

constexpr std::string_view get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

http::request_handler hello()
{
    return [](http::request&) { return http::detail::say(http::response(http::status::ok, "hello")); };
}

} // namespace

TEST_CASE("server_group: each thread has a handler of its own, made and called there")
{
    std::mutex mutex;
    std::set<std::thread::id> made, called;
    bool elsewhere = false;
    auto const make = [&] {
        std::scoped_lock const lock(mutex);
        auto const home = std::this_thread::get_id();
        made.insert(home);
        return [&, home](http::request&) {
            std::scoped_lock const inner(mutex);
            called.insert(std::this_thread::get_id());
            elsewhere = elsewhere || home != std::this_thread::get_id();
            return http::detail::say(http::response(http::status::ok, "hello"));
        };
    };
    http::server_group group(2, make);
    CHECK(group.threads() == 2);
    asio::io_context mine;
    // The system spreads connections by a hash of their ports: all of them on one thread is out of the question.
    for (int i = 0; i < 200; ++i) CHECK(talk(mine, group.port(), get).ends_with("\r\n\r\nhello"));
    CHECK(group.stats().requests == 200);
    CHECK(group.stats().accepted == 200);
    group.drain();
    group.wait();
    CHECK(group.stats().open == 0);
    CHECK(made.size() == 2);
    CHECK(called == made);
    CHECK_FALSE(elsewhere);
    CHECK(made.count(std::this_thread::get_id()) == 0);
}

TEST_CASE("server_group: pipelines may be confined to their thread")
{
    auto const make = [](asio::any_io_executor const&) {
        return http::own_edge([] {
            return weir::pipeline{weir::rate_limit{weir::gcra<weir::confined>{{.permits = 1, .per = 1h}}},
                                  [](http::request const&) { return http::response(http::status::ok, "hello"); }};
        });
    };
    http::server_group group(2, make);
    asio::io_context mine;
    int answered = 0;
    for (int i = 0; i < 200; ++i) answered += talk(mine, group.port(), get).starts_with("HTTP/1.1 200 ") ? 1 : 0;
    CHECK(answered == 2); // one a thread
}

TEST_CASE("server_group: per_thread reconfigures its pipelines while they serve, and merges what they count")
{
    weir::per_thread services{[] {
        return weir::pipeline{weir::rate_limit{weir::gcra<weir::confined>{{.permits = 1, .per = 1h}}},
                              [](http::request const&) { return http::response(http::status::ok, "hello"); }};
    }};
    http::server_group group(2, [&](asio::any_io_executor const& own) { return http::edge(services.make(own)); });
    CHECK(services.size() == 2);
    asio::io_context mine(1);
    auto const answered = [&] {
        int count = 0;
        for (int i = 0; i < 100; ++i) count += talk(mine, group.port(), get).starts_with("HTTP/1.1 200 ") ? 1 : 0;
        return count;
    };
    CHECK(answered() == 2); // one a thread
    auto const limit = [](auto& svc) -> auto&
    {
        return svc.template get<weir::rate_limit>();
    };
    weir::rate const wider{.permits = 1'000'000, .per = 1s, .burst = 1'000};
    auto const widen = [&]() -> asio::awaitable<double> {
        double admitted = 0;
        co_await services.reconfigure(limit, wider);
        auto const figures = co_await services.stats(weir::steady::now());
        for (weir::merged_figure const& each : figures)
            if (each.field == "admitted_total") admitted = each.sum;
        co_return admitted;
    };
    CHECK(run(mine, widen()) == 2);
    CHECK(answered() == 100);
}

TEST_CASE("server_group: all drain together, and let requests end")
{
    std::atomic<int> begun{0};
    auto const make = [&](asio::any_io_executor const& executor) -> http::request_handler {
        return [&begun, executor](http::request&) -> asio::awaitable<http::response> {
            ++begun;
            asio::steady_timer timer(executor, asio::steady_timer::time_point::max());
            boost::system::error_code failed;
            co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, failed));
            co_return http::response(http::status::ok, "never seen");
        };
    };
    http::server_group group(3, make, {.drain_time = 30ms});
    group.drain_on({SIGUSR1});
    asio::io_context mine;
    raw_client waits(mine, group.port());
    auto const ask = [&]() -> asio::awaitable<std::string> {
        co_await waits.send(get);
        while (begun == 0) co_await asio::post(mine, asio::use_awaitable);
        std::raise(SIGUSR1);
        co_return co_await waits.receive();
    };
    CHECK(run(mine, ask()).empty()); // its time was up
    group.wait();
    CHECK(group.stats().open == 0);
    CHECK(group.stats().requests == 1);
    group.drain(); // once more does no harm
}

TEST_CASE("server_group: what does not begin is told by the constructor")
{
    std::atomic<int> calls{0};
    auto const second_throws = [&]() -> http::request_handler {
        if (++calls == 2) throw std::runtime_error("no more of them");
        return hello();
    };
    CHECK_THROWS_WITH_AS(http::server_group(3, second_throws), "no more of them", std::runtime_error);
    CHECK(calls == 2);
    CHECK_THROWS_AS(http::server_group(2, hello, {.connections = 0}), std::invalid_argument);
    http::server_group one(1, hello);
    CHECK_THROWS_AS(http::server_group(2, hello, {.port = one.port()}), boost::system::system_error);
    CHECK(http::server_group(0, hello).threads() >= 1);
}
