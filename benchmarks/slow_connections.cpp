// SPDX-License-Identifier: BSL-1.0
//
// What ten thousand slow connections do to honest clients. A server in a process of its own answers a client that asks one thing after
// the other on kept connections: first alone, then while another process holds ten thousand connections, of which each sends one byte of a
// header that never ends in each of its turns. Printed are the 50th and 99th percentile of the honest client's waits and the ratio of the
// latter; rounds with and without alternate, so that both meet the same noise. Bar: the ratio of the 99th percentiles is below 2.
#include <weir/http/server.hpp>

#include <boost/asio/io_context.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

namespace asio = boost::asio;
namespace http = weir::http;
using clock = std::chrono::steady_clock;

constexpr std::size_t slow_ones = 10'000;
constexpr int rounds = 5;
constexpr int requests = 10'000; // a round

/// A process that lives as long as this object, and not longer than its parent.
class child {
public:
    template<class Body>
    explicit child(Body body) : id_(::fork())
    {
        if (id_ != 0) return;
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        try {
            body();
        } catch (std::exception const& e) {
            fmt::print(stderr, "{}\n", e.what());
        }
        std::_Exit(0);
    }
    ~child()
    {
        ::kill(id_, SIGKILL);
        ::waitpid(id_, nullptr, 0);
    }
    child(child const&) = delete;
    child& operator=(child const&) = delete;
    [[nodiscard]] pid_t id() const noexcept { return id_; }

private:
    pid_t id_;
};

template<class T>
void tell(int to, T value)
{
    if (::write(to, &value, sizeof value) != sizeof value) throw std::runtime_error("nobody listens");
}
template<class T>
T hear(int from)
{
    T value{};
    if (::read(from, &value, sizeof value) != sizeof value) throw std::runtime_error("the other process has ended");
    return value;
}

void serve(int port_to)
{
    asio::io_context context(1);
    auto const hello = [](http::request&) -> asio::awaitable<http::response> {
        co_return http::response(http::status::ok, "hello, world\n");
    };
    using std::chrono::minutes;
    http::server server(context.get_executor(), hello,
                        {.connections = slow_ones + 100, .idle_time = minutes(10), .header_time = minutes(10)});
    tell(port_to, server.port());
    context.run();
}

int connected(std::uint16_t port)
{
    int const socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int const yes = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (socket < 0 || ::connect(socket, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0) throw std::runtime_error("cannot connect");
    return socket;
}

/// Opens all, says so, then lets each send a byte, a thousand of them a second in all: a slow client saves its strength.
void be_slow(std::uint16_t port, int opened_to)
{
    std::vector<int> all;
    constexpr std::string_view beginning = "GET / HTTP/1.1\r\nHost: x\r\nX-Never-Ending: ";
    for (std::size_t i = 0; i < slow_ones; ++i) {
        all.push_back(connected(port));
        if (::send(all.back(), beginning.data(), beginning.size(), MSG_NOSIGNAL) < 0) throw std::runtime_error("a slow client was cut");
    }
    tell(opened_to, 'o');
    for (std::size_t turn = 0;; turn = (turn + 1) % slow_ones) {
        if (::send(all[turn], "a", 1, MSG_NOSIGNAL) != 1) throw std::runtime_error("a slow client was cut");
        if (turn % 10 == 0) ::usleep(10'000);
    }
}

/// The waits of an honest client, in microseconds, sorted.
std::vector<double> ask(std::uint16_t port)
{
    int const socket = connected(port);
    constexpr std::string_view request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    std::vector<double> waits;
    waits.reserve(requests);
    for (int i = 0; i < requests; ++i) {
        auto const begin = clock::now();
        if (::send(socket, request.data(), request.size(), MSG_NOSIGNAL) < 0) throw std::runtime_error("the honest client was cut");
        char bytes[1024];
        std::string said;
        while (!said.ends_with("hello, world\n")) {
            auto const size = ::recv(socket, bytes, sizeof bytes, 0);
            if (size <= 0) throw std::runtime_error("the honest client was cut");
            said.append(bytes, static_cast<std::size_t>(size));
        }
        waits.push_back(std::chrono::duration<double, std::micro>(clock::now() - begin).count());
    }
    ::close(socket);
    std::sort(waits.begin(), waits.end());
    return waits;
}
double percentile(std::vector<double> const& sorted, double share)
{
    return sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1))];
}
double median(std::vector<double> values)
{
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}
double resident_kib(pid_t id)
{
    std::ifstream file("/proc/" + std::to_string(id) + "/statm");
    std::size_t all = 0, resident = 0;
    file >> all >> resident;
    return static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE)) / 1024;
}

int measure()
{
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
    if (files.rlim_cur < slow_ones + 100) {
        fmt::print("skipped: a process may open {} files here, {} are wanted\n", files.rlim_cur, slow_ones + 100);
        return 0;
    }
    int ends[2];
    if (::pipe(ends) != 0) throw std::runtime_error("no pipe");
    child const server([&] { serve(ends[1]); });
    auto const port = hear<std::uint16_t>(ends[0]);
    (void)ask(port);
    double const before = resident_kib(server.id());
    double memory = 0;

    std::vector<double> idle50, idle99, slow50, slow99, ratios;
    for (int round = 0; round < rounds; ++round) {
        (void)ask(port); // until the slow ones of the last round are gone
        auto const idle = ask(port);
        child const slow([&] { be_slow(port, ends[1]); });
        (void)hear<char>(ends[0]);
        auto const among = ask(port);
        memory = std::max(memory, resident_kib(server.id()) - before);
        idle50.push_back(percentile(idle, 0.5));
        idle99.push_back(percentile(idle, 0.99));
        slow50.push_back(percentile(among, 0.5));
        slow99.push_back(percentile(among, 0.99));
        ratios.push_back(slow99.back() / idle99.back());
    }
    double const ratio = median(ratios);
    fmt::print("an honest client's wait, us (medians of {} alternating rounds of {} requests)\n", rounds, requests);
    fmt::print("                                  p50      p99\n");
    fmt::print("  alone                      {:8.1f} {:8.1f}\n", median(idle50), median(idle99));
    fmt::print("  among {} slow ones      {:8.1f} {:8.1f}\n", slow_ones, median(slow50), median(slow99));
    fmt::print("  ratio                               {:8.2f}   bar: below 2\n", ratio);
    fmt::print("  resident memory a slow connection   {:8.2f} KiB\n", memory / static_cast<double>(slow_ones));
    return ratio < 2 ? 0 : 1;
}

} // namespace

int main()
try {
    return measure();
} catch (std::exception const& e) {
    fmt::print(stderr, "slow_connections: {}\n", e.what());
    return 1;
}
