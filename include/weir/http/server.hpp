// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/http/detail/streams.hpp>
#include <weir/http/request_handler.hpp>
#include <weir/http/server_options.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <csignal>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <utility>

namespace weir::inline v0::http {
namespace detail {

template<class Stream>
class server_state;

} // namespace detail

/// An HTTP/1.1 server for one thread: listens, reads requests, checks their framing (`http::framing`), lets a handler answer them.
///
/// ```cpp
/// asio::io_context context(1);
/// weir::http::server server(context.get_executor(), handler, {.port = 8080});
/// server.drain_on({SIGTERM});
/// context.run(); // until it has drained
/// ```
///
/// All of it runs on the one executor it is given, which must be serial: a context that one thread runs, or a strand. For
/// several threads make one server a thread, with `reuse_port`. The handler is called on that executor, one request of a
/// connection at a time; it may answer out of order with other connections. What it returns is sent with Content-Length, Date
/// and, where the connection ends, `Connection: close`. What it throws becomes a problem document; the text of an exception is
/// not shown. A malformed request is answered by 400, 413, 414, 431, 501 or 505 as a problem document, and its connection closed.
///
/// The cancellation slot of the handler's coroutine is emitted (terminal) when its client has left, when `request_time` is over, which is
/// answered by a 504, and when the drain's time is up. Leaving is a reset of the connection; a client that ends its side after the request
/// (half-close) waits for its answer, unless `half_close` says otherwise. It is noticed for handlers that take longer than a tick. A client
/// that is slow over a request it has begun is told so by a 408.
///
/// What a handler streams goes by the same connection: see `streamed_request` and `streamed_response`. Fields that are about a connection
/// (RFC 9110 section 7.6.1) are not sent; Upgrade is not taken up; of expectations 100-continue is known, any other is a 417.
///
/// Deadlines of connections are looked at by one coarse tick, an eighth of the shortest time and at most 250 ms: no timer is armed for a
/// request.
/// Memory: some 5 KiB for a connection that waits, while it reads as much as its header or 64 KiB of a body need.
template<class Stream = detail::tcp_stream>
class basic_server {
public:
    /// Kept until the last connection has ended, as must be what it refers to.
    using handler_type = request_handler;
    using context_type = detail::context_of<Stream>;

    /// Listens at once. Throws `std::invalid_argument` for bad options, `boost::system::system_error` where the system does not
    /// let it listen: the port is taken, the address is not one of this machine.
    basic_server(boost::asio::any_io_executor executor, handler_type handler,
                 server_options const& options = {}) requires(!detail::is_secure<Stream>)
        : basic_server(context_type{}, executor, std::move(handler), options)
    {
    }
    /// A server that speaks TLS takes the context that its connections begin with.
    basic_server(boost::asio::any_io_executor executor, handler_type handler, context_type const& context,
                 server_options const& options = {}) requires detail::is_secure<Stream>
        : basic_server(context, executor, std::move(handler), options)
    {
    }
    /// Ends all connections. On the server's executor, or when nobody runs it.
    ~basic_server();
    basic_server(basic_server const&) = delete;
    basic_server& operator=(basic_server const&) = delete;

    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

    /// Stops listening, ends the connections that have no request, lets the running requests end with `Connection: close`, and
    /// cancels what still runs when the drain's time is up. When all have ended the server holds no work of its executor any more, so
    /// that `context.run()` returns. From any thread, any number of times.
    void drain();
    /// Drains when one of the signals comes. Once, before the context runs.
    void drain_on(std::initializer_list<int> signals);

    /// A drain also waits for that, when the last connection has ended, so that what outlives its request ends before the server does:
    /// `server.drain_after([&]() -> asio::awaitable<void> { co_await weir::drain(jobs, 5s); })`. It is cancelled (terminal) when the
    /// drain's time is up. Once, before the context runs; what it refers to is kept until the server has drained.
    void drain_after(std::function<boost::asio::awaitable<void>()> work);

    /// From any thread.
    [[nodiscard]] server_stats stats() const noexcept;

private:
    using state = detail::server_state<Stream>;

    basic_server(context_type const& context, boost::asio::any_io_executor const& executor, handler_type handler,
                 server_options const& options);

    static boost::asio::awaitable<void> accept(std::shared_ptr<state> shared);
    static boost::asio::awaitable<void> wait_for_place(state& shared, time_point until);

    boost::asio::any_io_executor executor_;
    std::shared_ptr<state> state_;
    std::uint16_t port_;
};

/// The server over plain TCP.
using server = basic_server<>;

} // namespace weir::inline v0::http

#ifdef WEIR_SEPARATE_COMPILATION
extern template class weir::http::basic_server<>;
#else
#include <weir/http/detail/server_body.hpp>
#endif
