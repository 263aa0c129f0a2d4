// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/result.hpp>
#include <weir/http/client_options.hpp>
#include <weir/http/detail/streams.hpp>
#include <weir/http/incoming_response.hpp>
#include <weir/http/message.hpp>
#include <weir/http/outgoing_body.hpp>
#include <weir/http/upstream.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <cstddef>
#include <memory>
#include <utility>

namespace weir::inline v0::http {
namespace detail {

template<class Stream>
struct client_state;

} // namespace detail

/// Sends requests over HTTP/1.1 and keeps the connections for the next ones.
///
/// ```cpp
/// weir::http::client client(context.get_executor(), {.connections_per_upstream = 16});
/// weir::http::upstream const bank("bank.example");
/// weir::http::request const r("GET", "/quotes?symbol=X");
/// weir::result<weir::http::response> const came = co_await client.send(bank, r);
/// ```
/// Used on one serial executor, that of the coroutines that send. Errors, of which `send_options::failure` tells more: `unavailable` where
/// no connection can be made, `overloaded` where none comes free, `upstream_failed` where one breaks or what comes back is no response or
/// too large, `deadline_exceeded` where a time limit of `client_options` is passed, `cancelled`, `invalid_request` for a request that
/// cannot be sent. A response with status 500 is a response. Interim responses (1xx) are skipped.
///
/// Cancellation (terminal) ends the operation under way and closes its connection. A kept connection is looked at before it is used: one
/// that has ended, or on which something came unasked, is closed. One that ends nevertheless before a byte of the response is replaced, and
/// the request sent again, if its method is idempotent (RFC 9110 section 9.2.2) or nothing of it was sent.
///
/// Time limits are alarms of the context's timer wheel, to the millisecond. Memory: a connection has 8 KiB of input and what its largest
/// header needed; requests that wait lie in their own frames.
template<class Stream = detail::tcp_stream>
class basic_client {
public:
    using context_type = detail::context_of<Stream>;

    /// Throws `std::invalid_argument` for bad options.
    explicit basic_client(boost::asio::any_io_executor executor, client_options const& options = {}) requires(!detail::is_secure<Stream>)
        : basic_client(context_type{}, std::move(executor), options)
    {
    }
    /// A client that speaks TLS takes the context that its connections begin with.
    basic_client(boost::asio::any_io_executor executor, context_type const& context,
                 client_options const& options = {}) requires detail::is_secure<Stream>
        : basic_client(context, std::move(executor), options)
    {
    }

    /// Sends a request and awaits its response. Host and Content-Length are set here, and what is about a connection alone is left
    /// out. Both arguments are read until it ends. `slot` is where cancellation comes from, if not from the coroutine's own.
    [[nodiscard]] boost::asio::awaitable<result<response>> send(upstream const& to, request const& r,
                                                                boost::asio::cancellation_slot slot = {})
    {
        return send_by(state_, to, r, nullptr, {.slot = slot});
    }
    [[nodiscard]] boost::asio::awaitable<result<response>> send(upstream const& to, request const& r, send_options const& o)
    {
        return send_by(state_, to, r, nullptr, o);
    }
    /// As above, with a body that is written in pieces. The request's own body is not sent.
    [[nodiscard]] boost::asio::awaitable<result<response>> send(upstream const& to, request const& r, outgoing_body& body,
                                                                send_options const& o = {})
    {
        return send_by(state_, to, r, &body, o);
    }

    /// Sends a request and awaits the head of its response, whose body is read in pieces then. `whole_time` and `body_bytes` do not count;
    /// a slot and a deadline in the options are for the reads, too.
    [[nodiscard]] boost::asio::awaitable<result<incoming_response>> stream(upstream const& to, request const& r, send_options const& o = {})
    {
        return stream_by(state_, to, r, nullptr, o);
    }
    [[nodiscard]] boost::asio::awaitable<result<incoming_response>> stream(upstream const& to, request const& r, outgoing_body& body,
                                                                           send_options const& o = {})
    {
        return stream_by(state_, to, r, &body, o);
    }

    /// Connections to an upstream, in use and idle.
    [[nodiscard]] std::size_t open(upstream const& to) const;
    [[nodiscard]] client_stats stats() const noexcept;
    /// Closes what is idle.
    void close_idle();

private:
    using state = detail::client_state<Stream>;

    basic_client(context_type const& context, boost::asio::any_io_executor executor, client_options const& options);

    static boost::asio::awaitable<result<response>> send_by(std::shared_ptr<state> shared, upstream const& to, request const& r,
                                                            outgoing_body const* body, send_options o);
    static boost::asio::awaitable<result<incoming_response>> stream_by(std::shared_ptr<state> shared, upstream const& to, request const& r,
                                                                       outgoing_body const* body, send_options o);

    std::shared_ptr<state> state_;
};

/// The client over plain TCP.
using client = basic_client<>;

} // namespace weir::inline v0::http

#ifdef WEIR_SEPARATE_COMPILATION
extern template class weir::http::basic_client<>;
#else
#include <weir/http/detail/client_body.hpp>
#endif
