// SPDX-License-Identifier: BSL-1.0
#include <weir/http/client.hpp>

#include "loopback.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using weir_tests::run;
namespace asio = boost::asio;
namespace http = weir::http;

namespace {

/// Accepts connections and plays one script for each: an element for each request, sent when its head has come. A connection is
/// closed behind its last element.
struct scripted {
    using script = std::vector<std::string>;

    asio::io_context context{1};
    asio::ip::tcp::acceptor acceptor{context, {asio::ip::address_v4::loopback(), 0}};
    http::upstream to{"127.0.0.1", acceptor.local_endpoint().port()};
    std::string heard;
    int connections = 0;

    explicit scripted(std::vector<script> scripts)
    {
        asio::co_spawn(context, play(*this, std::move(scripts)), [](std::exception_ptr) {});
    }

    static asio::awaitable<void> play(scripted& s, std::vector<script> scripts)
    {
        for (auto const& answers : scripts) {
            auto socket = co_await s.acceptor.async_accept(asio::use_awaitable);
            ++s.connections;
            char bytes[4096];
            boost::system::error_code failed;
            for (auto const& answer : answers) {
                std::string head;
                while (!failed && head.find("\r\n\r\n") == std::string::npos) {
                    head.append(bytes,
                                co_await socket.async_read_some(asio::buffer(bytes), asio::redirect_error(asio::use_awaitable, failed)));
                }
                if (failed) break;
                s.heard += head;
                if (answer == "never")
                    co_await socket.async_read_some(asio::buffer(bytes), asio::redirect_error(asio::use_awaitable, failed));
                for (std::size_t at = 0; at < answer.size() && answer != "never"; at += 7) { // in pieces
                    auto const piece = answer.substr(at, 7);
                    co_await socket.async_write_some(asio::buffer(piece), asio::redirect_error(asio::use_awaitable, failed));
                }
            }
        }
    }
    weir::result<http::response> send(http::client& client, http::request const& r) { return run(context, client.send(to, r)); }
};

std::string ok(std::string_view body, std::string_view fields = "")
{
    return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + std::string(fields) + "\r\n" + std::string(body);
}

} // namespace

TEST_CASE("client: a request gets its response, and the next one the same connection")
{
    scripted s({{ok("one"), ok("two", "X-Name: v\r\n")}});
    http::client client(s.context.get_executor());
    http::request r("POST", "/path?q", "body");
    r.set("X-Mine", "1");
    CHECK(s.send(client, r)->body() == "one");
    auto const second = s.send(client, http::request("GET", "/"));
    REQUIRE(second.has_value());
    CHECK(second->body() == "two");
    CHECK(weir::header(*second, "x-name") == "v");
    CHECK(s.connections == 1);
    CHECK(client.open(s.to) == 1);
    CHECK(s.heard.find("POST /path?q HTTP/1.1\r\nHost: " + s.to.name() + "\r\n") == 0);
    CHECK(s.heard.find("X-Mine: 1\r\n") != std::string::npos);
    CHECK(s.heard.find("Content-Length: 4\r\n") != std::string::npos);
    client.close_idle();
    CHECK(client.open(s.to) == 0);
}

TEST_CASE("client: chunked, close-delimited, empty and interim responses")
{
    scripted s(
        {{"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: "
          "chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
          "HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\nuntil the end"}});
    http::client client(s.context.get_executor());
    CHECK(s.send(client, http::request("GET", "/"))->body() == "abc");
    CHECK(s.send(client, http::request("GET", "/"))->result_int() == 204);
    CHECK(s.send(client, http::request("HEAD", "/"))->body().empty());
    CHECK(s.send(client, http::request("GET", "/"))->body() == "until the end");
    CHECK(s.connections == 1);
    CHECK(client.open(s.to) == 0);
}

TEST_CASE("client: a connection is not kept when either side ends it")
{
    scripted s({{ok("a", "Connection: close\r\n")}, {"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nb"}, {ok("c") + "more"}, {ok("d")}});
    http::client client(s.context.get_executor());
    for (char const* body : {"a", "b", "c", "d"}) CHECK(s.send(client, http::request("POST", "/"))->body() == body);
    CHECK(s.connections == 4);
}

TEST_CASE("client: a kept connection that has ended is replaced once, for idempotent methods")
{
    scripted s({{ok("a")}, {ok("b")}, {ok("c")}});
    http::client client(s.context.get_executor());
    CHECK(s.send(client, http::request("GET", "/"))->body() == "a");
    CHECK(s.send(client, http::request("GET", "/"))->body() == "b");  // the first connection has ended behind its script
    CHECK(s.send(client, http::request("POST", "/"))->body() == "c"); // seen before anything was sent
    CHECK(s.connections == 3);
}

TEST_CASE("client: nothing is sent twice when the upstream ends a new connection, or has begun to answer")
{
    scripted s({{""}, {ok("a"), "HTTP/1.1 200 OK\r\nContent-Le"}, {ok("never reached")}});
    http::client client(s.context.get_executor());
    CHECK(s.send(client, http::request("GET", "/")).error() == weir::errc::upstream_failed);
    CHECK(s.connections == 1);
    CHECK(s.send(client, http::request("GET", "/"))->body() == "a");
    CHECK(s.send(client, http::request("GET", "/")).error() == weir::errc::upstream_failed);
    CHECK(s.connections == 2);
    CHECK(client.open(s.to) == 0);
}

TEST_CASE("client: what is no response, or too large, is a failure of the upstream")
{
    std::string const cases[] = {"nonsense\r\n\r\n",
                                 "HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n" + std::string(1001, 'x'),
                                 "HTTP/1.1 200 OK\r\nX: " + std::string(2000, 'x') + "\r\n\r\n",
                                 "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                                 "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
                                 "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc"};
    for (auto const& answer : cases) {
        CAPTURE(answer);
        scripted s({{answer}});
        http::client client(s.context.get_executor(), {.header_bytes = 1'000, .body_bytes = 1'000});
        auto const got = s.send(client, http::request("GET", "/"));
        REQUIRE(got.has_error());
        CHECK(got.error() == weir::errc::upstream_failed);
        CHECK(client.open(s.to) == 0);
    }
}

TEST_CASE("client: where nobody listens, or no address is found, it says unavailable")
{
    asio::io_context context;
    http::client client(context.get_executor());
    http::request const r("GET", "/");
    http::upstream const nobody("127.0.0.1", 1);
    CHECK(run(context, client.send(nobody, r)).error() == weir::errc::unavailable);
    CHECK(client.open(nobody) == 0);
}

TEST_CASE("client: what would be another request is not sent")
{
    scripted s({{ok("a")}});
    http::client client(s.context.get_executor());
    http::request r("GET", "/");
    r.set("X-Name", "a\r\nX-Other: b");
    CHECK(s.send(client, r).error() == weir::errc::invalid_request);
    CHECK(s.send(client, http::request("GET", "/a b")).error() == weir::errc::invalid_request);
    CHECK(s.send(client, http::request("GE T", "/")).error() == weir::errc::invalid_request);
    CHECK(s.heard.empty());
}

TEST_CASE("client: no more connections than it may have")
{
    scripted s({{"never"}});
    http::client client(s.context.get_executor(), {.connections_per_upstream = 1, .upstreams = 1});
    http::request const r("GET", "/");
    asio::co_spawn(s.context, client.send(s.to, r), [](std::exception_ptr, weir::result<http::response>) {});
    auto const second = [&]() -> asio::awaitable<weir::result<http::response>> {
        while (s.heard.empty()) co_await asio::post(s.context, asio::use_awaitable);
        co_return co_await client.send(s.to, r);
    };
    CHECK(run(s.context, second()).error() == weir::errc::overloaded);
    http::upstream const other("127.0.0.1", 1);
    CHECK(run(s.context, client.send(other, r)).error() == weir::errc::overloaded);
}

TEST_CASE("client: cancellation of the coroutine, or of a slot that is given, closes the connection")
{
    for (bool const given : {false, true}) {
        CAPTURE(given);
        scripted s({{"never"}});
        http::client client(s.context.get_executor());
        http::request const r("GET", "/");
        asio::cancellation_signal signal;
        std::optional<weir::result<http::response>> got;
        auto const done = [&](std::exception_ptr, weir::result<http::response> made) { got.emplace(std::move(made)); };
        if (given) {
            asio::co_spawn(s.context, client.send(s.to, r, signal.slot()), done);
        } else {
            asio::co_spawn(s.context, client.send(s.to, r), asio::bind_cancellation_slot(signal.slot(), done));
        }
        auto const cancel = [&]() -> asio::awaitable<bool> {
            while (s.heard.empty()) co_await asio::post(s.context, asio::use_awaitable);
            CHECK(client.open(s.to) == 1);
            signal.emit(asio::cancellation_type::terminal);
            while (!got) co_await asio::post(s.context, asio::use_awaitable);
            co_return true;
        };
        CHECK(run(s.context, cancel()));
        REQUIRE(got.has_value());
        CHECK(got->error() == weir::errc::cancelled);
        CHECK(client.open(s.to) == 0);
    }
}

TEST_CASE("client: may go while a request is under way")
{
    scripted s({{ok("a")}});
    http::request const r("GET", "/");
    std::optional<weir::result<http::response>> got;
    {
        http::client client(s.context.get_executor());
        asio::co_spawn(s.context, client.send(s.to, r),
                       [&](std::exception_ptr, weir::result<http::response> made) { got.emplace(std::move(made)); });
        s.context.run_one_for(1s);
    }
    s.context.run_for(20s);
    REQUIRE(got.has_value());
    CHECK((*got)->body() == "a");
}

TEST_CASE("client: idle connections grow old")
{
    scripted s({{ok("a"), ok("not asked")}, {ok("b")}});
    http::client client(s.context.get_executor(), {.idle_time = 0s});
    CHECK(s.send(client, http::request("GET", "/"))->body() == "a");
    CHECK(s.send(client, http::request("GET", "/"))->body() == "b");
    CHECK(client.open(s.to) == 1);
}

TEST_CASE("client: names of upstreams are those of Host fields, bad options are refused")
{
    CHECK(http::upstream("example.com").name() == "example.com");
    CHECK(http::upstream("::1", 8080).name() == "[::1]:8080");
    asio::io_context context;
    CHECK_THROWS_AS(http::client(context.get_executor(), {.connections_per_upstream = 0}), std::invalid_argument);
}
