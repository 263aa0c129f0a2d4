// SPDX-License-Identifier: BSL-1.0
#include <weir/http/server_sent_events.hpp>

#include "asking.hpp"

#include <doctest/doctest.h>

#include <string>

namespace asio = boost::asio;
namespace http = weir::http;
using namespace std::chrono_literals;

namespace {

std::string event(http::server_event const& e)
{
    std::string text;
    http::append_event(text, e);
    return text;
}

} // namespace

TEST_CASE("server_sent_events: an event has its fields, each on its line, and an empty line behind")
{
    CHECK(event({.data = "x"}) == "data: x\n\n");
    CHECK(event({.data = ""}) == "data: \n\n");
    CHECK(event({.data = "x", .event = "tick", .id = "7", .retry = 1500ms}) == "event: tick\nid: 7\nretry: 1500\ndata: x\n\n");
    CHECK(event({.data = "x", .retry = 0ms}) == "retry: 0\ndata: x\n\n");
}

TEST_CASE("server_sent_events: no text can end its event or begin another field")
{
    CHECK(event({.data = "a\nb\r\nc\rd\n\ne"}) == "data: a\ndata: b\ndata: c\ndata: d\ndata: \ndata: e\n\n");
    CHECK(event({.data = "\n"}) == "data: \ndata: \n\n");
    CHECK(event({.data = "x", .event = "a\ndata: y", .id = "1\r2"}) == "event: a\nid: 1\ndata: x\n\n");
}

TEST_CASE("server_sent_events: a stream of them is a response that nobody keeps")
{
    auto const three = [](http::request&) -> asio::awaitable<http::streamed_response> {
        auto const produce = [](http::body_writer& to) -> asio::awaitable<weir::result<void>> {
            for (int i = 0; i < 3; ++i) {
                std::string const text = event({.data = std::to_string(i)});
                if (auto const sent = co_await to.write(text); !sent) co_return sent.error();
            }
            co_return weir::result<void>();
        };
        co_return http::event_stream(produce);
    };
    asio::io_context context(1);
    http::server server(context.get_executor(), three);
    std::string const heard = weir_tests::talk(context, server.port(), "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(heard.find("Content-Type: text/event-stream\r\nCache-Control: no-store\r\n") != std::string::npos);
    CHECK(heard.ends_with("9\r\ndata: 0\n\n\r\n9\r\ndata: 1\n\n\r\n9\r\ndata: 2\n\n\r\n0\r\n\r\n"));
}
