// SPDX-License-Identifier: BSL-1.0
#include <weir/http/streamed_request.hpp>

#include "asking.hpp"

#include <weir/core/pipeline.hpp>
#include <weir/http/edge.hpp>
#include <weir/http/router.hpp>
#include <weir/validate/require_headers.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>
#include <random>
#include <string>
#include <string_view>

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
std::string post(std::string_view path, std::string_view fields, std::string_view body = "")
{
    return "POST " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n" + std::string(fields) + "\r\n" + std::string(body);
}

struct uploads {
    asio::io_context context{1};
    std::size_t bytes = 0;   ///< of all bodies
    std::size_t largest = 0; ///< piece
    int begun = 0;
    int whole = 0;
    std::optional<weir::error> failed;
    bool may_read = true;
    http::server server;

    explicit uploads(http::server_options const& o = {}) : server(context.get_executor(), routes(), o) {}
    http::router routes()
    {
        http::router made;
        made.add("POST", "/pieces", [this](http::streamed_request& r) { return take(r); })
            .add("POST", "/early", [](http::streamed_request&) { return http::detail::say(http::response(http::status::forbidden)); })
            .add("POST", "/echo", [](http::streamed_request& r) { return echo(r); })
            .add("POST", "/whole", [](http::request& r) { return http::detail::say(http::response(http::status::ok, r.body())); });
        return made;
    }
    asio::awaitable<http::response> take(http::streamed_request& r)
    {
        ++begun;
        while (!may_read) co_await asio::post(asio::use_awaitable);
        for (std::size_t mine = 0;;) {
            weir::result<std::string_view> const piece = co_await r.body().read();
            if (!piece) {
                failed = piece.error();
                co_return http::response(http::status::accepted); // nobody sees it
            }
            mine += piece->size();
            bytes += piece->size();
            largest = std::max(largest, piece->size());
            if (!piece->empty()) continue;
            ++whole;
            CHECK((co_await r.body().read()).value().empty()); // and stays so
            co_return http::response(http::status::ok, std::to_string(mine) + ' ' + std::string(weir::header(r, "x-name").value_or("")));
        }
    }
    /// Both ways at once.
    static asio::awaitable<http::streamed_response> echo(http::streamed_request& r)
    {
        auto const back = [body = r.body()](http::body_writer& to) -> asio::awaitable<weir::result<void>> {
            for (;;) {
                weir::result<std::string_view> const piece = co_await body.read();
                if (!piece) co_return piece.error();
                if (piece->empty()) co_return weir::result<void>();
                if (auto const sent = co_await to.write(*piece); !sent) co_return sent.error();
            }
        };
        co_return http::streamed_response(http::status::ok, "application/octet-stream", back);
    }
    std::string say(std::string_view stream) { return talk(context, server.port(), stream); }
};

} // namespace

TEST_CASE("streamed_request: the handler reads the body in pieces, and the next request follows")
{
    uploads s;
    std::string const heard =
        s.say(post("/pieces", "Content-Length: 5\r\nX-Name: a\r\n", "hello") +
              post("/pieces", "Transfer-Encoding: chunked\r\nX-Name: b\r\n", "2\r\nab\r\n3;x\r\ncde\r\n0\r\nT: v\r\n\r\n") +
              post("/pieces", "X-Name: c\r\n") + post("/whole", "Content-Length: 2\r\n", "xy"));
    CHECK(has(heard, "\r\n\r\n5 a"));
    CHECK(has(heard, "\r\n\r\n5 b"));
    CHECK(has(heard, "\r\n\r\n0 c"));
    CHECK(heard.ends_with("\r\n\r\nxy"));
    CHECK_FALSE(has(heard, "Connection: close"));
    CHECK(s.whole == 3);
}

TEST_CASE("streamed_request: a body larger than any buffer is taken, and read no faster than the handler asks")
{
    uploads s({.limits = {.body_bytes = 1'000}});
    s.may_read = false;
    constexpr std::size_t size = 64 << 20;
    raw_client c(s.context, s.server.port());
    std::size_t sent = 0;
    std::string const chunk(1 << 20, 'x');
    auto const send = [&]() -> asio::awaitable<void> {
        co_await c.send(post("/pieces", "Content-Length: " + std::to_string(size) + "\r\n"));
        for (; sent < size; sent += chunk.size()) co_await c.send(chunk);
    };
    auto const talks = [&]() -> asio::awaitable<std::string> {
        asio::co_spawn(s.context, send(), asio::detached);
        for (std::size_t before = 0, same = 0; same < 1'000;) {
            co_await asio::post(s.context, asio::use_awaitable);
            same = before == sent && s.begun == 1 ? same + 1 : 0;
            before = sent;
        }
        CHECK(sent < size / 2);
        s.may_read = true;
        co_return co_await c.receive("67108864 ");
    };
    CHECK(has(run(s.context, talks()), "200 OK"));
    CHECK(s.bytes == size);
    CHECK(s.largest <= 2 * 65'536);
}

TEST_CASE("streamed_request: its own limit holds, by the length before anything is read, by chunks when they come")
{
    uploads s({.limits = {.body_bytes = 10}, .streamed_body_bytes = 20});
    CHECK(s.say(post("/pieces", "Content-Length: 21\r\n")).starts_with("HTTP/1.1 413 "));
    CHECK(s.begun == 0);
    CHECK(s.say(post("/pieces", "Content-Length: 20\r\n", std::string(20, 'x'))).starts_with("HTTP/1.1 200 "));
    CHECK(s.say(post("/whole", "Content-Length: 11\r\n", std::string(11, 'x'))).starts_with("HTTP/1.1 413 "));
    std::string const many = s.say(post("/pieces", "Transfer-Encoding: chunked\r\n", "f\r\n123456789012345\r\n6\r\n123456\r\n0\r\n\r\n"));
    CHECK(many.starts_with("HTTP/1.1 413 "));
    REQUIRE(s.failed);
    CHECK(*s.failed == weir::errc::payload_too_large);
}

TEST_CASE("streamed_request: a faulty body is answered for the handler, and the connection closed")
{
    uploads s;
    std::string const heard = s.say(post("/pieces", "Transfer-Encoding: chunked\r\n", "zz\r\n") + post("/whole", ""));
    CHECK(heard.starts_with("HTTP/1.1 400 "));
    CHECK(has(heard, "the framing of a chunk is malformed"));
    CHECK(has(heard, "Connection: close\r\n"));
    CHECK(*s.failed == weir::errc::invalid_request);
    CHECK(s.server.stats().refused == 1);
    std::string const ended = s.say(post("/pieces", "Content-Length: 5\r\n", "abc"));
    CHECK(ended.starts_with("HTTP/1.1 400 "));
    CHECK(*s.failed == weir::errc::cancelled);
}

TEST_CASE("streamed_request: a body that stops coming is a 408, a client that goes gets nothing")
{
    uploads s({.idle_time = 40ms, .body_time = 40ms});
    auto const stops = [&]() -> asio::awaitable<std::string> {
        raw_client c(s.context, s.server.port());
        co_await c.send(post("/pieces", "Content-Length: 5\r\n", "abc"));
        co_return co_await c.receive();
    };
    CHECK(run(s.context, stops()).starts_with("HTTP/1.1 408 "));
    CHECK(*s.failed == weir::errc::deadline_exceeded);
    CHECK(s.server.stats().timed_out == 1);
    s.failed.reset();
    auto const goes = [&]() -> asio::awaitable<bool> {
        raw_client c(s.context, s.server.port());
        co_await c.send(post("/pieces", "Content-Length: 5\r\n", "abc"));
        while (s.begun < 2) co_await asio::post(s.context, asio::use_awaitable);
        c.socket().set_option(asio::socket_base::linger(true, 0));
        c.socket().close();
        while (s.server.stats().open > 0) co_await asio::post(s.context, asio::use_awaitable);
        co_return true;
    };
    CHECK(run(s.context, goes()));
    REQUIRE(s.failed);
    CHECK(*s.failed == weir::errc::cancelled);
    CHECK(s.server.stats().left == 1);
}

TEST_CASE("streamed_request: leave to send the body is given by the first read, and not by a handler that answers at once")
{
    uploads s;
    auto const expects = [&](std::string_view path, bool sends) -> asio::awaitable<std::string> {
        raw_client c(s.context, s.server.port());
        std::string const head = post(path, "Expect: 100-continue\r\nContent-Length: 3\r\n");
        co_await c.send(head);
        std::string heard = co_await c.receive("\r\n\r\n");
        if (sends) {
            co_await c.send("abc");
            heard += co_await c.receive("3 ");
        }
        co_return heard;
    };
    CHECK(run(s.context, expects("/pieces", true)).starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"));
    std::string const early = run(s.context, expects("/early", false));
    CHECK(early.starts_with("HTTP/1.1 403 "));
    CHECK(has(early, "Connection: close\r\n"));
}

TEST_CASE("streamed_request: a body may be read while the response is written")
{
    uploads s;
    constexpr std::size_t size = 32 << 20;
    raw_client c(s.context, s.server.port());
    auto const send = [&]() -> asio::awaitable<void> {
        co_await c.send(post("/echo", "Content-Length: " + std::to_string(size) + "\r\n"));
        std::string const chunk(1 << 20, 'x');
        for (std::size_t sent = 0; sent < size; sent += chunk.size()) co_await c.send(chunk);
    };
    asio::co_spawn(s.context, send(), asio::detached);
    std::string const heard = run(s.context, c.receive());
    CHECK(has(heard, "Connection: close\r\n")); // the body was not read when the head was sent
    CHECK(heard.ends_with("\r\n0\r\n\r\n"));
    CHECK(static_cast<std::size_t>(std::count(heard.begin(), heard.end(), 'x')) >= size);
}

TEST_CASE("streamed_request: without a server its body is one piece")
{
    uploads s;
    http::router const routes = s.routes();
    http::request r("POST", "/pieces", "hello");
    r.set("X-Name", "n");
    CHECK(weir_tests::ask(routes, r).body() == "5 n");
    http::request again("POST", "/echo", "hello");
    CHECK(weir_tests::ask(routes, again).body() == "hello");
}

TEST_CASE("streamed_request: a pipeline may take one; its policies read the head")
{
    weir::pipeline svc{weir::require_headers<"x-app">{}, [](http::streamed_request const& r) -> asio::awaitable<http::response> {
                           std::size_t size = 0;
                           for (;;) {
                               weir::result<std::string_view> const piece = co_await r.body().read();
                               if (!piece) co_return http::problem(piece.error());
                               if (piece->empty()) break;
                               size += piece->size();
                           }
                           co_return http::response(http::status::ok, std::to_string(size));
                       }};
    asio::io_context context(1);
    http::server server(context.get_executor(), http::edge<http::streamed_request>(svc), {.limits = {.body_bytes = 10}});
    std::string const body(100'000, 'x');
    CHECK(talk(context, server.port(), post("/", "X-App: 1\r\nContent-Length: 100000\r\n", body)).ends_with("\r\n\r\n100000"));
    std::string const refused = talk(context, server.port(), post("/", "Content-Length: 100000\r\n", body));
    CHECK(refused.starts_with("HTTP/1.1 400 "));
    CHECK(has(refused, "Connection: close\r\n"));
}

TEST_CASE("streamed_request: however requests are framed and cut, each handler sees its body and answers in order")
{
    uploads s;
    std::mt19937 random(23);
    auto const below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
    auto const chunked = [&](std::string_view body) {
        std::string text;
        while (!body.empty()) {
            std::size_t const size = 1 + below(std::min<std::size_t>(body.size(), 5'000));
            char digits[16];
            text.append(digits, std::to_chars(digits, digits + sizeof digits, size, 16).ptr).append("\r\n");
            text.append(body.substr(0, size)).append("\r\n");
            body.remove_prefix(size);
        }
        return text + "0\r\n\r\n";
    };
    for (int round = 0; round < 100; ++round) {
        std::string stream, wanted;
        for (std::size_t left = 1 + below(6); left > 0; --left) {
            std::string const body(below(3) == 0 ? below(4) : below(20'000), static_cast<char>('a' + below(26)));
            bool const in_pieces = below(2) == 0;
            std::string_view const path = in_pieces ? "/pieces" : "/whole";
            stream += below(2) == 0 ? post(path, "Content-Length: " + std::to_string(body.size()) + "\r\n", body)
                                    : post(path, "Transfer-Encoding: chunked\r\n", chunked(body));
            wanted += in_pieces ? std::to_string(body.size()) + " \n" : body + "\n";
        }
        auto const talks = [&]() -> asio::awaitable<std::string> {
            raw_client c(s.context, s.server.port());
            asio::co_spawn(
                s.context,
                [](raw_client& to, std::string_view text, unsigned seed) -> asio::awaitable<void> {
                    std::mt19937 cuts(seed);
                    while (!text.empty()) {
                        std::size_t const size = std::min<std::size_t>(text.size(), 1 + cuts() % (cuts() % 2 == 0 ? 10 : 9'000));
                        co_await to.send(text.substr(0, size));
                        text.remove_prefix(size);
                    }
                    to.end_output();
                }(c, stream, static_cast<unsigned>(random())),
                asio::detached);
            co_return co_await c.receive();
        };
        std::string heard = run(s.context, talks());
        std::string bodies;
        while (!heard.empty()) { // each answer's body, by its length
            auto const end = heard.find("\r\n\r\n");
            auto const length = heard.find("Content-Length: ");
            REQUIRE((heard.starts_with("HTTP/1.1 200 OK\r\n") && length < end));
            std::size_t const size = std::stoul(heard.substr(length + 16, 10));
            bodies += heard.substr(end + 4, size) + "\n";
            heard.erase(0, end + 4 + size);
        }
        CHECK(bodies == wanted);
    }
}
