// SPDX-License-Identifier: BSL-1.0
#include <weir/http/incoming_response.hpp>

#include "scripted.hpp"

#include <weir/http/server.hpp>
#include <weir/http/streamed_response.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/post.hpp>

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <string_view>

using namespace std::chrono_literals;
using weir_tests::ok;
using weir_tests::run;
using weir_tests::scripted;
namespace asio = boost::asio;
namespace http = weir::http;

namespace {

/// All of a body, then the error that ended it, if there was one.
asio::awaitable<std::string> read_all(http::incoming_response& r)
{
    std::string all;
    for (;;) {
        weir::result<std::string_view> const piece = co_await r.body().read();
        if (!piece) co_return all + " " + std::string(weir::to_string(piece.error().kind()));
        if (piece->empty()) co_return all;
        all += *piece;
    }
}
asio::awaitable<std::string> get_all(http::client& client, http::upstream const& to, http::send_options o = {})
{
    http::request const r("GET", "/");
    auto came = co_await client.stream(to, r, o);
    if (!came) co_return std::string(weir::to_string(came.error().kind()));
    CHECK(came->head().body().empty());
    std::string all = std::to_string(came->head().result_int()) + " " + co_await read_all(*came);
    auto const again = co_await came->body().read(); // stays so
    CHECK((again.has_error() || again->empty()));
    co_return all;
}

} // namespace

TEST_CASE("incoming_response: bodies of every framing are read in pieces, and the connection goes back behind the last one")
{
    scripted s({{ok("counted"), "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nin c\r\n5\r\nhunks\r\n0\r\n\r\n",
                 "HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\nuntil the end"}});
    http::client client(s.context.get_executor(), {.body_bytes = 1}); // which does not count here
    for (char const* wanted : {"200 counted", "200 in chunks", "204 ", "200 until the end"})
        CHECK(run(s.context, get_all(client, s.to)) == wanted);
    CHECK(s.connections == 1);
    CHECK(client.stats().reused == 3);
    CHECK(client.open(s.to) == 0);
}

TEST_CASE("incoming_response: a body that breaks off, or is malformed, says so, each time it is asked")
{
    scripted s({{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"}, {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx"}});
    http::client client(s.context.get_executor());
    CHECK(run(s.context, get_all(client, s.to)) == "200 half upstream_failed");
    CHECK(run(s.context, get_all(client, s.to)) == "200  upstream_failed");
    CHECK(client.open(s.to) == 0);
    CHECK(client.stats().failed >= 2);
}

TEST_CASE("incoming_response: each piece has its time, and all of it the deadline")
{
    std::string const half = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf";
    scripted s({{half, "never"}, {half, "never"}}, true);
    http::client client(s.context.get_executor(), {.piece_time = 200ms, .whole_time = 1ns});
    CHECK(run(s.context, get_all(client, s.to)) == "200 half deadline_exceeded");
    http::client patient(s.context.get_executor());
    CHECK(run(s.context, get_all(patient, s.to, {.deadline = weir::steady::now() + 300ms})) == "200 half deadline_exceeded");
}

TEST_CASE("incoming_response: a read is cancelled with its coroutine")
{
    scripted s({{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", "never"}}, true);
    http::client client(s.context.get_executor());
    asio::cancellation_signal signal;
    std::string got;
    asio::co_spawn(
        s.context, get_all(client, s.to),
        asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr thrown, std::string all) { got = thrown ? "thrown" : all; }));
    auto const cancel = [&]() -> asio::awaitable<bool> {
        while (s.connections == 0 || client.stats().opened == 0) co_await asio::post(s.context, asio::use_awaitable);
        for (int i = 0; i < 100; ++i) co_await asio::post(s.context, asio::use_awaitable);
        signal.emit(asio::cancellation_type::terminal);
        while (got.empty()) co_await asio::post(s.context, asio::use_awaitable);
        co_return true;
    };
    CHECK(run(s.context, cancel()));
    CHECK((got == "thrown" || got == "200 half cancelled" || got == "cancelled"));
    CHECK(client.open(s.to) == 0);
}

TEST_CASE("incoming_response: destroyed before its end, it closes the connection; it may outlive its client")
{
    scripted s({{ok("never read")}, {ok("kept")}});
    std::optional<http::incoming_response> left;
    auto const take = [&]() -> asio::awaitable<bool> {
        http::client client(s.context.get_executor());
        http::request const r("GET", "/");
        {
            auto const dropped = co_await client.stream(s.to, r);
            CHECK(client.stats().open == 1);
        }
        CHECK(client.stats().open == 0);
        auto came = co_await client.stream(s.to, r);
        left.emplace(std::move(*came));
        co_return true;
    };
    CHECK(run(s.context, take()));
    CHECK(run(s.context, read_all(*left)) == "kept");
}

TEST_CASE("incoming_response: the upstream is no faster than the reader")
{
    asio::io_context context(1);
    constexpr std::size_t size = 256u << 20;
    std::size_t written = 0;
    std::string ended;
    auto const produce = [&](http::request&) -> asio::awaitable<http::streamed_response> {
        auto const pieces = [&](http::body_writer& to) -> asio::awaitable<weir::result<void>> {
            std::string const piece(65'536, 'x');
            while (written < size) {
                if (auto const sent = co_await to.write(piece); !sent) {
                    ended = weir::to_string(sent.error().kind());
                    co_return sent.error();
                }
                written += piece.size();
            }
            co_return weir::result<void>();
        };
        co_return http::streamed_response(http::status::ok, "text/plain", pieces);
    };
    http::server server(context.get_executor(), produce);
    http::client client(context.get_executor());
    http::upstream const to("127.0.0.1", server.port());
    auto const stall = [&]() -> asio::awaitable<std::size_t> {
        http::request const r("GET", "/");
        auto came = co_await client.stream(to, r);
        auto const first = co_await came->body().read();
        CHECK_FALSE(first->empty());
        // Until the producer is stuck: the system's buffers are full.
        for (std::size_t before = 1; before != written;) {
            before = written;
            for (int i = 0; i < 1'000; ++i) co_await asio::post(context, asio::use_awaitable);
        }
        co_return written;
    };
    CHECK(run(context, stall()) < size / 2);
    context.restart();
    while (ended.empty() && context.run_one_for(20s) > 0) {}
    CHECK(ended == "cancelled"); // the response was destroyed, its connection closed
}
