// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/http/detail/server_state.hpp>
#include <weir/http/detail/session.hpp>
#include <weir/http/message.hpp>
#include <weir/http/server_options.hpp>

#include <boost/asio/post.hpp>

#include <csignal>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace weir::inline v0::http {

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
/// The cancellation slot of the handler's coroutine is emitted (terminal) when its client has left, when `request_time` is over, which
/// is answered by a 504, and when the drain's time is up. Leaving is a reset of the connection; a client that ends its side after the request
/// (half-close) waits for its answer, unless `half_close` says otherwise. It is noticed for handlers that take longer than a tick. A client
/// that is slow over a request it has begun is told so by a 408.
///
/// What a handler streams goes by the same connection: see `streamed_request` and `streamed_response`. Fields that are about a connection
/// (RFC 9110 section 7.6.1) are not sent; Upgrade is not taken up; of expectations 100-continue is known, any other is a 417.
///
/// Deadlines of connections are looked at by one coarse tick, an eighth of the shortest time and at most 250 ms: no timer is armed for a
/// request.
/// Memory: some 5 KiB for a connection that waits, while it reads as much as its header or 64 KiB of a body need. `Stream` is made from an accepted socket.
template<class Stream = boost::asio::ip::tcp::socket>
class basic_server {
public:
    /// Kept until the last connection has ended, as must be what it refers to.
    using handler_type = request_handler;

    /// Listens at once. Throws `std::invalid_argument` for bad options, `boost::system::system_error` where the system does not
    /// let it listen: the port is taken, the address is not one of this machine.
    basic_server(boost::asio::any_io_executor executor, handler_type handler,
                 server_options const& options = {}) requires(!detail::is_secure<Stream>)
        : basic_server(executor, std::make_shared<detail::server_state<Stream>>(executor, std::move(handler), options))
    {
    }
    /// A server that speaks TLS takes the context that its connections begin with.
    basic_server(boost::asio::any_io_executor executor, handler_type handler, detail::context_of<Stream> context,
                 server_options const& options = {}) requires detail::is_secure<Stream>
        : basic_server(executor, std::make_shared<detail::server_state<Stream>>(executor, std::move(handler), options, std::move(context)))
    {
    }
    /// Ends all connections. On the server's executor, or when nobody runs it.
    ~basic_server() { state_->stop(); }
    basic_server(basic_server const&) = delete;
    basic_server& operator=(basic_server const&) = delete;

    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

    /// Stops listening, ends the connections that have no request, lets the running requests end with `Connection: close`, and
    /// cancels what still runs when the drain's time is up. When all have ended the server holds no work of its executor any more, so
    /// that `context.run()` returns. From any thread, any number of times.
    void drain()
    {
        boost::asio::post(executor_, [state = state_] { state->drain(); });
    }
    /// Drains when one of the signals comes. Once, before the context runs.
    void drain_on(std::initializer_list<int> signals)
    {
        for (int s : signals) state_->signals.add(s);
        state_->signals.async_wait([state = state_](boost::system::error_code failed, int) {
            if (!failed) state->drain();
        });
    }

    /// A drain also waits for that, when the last connection has ended, so that what outlives its request ends before the server does:
    /// `server.drain_after([&]() -> asio::awaitable<void> { co_await weir::drain(jobs, 5s); })`. It is cancelled (terminal) when the drain's time
    /// is up. Once, before the context runs; what it refers to is kept until the server has drained.
    void drain_after(std::function<boost::asio::awaitable<void>()> work) { state_->last_work = std::move(work); }

    /// From any thread.
    [[nodiscard]] server_stats stats() const noexcept
    {
        auto const read = [](auto const& counter) { return counter.load(std::memory_order_relaxed); };
        return {read(state_->accepted),  read(state_->open),  read(state_->requests), read(state_->refused),
                read(state_->timed_out), read(state_->threw), read(state_->left),     read(state_->shed)};
    }

private:
    basic_server(boost::asio::any_io_executor const& executor, std::shared_ptr<detail::server_state<Stream>> state)
        : executor_(executor), state_(std::move(state)), port_(state_->acceptor.local_endpoint().port())
    {
        state_->run(accept(state_), {}, nullptr);
    }
    static boost::asio::awaitable<void> accept(std::shared_ptr<detail::server_state<Stream>> state);
    static boost::asio::awaitable<void> wait_for_place(detail::server_state<Stream>& state, time_point until);

    boost::asio::any_io_executor executor_;
    std::shared_ptr<detail::server_state<Stream>> state_;
    std::uint16_t port_;
};

namespace detail {

/// Nothing if the other side has gone.
inline std::optional<ip_address> address_of(boost::asio::ip::tcp::socket const& socket)
{
    boost::system::error_code failed;
    std::string const text = socket.remote_endpoint(failed).address().to_string();
    if (failed) return {};
    return ip_address::parse(std::string_view(text).substr(0, text.find('%'))); // without the zone
}

} // namespace detail

template<class Stream>
boost::asio::awaitable<void> basic_server<Stream>::accept(std::shared_ptr<detail::server_state<Stream>> state)
{
    namespace asio = boost::asio;
    using session = detail::session<Stream>;
    state->tick();
    while (!state->draining()) {
        boost::system::error_code failed;
        if (state->full()) {
            co_await wait_for_place(*state, never);
            continue;
        }
        co_await state->acceptor.async_wait(asio::socket_base::wait_read, asio::redirect_error(asio::use_awaitable, failed));
        if (state->draining()) co_return;
        asio::ip::tcp::socket socket = state->acceptor.accept(failed);
        if (failed == asio::error::would_block || failed == asio::error::connection_aborted) continue; // whoever came has gone
        if (failed) { // out of descriptors, most likely: another try is of no use before a connection has ended
            co_await wait_for_place(*state, steady::now() + std::chrono::milliseconds(100));
            continue;
        }
        detail::count(state->accepted);
        auto const peer = detail::address_of(socket);
        if (!peer) continue; // it has gone already
        if (!state->addresses.take(*peer)) {
            detail::count(state->shed);
            continue;
        }
        auto one = std::make_shared<session>(state, detail::make_stream<Stream>(std::move(socket), state->context), *peer);
        auto& running = *one;
        state->run(running.run(), running.slot(), std::move(one));
    }
}

/// Until a connection has ended, or the time is up.
template<class Stream>
boost::asio::awaitable<void> basic_server<Stream>::wait_for_place(detail::server_state<Stream>& state, time_point until)
{
    weir::detail::wait place;
    typename detail::server_state<Stream>::wanting_place const wanting(state, place);
    co_await place(nullptr, steady::now(), until);
    place.finish();
}

/// The server over plain TCP.
using server = basic_server<>;

#ifdef WEIR_SEPARATE_COMPILATION
extern template class detail::session<boost::asio::ip::tcp::socket>;
extern template class detail::server_state<boost::asio::ip::tcp::socket>;
extern template class basic_server<>;
#endif

} // namespace weir::inline v0::http
