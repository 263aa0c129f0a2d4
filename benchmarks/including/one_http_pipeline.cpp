// bar: 6 -O0 -DWEIR_SEPARATE_COMPILATION
// bar: 6 -O0
// SPDX-License-Identifier: BSL-1.0
//
// What a user's file costs to compile that has all of it: a server, a router, a pipeline of six policies, a handler;
// first as weir::compiled has it compiled, then with the bodies of the edge in the same file.
#include <weir/http/correlate.hpp>
#include <weir/http/edge.hpp>
#include <weir/http/router.hpp>
#include <weir/http/server.hpp>
#include <weir/limit/gcra.hpp>
#include <weir/limit/keyed.hpp>
#include <weir/limit/rate_limit.hpp>
#include <weir/resilience/bulkhead.hpp>
#include <weir/resilience/circuit_breaker.hpp>
#include <weir/resilience/timeout.hpp>
#include <weir/validate/require_headers.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <csignal>

namespace asio = boost::asio;
namespace http = weir::http;
using namespace std::chrono_literals;

int main()
{
    auto const quote = [](http::request const&) -> asio::awaitable<http::response> {
        co_return http::response(http::status::ok, "{\"price\":42}", "application/json");
    };
    weir::pipeline quotes{weir::correlate{},
                          weir::require_headers<"x-app-id">{},
                          weir::rate_limit{weir::keyed{weir::gcra{{.permits = 100, .per = 1s}}, weir::by_header<"x-app-id">, {.capacity = 10'000}}},
                          weir::bulkhead{{.max_concurrent = 100}},
                          weir::circuit_breaker{{}},
                          weir::timeout{200ms},
                          quote};
    asio::io_context context(1);
    http::router routes;
    routes.add("GET", "/quotes", http::edge(quotes));
    http::server server(context.get_executor(), routes, {.port = 8080});
    server.drain_on({SIGTERM});
    context.run();
}
