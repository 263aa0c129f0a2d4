// SPDX-License-Identifier: BSL-1.0
#include <weir/http/outgoing_body.hpp>

#include "scripted.hpp"

#include <weir/http/server.hpp>
#include <weir/http/streamed_request.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

using namespace std::chrono_literals;
using weir_tests::ok;
using weir_tests::run;
using weir_tests::scripted;
namespace asio = boost::asio;
namespace http = weir::http;

namespace {

auto pieces(std::vector<std::string> all)
{
    return [all](http::body_writer& to) -> asio::awaitable<weir::result<void>> {
        for (auto const& piece : all)
            if (auto const sent = co_await to.write(piece); !sent) co_return sent.error();
        co_return weir::result<void>();
    };
}

weir::result<http::response> send(scripted& s, http::client& client, http::outgoing_body body, http::send_options o = {})
{
    http::request const r("PUT", "/");
    return run(s.context, client.send(s.to, r, body, o));
}

} // namespace

TEST_CASE("outgoing_body: it goes in chunks, or with its length if that is known")
{
    asio::io_context context(1);
    auto const echo = [](http::streamed_request& r) -> asio::awaitable<http::response> {
        std::string all(weir::header(r, "content-length").value_or("chunked"));
        for (;;) {
            weir::result<std::string_view> const piece = co_await r.body().read();
            if (!piece || piece->empty()) co_return http::response(http::status::ok, all);
            all += *piece;
        }
    };
    http::server server(context.get_executor(), echo);
    http::client client(context.get_executor());
    http::upstream const to("127.0.0.1", server.port());
    http::request const r("POST", "/");
    http::outgoing_body chunked{pieces({" one", "", " two ", std::string(300'000, 'x')})};
    CHECK(run(context, client.send(to, r, chunked))->body() == "chunked one two " + std::string(300'000, 'x'));
    http::outgoing_body counted{pieces({" one", " two"}), 8};
    CHECK(run(context, client.send(to, r, counted))->body() == "8 one two");
    http::outgoing_body none{pieces({})};
    CHECK(run(context, client.send(to, r, none))->body() == "chunked");
    http::outgoing_body zero{pieces({}), 0};
    CHECK(run(context, client.send(to, r, zero))->body() == "0");
    CHECK(client.stats().opened == 1);
}

TEST_CASE("outgoing_body: one that fails, is too long or too short ends the request and its connection")
{
    scripted s({{"never"}, {"never"}, {"never"}});
    http::client client(s.context.get_executor());
    http::client_failure failure;
    auto const fails = [](http::body_writer& to) -> asio::awaitable<weir::result<void>> {
        static_cast<void>(co_await to.write("begun"));
        co_return weir::errc::not_found;
    };
    CHECK(send(s, client, {fails}, {.failure = &failure}).error() == weir::errc::not_found);
    CHECK(failure.text() == s.to.address() + ": sending the request: the request's body was not made");
    CHECK(send(s, client, {pieces({"long"}), 3}, {.failure = &failure}).error() == weir::errc::invalid_request);
    CHECK(failure.detail == "the request's body is longer than was promised");
    CHECK(send(s, client, {pieces({"short"}), 6}, {.failure = &failure}).error() == weir::errc::invalid_request);
    CHECK(failure.detail == "the request's body is shorter than was promised");
    CHECK(client.open(s.to) == 0);
}

TEST_CASE("outgoing_body: what an upstream says that has closed early is read")
{
    scripted s({{"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno"}});
    http::client client(s.context.get_executor());
    auto const came = send(s, client, {pieces(std::vector<std::string>(1'000, std::string(65'536, 'x')))});
    CHECK(
        (came.has_error() ? came.error() == weir::errc::upstream_failed : came->result_int() == 413)); // it may be lost with the connection
    CHECK(client.open(s.to) == 0);
}

TEST_CASE("outgoing_body: a stalled upstream is given up")
{
    asio::io_context context(1);
    asio::ip::tcp::acceptor acceptor(context, {asio::ip::address_v4::loopback(), 0}); // never accepts, never reads
    http::client client(context.get_executor(), {.piece_time = 30ms});
    http::upstream const to("127.0.0.1", acceptor.local_endpoint().port());
    http::outgoing_body body{pieces(std::vector<std::string>(1'000, std::string(65'536, 'x')))};
    http::request const r("PUT", "/");
    CHECK(run(context, client.send(to, r, body)).error() == weir::errc::deadline_exceeded);
}

TEST_CASE("outgoing_body: such a request is not sent twice")
{
    scripted s({{ok("a"), ""}, {ok("never reached")}});
    http::client client(s.context.get_executor());
    CHECK(s.send(client, http::request("GET", "/"))->body() == "a");
    CHECK(send(s, client, {pieces({"x"})}).error() == weir::errc::upstream_failed);
    CHECK(client.stats().resent == 0);
}
