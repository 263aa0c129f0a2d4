// SPDX-License-Identifier: BSL-1.0
// What an idle connection costs the server: the growth of resident memory by connections, plain and over TLS. The clients are another process.
// Bar: a plain one at most 8 KiB.
#include "../tests/http/certificates.hpp"

#include <weir/http/tls.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

#include <fmt/core.h>

#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace asio = boost::asio;
namespace http = weir::http;

namespace {

constexpr std::size_t first_connections = 50; // before the first look: what is allocated once is there then
constexpr std::string_view request = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
constexpr std::string_view answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

asio::awaitable<http::response> say_ok(http::request&)
{
    co_return http::response(http::status::ok, "ok");
}

std::size_t resident_bytes()
{
    std::size_t all = 0, resident = 0;
    std::ifstream("/proc/self/statm") >> all >> resident;
    return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

enum class client { silent, plain, tls };

/// The clients: opens connections, asks once on each, and keeps them. Blocking.
class crowd {
public:
    crowd(std::uint16_t port, client kind) : to_(asio::ip::address_v4::loopback(), port), kind_(kind) {}

    void grow(std::size_t count)
    {
        for (std::size_t i = 0; i < count; ++i) {
            auto one = std::make_unique<stream>(context_, tls_);
            one->next_layer().connect(to_);
            if (kind_ == client::tls) {
                one->handshake(asio::ssl::stream_base::client);
                ask(*one);
            } else if (kind_ == client::plain) {
                ask(one->next_layer());
            }
            // Only the descriptor is kept: the memory of the clients is not what is measured, but there is not too much of it.
            if (kind_ != client::tls)
                sockets_.push_back(std::make_unique<asio::ip::tcp::socket>(std::move(one->next_layer())));
            else
                streams_.push_back(std::move(one));
        }
    }

private:
    using stream = asio::ssl::stream<asio::ip::tcp::socket>;

    template<class Stream>
    static void ask(Stream& s)
    {
        asio::write(s, asio::buffer(request));
        char bytes[1024];
        std::string heard;
        while (!heard.ends_with("\r\n\r\nok")) heard.append(bytes, s.read_some(asio::buffer(bytes)));
    }

    asio::io_context context_;
    asio::ssl::context tls_{asio::ssl::context::tls_client};
    asio::ip::tcp::endpoint to_;
    client kind_;
    std::vector<std::unique_ptr<stream>> streams_;
    std::vector<std::unique_ptr<asio::ip::tcp::socket>> sockets_;
};

/// The other process: grows its crowd when it is told to.
[[noreturn]] void run_clients(int channel, std::uint16_t port, client kind)
{
    crowd all(port, kind);
    std::uint64_t count = 0;
    while (::read(channel, &count, sizeof count) == sizeof count) {
        try {
            all.grow(count);
        } catch (std::exception const& e) {
            fmt::print(stderr, "{}\n", e.what());
            _exit(1);
        }
        if (::write(channel, &count, sizeof count) != sizeof count) break;
    }
    _exit(0);
}

/// Bytes a connection.
double measure(asio::io_context& context, std::uint16_t port, client kind, std::size_t count)
{
    int channel[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM, 0, channel) != 0) std::abort();
    if (::fork() == 0) {
        ::close(channel[0]);
        run_clients(channel[1], port, kind);
    }
    ::close(channel[1]);
    asio::local::stream_protocol::socket told(context, asio::local::stream_protocol(), channel[0]);
    auto const grow = [&](std::uint64_t by) {
        asio::write(told, asio::buffer(&by, sizeof by));
        bool done = false;
        told.async_read_some(asio::buffer(&by, sizeof by), [&](boost::system::error_code failed, std::size_t) {
            if (failed) throw boost::system::system_error(failed, "the clients have ended");
            done = true;
        });
        while (!done) context.run_one();
        while (context.poll_one() > 0) {}
        return static_cast<double>(resident_bytes());
    };
    double const before = grow(first_connections);
    return (grow(count) - before) / static_cast<double>(count);
}

/// What `f` finds in a process of its own: memory that another case has let go of would be used again.
double apart(std::function<double()> const& f)
{
    int found[2];
    if (::pipe(found) != 0) std::abort();
    if (::fork() == 0) {
        double const made = f();
        _exit(::write(found[1], &made, sizeof made) == sizeof made ? 0 : 1);
    }
    ::close(found[1]);
    double made = 0;
    bool const good = ::read(found[0], &made, sizeof made) == sizeof made;
    ::close(found[0]);
    if (!good) throw std::runtime_error("a case has ended without a figure");
    return made;
}

/// A server as small as it can be over Asio's own TLS stream.
asio::awaitable<void> serve_by_asio(asio::ip::tcp::socket socket, asio::ssl::context& tls)
{
    asio::ssl::stream<asio::ip::tcp::socket> stream(std::move(socket), tls);
    co_await stream.async_handshake(asio::ssl::stream_base::server, asio::use_awaitable);
    char bytes[1024];
    for (;;) {
        co_await stream.async_read_some(asio::buffer(bytes), asio::use_awaitable);
        co_await asio::async_write(stream, asio::buffer(answer), asio::use_awaitable);
    }
}
asio::awaitable<void> accept_by_asio(asio::ip::tcp::acceptor& acceptor, asio::ssl::context& tls)
{
    for (;;) {
        auto socket = co_await acceptor.async_accept(asio::use_awaitable);
        asio::co_spawn(acceptor.get_executor(), serve_by_asio(std::move(socket), tls), asio::detached);
    }
}

} // namespace

int main(int argc, char** argv)
{
    std::size_t count = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 2'000;
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
    count = std::min(count, static_cast<std::size_t>(files.rlim_cur) - first_connections - 50);
    fmt::print("growth of the server's resident memory for {} idle connections, bytes each\n", count);

    http::server_options const options{.connections = 1'000'000, .idle_time = std::chrono::hours(1), .header_time = std::chrono::hours(1)};
    auto const plain = [&](client kind) {
        return apart([&] {
            asio::io_context context(1);
            http::server server(context.get_executor(), &say_ok, options);
            return measure(context, server.port(), kind, count);
        });
    };
    weir_tests::scratch_folder const folder;
    auto const paper = weir_tests::authority().issue();

    double const fresh = plain(client::silent);
    fmt::print("  {:8.0f}  plain, that has said nothing yet\n", fresh);
    double const kept = plain(client::plain);
    fmt::print("  {:8.0f}  plain, kept after a request\n", kept);
    double const secure = apart([&] {
        asio::io_context context(1);
        http::tls_server_context const tls(
            {.certificate_file = folder.write("a.pem", paper.pem), .key_file = folder.write("a.key", paper.key)});
        http::tls_server server(context.get_executor(), &say_ok, tls, options);
        return measure(context, server.port(), client::tls, count);
    });
    fmt::print("  {:8.0f}  TLS 1.3, kept after a request\n", secure);
    double const by_asio = apart([&] {
        asio::io_context context(1);
        asio::ssl::context tls(asio::ssl::context::tls_server);
        tls.use_certificate_chain(asio::buffer(paper.pem));
        tls.use_private_key(asio::buffer(paper.key), asio::ssl::context::pem);
        asio::ip::tcp::acceptor acceptor(context, {asio::ip::address_v4::loopback(), 0});
        asio::co_spawn(context, accept_by_asio(acceptor, tls), asio::detached);
        return measure(context, acceptor.local_endpoint().port(), client::tls, count);
    });
    fmt::print("  {:8.0f}  TLS 1.3, asio::ssl::stream and nothing else, kept after a request\n", by_asio);
    bool const good = fresh <= 8'192 && kept <= 8'192;
    fmt::print("  a plain one at most 8192: {}\n", good ? "yes" : "NO");
    return good ? 0 : 1;
}
