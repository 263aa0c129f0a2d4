// SPDX-License-Identifier: BSL-1.0
#include <weir/http/server.hpp>

#include "gunicorn.hpp"
#include "loopback.hpp"
#include "vectors.hpp"

#include <boost/asio/steady_timer.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <csignal>
#include <stdexcept>
#include <string>
#include <thread>

using namespace std::chrono_literals;
using namespace std::string_literals;
using weir_tests::raw_client;
using weir_tests::run;
using weir_tests::talk;
namespace asio = boost::asio;
namespace http = weir::http;

namespace {

/// Says back what it was asked; some paths do something else.
asio::awaitable<http::response> echo(http::request& r)
{
    if (r.path() == "/throws") throw std::runtime_error("secret");
    if (r.path() == "/refuses") weir::result<int>(weir::errc::overloaded).value();
    if (r.path() == "/none") co_return http::response(http::status::no_content, "never seen");
    if (r.path() == "/continue") co_return http::response(http::status::continue_);
    if (r.path() == "/splits") {
        http::response split(http::status::ok, "x");
        split.set("X-Name", "a\r\nX-Other: b");
        co_return split;
    }
    if (r.path() == "/waits") {
        asio::steady_timer timer(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
        co_await timer.async_wait(asio::use_awaitable);
    }
    std::string said(weir::method(r));
    said.append(" ").append(weir::target(r)).append(" ").append(weir::body(r)).append("\n");
    co_return http::response(http::status::ok, std::move(said));
}

struct served {
    asio::io_context context{1};
    http::server server;

    explicit served(http::server_options const& o = {}) : server(context.get_executor(), &echo, o) {}
    std::string say(std::string_view stream) { return talk(context, server.port(), stream); }
    bool finish()
    {
        server.drain();
        context.restart();
        context.run_for(20s);
        return context.stopped();
    }
};

std::size_t count(std::string_view text, std::string_view part)
{
    std::size_t n = 0;
    for (auto at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) ++n;
    return n;
}

bool has(std::string_view text, std::string_view part)
{
    return text.find(part) != std::string_view::npos;
}

std::string get(std::string_view path, std::string_view fields = "")
{
    return "GET " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n" + std::string(fields) + "\r\n";
}

} // namespace

TEST_CASE("server: requests of one connection are answered in order, pipelined or not")
{
    served s;
    std::string stream;
    for (int i = 0; i < 50; ++i) stream += get("/" + std::to_string(i));
    std::string const answer = s.say(stream);
    CHECK(count(answer, "HTTP/1.1 200 OK\r\n") == 50);
    std::size_t at = 0;
    for (int i = 0; i < 50; ++i) {
        auto const found = answer.find("GET /" + std::to_string(i) + " \n", at);
        REQUIRE(found != std::string::npos);
        at = found;
    }
    CHECK(count(answer, "\r\nDate: ") == 50);
    CHECK(count(answer, "\r\nContent-Length: ") == 50);
    CHECK_FALSE(has(answer, "Connection:"));
    CHECK(s.server.stats().requests == 50);
    CHECK(s.finish());
    CHECK(s.server.stats().open == 0);
}

TEST_CASE("server: the date is one of RFC 9110")
{
    served s;
    std::string const answer = s.say(get("/"));
    auto const at = answer.find("Date: ");
    REQUIRE(at != std::string::npos);
    std::string const date = answer.substr(at + 6, answer.find("\r\n", at) - at - 6);
    CHECK(date.size() == 29);
    CHECK(date.substr(3, 2) == ", ");
    CHECK(date.substr(7, 1) == " ");
    CHECK(date.substr(25) == " GMT");
}

TEST_CASE("server: bodies by length, in chunks, and in single bytes reach the handler")
{
    served s;
    std::string const stream =
        "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
        "POST /b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nwo\r\n3;x=y\r\nrld\r\n0\r\nT: v\r\n\r\n";
    std::string const wanted = "POST /a hello\n";
    std::string const answer = s.say(stream);
    CHECK(has(answer, "POST /a hello\n"));
    CHECK(has(answer, "POST /b world\n"));
    raw_client client(s.context, s.server.port());
    auto const slowly = [&](raw_client& c) -> asio::awaitable<std::string> {
        c.socket().set_option(asio::ip::tcp::no_delay(true));
        for (char b : stream) co_await c.send({&b, 1});
        c.end_output();
        co_return co_await c.receive();
    };
    std::string const bytewise = run(s.context, slowly(client));
    CHECK(has(bytewise, "POST /a hello\n"));
    CHECK(has(bytewise, "POST /b world\n"));
    std::string const large(900'000, 'x');
    CHECK(has(s.say("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n" + large), large));
}

TEST_CASE("server: a connection is kept as its client asks")
{
    served s({.requests_per_connection = 3});
    CHECK(has(s.say(get("/", "Connection: close\r\n") + get("/late")), "Connection: close\r\n"));
    CHECK_FALSE(has(s.say(get("/", "Connection: close\r\n") + get("/late")), "/late"));
    std::string const old = s.say("GET /1 HTTP/1.0\r\n\r\nGET /2 HTTP/1.0\r\n\r\n");
    CHECK(has(old, "GET /1"));
    CHECK_FALSE(has(old, "GET /2"));
    std::string const kept = s.say("GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /2 HTTP/1.0\r\n\r\n");
    CHECK(has(kept, "Connection: keep-alive\r\n"));
    CHECK(has(kept, "GET /2"));
    CHECK(count(s.say(get("/1") + get("/2") + get("/3") + get("/4")), "200 OK") == 3);
    CHECK(count(s.say("CONNECT h:1 HTTP/1.1\r\nHost: h:1\r\n\r\n" + get("/2")), "HTTP/1.1") == 1);
}

TEST_CASE("server: HEAD and 204 come without a body")
{
    served s;
    std::string const head = s.say("HEAD /abc HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(has(head, "Content-Length: 11\r\n"));
    CHECK(head.ends_with("\r\n\r\n"));
    std::string const none = s.say(get("/none") + get("/next"));
    CHECK(has(none, "204 No Content\r\n"));
    CHECK_FALSE(has(none, "never seen"));
    CHECK(count(none, "Content-Length") == 1);
    CHECK(has(none, "GET /next"));
}

TEST_CASE("server: who expects 100-continue gets it before the body, and not if the body is there or refused")
{
    served s;
    raw_client client(s.context, s.server.port());
    auto const ask = [](raw_client& c) -> asio::awaitable<std::string> {
        co_await c.send("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
        std::string heard = co_await c.receive("\r\n\r\n");
        co_await c.send("ab");
        heard += co_await c.receive("\n");
        c.end_output();
        heard += co_await c.receive();
        co_return heard;
    };
    std::string const heard = run(s.context, ask(client));
    CHECK(heard.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"));
    CHECK(heard.ends_with("POST / ab\n"));
    CHECK_FALSE(has(s.say("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nab"), "100 Continue"));
    CHECK(s.say("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2000000\r\n\r\n").starts_with("HTTP/1.1 413 "));
}

TEST_CASE("server: what is refused is answered as a problem and the connection closed")
{
    served s({.limits = {.line_bytes = 100, .header_bytes = 400, .fields = 5, .body_bytes = 10}});
    std::string many;
    for (int i = 0; i < 6; ++i) many += "A: b\r\n";
    std::string const cases[][2] = {
        {"GET / HTTP/1.1\r\n\r\n", "400"},
        {get("/", "Content-Length: 5, 5\r\n"), "400"},
        {get("/", "Name : v\r\n"), "400"},
        {get("/" + std::string(100, 'a')), "414"},
        {get("/", "A: " + std::string(400, 'a') + "\r\n"), "431"},
        {get("/", many), "431"},
        {get("/", "Content-Length: 11\r\n") + std::string(11, 'x'), "413"},
        {get("/", "Transfer-Encoding: chunked\r\n") + "b\r\n12345678901\r\n0\r\n\r\n", "413"},
        {get("/", "Transfer-Encoding: gzip, chunked\r\n"), "501"},
        {"GET / HTTP/2.0\r\n\r\n", "505"},
    };
    for (auto const& [stream, status] : cases) {
        CAPTURE(stream);
        std::string const answer = s.say(get("/before") + stream + get("/after"));
        CHECK(has(answer, "GET /before"));
        CHECK(has(answer, "HTTP/1.1 " + status + " "));
        CHECK(has(answer, "Content-Type: application/problem+json\r\n"));
        CHECK(has(answer, "Connection: close\r\n"));
        CHECK(has(answer, "\"status\":" + status));
        CHECK_FALSE(has(answer, "GET /after"));
    }
    CHECK(s.server.stats().refused == std::size(cases));
}

TEST_CASE("server: a request that its client did not finish is not handled")
{
    served s;
    CHECK(s.say("GET / HTTP/1.1\r\nHost: x\r\n").empty());
    CHECK(s.say(get("/", "Content-Length: 5\r\n") + "abc").empty());
    CHECK(s.say("").empty());
    CHECK(s.server.stats().requests == 0);
}

TEST_CASE("server: what a handler throws is a problem that shows nothing of the inside, and the connection stays")
{
    served s;
    std::string const answer = s.say(get("/throws") + get("/refuses") + get("/continue") + get("/after"));
    CHECK(count(answer, "HTTP/1.1 500 ") == 2);
    CHECK(has(answer, "HTTP/1.1 503 "));
    CHECK(has(answer, "\"code\":\"overloaded\""));
    CHECK(has(answer, "GET /after"));
    CHECK_FALSE(has(answer, "secret"));
    CHECK(s.server.stats().threw == 3);
}

TEST_CASE("server: a field with a line end in it is not sent")
{
    served s;
    std::string const answer = s.say(get("/splits"));
    CHECK(has(answer, "HTTP/1.1 500 "));
    CHECK_FALSE(has(answer, "X-Other"));
}

TEST_CASE("server: idle clients are ended, slow ones are told first")
{
    served s({.idle_time = 40ms, .header_time = 40ms, .body_time = 40ms});
    auto const wait = [](raw_client& c, std::string_view start) -> asio::awaitable<std::string> {
        co_await c.send(start);
        co_return co_await c.receive();
    };
    for (std::string const start : {"", "\r\n"}) {
        raw_client client(s.context, s.server.port());
        CHECK(run(s.context, wait(client, start)).empty());
    }
    for (auto const& [start, told] :
         {std::pair{"GET / HT", "the header did not come in time"},
          {"GET / HTTP/1.1\r\nHost: x\r\nA", "the header did not come in time"},
          {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab", "the body did not come in time"},
          {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2", "the body did not come in time"}}) {
        CAPTURE(start);
        raw_client client(s.context, s.server.port());
        std::string const answer = run(s.context, wait(client, start));
        CHECK(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"));
        CHECK(has(answer, "Connection: close\r\n"));
        CHECK(has(answer, "Content-Type: application/problem+json\r\n"));
        CHECK(has(answer, told));
    }
    raw_client kept(s.context, s.server.port());
    std::string const once = get("/once");
    std::string const answer = run(s.context, wait(kept, once));
    CHECK(has(answer, "GET /once"));
    CHECK_FALSE(has(answer, "408"));
    CHECK(s.server.stats().timed_out == 7);
    CHECK(s.server.stats().refused == 0);
}

TEST_CASE("server: no more connections than it may have, the next waits for one to end")
{
    served s({.connections = 1});
    raw_client first(s.context, s.server.port());
    raw_client second(s.context, s.server.port());
    auto const both = [](raw_client& a, raw_client& b) -> asio::awaitable<std::string> {
        co_await b.send(get("/b"));
        co_await a.send(get("/a"));
        std::string heard = co_await a.receive("\n");
        a.socket().close();
        heard += co_await b.receive("\n");
        co_return heard;
    };
    std::string const heard = run(s.context, both(first, second));
    CHECK(heard.find("GET /a") < heard.find("GET /b"));
    CHECK(has(heard, "GET /b"));
    CHECK(s.server.stats().open == 1);
}

TEST_CASE("server: no more connections of an address than it may have, one more is closed at once")
{
    served s({.connections_per_address = 2});
    auto const talks = [&]() -> asio::awaitable<std::string> {
        raw_client first(s.context, s.server.port());
        co_await first.send(get("/1"));
        std::string heard = co_await first.receive("\n");
        raw_client second(s.context, s.server.port());
        co_await second.send(get("/2"));
        heard += co_await second.receive("\n");
        raw_client third(s.context, s.server.port());
        heard += "[" + co_await third.receive() + "]";
        first.socket().close();
        while (s.server.stats().open == 2) co_await asio::post(s.context, asio::use_awaitable);
        raw_client fourth(s.context, s.server.port());
        co_await fourth.send(get("/4"));
        heard += co_await fourth.receive("\n");
        co_return heard;
    };
    std::string const heard = run(s.context, talks());
    CHECK(has(heard, "GET /2 \n[]HTTP/1.1 200 OK\r\n"));
    CHECK(heard.ends_with("GET /4 \n"));
    CHECK(s.server.stats().shed == 1);
    CHECK_THROWS_AS(served({.connections_per_address = 0}), std::invalid_argument);
}

TEST_CASE("server: a drain waits for work that outlives the requests, and cancels it when its time is up")
{
    for (bool const ends : {true, false}) {
        CAPTURE(ends);
        served s({.idle_time = 40ms, .drain_time = ends ? 60'000ms : 40ms});
        asio::steady_timer work(s.context, asio::steady_timer::time_point::max());
        bool begun = false, cancelled = false;
        s.server.drain_after([&]() -> asio::awaitable<void> {
            begun = true;
            boost::system::error_code failed;
            co_await work.async_wait(asio::redirect_error(asio::use_awaitable, failed));
            asio::cancellation_state const state = co_await asio::this_coro::cancellation_state;
            cancelled = state.cancelled() == asio::cancellation_type::terminal;
        });
        raw_client busy(s.context, s.server.port());
        auto const talks = [&]() -> asio::awaitable<bool> {
            co_await busy.send("GET /begun HTTP/1.1\r\n");
            while (s.server.stats().open < 1) co_await asio::post(s.context, asio::use_awaitable);
            for (int i = 0; i < 100; ++i) co_await asio::post(s.context, asio::use_awaitable);
            s.server.drain();
            for (int i = 0; i < 100; ++i) co_await asio::post(s.context, asio::use_awaitable);
            CHECK_FALSE(begun); // a request has begun, and comes first
            co_await busy.send("Host: x\r\n\r\n");
            CHECK(has(co_await busy.receive("\n"), "GET /begun"));
            busy.socket().close();
            while (!begun) co_await asio::post(s.context, asio::use_awaitable);
            co_return true;
        };
        CHECK(run(s.context, talks()));
        if (ends) work.cancel();
        s.context.restart();
        s.context.run_for(20s);
        CHECK(s.context.stopped());
        CHECK(cancelled == !ends);
    }
}

TEST_CASE("server: a drain ends idle connections, lets requests end, and cancels those that do not")
{
    served s({.drain_time = 50ms});
    raw_client idle(s.context, s.server.port());
    raw_client begun(s.context, s.server.port());
    raw_client stuck(s.context, s.server.port());
    auto const talks = [&]() -> asio::awaitable<std::string> {
        co_await idle.send(get("/idle"));
        std::string heard = co_await idle.receive("\n");
        co_await stuck.send(get("/waits"));
        co_await begun.send("GET /begun HTTP/1.1\r\n");
        while (s.server.stats().requests < 2) co_await asio::post(s.context, asio::use_awaitable);
        for (int i = 0; i < 100; ++i) co_await asio::post(s.context, asio::use_awaitable);
        s.server.drain();
        heard += "[" + co_await idle.receive() + "]";
        co_await begun.send("Host: x\r\n\r\n");
        heard += co_await begun.receive("\n");
        begun.end_output();
        heard += "[" + co_await begun.receive() + "]";
        heard += "[" + co_await stuck.receive() + "]";
        co_return heard;
    };
    std::string const heard = run(s.context, talks());
    CHECK(has(heard, "GET /idle \n[]"));
    CHECK(has(heard, "Connection: close\r\n\r\nGET /begun \n[]"));
    CHECK(heard.ends_with("[][]"));
    CHECK(s.finish());
    CHECK(s.server.stats().open == 0);
    boost::system::error_code refused;
    asio::ip::tcp::socket late(s.context);
    late.connect({asio::ip::address_v4::loopback(), s.server.port()}, refused);
    CHECK(refused);
}

TEST_CASE("server: a signal drains it")
{
    served s;
    s.server.drain_on({SIGTERM});
    CHECK(has(s.say(get("/")), "200 OK"));
    std::raise(SIGTERM);
    s.context.restart();
    s.context.run_for(20s);
    CHECK(s.context.stopped());
}

TEST_CASE("server: another thread may read its counters and drain it")
{
    served s;
    std::thread runs([&] { s.context.run(); });
    asio::io_context mine;
    CHECK(has(talk(mine, s.server.port(), get("/from another thread")), "HTTP/1.1 400"));
    CHECK(has(talk(mine, s.server.port(), get("/other")), "GET /other"));
    CHECK(s.server.stats().requests == 1);
    s.server.drain();
    runs.join();
    CHECK(s.server.stats().open == 0);
}

TEST_CASE("server: may go before its context, with requests running")
{
    asio::io_context context;
    auto server = std::make_unique<http::server>(context.get_executor(), &echo);
    raw_client stuck(context, server->port());
    auto const talks = [&]() -> asio::awaitable<std::string> {
        co_await stuck.send(get("/waits"));
        while (server->stats().requests < 1) co_await asio::post(context, asio::use_awaitable);
        server.reset();
        co_return co_await stuck.receive();
    };
    CHECK(run(context, talks()).empty());
}

TEST_CASE("server: a context may go with requests running")
{
    served s;
    raw_client stuck(s.context, s.server.port());
    auto const talks = [&]() -> asio::awaitable<bool> {
        co_await stuck.send(get("/waits"));
        while (s.server.stats().requests < 1) co_await asio::post(s.context, asio::use_awaitable);
        co_return true;
    };
    CHECK(run(s.context, talks()));
}

TEST_CASE("server: bad options and a taken port are told at once")
{
    CHECK_THROWS_AS(served({.connections = 0}), std::invalid_argument);
    CHECK_THROWS_AS(served({.idle_time = 0s}), std::invalid_argument);
    CHECK_THROWS_AS(served({.address = "nowhere"}), boost::system::system_error);
    served s;
    CHECK_THROWS_AS(served({.port = s.server.port()}), boost::system::system_error);
}

TEST_CASE("server: two may share a port")
{
    served first({.reuse_port = true});
    served second({.port = first.server.port(), .reuse_port = true});
    CHECK(first.server.port() == second.server.port());
}

TEST_CASE("server: an address that cannot be had is named")
{
    asio::io_context context;
    asio::ip::tcp::acceptor const holder(context, {asio::ip::address_v4::loopback(), 0});
    std::uint16_t const taken = holder.local_endpoint().port();
    std::string said;
    try {
        http::server const second(context.get_executor(), nullptr, {.port = taken});
    } catch (boost::system::system_error const& e) {
        said = e.what();
        CHECK(e.code() == boost::system::errc::address_in_use);
    }
    CHECK(said.starts_with("cannot listen on 127.0.0.1:" + std::to_string(taken) + ": "));
}

TEST_CASE("server: of gunicorn's requests it handles what is valid and nothing that is invalid")
{
    namespace gunicorn = weir_tests::gunicorn;
    auto const invalid = weir_tests::vectors("gunicorn-http/invalid");
    if (invalid.empty()) MESSAGE("skipped: no vectors here, set WEIR_VECTORS");
    for (auto const& [name, text] : invalid) {
        if (name == gunicorn::stands_in_both) continue;
        CAPTURE(name);
        auto const limits = gunicorn::beyond_limits.find(name);
        served s({.limits = limits == gunicorn::beyond_limits.end() ? http::framing_limits{} : limits->second});
        std::string const answer = s.say(weir_tests::unescape(text));
        CHECK(s.server.stats().requests == 0);
        CHECK((answer.empty() || answer.starts_with("HTTP/1.1 4") || answer.starts_with("HTTP/1.1 5")));
    }
    served s({.limits = {.line_bytes = 20'000, .fields = 200}});
    for (auto const& [name, text] : weir_tests::vectors("gunicorn-http/valid")) {
        if (gunicorn::refused_though_valid.contains(name)) continue;
        CAPTURE(name);
        CHECK(s.say(weir_tests::unescape(text)).starts_with("HTTP/1.1 200 OK"));
    }
    CHECK(s.server.stats().refused == 0);
}
