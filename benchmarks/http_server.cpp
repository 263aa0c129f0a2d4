// SPDX-License-Identifier: BSL-1.0
//
// What a request costs weir's server with a route of six policies, beside the least that can be written with Beast: its parser, a
// handler, its serializer over `async_read_some` and one write, without checks of framing, routes, deadlines, or a Date that changes.
// CPU time of the serving process (getrusage), user and system. The bar is 1.18 x in the median of the pairs.
// usage: http_server [SECONDS]      of load a turn, 2 if not said
#include "serving.hpp"

#include <weir/http/edge.hpp>
#include <weir/http/router.hpp>
#include <weir/http/server.hpp>
#include <weir/limit/gcra.hpp>
#include <weir/limit/keyed.hpp>
#include <weir/limit/rate_limit.hpp>
#include <weir/resilience/bulkhead.hpp>
#include <weir/resilience/circuit_breaker.hpp>
#include <weir/resilience/fallback.hpp>
#include <weir/resilience/retry.hpp>
#include <weir/validate/require_headers.hpp>

#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/string_body.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = weir::http;
using namespace std::chrono_literals;
using tcp = asio::ip::tcp;
using weir_bench::served;

constexpr double bar = 1.18;
constexpr std::string_view quote_text = "{\"symbol\":\"ACME\",\"price\":\"42.10\"}";

using bare_request = beast::http::request<beast::http::empty_body>;
using bare_response = beast::http::response<beast::http::string_body>;

bare_response bare_quote(bare_request const& r)
{
    bare_response made(beast::http::status::ok, r.version());
    made.set(beast::http::field::content_type, "application/json");
    made.set(beast::http::field::date, "Sun, 06 Nov 1994 08:49:37 GMT");
    made.body() = quote_text;
    made.keep_alive(r.keep_alive());
    made.prepare_payload();
    return made;
}

asio::awaitable<void> bare_session(tcp::socket socket, std::uint64_t& requests)
{
    std::array<char, 8192> bytes;
    std::size_t have = 0;
    boost::system::error_code failed;
    socket.set_option(tcp::no_delay(true), failed);
    socket.non_blocking(true, failed);
    for (;;) {
        beast::http::request_parser<beast::http::empty_body> parser;
        while (!parser.is_done()) {
            have += co_await socket.async_read_some(asio::buffer(bytes) + have, asio::redirect_error(asio::use_awaitable, failed));
            if (failed) co_return;
            std::size_t const used = parser.put(asio::buffer(bytes.data(), have), failed);
            if (failed && failed != beast::http::error::need_more) co_return;
            have -= used;
            std::memmove(bytes.data(), bytes.data() + used, have);
        }
        bare_response const answer = bare_quote(parser.get());
        ++requests;
        beast::http::response_serializer<beast::http::string_body> serializer(answer);
        while (!serializer.is_done()) {
            std::size_t written = 0;
            serializer.next(failed,
                            [&](boost::system::error_code& why, auto const& buffers) { written = socket.write_some(buffers, why); });
            if (failed) co_return;
            serializer.consume(written);
        }
    }
}

asio::awaitable<void> bare_server(tcp::acceptor& acceptor, std::uint64_t& requests)
{
    for (;;) {
        tcp::socket socket = co_await acceptor.async_accept(asio::use_awaitable);
        asio::co_spawn(acceptor.get_executor(), bare_session(std::move(socket), requests), asio::detached);
    }
}

template<class Tell>
served serve_bare(Tell tell)
{
    asio::io_context context(1);
    tcp::acceptor acceptor(context, {asio::ip::address_v4::loopback(), 0});
    served s;
    asio::co_spawn(context, bare_server(acceptor, s.requests), asio::detached);
    asio::signal_set signals(context, SIGTERM);
    signals.async_wait([&](boost::system::error_code, int) { context.stop(); });
    tell(acceptor.local_endpoint().port());
    double const before = weir_bench::cpu_seconds();
    context.run();
    s.microseconds = (weir_bench::cpu_seconds() - before) * 1e6;
    return s;
}

asio::awaitable<http::response> quote(http::request const&)
{
    co_return http::response(http::status::ok, std::string(quote_text), "application/json");
}

template<class Tell>
served serve_weir(Tell tell)
{
    weir::pipeline guarded{
        weir::fallback{[](weir::error) { return http::response(http::status::ok, "{\"symbol\":\"ACME\"}", "application/json"); }},
        weir::require_headers<"x-app-id">{},
        weir::rate_limit{weir::keyed{weir::gcra{{.permits = 10'000'000, .per = 1s}}, weir::by_header<"x-app-id">, {.capacity = 10'000}}},
        weir::bulkhead{{.max_concurrent = 1'000}},
        weir::circuit_breaker{{}},
        weir::retry<3>{{}},
        weir::idempotent{quote}};
    asio::io_context context(1);
    http::router routes;
    routes.add("GET", "/quotes", http::edge(guarded));
    http::server server(context.get_executor(), routes);
    server.drain_on({SIGTERM});
    tell(server.port());
    double const before = weir_bench::cpu_seconds();
    context.run();
    return {server.stats().requests, (weir_bench::cpu_seconds() - before) * 1e6};
}

} // namespace

int main(int argc, char** argv)
{
    if (!weir_bench::can_load()) {
        fmt::print("skipped: needs wrk and taskset\n");
        return 0;
    }
    int const seconds = argc > 1 ? std::max(1, std::atoi(argv[1])) : 2;
    auto const load = [&](auto serve) { return weir_bench::measure(serve, "-H 'X-App-Id: mobile'", "/quotes?symbol=ACME", seconds); };
    weir_bench::pairs const all(
        10, [&] { return load([](auto tell) { return serve_bare(tell); }); },
        [&] { return load([](auto tell) { return serve_weir(tell); }); });
    if (!all.good) return 1;
    double const ratio = weir_bench::median(all.ratios);
    fmt::print("server CPU a request, us (median of {} alternating pairs, 32 connections)\n", all.ratios.size());
    fmt::print("  bare Beast parser and serializer  {:6.2f}\n", weir_bench::median(all.one));
    fmt::print("  weir's server, six policies       {:6.2f}\n", weir_bench::median(all.other));
    fmt::print("  ratio                             {:6.3f}  (bar {:.2f})\n", ratio, bar);
    return ratio <= bar ? 0 : 1;
}
