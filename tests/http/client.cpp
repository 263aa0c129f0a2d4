// SPDX-License-Identifier: BSL-1.0
#include <weir/http/client.hpp>

#include "scripted.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using weir_tests::ok;
using weir_tests::run;
using weir_tests::scripted;
namespace asio = boost::asio;
namespace http = weir::http;

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
    http::client client(s.context.get_executor(), {.connections_per_upstream = 1, .upstreams = 1, .waiting = 0});
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
    CHECK(client.open(s.to) == 0);
}

namespace {

/// Requests under way, and what became of them, in that order.
struct started {
    scripted& s;
    http::client& client;
    std::vector<std::string> ended{};
    http::request const get{"GET", "/"};

    void go(std::string name, asio::cancellation_slot slot = {})
    {
        asio::co_spawn(s.context, client.send(s.to, get, slot), [this, name](std::exception_ptr, weir::result<http::response> came) {
            ended.push_back(name + " " + (came ? came->body() : std::string(weir::to_string(came.error().kind()))));
        });
    }
    /// Runs until so many have ended.
    void run_to(std::size_t count)
    {
        auto const last = std::chrono::steady_clock::now() + 20s;
        s.context.restart();
        while (ended.size() < count && s.context.run_one_until(last) > 0) {}
        REQUIRE(ended.size() == count);
    }
};

/// Runs the context until it is so.
template<class F>
void run_until(asio::io_context& context, F const& so)
{
    auto const last = std::chrono::steady_clock::now() + 20s;
    context.restart();
    while (!so() && context.run_one_until(last) > 0) {}
    REQUIRE(so());
}

http::look_up_function finds(http::endpoints all)
{
    return [all](http::upstream const&) -> asio::awaitable<weir::result<http::endpoints>> {
        return [](http::endpoints e) -> asio::awaitable<weir::result<http::endpoints>> { co_return e; }(all);
    };
}

asio::awaitable<weir::result<http::endpoints>> never_found(http::upstream)
{
    asio::steady_timer timer(co_await asio::this_coro::executor, weir::never);
    co_await timer.async_wait(asio::use_awaitable);
    co_return http::endpoints{};
}

} // namespace

TEST_CASE("client: requests beyond the connections wait in line, and those beyond the line are refused")
{
    scripted s({{ok("a"), ok("b"), ok("c")}});
    http::client client(s.context.get_executor(), {.connections_per_upstream = 1, .waiting = 2});
    started all{s, client};
    for (char const* name : {"first", "second", "third", "fourth"}) all.go(name);
    all.run_to(4);
    CHECK(all.ended == std::vector<std::string>{"fourth overloaded", "first a", "second b", "third c"});
    CHECK(s.connections == 1);
    auto const stats = client.stats();
    CHECK(stats.requests == 4);
    CHECK(stats.failed == 1);
    CHECK(stats.refused == 1);
    CHECK(stats.waited == 2);
    CHECK(stats.opened == 1);
    CHECK(stats.open == 1);
    CHECK(stats.idle == 1);
    CHECK(stats.waiting == 0);
}

TEST_CASE("client: who waits and is cancelled, or for too long, leaves the line to the others")
{
    scripted s({{ok("a"), ok("b")}});
    http::client client(s.context.get_executor(), {.connections_per_upstream = 1});
    started all{s, client};
    asio::cancellation_signal signal;
    all.go("first");
    all.go("second", signal.slot());
    all.go("third");
    run_until(s.context, [&] { return client.stats().waiting == 2; });
    signal.emit(asio::cancellation_type::terminal);
    all.run_to(3);
    CHECK(all.ended == std::vector<std::string>{"second cancelled", "first a", "third b"});

    scripted slow({{"never"}});
    http::client impatient(slow.context.get_executor(), {.connections_per_upstream = 1, .wait_time = 20ms});
    started some{slow, impatient};
    some.go("first");
    some.go("second");
    some.run_to(1);
    CHECK(some.ended.front() == "second overloaded");
    CHECK(impatient.stats().waiting == 0);
}

TEST_CASE("client: a connection that fails makes room for who waits")
{
    scripted s({{""}, {ok("b")}});
    http::client client(s.context.get_executor(), {.connections_per_upstream = 1});
    started all{s, client};
    all.go("first");
    all.go("second");
    all.run_to(2);
    CHECK(all.ended == std::vector<std::string>{"first upstream_failed", "second b"});
}

TEST_CASE("client: the connections of all upstreams are bounded together")
{
    scripted s({{ok("a")}, {ok("b")}, {ok("c")}});
    scripted other({{ok("x")}});
    http::client client(s.context.get_executor(), {.connections = 1});
    CHECK(s.send(client, http::request("GET", "/"))->body() == "a");
    CHECK(client.stats().idle == 1);
    // The idle connection of the first gives way to one of the second.
    http::request const r("GET", "/");
    std::optional<weir::result<http::response>> got;
    asio::co_spawn(s.context, client.send(other.to, r), [&](std::exception_ptr, weir::result<http::response> made) { got.emplace(made); });
    std::thread serving([&] { other.context.run_for(20s); });
    run_until(s.context, [&] { return got.has_value(); });
    other.context.stop();
    serving.join();
    CHECK((*got)->body() == "x");
    CHECK(client.open(s.to) == 0);
    CHECK(client.open(other.to) == 1);

    // One in use does not: the request waits until it comes back, and has its place then.
    scripted stuck({{"never"}});
    http::client full(s.context.get_executor(), {.connections = 1});
    asio::cancellation_signal signal;
    asio::co_spawn(s.context, full.send(stuck.to, r, signal.slot()), [](std::exception_ptr, weir::result<http::response>) {});
    run_until(s.context, [&] { return full.stats().opened == 1; });
    started all{s, full};
    all.go("waits");
    run_until(s.context, [&] { return full.stats().waiting == 1; });
    signal.emit(asio::cancellation_type::terminal);
    all.run_to(1);
    CHECK(all.ended.front() == "waits b");
}

TEST_CASE("client: an upstream without requests under way gives its pool to another")
{
    scripted s({{ok("a")}});
    scripted other({{ok("x")}});
    http::client client(s.context.get_executor(), {.upstreams = 1});
    CHECK(s.send(client, http::request("GET", "/"))->body() == "a");
    http::request const r("GET", "/");
    http::upstream const nobody("127.0.0.1", 1);
    CHECK(run(s.context, client.send(nobody, r)).error() == weir::errc::unavailable);
    CHECK(client.open(s.to) == 0);
}

TEST_CASE("client: a connection serves so many requests, and gets so old")
{
    scripted s({{ok("a"), ok("b"), ok("never asked")}, {ok("c")}});
    http::client client(s.context.get_executor(), {.requests_per_connection = 2});
    for (char const* body : {"a", "b", "c"}) CHECK(s.send(client, http::request("GET", "/"))->body() == body);
    CHECK(s.connections == 2);
    scripted young({{ok("a"), ok("never asked")}, {ok("b")}});
    http::client fresh(young.context.get_executor(), {.age = 0s});
    for (char const* body : {"a", "b"}) CHECK(young.send(fresh, http::request("GET", "/"))->body() == body);
}

TEST_CASE("client: an idle connection is closed when its time is up, without being asked")
{
    scripted s({{ok("a"), ok("b"), ok("never asked")}});
    http::client client(s.context.get_executor(), {.idle_time = 200ms});
    CHECK(s.send(client, http::request("GET", "/"))->body() == "a");
    CHECK(s.send(client, http::request("GET", "/"))->body() == "b");
    CHECK(client.open(s.to) == 1);
    run_until(s.context, [&] { return client.open(s.to) == 0; });
    CHECK(client.stats().idle == 0);
}

TEST_CASE("client: what came unasked is not taken for an answer")
{
    asio::io_context context(1);
    asio::ip::tcp::acceptor acceptor(context, {asio::ip::address_v4::loopback(), 0});
    http::upstream const to("127.0.0.1", acceptor.local_endpoint().port());
    http::client client(context.get_executor());
    auto const answers = [&](asio::ip::tcp::socket& socket, std::string text) -> asio::awaitable<void> {
        char bytes[4096];
        co_await socket.async_read_some(asio::buffer(bytes), asio::use_awaitable);
        co_await asio::async_write(socket, asio::buffer(text), asio::use_awaitable);
    };
    auto const talk = [&]() -> asio::awaitable<std::string> {
        http::request const r("GET", "/");
        std::string heard;
        auto const note = [&](std::exception_ptr, weir::result<http::response> came) { heard += came->body(); };
        asio::co_spawn(context, client.send(to, r), note);
        asio::ip::tcp::socket first = co_await acceptor.async_accept(asio::use_awaitable);
        co_await answers(first, ok("asked "));
        while (heard.empty()) co_await asio::post(context, asio::use_awaitable);
        co_await asio::async_write(first, asio::buffer(ok("poison")), asio::use_awaitable);
        asio::co_spawn(context, client.send(to, r), note);
        asio::ip::tcp::socket second = co_await acceptor.async_accept(asio::use_awaitable);
        co_await answers(second, ok("anew"));
        while (heard.size() < 7) co_await asio::post(context, asio::use_awaitable);
        co_return heard;
    };
    CHECK(run(context, talk()) == "asked anew");
    CHECK(client.stats().stale == 1);
    CHECK(client.stats().resent == 0);
}

TEST_CASE("client: a request that is not idempotent is not sent twice, whatever became of it")
{
    for (std::string const method : {"GET", "POST"}) {
        CAPTURE(method);
        scripted s({{ok("a"), ""}, {ok("b")}}); // ends when the second request has come
        http::client client(s.context.get_executor());
        CHECK(s.send(client, http::request("GET", "/"))->body() == "a");
        auto const second = s.send(client, http::request(method, "/"));
        CHECK(second.has_value() == (method == "GET"));
        CHECK(client.stats().resent == (method == "GET" ? 1 : 0));
        CHECK(s.connections == (method == "GET" ? 2 : 1));
    }
}

TEST_CASE("client: each stage has its time, and the failure names it")
{
    auto const failure_of = [](scripted& s, http::client_options o, weir::time_point deadline = weir::never) {
        http::client client(s.context.get_executor(), o);
        http::client_failure failure;
        http::request const r("GET", "/");
        auto const came = run(s.context, client.send(s.to, r, {.deadline = deadline, .failure = &failure}));
        CHECK(came.has_error());
        CHECK(failure.upstream == s.to.address());
        return std::string(weir::to_string(came.error().kind())) + "; " + failure.text().substr(failure.upstream.size() + 2);
    };
    std::string const late = std::string(": ") + make_error_code(boost::asio::error::timed_out).message();
    scripted silent({{"never"}, {"never"}, {"never"}});
    CHECK(failure_of(silent, {.first_byte_time = 20ms}) == "deadline_exceeded; first byte" + late);
    CHECK(failure_of(silent, {.whole_time = 200ms}) == "deadline_exceeded; first byte" + late);
    CHECK(failure_of(silent, {}, weir::steady::now() + 200ms) == "deadline_exceeded; first byte" + late);
    CHECK(silent.connections == 3);

    std::string const half = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf";
    scripted halting({{half, "never"}, {half, "never"}, {half, "never"}}, true);
    CHECK(failure_of(halting, {.piece_time = 20ms}) == "deadline_exceeded; body" + late);

    scripted lost({});
    lost.to = http::upstream("no.such.host", 80);
    CHECK(failure_of(lost, {.look_up_time = 20ms, .look_up = &never_found}) == "unavailable; look-up" + late);
    CHECK(failure_of(lost, {.whole_time = 20ms, .look_up = &never_found}) == "deadline_exceeded; look-up" + late);
    CHECK(failure_of(lost, {.look_up = finds({})}).starts_with("unavailable; look-up: "));
    CHECK(failure_of(lost, {.look_up = finds({{asio::ip::address_v4::loopback(), 1}})}) == "unavailable; connect: Connection refused");

    scripted torn({{"HTTP/1.1 200 OK\r\nContent-Le"}, {half}, {"HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n"}});
    CHECK(failure_of(torn, {}) == "upstream_failed; first byte: the connection ended before the response was whole");
    CHECK(failure_of(torn, {}) == "upstream_failed; body: the message ends before its end");
    CHECK(failure_of(torn, {}) == "upstream_failed; first byte: the Content-Length field is malformed");
}

TEST_CASE("client: each address is tried, one that is silent has but its share of the time")
{
    // A listener whose queue is full: the system drops what would connect.
    asio::io_context context(1);
    asio::ip::tcp::acceptor full(context);
    full.open(asio::ip::tcp::v4());
    full.bind({asio::ip::address_v4::loopback(), 0});
    full.listen(0);
    std::vector<asio::ip::tcp::socket> fillers;
    fillers.reserve(4);
    for (int i = 0; i < 4; ++i) {
        fillers.emplace_back(context);
        fillers.back().async_connect(full.local_endpoint(), [](boost::system::error_code) {});
    }
    context.run_for(50ms);

    scripted s({{ok("a")}});
    asio::ip::tcp::endpoint const dead(asio::ip::address_v4::loopback(), 1);
    http::client client(s.context.get_executor(),
                        {.connect_time = 600ms, .look_up = finds({dead, full.local_endpoint(), s.acceptor.local_endpoint()})});
    s.to = http::upstream("bank.example", 8080);
    CHECK(s.send(client, http::request("GET", "/"))->body() == "a");
    CHECK(s.heard.find("Host: bank.example:8080\r\n") != std::string::npos);
}

TEST_CASE("client: a look-up is cancelled at once")
{
    scripted s({});
    s.to = http::upstream("no.such.host");
    http::client client(s.context.get_executor(), {.look_up = &never_found});
    started all{s, client};
    asio::cancellation_signal signal;
    all.go("first", signal.slot());
    run_until(s.context, [&] { return client.stats().open == 1; });
    asio::post(s.context, [&] { signal.emit(asio::cancellation_type::terminal); });
    all.run_to(1);
    CHECK(all.ended.front() == "first cancelled");
    CHECK(client.stats().open == 0);
}

TEST_CASE("client: a context may go while requests wait in line, are looked up, or are answered")
{
    unsigned ended = 0;
    http::request const r("GET", "/");
    http::upstream const unknown("no.such.host");
    {
        scripted s({{"never"}});
        http::client client(s.context.get_executor(), {.connections_per_upstream = 1, .look_up = &never_found});
        auto const count = [&](std::exception_ptr, weir::result<http::response>) { ++ended; };
        for (int i = 0; i < 3; ++i) asio::co_spawn(s.context, client.send(s.to, r), count);
        for (int i = 0; i < 2; ++i) asio::co_spawn(s.context, client.send(unknown, r), count);
        run_until(s.context, [&] { return !s.heard.empty() && client.stats().waiting == 3; });
    }
    CHECK(ended == 0);
}

TEST_CASE("client: interim responses are bounded, and it changes to no other protocol")
{
    std::string many;
    for (int i = 0; i < 17; ++i) many += "HTTP/1.1 102 Processing\r\n\r\n";
    for (std::string const& answer : {many + ok("a"), std::string("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n")}) {
        scripted s({{answer}});
        http::client client(s.context.get_executor());
        CHECK(s.send(client, http::request("GET", "/")).error() == weir::errc::upstream_failed);
    }
    scripted s({{many.substr(0, many.size() / 17 * 16) + "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", ok("b")}});
    http::client client(s.context.get_executor());
    CHECK(s.send(client, http::request("HEAD", "/")).has_value());
    CHECK(s.send(client, http::request("GET", "/"))->body() == "b");
    CHECK(s.connections == 1);
}

TEST_CASE("client: what fails is told, what is cancelled is not")
{
    std::vector<std::string> told;
    scripted s({{"never"}});
    http::client client(s.context.get_executor(), {.on_failure = [&](http::client_failure const& f) { told.push_back(f.text()); }});
    http::request const r("GET", "/");
    http::upstream const nobody("127.0.0.1", 1);
    CHECK(run(s.context, client.send(nobody, r)).has_error());
    started all{s, client};
    asio::cancellation_signal signal;
    all.go("first", signal.slot());
    run_until(s.context, [&] { return client.stats().opened == 1; });
    asio::post(s.context, [&] { signal.emit(asio::cancellation_type::terminal); });
    all.run_to(1);
    CHECK(told == std::vector<std::string>{"127.0.0.1:1: connect: Connection refused"});
}

TEST_CASE("client: a large request is read while it is answered early")
{
    scripted s({{"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno"}});
    http::client client(s.context.get_executor());
    http::request const r("POST", "/", std::string(8'000'000, 'x'));
    auto const came = s.send(client, r); // the answer may be lost with the connection, but nothing hangs
    CHECK((came.has_error() ? came.error() == weir::errc::upstream_failed : came->result_int() == 413));
    CHECK(client.open(s.to) == 0);
}

namespace {

/// Unsigned numbers from a seed.
struct dice {
    std::mt19937 engine;
    unsigned operator()() { return static_cast<unsigned>(engine()); }
};

/// An upstream that does something else each time: answers, dawdles, says nothing, or breaks off.
struct moody {
    asio::io_context& context;
    dice& random;
    asio::ip::tcp::acceptor acceptor{context, {asio::ip::address_v4::loopback(), 0}};
    http::upstream to{"127.0.0.1", acceptor.local_endpoint().port()};

    moody(asio::io_context& c, dice& r) : context(c), random(r)
    {
        asio::co_spawn(context, accept(*this), [](std::exception_ptr) {});
    }
    static asio::awaitable<void> accept(moody& self)
    {
        for (;;) {
            auto socket = co_await self.acceptor.async_accept(asio::use_awaitable);
            asio::co_spawn(self.context, serve(self, std::move(socket)), [](std::exception_ptr) {});
        }
    }
    static asio::awaitable<void> serve(moody& self, asio::ip::tcp::socket socket)
    {
        char bytes[4096];
        for (std::string heard;;) {
            while (heard.find("\r\n\r\n") == std::string::npos)
                heard.append(bytes, co_await socket.async_read_some(asio::buffer(bytes), asio::use_awaitable));
            std::string const target = heard.substr(heard.find('/'), heard.find(" HTTP") - heard.find('/'));
            heard.clear();
            std::string answer = ok(target + std::string(self.random() % 3'000, '.'));
            unsigned const mood = self.random() % 16;
            if (mood == 0) co_return;
            if (mood == 1) answer.resize(self.random() % answer.size());
            if (mood == 2) answer = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + target;
            if (mood == 3) answer = "HTTP/1.1 102 Processing\r\n\r\n" + answer;
            if (mood == 5) co_await socket.async_read_some(asio::buffer(bytes), asio::use_awaitable); // never
            std::size_t const piece = mood < 10 ? 1'000 : answer.size();
            for (std::size_t at = 0; at < answer.size(); at += piece) {
                std::string const part = answer.substr(at, piece);
                co_await asio::async_write(socket, asio::buffer(part), asio::use_awaitable);
                for (unsigned i = self.random() % 4; i > 0; --i) co_await asio::post(self.context, asio::use_awaitable);
            }
            if (mood == 1 || mood == 2) co_return;
        }
    }
};

} // namespace

TEST_CASE("client: whatever the upstreams do, each request gets its own answer or an error, and nothing is left behind")
{
    constexpr unsigned callers = 12, calls = 40;
    for (unsigned seed = 1; seed <= 6; ++seed) {
        CAPTURE(seed);
        dice random{std::mt19937(seed)};
        asio::io_context context(1);
        moody first(context, random), second(context, random);
        http::client client(context.get_executor(), {.connections_per_upstream = 4,
                                                     .connections = 6,
                                                     .waiting = 5,
                                                     .requests_per_connection = 20,
                                                     .idle_time = 3ms,
                                                     .wait_time = 4ms,
                                                     .first_byte_time = 3ms,
                                                     .piece_time = 3ms});
        unsigned running = callers, ended = 0, good = 0;
        auto const call = [&](unsigned caller) -> asio::awaitable<void> {
            for (unsigned n = 0; n < calls; ++n) {
                std::string const target = "/" + std::to_string(caller) + "-" + std::to_string(n);
                http::request const r(random() % 3 == 0 ? "POST" : "GET", target);
                http::upstream const& to = random() % 2 == 0 ? first.to : second.to;
                auto const signal = std::make_shared<asio::cancellation_signal>();
                bool const streamed = random() % 4 == 0;
                if (random() % 8 == 0)
                    asio::co_spawn(
                        context,
                        [](asio::io_context& c, std::shared_ptr<asio::cancellation_signal> s, unsigned turns) -> asio::awaitable<void> {
                            for (; turns > 0; --turns) co_await asio::post(c, asio::use_awaitable);
                            s->emit(asio::cancellation_type::terminal);
                        }(context, signal, random() % 100),
                        [](std::exception_ptr) {});
                std::string body;
                bool got = false;
                if (streamed) {
                    auto came = co_await client.stream(to, r, {.slot = signal->slot()});
                    if (came) {
                        auto const piece = co_await came->body().read(); // and no more: the rest is left to the destructor
                        got = piece.has_value() && !piece->empty();
                        if (got) body = *piece;
                    }
                } else {
                    auto const came = co_await client.send(to, r, signal->slot());
                    got = came.has_value();
                    if (got) body = came->body();
                }
                ++ended;
                if (!got) continue;
                ++good;
                CHECK((body.starts_with(target) || target.starts_with(body)));
                CHECK((body.size() <= target.size() || body[target.size()] == '.'));
            }
            --running;
        };
        for (unsigned i = 0; i < callers; ++i)
            asio::co_spawn(context, call(i), [](std::exception_ptr thrown) { CHECK(thrown == nullptr); });
        run_until(context, [&] { return running == 0; });
        CHECK(ended == callers * calls);
        CHECK(good > 0);
        client.close_idle();
        auto const stats = client.stats();
        CHECK(stats.requests == ended);
        CHECK(stats.open == 0);
        CHECK(stats.idle == 0);
        CHECK(stats.waiting == 0);
    }
}
