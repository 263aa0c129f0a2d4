// SPDX-License-Identifier: BSL-1.0
// Lesson 0: an HTTP service with three policies.
//   00_first_service [PORT]                                     serves on 127.0.0.1 until Ctrl-C
//   curl -i 'http://127.0.0.1:8080/weather?city=Oslo'
#include <weir/asio.hpp>
#include <weir/http/edge.hpp>
#include <weir/http/query_key.hpp>
#include <weir/http/router.hpp>
#include <weir/http/server.hpp>
#include <weir/weir.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <string>
#include <utility>

namespace asio = boost::asio;
namespace http = weir::http;
using namespace std::chrono_literals;

// The handler: what your service is there for. This one asks a thermometer, which takes its time; the one in Atlantis never answers.
asio::awaitable<http::response> measure(http::request const& request)
{
    auto const city = http::query(request, "city");
    if (!city) co_return http::problem(weir::errc::invalid_request, {.detail = "query city: expected a name"});
    asio::steady_timer thermometer(co_await asio::this_coro::executor, *city == "Atlantis" ? 1h : 50ms);
    co_await thermometer.async_wait(asio::use_awaitable);
    co_return http::response(http::status::ok, std::string(city->view()) + ": 21 degrees\n", "text/plain");
}

int main(int argc, char** argv)
try {
    asio::io_context context(1);

    // A request goes down this list to the handler, and its outcome comes back up.
    weir::pipeline weather{
        weir::rate_limit{weir::keyed{weir::gcra{{.permits = 5, .per = 1s, .burst = 20}}, weir::by_peer, {.capacity = 10'000}}},
        weir::cached{weir::store<std::string, http::response>{{.capacity = 1'000, .ttl = 10s}}, weir::query<"city">},
        weir::timeout{300ms},
        measure,
    };

    http::router routes;
    routes.add("GET", "/weather", http::edge(weather));
    auto const port = static_cast<std::uint16_t>(argc > 1 ? std::stoi(argv[1]) : 8080);
    http::server server(context.get_executor(), std::move(routes), {.port = port});
    server.drain_on({SIGTERM, SIGINT});
    std::printf("listening on %u\n", server.port());
    std::fflush(stdout);
    context.run();
} catch (std::exception const& e) {
    std::fprintf(stderr, "first_service: %s\n", e.what());
    return 1;
}
