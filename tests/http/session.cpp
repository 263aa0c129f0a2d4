// SPDX-License-Identifier: BSL-1.0
#include <weir/http/detail/session.hpp>

#include "loopback.hpp"

#include <boost/asio/steady_timer.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <string_view>

using namespace std::chrono_literals;
using weir_tests::raw_client;
using weir_tests::run;
using weir_tests::talk;
namespace asio = boost::asio;
namespace http = weir::http;

namespace {

http::server_options const quick{.idle_time = 40ms}; // so that the server looks every 5 ms

http::server_options with(http::server_options o)
{
    o.idle_time = 40ms;
    return o;
}

bool has(std::string_view text, std::string_view part)
{
    return text.find(part) != std::string_view::npos;
}

std::string get(std::string_view path, std::string_view fields = "")
{
    return "GET " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n" + std::string(fields) + "\r\n";
}

/// A server whose handler waits until it is told to go on, and says what became of it.
struct waiting {
    asio::io_context context{1};
    asio::steady_timer until{context, asio::steady_timer::time_point::max()};
    int begun = 0;
    int cancelled = 0;
    http::server server;

    explicit waiting(http::server_options const& o)
        : server(
              context.get_executor(),
              [this](http::request& r) -> asio::awaitable<http::response> {
                  ++begun;
                  boost::system::error_code failed;
                  if (r.path() == "/waits") co_await until.async_wait(asio::redirect_error(asio::use_awaitable, failed));
                  asio::cancellation_state const state = co_await asio::this_coro::cancellation_state;
                  if (state.cancelled() == asio::cancellation_type::terminal) ++cancelled;
                  co_return http::response(http::status::ok, "done");
              },
              o)
    {
    }
    /// Lets the rest run until that holds.
    template<class Condition>
    asio::awaitable<void> wait_for(Condition const& holds)
    {
        while (!holds()) co_await asio::post(context, asio::use_awaitable);
    }
    void go_on() { until.cancel(); }
};

/// Waits some ticks of the server without a handler that ends.
asio::awaitable<void> ticks(asio::io_context& context)
{
    asio::steady_timer timer(context, 30ms);
    co_await timer.async_wait(asio::use_awaitable);
}

void reset(raw_client& c)
{
    c.socket().set_option(asio::socket_base::linger(true, 0));
    c.socket().close();
}

} // namespace

TEST_CASE("session: a client that resets its connection cancels its handler")
{
    waiting s(quick);
    auto const leaves = [&]() -> asio::awaitable<bool> {
        raw_client c(s.context, s.server.port());
        co_await c.send(get("/waits"));
        co_await s.wait_for([&] { return s.begun == 1; });
        reset(c);
        co_await s.wait_for([&] { return s.server.stats().open == 0; });
        co_return true;
    };
    CHECK(run(s.context, leaves()));
    CHECK(s.cancelled == 1);
    CHECK(s.server.stats().left == 1);
    CHECK(s.server.stats().timed_out == 0);
}

TEST_CASE("session: a second request that waits behind the first does not hide a reset")
{
    waiting s(quick);
    auto const leaves = [&]() -> asio::awaitable<bool> {
        raw_client c(s.context, s.server.port());
        co_await c.send(get("/waits"));
        co_await s.wait_for([&] { return s.begun == 1; });
        co_await c.send(get("/next"));
        reset(c);
        co_await s.wait_for([&] { return s.server.stats().open == 0; });
        co_return true;
    };
    CHECK(run(s.context, leaves()));
    CHECK(s.cancelled == 1);
    CHECK(s.begun == 1);
}

TEST_CASE("session: who ends its side only gets the answer")
{
    waiting s(quick);
    auto const half = [&]() -> asio::awaitable<std::string> {
        raw_client c(s.context, s.server.port());
        co_await c.send(get("/waits") + get("/next"));
        c.end_output();
        co_await s.wait_for([&] { return s.begun == 1; });
        co_await ticks(s.context);
        s.go_on();
        co_return co_await c.receive();
    };
    std::string const heard = run(s.context, half());
    CHECK(has(heard, "\r\n\r\ndoneHTTP/1.1 200 OK\r\n"));
    CHECK(heard.ends_with("\r\n\r\ndone"));
    CHECK(s.cancelled == 0);
}

TEST_CASE("session: without half-close the end of the client's side is leaving, even one that came later than a second request")
{
    waiting s(with({.half_close = false}));
    auto const leaves = [&]() -> asio::awaitable<bool> {
        raw_client c(s.context, s.server.port());
        co_await c.send(get("/waits"));
        co_await s.wait_for([&] { return s.begun == 1; });
        c.socket().close();
        co_await s.wait_for([&] { return s.server.stats().open == 0; });
        co_return true;
    };
    CHECK(run(s.context, leaves()));
    CHECK(s.cancelled == 1);
    // Behind bytes that nobody has read yet only a reset is seen.
    auto const pipelines = [&]() -> asio::awaitable<bool> {
        raw_client c(s.context, s.server.port());
        co_await c.send(get("/waits"));
        co_await s.wait_for([&] { return s.begun == 2; });
        co_await c.send(get("/next"));
        co_await ticks(s.context);
        CHECK(s.cancelled == 1);
        reset(c);
        co_await s.wait_for([&] { return s.server.stats().open == 0; });
        co_return true;
    };
    CHECK(run(s.context, pipelines()));
    CHECK(s.cancelled == 2);
}

TEST_CASE("session: a connection that was watched during a long request goes on with the next")
{
    waiting s(quick);
    auto const talks = [&]() -> asio::awaitable<std::string> {
        raw_client c(s.context, s.server.port());
        std::string heard;
        for (int i = 1; i <= 2; ++i) {
            co_await c.send(get("/waits"));
            co_await s.wait_for([&] { return s.begun == i; });
            co_await ticks(s.context);
            s.go_on();
            heard += co_await c.receive("done");
        }
        co_await c.send(get("/waits"));
        co_await s.wait_for([&] { return s.begun == 3; });
        reset(c);
        co_await s.wait_for([&] { return s.server.stats().open == 0; });
        co_return heard;
    };
    std::string const heard = run(s.context, talks());
    CHECK(has(heard, "doneHTTP/1.1 200 OK\r\n"));
    CHECK(s.cancelled == 1);
}

TEST_CASE("session: a request that takes longer than it may is cancelled and answered 504")
{
    waiting s(with({.request_time = 40ms}));
    auto const ask = [&]() -> asio::awaitable<std::string> {
        raw_client c(s.context, s.server.port());
        co_await c.send(get("/waits") + get("/next"));
        co_return co_await c.receive();
    };
    std::string const heard = run(s.context, ask());
    CHECK(heard.starts_with("HTTP/1.1 504 Gateway Timeout\r\n"));
    CHECK(has(heard, "\"code\":\"deadline_exceeded\""));
    CHECK(has(heard, "Connection: close\r\n"));
    CHECK(s.begun == 1);
    CHECK(s.cancelled == 1);
    // One that came as a whole behind another has a time of its own.
    auto const pipelined = [&]() -> asio::awaitable<std::string> {
        raw_client c(s.context, s.server.port());
        co_await c.send(get("/") + get("/waits"));
        co_return co_await c.receive();
    };
    std::string const both = run(s.context, pipelined());
    CHECK(both.starts_with("HTTP/1.1 200 OK\r\n"));
    CHECK(has(both, "doneHTTP/1.1 504 Gateway Timeout\r\n"));
    CHECK(s.cancelled == 2);
    // The time is that of the whole request, however it is spent.
    auto const slow = [&]() -> asio::awaitable<std::string> {
        raw_client c(s.context, s.server.port());
        co_await c.send("GET / HTTP/1.1\r\n");
        co_return co_await c.receive();
    };
    CHECK(has(run(s.context, slow()), "408"));
    CHECK(s.server.stats().timed_out == 3);
}

TEST_CASE("session: what is expected besides 100-continue is refused, and so is a body that is too large, before it is sent")
{
    waiting s(with({.limits = {.body_bytes = 10}}));
    auto const port = s.server.port();
    CHECK(talk(s.context, port, get("/", "Expect: a-miracle\r\n") + get("/next")).starts_with("HTTP/1.1 417 "));
    CHECK(talk(s.context, port, get("/", "Expect: 100-continue, a-miracle\r\n")).starts_with("HTTP/1.1 417 "));
    CHECK(talk(s.context, port, "GET / HTTP/1.0\r\nExpect: a-miracle\r\n\r\n").starts_with("HTTP/1.1 200 "));
    CHECK(talk(s.context, port, get("/", "Expect: 100-CONTINUE\r\n")).starts_with("HTTP/1.1 200 ")); // no body: nothing to wait for
    CHECK(talk(s.context, port, get("/", "Expect: 100-continue\r\nContent-Length: 11\r\n")).starts_with("HTTP/1.1 413 "));
    std::string const chunked =
        talk(s.context, port, get("/", "Transfer-Encoding: chunked\r\n") + "6\r\n123456\r\n6\r\n123456\r\n0\r\n\r\n");
    CHECK(chunked.starts_with("HTTP/1.1 413 "));
    CHECK(s.begun == 2);
    CHECK(s.server.stats().refused == 4);
}

TEST_CASE("session: fields about the connection are not sent on, also those that Connection names")
{
    asio::io_context context(1);
    auto const answer = [](http::request& r) -> asio::awaitable<http::response> {
        http::response made(http::status::ok, "x");
        made.set("Keep-Alive", "timeout=5");
        made.set("Proxy-Connection", "keep-alive");
        made.set("TE", "trailers");
        made.set("Trailer", "X-T");
        made.set("Upgrade", "websocket");
        made.set("Transfer-Encoding", "gzip");
        made.set("X-Private", "1");
        made.set("X-Public", "1");
        made.set("Connection", r.path() == "/close" ? "close, x-private" : "X-PRIVATE , keep-alive");
        co_return made;
    };
    http::server server(context.get_executor(), answer);
    std::string const heard = talk(context, server.port(), get("/", "Connection: upgrade\r\nUpgrade: h2c\r\n"));
    CHECK(heard.starts_with("HTTP/1.1 200 OK\r\n"));
    CHECK(has(heard, "X-Public: 1\r\n"));
    for (std::string_view const gone :
         {"Keep-Alive", "Proxy-Connection", "TE:", "Trailer", "Upgrade", "Transfer-Encoding", "X-Private", "Connection"}) {
        CAPTURE(gone);
        CHECK_FALSE(has(heard, gone));
    }
    CHECK(has(talk(context, server.port(), get("/close") + get("/")), "Connection: close\r\n\r\nx"));
}

TEST_CASE("session: Date and Server are there once, and a handler's own are kept")
{
    asio::io_context context(1);
    auto const answer = [](http::request& r) -> asio::awaitable<http::response> {
        http::response made(http::status::ok, "x");
        if (r.path() == "/own") {
            made.set("date", "Sun, 06 Nov 1994 08:49:37 GMT");
            made.set("server", "mine");
        }
        co_return made;
    };
    http::server named(context.get_executor(), answer, {.server_name = "weir/1 (test)"});
    http::server anonymous(context.get_executor(), answer);
    std::string const heard = talk(context, named.port(), get("/"));
    CHECK(has(heard, "\r\nServer: weir/1 (test)\r\n"));
    CHECK(has(heard, "\r\nDate: "));
    std::string const own = talk(context, named.port(), get("/own"));
    CHECK(has(own, "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"));
    CHECK(has(own, "server: mine\r\n"));
    CHECK_FALSE(has(own, "Server"));
    CHECK_FALSE(has(own, "Date"));
    CHECK_FALSE(has(talk(context, anonymous.port(), get("/")), "Server"));
    std::string const refused = talk(context, named.port(), "GET / HTTP/9.9\r\n\r\n");
    CHECK(has(refused, "\r\nServer: weir/1 (test)\r\n"));
    CHECK(has(refused, "\r\nDate: "));
    CHECK_THROWS_AS(http::server(context.get_executor(), answer, {.server_name = "a\r\nb"}), std::invalid_argument);
}

TEST_CASE("session: HEAD has the fields of GET and no body, and a refusal behind it has one")
{
    asio::io_context context(1);
    auto const answer = [](http::request& r) -> asio::awaitable<http::response> {
        http::response made(http::status::ok, r.path() == "/known" ? "" : "four");
        if (r.path() == "/known") made.set("Content-Length", "1000");
        co_return made;
    };
    http::server server(context.get_executor(), answer);
    auto const head = [](std::string_view path) { return "HEAD " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n\r\n"; };
    std::string const heard = talk(context, server.port(), head("/") + head("/known") + get("/known") + "nonsense\r\n\r\n");
    CHECK(has(heard, "Content-Length: 4\r\n"));
    CHECK(has(heard, "Content-Length: 1000\r\n"));
    CHECK(has(heard, "Content-Length: 0\r\n")); // what a handler says of a body that is there does not count
    CHECK_FALSE(has(heard, "four"));
    CHECK(heard.ends_with("}"));
}

TEST_CASE("session: ten thousand requests at once are answered in order, with little memory for those that wait")
{
    asio::io_context context(1);
    int begun = 0;
    auto const number = [&](http::request& r) -> asio::awaitable<http::response> {
        ++begun;
        co_return http::response(http::status::ok, std::string(r.path()));
    };
    http::server server(context.get_executor(), number);
    auto const ask = [](raw_client& c) -> asio::awaitable<std::string> {
        asio::co_spawn(
            c.socket().get_executor(),
            [](raw_client& to) -> asio::awaitable<void> {
                std::string all;
                for (int i = 0; i < 10'000; ++i) all += get("/" + std::to_string(i));
                co_await to.send(all);
                to.end_output();
            }(c),
            asio::detached);
        co_return co_await c.receive();
    };
    raw_client client(context, server.port());
    std::string const heard = run(context, ask(client));
    CHECK(begun == 10'000);
    std::size_t at = 0;
    bool in_order = true;
    for (int i = 0; i < 10'000 && in_order; ++i) {
        at = heard.find("\r\n\r\n/" + std::to_string(i) + (i < 9'999 ? "HTTP" : ""), at);
        in_order = at != std::string::npos;
    }
    CHECK(in_order);
}
