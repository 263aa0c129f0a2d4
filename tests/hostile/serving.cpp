// SPDX-License-Identifier: BSL-1.0
#include "serving.hpp"

#include <weir/http/router.hpp>
#include <weir/http/server.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <csignal>
#include <exception>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#endif

namespace hostile {

namespace {

namespace asio = boost::asio;
namespace http = weir::http;

http::server const* running = nullptr;

asio::awaitable<http::response> answer(http::request& r)
{
    if (r.path() == "/stats") {
        http::server_stats const s = running->stats();
        std::string text;
        for (auto n : {s.accepted, s.open, s.requests, s.refused, s.timed_out, s.threw, s.left, s.shed}) text += std::to_string(n) + " ";
        co_return http::response(http::status::ok, std::move(text));
    }
    if (r.path() == "/large") co_return http::response(http::status::ok, std::string(std::size_t{8} << 20, 'x'));
    if (r.path() == "/waits") {
        asio::steady_timer timer(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
        co_await timer.async_wait(asio::use_awaitable);
    }
    std::string said(weir::method(r));
    said.append(" ").append(weir::target(r)).append(" ").append(std::to_string(weir::body(r).size())).append("\n");
    co_return http::response(http::status::ok, std::move(said));
}

asio::awaitable<http::streamed_response> stream(http::request&)
{
    auto const for_ever = [](http::body_writer& to) -> asio::awaitable<weir::result<void>> {
        std::string const piece(65'536, 'x');
        for (;;) {
            auto const sent = co_await to.write(piece);
            if (!sent) co_return sent.error();
        }
    };
    co_return http::streamed_response(http::status::ok, "text/plain", for_ever);
}

asio::awaitable<http::response> upload(http::streamed_request& r)
{
    for (std::size_t size = 0;;) {
        weir::result<std::string_view> const piece = co_await r.body().read();
        if (!piece) co_return http::problem(piece.error());
        if (piece->empty()) co_return http::response(http::status::ok, std::to_string(size) + "\n");
        size += piece->size();
    }
}

http::request_handler routes()
{
    http::router all;
    all.add("*", "/stream", &stream).add("*", "/upload", &upload).add("*", "/*", &answer);
    return all;
}

/// In the child.
int serve(http::server_options const& options, int tell)
{
    asio::io_context context(1);
    http::server server(context.get_executor(), routes(), options);
    running = &server;
    server.drain_on({SIGTERM});
    std::uint16_t const port = server.port();
    if (::write(tell, &port, sizeof port) != sizeof port) return 1;
    context.run();
    return server.stats().open == 0 ? 0 : 1;
}

[[noreturn]] void become_server(http::server_options const& options, int tell, pid_t parent)
{
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);
    int status = 1;
    try {
        status = serve(options, tell);
    } catch (std::exception const&) {
    }
#if defined(__SANITIZE_ADDRESS__)
    if (__lsan_do_recoverable_leak_check() != 0) status = 1;
#endif
    ::_exit(status);
}

} // namespace

serving::serving(http::server_options const& options)
{
    int ends[2];
    if (::pipe(ends) != 0) throw std::runtime_error("no pipe");
    pid_t const parent = ::getpid();
    id_ = ::fork();
    if (id_ == 0) become_server(options, ends[1], parent);
    ::close(ends[1]);
    bool const told = id_ > 0 && ::read(ends[0], &port_, sizeof port_) == sizeof port_;
    ::close(ends[0]);
    if (told) return;
    if (id_ > 0) ::waitpid(id_, nullptr, 0);
    throw std::runtime_error("the server does not listen");
}

serving::~serving()
{
    if (id_ <= 0) return;
    ::kill(id_, SIGKILL);
    ::waitpid(id_, nullptr, 0);
}

std::size_t serving::resident() const
{
    std::ifstream file("/proc/" + std::to_string(id_) + "/statm");
    std::size_t all = 0, resident = 0;
    if (!(file >> all >> resident)) throw std::runtime_error("the server is gone");
    return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

bool serving::finish()
{
    int status = 1;
    ::kill(id_, SIGTERM);
    ::waitpid(std::exchange(id_, -1), &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

std::size_t raise_file_limit()
{
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
    ::getrlimit(RLIMIT_NOFILE, &files);
    return files.rlim_cur;
}

} // namespace hostile
