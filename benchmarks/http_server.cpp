// SPDX-License-Identifier: BSL-1.0
//
// What a request costs weir's server, beside a loop that is as short as Beast lets it be: `basic_parser` over `async_read_some`,
// a fixed answer written at once, no checks of framing, no handler, no deadlines. Each serves in a process of its own, on one
// processor, `wrk` loads it from another; CPU time is that of the serving process (getrusage), user and system.
#include <weir/http/server.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/beast/http/basic_parser.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = weir::http;
using tcp = asio::ip::tcp;

constexpr std::string_view body = "hello, world\n";

/// Beast's parser with nothing behind it.
struct bare_parser : beast::http::basic_parser<true> {
    using text = beast::string_view;
    using failure = beast::error_code;
    void on_request_impl(beast::http::verb, text, text, int, failure&) override {}
    void on_response_impl(int, text, int, failure&) override {}
    void on_field_impl(beast::http::field, text, text, failure&) override {}
    void on_header_impl(failure&) override {}
    void on_body_init_impl(boost::optional<std::uint64_t> const&, failure&) override {}
    std::size_t on_body_impl(text t, failure&) override { return t.size(); }
    void on_chunk_header_impl(std::uint64_t, text, failure&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, text t, failure&) override { return t.size(); }
    void on_finish_impl(failure&) override {}
};

struct served {
    std::uint64_t requests = 0;
    double microseconds = 0; // of CPU
};

double cpu_seconds()
{
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    auto const seconds = [](timeval t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6; };
    return seconds(used.ru_utime) + seconds(used.ru_stime);
}

asio::awaitable<void> bare_session(tcp::socket socket, std::uint64_t& requests)
{
    std::string const answer = "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 13\r\n"
                               "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n" +
                               std::string(body);
    std::array<char, 8192> bytes;
    boost::system::error_code failed;
    socket.set_option(tcp::no_delay(true), failed);
    socket.non_blocking(true, failed);
    for (;;) {
        bare_parser parser;
        std::size_t have = 0;
        while (!parser.is_done()) {
            auto const room = asio::buffer(bytes) + have;
            have += co_await socket.async_read_some(room, asio::redirect_error(asio::use_awaitable, failed));
            if (failed) co_return;
            have -= parser.put(asio::buffer(bytes.data(), have), failed);
            if (failed && failed != beast::http::error::need_more) co_return;
        }
        ++requests;
        socket.write_some(asio::buffer(answer), failed);
        if (failed) co_return;
    }
}

asio::awaitable<void> bare_server(tcp::acceptor& acceptor, std::uint64_t& requests)
{
    for (;;) {
        tcp::socket socket = co_await acceptor.async_accept(asio::use_awaitable);
        asio::co_spawn(acceptor.get_executor(), bare_session(std::move(socket), requests), asio::detached);
    }
}

/// Serves until SIGTERM, in this process; tells the port first.
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
    double const before = cpu_seconds();
    context.run();
    s.microseconds = (cpu_seconds() - before) * 1e6;
    return s;
}

template<class Tell>
served serve_weir(Tell tell)
{
    asio::io_context context(1);
    auto const hello = [](http::request&) -> asio::awaitable<http::response> {
        co_return http::response(http::status::ok, std::string(body));
    };
    http::server server(context.get_executor(), hello);
    server.drain_on({SIGTERM});
    tell(server.port());
    double const before = cpu_seconds();
    context.run();
    return {server.stats().requests, (cpu_seconds() - before) * 1e6};
}

void stay_on(unsigned processor)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    sched_setaffinity(0, sizeof set, &set);
}

/// Microseconds of CPU a request.
double measure(bool weir)
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
        say(weir ? serve_weir(tell) : serve_bare(tell));
        std::_Exit(0);
    }
    std::uint16_t port = 0;
    served s;
    if (read(to_parent[0], &port, sizeof port) != sizeof port) std::abort();
    std::string const load = fmt::format("taskset -c 1 wrk -t1 -c32 -d2 http://127.0.0.1:{}/plain?symbol=ABC >/dev/null", port);
    bool const loaded = std::system(load.c_str()) == 0;
    kill(child, SIGTERM);
    bool const told = read(to_parent[0], &s, sizeof s) == sizeof s;
    waitpid(child, nullptr, 0);
    close(to_parent[0]);
    close(to_parent[1]);
    return loaded && told && s.requests > 0 ? s.microseconds / static_cast<double>(s.requests) : -1;
}

double median(std::vector<double> values)
{
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

} // namespace

int main()
{
    if (std::system("command -v wrk >/dev/null && command -v taskset >/dev/null") != 0) {
        fmt::print("skipped: needs wrk and taskset\n");
        return 0;
    }
    std::vector<double> bare;
    std::vector<double> ours;
    std::vector<double> ratios;
    for (int round = 0; round < 5; ++round) { // alternating, so that both meet the same noise
        bare.push_back(measure(false));
        ours.push_back(measure(true));
        ratios.push_back(ours.back() / bare.back());
    }
    if (std::min(*std::min_element(bare.begin(), bare.end()), *std::min_element(ours.begin(), ours.end())) < 0) {
        fmt::print("the load did not run\n");
        return 1;
    }
    fmt::print("server CPU a request, us (median of {} alternating rounds, 32 connections)\n", bare.size());
    fmt::print("  bare Beast basic_parser loop  {:6.2f}\n", median(bare));
    fmt::print("  weir::http::server            {:6.2f}\n", median(ours));
    fmt::print("  ratio                         {:6.2f}\n", median(ratios));
}
