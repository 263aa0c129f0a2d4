// SPDX-License-Identifier: BSL-1.0
//
// What a pipeline of six policies costs a route: the server's CPU time a request (getrusage, user and system) of the same server and
// handler without one and with one. Each serves in a process of its own, on one processor, `wrk` loads it from another; ten pairs,
// alternating. The bar is 1.08 x in the median.
// usage: http_route [SECONDS [correlated]]      of load a turn, 2 if not said; `correlated` takes six dearer policies, without a bar
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
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

namespace asio = boost::asio;
namespace http = weir::http;
using namespace std::chrono_literals;

constexpr double bar = 1.08;

struct served {
    std::uint64_t requests = 0;
    double microseconds = 0; // of CPU
};

asio::awaitable<http::response> quote(http::request const&)
{
    co_return http::response(http::status::ok, "{\"symbol\":\"ACME\",\"price\":\"42.10\"}", "application/json");
}
/// Binds the call's cancellation to its operations, as whoever uses weir's client does.
asio::awaitable<http::response> bound_quote(http::request const& r, weir::view<weir::cancellation>)
{
    return quote(r);
}

double cpu_seconds()
{
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    auto const seconds = [](timeval t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6; };
    return seconds(used.ru_utime) + seconds(used.ru_stime);
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
    double const before = cpu_seconds();
    context.run();
    return {server.stats().requests, (cpu_seconds() - before) * 1e6};
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

void stay_on(unsigned processor)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    sched_setaffinity(0, sizeof set, &set);
}

/// Microseconds of CPU a request; negative if the load did not run.
double measure(bool guarded, bool correlated, int seconds)
{
    int to_parent[2];
    if (pipe(to_parent) != 0) std::abort();
    pid_t const child = fork();
    if (child == 0) {
        stay_on(0);
        auto const say = [&](auto value) {
            if (write(to_parent[1], &value, sizeof value) != sizeof value) std::_Exit(1);
        };
        auto const tell = [&](std::uint16_t port) { say(port); };
        say(!guarded ? serve_plain(tell) : correlated ? serve_correlated(tell) : serve_guarded(tell));
        std::_Exit(0);
    }
    std::uint16_t port = 0;
    served s;
    if (read(to_parent[0], &port, sizeof port) != sizeof port) std::abort();
    std::string const load = fmt::format("taskset -c 1 wrk -t1 -c32 -d{} -H 'X-Correlation-Id: 7f3c9e0a51d24b8f' -H 'X-App-Id: mobile' "
                                         "-H 'Accept: application/json' 'http://127.0.0.1:{}/quotes?symbol=ACME' | grep -q 'Non-2xx'",
                                         seconds, port);
    bool const refused = std::system(load.c_str()) == 0;
    kill(child, SIGTERM);
    bool const told = read(to_parent[0], &s, sizeof s) == sizeof s;
    waitpid(child, nullptr, 0);
    close(to_parent[0]);
    close(to_parent[1]);
    return !refused && told && s.requests > 0 ? s.microseconds / static_cast<double>(s.requests) : -1;
}

double median(std::vector<double> values)
{
    std::sort(values.begin(), values.end());
    std::size_t const half = values.size() / 2;
    return values.size() % 2 != 0 ? values[half] : (values[half - 1] + values[half]) / 2;
}

} // namespace

int main(int argc, char** argv)
{
    if (std::system("command -v wrk >/dev/null && command -v taskset >/dev/null") != 0) {
        fmt::print("skipped: needs wrk and taskset\n");
        return 0;
    }
    int const seconds = argc > 1 ? std::max(1, std::atoi(argv[1])) : 2;
    bool const correlated = argc > 2 && std::string_view(argv[2]) == "correlated";
    std::vector<double> plain, guarded, ratios;
    for (int pair = 0; pair < 10; ++pair) {
        bool const first = pair % 2 == 0; // who comes first alternates, too
        double const one = measure(!first, correlated, seconds);
        double const other = measure(first, correlated, seconds);
        plain.push_back(first ? one : other);
        guarded.push_back(first ? other : one);
        if (one < 0 || other < 0) {
            fmt::print("the load did not run, or requests were refused\n");
            return 1;
        }
        ratios.push_back(guarded.back() / plain.back());
    }
    fmt::print("server CPU a request, us (median of {} alternating pairs, 32 connections)\n", ratios.size());
    fmt::print("  the handler alone    {:6.2f}\n", median(plain));
    fmt::print("  six policies         {:6.2f}\n", median(guarded));
    fmt::print("  ratio                {:6.3f}  (bar {:.2f})\n", median(ratios), bar);
    return correlated || median(ratios) <= bar ? 0 : 1;
}
