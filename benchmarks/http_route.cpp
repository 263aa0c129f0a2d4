// SPDX-License-Identifier: BSL-1.0
//
// What a pipeline of six policies costs a route: the server's CPU time a request (getrusage, user and system) of the same server and
// handler without one and with one. Each serves in a process of its own, on one processor, `wrk` loads it from another; ten pairs,
// alternating. The bar is 1.08 x in the median.
// usage: http_route [SECONDS [correlated]]      of load a turn, 2 if not said; `correlated` takes six dearer policies, without a bar
#include "serving.hpp"

#include <weir/http/correlate.hpp>
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
#include <weir/resilience/timeout.hpp>
#include <weir/validate/require_headers.hpp>

#include <boost/asio/io_context.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

namespace asio = boost::asio;
namespace http = weir::http;
using namespace std::chrono_literals;
using weir_bench::served;

constexpr double bar = 1.08;

asio::awaitable<http::response> quote(http::request const&)
{
    co_return http::response(http::status::ok, "{\"symbol\":\"ACME\",\"price\":\"42.10\"}", "application/json");
}
/// Binds the call's cancellation to its operations, as whoever uses weir's client does.
asio::awaitable<http::response> bound_quote(http::request const& r, weir::view<weir::cancellation>)
{
    return quote(r);
}

/// Serves until SIGTERM, in this process; tells the port first.
template<class Tell>
served serve(http::request_handler const& handler, Tell tell)
{
    asio::io_context context(1);
    http::router routes;
    routes.add("GET", "/quotes", handler);
    http::server server(context.get_executor(), routes);
    server.drain_on({SIGTERM});
    tell(server.port());
    double const before = weir_bench::cpu_seconds();
    context.run();
    return {server.stats().requests, (weir_bench::cpu_seconds() - before) * 1e6};
}

template<class Tell>
served serve_plain(Tell tell)
{
    return serve(quote, tell);
}

template<class Tell>
served serve_guarded(Tell tell)
{
    weir::pipeline guarded{
        weir::fallback{[](weir::error) { return http::response(http::status::ok, "{\"symbol\":\"ACME\"}", "application/json"); }},
        weir::require_headers<"x-app-id">{},
        weir::rate_limit{weir::keyed{weir::gcra{{.permits = 10'000'000, .per = 1s}}, weir::by_header<"x-app-id">, {.capacity = 10'000}}},
        weir::bulkhead{{.max_concurrent = 1'000}},
        weir::circuit_breaker{{}},
        weir::retry<3>{{}},
        weir::idempotent{quote}};
    return serve(http::edge(guarded), tell);
}

/// Dearer ones: an id that is found, kept and sent back, and a deadline.
template<class Tell>
served serve_correlated(Tell tell)
{
    weir::pipeline guarded{
        weir::correlate{{.required = true}},
        weir::require_headers<"x-app-id", "accept">{},
        weir::rate_limit{weir::keyed{weir::gcra{{.permits = 10'000'000, .per = 1s}}, weir::by_header<"x-app-id">, {.capacity = 10'000}}},
        weir::bulkhead{{.max_concurrent = 1'000}},
        weir::circuit_breaker{{}},
        weir::timeout{200ms},
        bound_quote};
    return serve(http::edge(guarded), tell);
}

} // namespace

int main(int argc, char** argv)
{
    if (!weir_bench::can_load()) {
        fmt::print("skipped: needs wrk and taskset\n");
        return 0;
    }
    int const seconds = argc > 1 ? std::max(1, std::atoi(argv[1])) : 2;
    bool const correlated = argc > 2 && std::string_view(argv[2]) == "correlated";
    auto const load = [&](auto serve) {
        return weir_bench::measure(serve, "-H 'X-Correlation-Id: 7f3c9e0a51d24b8f' -H 'X-App-Id: mobile' -H 'Accept: application/json'",
                                   "/quotes?symbol=ACME", seconds);
    };
    weir_bench::pairs const all(
        10, [&] { return load([](auto tell) { return serve_plain(tell); }); },
        [&] { return load([&](auto tell) { return correlated ? serve_correlated(tell) : serve_guarded(tell); }); });
    if (!all.good) return 1;
    double const ratio = weir_bench::median(all.ratios);
    fmt::print("server CPU a request, us (median of {} alternating pairs, 32 connections)\n", all.ratios.size());
    fmt::print("  the handler alone    {:6.2f}\n", weir_bench::median(all.one));
    fmt::print("  six policies         {:6.2f}\n", weir_bench::median(all.other));
    fmt::print("  ratio                {:6.3f}  (bar {:.2f})\n", ratio, bar);
    return correlated || ratio <= bar ? 0 : 1;
}
