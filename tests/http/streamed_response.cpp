// SPDX-License-Identifier: BSL-1.0
#include <weir/http/streamed_response.hpp>

#include "asking.hpp"

#include <weir/core/held.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/http/correlate.hpp>
#include <weir/http/edge.hpp>
#include <weir/resilience/bulkhead.hpp>
#include <weir/resilience/circuit_breaker.hpp>
#include <weir/validate/require_headers.hpp>

#include <boost/asio/steady_timer.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

using namespace std::chrono_literals;
using weir_tests::raw_client;
using weir_tests::run;
using weir_tests::talk;
namespace asio = boost::asio;
namespace http = weir::http;

namespace {

bool has(std::string_view text, std::string_view part)
{
    return text.find(part) != std::string_view::npos;
}
std::string get(std::string_view path, std::string_view version = "1.1", std::string_view method = "GET")
{
    return std::string(method).append(" ").append(path).append(" HTTP/").append(version).append("\r\nHost: x\r\n\r\n");
}

/// What became of the streams of a test.
struct record {
    int produced = 0; ///< producers that began
    int failed = 0;   ///< writes that failed
    std::optional<weir::errc> last;
    std::size_t taken = 0; ///< bytes that the system took
    int alive = 0;         ///< producers that are not destroyed yet
};
struct counted_life {
    record* of;
    explicit counted_life(record& r) : of(&r) { ++of->alive; }
    counted_life(counted_life&& other) noexcept : of(std::exchange(other.of, nullptr)) {}
    ~counted_life()
    {
        if (of != nullptr) --of->alive;
    }
};

/// Writes its pieces; move-only, as what owns a file would be.
struct pieces {
    record* seen;
    std::vector<std::string> all;
    bool throws = false;
    int times = 1;
    counted_life life{*seen};

    asio::awaitable<weir::result<void>> operator()(http::body_writer& to)
    {
        ++seen->produced;
        for (std::size_t i = 0; i < all.size() * static_cast<std::size_t>(times); ++i) {
            std::string const& piece = all[i % all.size()];
            weir::result<void> const sent = co_await to.write(piece);
            if (!sent) {
                ++seen->failed;
                seen->last = sent.error().kind();
                co_return sent.error();
            }
            seen->taken += piece.size();
        }
        if (throws) throw std::runtime_error("secret");
        co_return weir::result<void>();
    }
};

struct streams {
    asio::io_context context{1};
    record seen;
    http::server server;

    explicit streams(http::server_options const& o = {})
        : server(
              context.get_executor(), [this](http::request& r) { return answer(r); }, o)
    {
    }
    asio::awaitable<http::streamed_response> answer(http::request& r)
    {
        std::vector<std::string> all{"hello, ", "", "world\n"};
        bool const large = r.path() == "/large";
        if (large) all.assign(1, std::string(65'536, 'x'));
        pieces producer{&seen, std::move(all), r.path() == "/throws", large ? 1'024 : 1};
        http::streamed_response made(r.path() == "/none" ? http::status::no_content : http::status::ok, "text/plain", std::move(producer));
        if (r.path() == "/counted") made.length(13);
        if (r.path() == "/long") made.length(12);
        if (r.path() == "/short") made.length(14);
        co_return made;
    }
    std::string say(std::string_view stream) { return talk(context, server.port(), stream); }
};

} // namespace

TEST_CASE("streamed_response: goes out in chunks, and the connection is kept")
{
    streams s;
    std::string const heard = s.say(get("/") + get("/"));
    std::string const one = "Transfer-Encoding: chunked\r\n";
    CHECK(has(heard, one));
    CHECK_FALSE(has(heard, "Content-Length"));
    CHECK(has(heard, "\r\n\r\n7\r\nhello, \r\n6\r\nworld\n\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n"));
    CHECK(heard.ends_with("\r\n0\r\n\r\n"));
    CHECK(s.seen.produced == 2);
    CHECK(s.seen.alive == 0);
}

TEST_CASE("streamed_response: with its length it is counted, and one of another length is broken off")
{
    streams s;
    std::string const heard = s.say(get("/counted") + get("/counted"));
    CHECK(has(heard, "Content-Length: 13\r\n"));
    CHECK_FALSE(has(heard, "chunked"));
    CHECK(has(heard, "\r\n\r\nhello, world\nHTTP/1.1 200 OK\r\n"));
    CHECK(heard.ends_with("\r\n\r\nhello, world\n"));
    std::string const too_long = s.say(get("/long") + get("/"));
    CHECK(too_long.ends_with("\r\n\r\nhello, "));
    CHECK(s.seen.last == weir::errc::payload_too_large);
    CHECK(s.say(get("/short") + get("/")).ends_with("\r\n\r\nhello, world\n"));
    CHECK(s.seen.alive == 0);
}

TEST_CASE("streamed_response: to HTTP/1.0 it ends with the connection; broken off, that is a reset")
{
    streams s;
    std::string const heard = s.say("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    CHECK_FALSE(has(heard, "chunked"));
    CHECK(has(heard, "Connection: close\r\n"));
    CHECK(heard.ends_with("\r\n\r\nhello, world\n"));
    raw_client c(s.context, s.server.port());
    auto const ask = [](raw_client& to) -> asio::awaitable<boost::system::error_code> {
        co_await to.send("GET /throws HTTP/1.0\r\n\r\n");
        boost::system::error_code failed;
        char bytes[512];
        while (!failed) co_await to.socket().async_read_some(asio::buffer(bytes), asio::redirect_error(asio::use_awaitable, failed));
        co_return failed;
    };
    CHECK(run(s.context, ask(c)) == asio::error::connection_reset);
}

TEST_CASE("streamed_response: where no body belongs, the producer does not run")
{
    streams s;
    std::string const heard = s.say(get("/counted", "1.1", "HEAD") + get("/", "1.1", "HEAD") + get("/none") + get("/"));
    CHECK(has(heard, "Content-Length: 13\r\n"));
    CHECK(s.seen.produced == 1);
    CHECK(s.seen.alive == 0);
    CHECK(has(heard, "204 No Content"));
    CHECK(heard.ends_with("\r\n0\r\n\r\n"));
}

TEST_CASE("streamed_response: one that fails or throws is not ended, so that the client sees it")
{
    streams s;
    std::string const heard = s.say(get("/throws") + get("/"));
    CHECK(heard.ends_with("6\r\nworld\n\r\n"));
    CHECK_FALSE(has(heard, "secret"));
    CHECK(s.server.stats().threw == 1);
    CHECK(s.seen.alive == 0);
}

TEST_CASE("streamed_response: a producer is no faster than its client")
{
    streams s;
    raw_client c(s.context, s.server.port());
    std::size_t first = 0;
    auto const slowly = [&]() -> asio::awaitable<std::size_t> {
        co_await c.send(get("/large"));
        // All that goes on without the client reading: what the system's buffers hold, and no more.
        while (s.seen.produced == 0) co_await asio::post(s.context, asio::use_awaitable);
        for (std::size_t before = 0, same = 0; same < 1'000;) {
            co_await asio::post(s.context, asio::use_awaitable);
            same = before == s.seen.taken ? same + 1 : 0;
            before = s.seen.taken;
        }
        first = s.seen.taken;
        std::string const all = co_await c.receive("\r\n0\r\n\r\n");
        co_return all.size();
    };
    std::size_t const size = run(s.context, slowly());
    CHECK(first < 1'024u * 65'536u / 2);
    CHECK(s.seen.taken == 1'024u * 65'536u);
    CHECK(size > s.seen.taken);
}

TEST_CASE("streamed_response: a client that goes or does not read ends the producer")
{
    streams s({.idle_time = 40ms, .body_time = 40ms});
    auto const ended = [&]() -> asio::awaitable<void> {
        while (s.server.stats().open > 0) co_await asio::post(s.context, asio::use_awaitable);
    };
    auto const leaves = [&]() -> asio::awaitable<bool> {
        raw_client c(s.context, s.server.port());
        co_await c.send(get("/large"));
        while (s.seen.produced == 0) co_await asio::post(s.context, asio::use_awaitable);
        c.socket().close();
        co_await ended();
        co_return true;
    };
    CHECK(run(s.context, leaves()));
    CHECK(s.seen.last == weir::errc::cancelled);
    CHECK(s.server.stats().left == 1);
    auto const sleeps = [&]() -> asio::awaitable<bool> {
        raw_client c(s.context, s.server.port());
        co_await c.send(get("/large"));
        while (s.seen.produced < 2) co_await asio::post(s.context, asio::use_awaitable);
        co_await ended();
        co_return true;
    };
    CHECK(run(s.context, sleeps()));
    CHECK(s.seen.failed == 2);
    CHECK(s.seen.last == weir::errc::deadline_exceeded);
    CHECK(s.server.stats().timed_out == 1);
    CHECK(s.seen.alive == 0);
}

TEST_CASE("streamed_response: a producer that waits is cancelled when its client resets the connection")
{
    asio::io_context context(1);
    int cancelled = 0;
    auto const events = [&](http::request&) -> asio::awaitable<http::streamed_response> {
        auto const wait = [&](http::body_writer& to) -> asio::awaitable<weir::result<void>> {
            (void)co_await to.write("first\n");
            asio::steady_timer timer(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
            boost::system::error_code failed;
            co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, failed));
            if (failed == asio::error::operation_aborted) ++cancelled;
            co_return weir::result<void>();
        };
        co_return http::streamed_response(http::status::ok, "text/plain", wait);
    };
    http::server server(context.get_executor(), events, {.idle_time = 40ms});
    auto const leaves = [&]() -> asio::awaitable<bool> {
        raw_client c(context, server.port());
        co_await c.send(get("/"));
        CHECK((co_await c.receive("first\n\r\n")).ends_with("\r\n\r\n6\r\nfirst\n\r\n"));
        c.socket().set_option(asio::socket_base::linger(true, 0));
        c.socket().close();
        while (server.stats().open > 0) co_await asio::post(context, asio::use_awaitable);
        co_return true;
    };
    CHECK(run(context, leaves()));
    CHECK(cancelled == 1);
}

TEST_CASE("streamed_response: without a server it is collected")
{
    record seen;
    auto const numbers = [&](http::request& r) -> asio::awaitable<http::streamed_response> {
        std::vector<std::string> all{"a", "b", "c"};
        pieces producer{&seen, std::move(all)};
        http::streamed_response made(http::status::accepted, "text/plain", std::move(producer));
        if (r.path() == "/short") made.length(4);
        co_return made;
    };
    http::response const whole = weir_tests::ask(numbers, "/");
    CHECK(whole.result() == http::status::accepted);
    CHECK(whole.body() == "abc");
    CHECK(weir_tests::ask(numbers, "/short").result() == http::status::bad_gateway);
    CHECK(seen.alive == 0);
}

namespace {

/// Carries permits to the stream's end, as weir's own does.
struct carrier {
    http::streamed_response inside;
    std::vector<std::string>* said;

    carrier(http::streamed_response r, std::vector<std::string>& s) : inside(std::move(r)), said(&s) {}
    carrier(carrier&& other) noexcept : inside(std::move(other.inside)), said(std::exchange(other.said, nullptr)) {}
    ~carrier()
    {
        if (said != nullptr) said->push_back("dropped");
    }
    http::streamed_response& operator*() noexcept { return inside; }
    void finish(weir::result<void> how)
    {
        std::exchange(said, nullptr)->push_back(how.has_value() ? "good" : std::string(to_string(how.error().kind())));
    }
};

} // namespace

TEST_CASE("streamed_response: what carries it is told how the stream ended")
{
    asio::io_context context(1);
    record seen;
    std::vector<std::string> said;
    auto const answer = [&](http::request& r) -> asio::awaitable<carrier> {
        std::vector<std::string> all{"abc"};
        pieces producer{&seen, std::move(all), r.path() == "/throws"};
        http::streamed_response made(http::status::ok, "text/plain", std::move(producer));
        if (r.path() == "/short") made.length(4);
        if (r.path() == "/field") made.head().set("X-A", "b\r\nc");
        co_return carrier(std::move(made), said);
    };
    http::server server(context.get_executor(), answer);
    for (std::string_view const path : {"/", "/throws", "/short", "/field"}) (void)talk(context, server.port(), get(path));
    (void)talk(context, server.port(), get("/", "1.1", "HEAD"));
    CHECK(said == std::vector<std::string>{"good", "handler_threw", "upstream_failed", "dropped", "good"});
}

TEST_CASE("streamed_response: a pipeline may answer with one, and its policies write on the head")
{
    record seen;
    weir::pipeline svc{weir::correlate{}, weir::require_headers<"x-app">{},
                       [&](http::request const& r) -> asio::awaitable<http::streamed_response> {
                           if (r.path() == "/refuses") weir::result<int>(weir::errc::overloaded).value();
                           pieces producer{&seen, std::vector<std::string>{"a", "b"}};
                           co_return http::streamed_response(http::status::ok, "text/plain", std::move(producer));
                       }};
    asio::io_context context(1);
    http::server server(context.get_executor(), http::edge(svc));
    auto const ask = [&](std::string_view path, std::string_view fields) {
        return talk(context, server.port(), "GET " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n" + std::string(fields) + "\r\n");
    };
    std::string const heard = ask("/", "x-app: 1\r\nx-correlation-id: me-1\r\n");
    CHECK(has(heard, "x-correlation-id: me-1\r\n"));
    CHECK(heard.ends_with("\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n"));
    std::string const refused = ask("/", "x-correlation-id: me-2\r\n");
    CHECK(refused.starts_with("HTTP/1.1 400 "));
    CHECK(has(refused, "\"policy\":\"require_headers\""));
    CHECK(ask("/refuses", "x-app: 1\r\n").starts_with("HTTP/1.1 503 "));
    CHECK(seen.produced == 1);
    CHECK(seen.alive == 0);
}

TEST_CASE("streamed_response: held by a pipeline, the places of its policies are taken until the stream has ended")
{
    asio::io_context context(1);
    asio::steady_timer go_on(context, asio::steady_timer::time_point::max());
    weir::pipeline svc{weir::circuit_breaker{{.minimum_calls = 1'000}}, weir::bulkhead{{.max_concurrent = 1}},
                       [&](http::request const& r) -> asio::awaitable<weir::held<http::streamed_response>> {
                           bool const fails = r.path() == "/fails";
                           auto const produce = [&go_on, fails](http::body_writer& to) -> asio::awaitable<weir::result<void>> {
                               (void)co_await to.write("begun\n");
                               boost::system::error_code cancelled;
                               co_await go_on.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
                               if (fails) co_return weir::error(weir::errc::upstream_failed);
                               co_return weir::result<void>();
                           };
                           co_return weir::held(http::streamed_response(http::status::ok, "text/plain", produce));
                       }};
    http::server server(context.get_executor(), http::edge(svc));
    auto const ask = [&](std::string_view path) -> asio::awaitable<std::string> {
        raw_client c(context, server.port());
        raw_client other(context, server.port());
        std::string const request = get(path);
        co_await c.send(request);
        std::string heard = co_await c.receive("begun\n\r\n");
        co_await other.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        heard += co_await other.receive(); // the one place is taken
        go_on.cancel();
        c.end_output();
        heard += co_await c.receive();
        co_return heard;
    };
    std::string const good = run(context, ask("/"));
    CHECK(has(good, "HTTP/1.1 503 "));
    CHECK(has(good, "\"policy\":\"bulkhead\""));
    CHECK(good.ends_with("0\r\n\r\n"));
    std::string const bad = run(context, ask("/fails"));
    CHECK(bad.starts_with("HTTP/1.1 200 OK\r\n")); // the place was free again
    CHECK_FALSE(bad.ends_with("0\r\n\r\n"));
    CHECK(svc.get<weir::bulkhead>().stats().inside == 0);
    CHECK(svc.get<weir::circuit_breaker>().stats(weir::steady::now()).failures == 1);
}
