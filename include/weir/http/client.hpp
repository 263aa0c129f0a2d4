// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/core/result.hpp>
#include <weir/http/client_options.hpp>
#include <weir/http/detail/client_call.hpp>
#include <weir/http/incoming_response.hpp>
#include <weir/http/message.hpp>
#include <weir/http/outgoing_body.hpp>
#include <weir/http/upstream.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>

namespace weir::inline v0::http {

/// Sends requests over HTTP/1.1 and keeps the connections for the next ones.
///
/// ```cpp
/// weir::http::client client(context.get_executor(), {.connections_per_upstream = 16});
/// weir::http::upstream const bank("bank.example");
/// weir::http::request const r("GET", "/quotes?symbol=X");
/// weir::result<weir::http::response> const came = co_await client.send(bank, r);
/// ```
/// Used on one serial executor, that of the coroutines that send. Errors, of which `send_options::failure` tells more:
/// `unavailable` where no connection can be made, `overloaded` where none comes free, `upstream_failed` where one breaks or what comes
/// back is no response or too large, `deadline_exceeded` where a time limit of `client_options` is passed, `cancelled`, `invalid_request` for a
/// request that cannot be sent. A response with status 500 is a response. Interim responses (1xx) are skipped.
///
/// Cancellation (terminal) ends the operation under way and closes its connection. A kept connection is looked at before it is used: one that
/// has ended, or on which something came unasked, is closed. One that ends nevertheless before a byte of the response is replaced, and the
/// request sent again, if its method is idempotent (RFC 9110 section 9.2.2) or nothing of it was sent.
///
/// Time limits are alarms of the context's timer wheel, to the millisecond. Memory: a connection has 8 KiB of input and what its largest
/// header needed; requests that wait lie in their own frames.
template<class Stream = boost::asio::ip::tcp::socket>
class basic_client {
public:
    /// Throws `std::invalid_argument` for bad options.
    explicit basic_client(boost::asio::any_io_executor executor, client_options const& options = {}) requires(!detail::is_secure<Stream>)
        : state_(std::make_shared<state>(std::move(executor), detail::no_context{}, options))
    {
    }
    /// A client that speaks TLS takes the context that its connections begin with.
    basic_client(boost::asio::any_io_executor executor, detail::context_of<Stream> context,
                 client_options const& options = {}) requires detail::is_secure<Stream>
        : state_(std::make_shared<state>(std::move(executor), std::move(context), options))
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
    [[nodiscard]] std::size_t open(upstream const& to) const
    {
        auto const* const pool = state_->pools.look(to.address());
        return pool == nullptr ? 0 : pool->open;
    }
    [[nodiscard]] client_stats stats() const noexcept { return state_->pools.snapshot(); }
    /// Closes what is idle.
    void close_idle() { state_->pools.close_idle(); }

private:
    using state = detail::client_state<Stream>;

    static boost::asio::awaitable<result<response>> send_by(std::shared_ptr<state> shared, upstream const& to, request const& r,
                                                            outgoing_body const* body, send_options o);
    static boost::asio::awaitable<result<incoming_response>> stream_by(std::shared_ptr<state> shared, upstream const& to, request const& r,
                                                                       outgoing_body const* body, send_options o);

    std::shared_ptr<state> state_;
};

template<class Stream>
boost::asio::awaitable<result<response>> basic_client<Stream>::send_by(std::shared_ptr<state> shared, upstream const& to, request const& r,
                                                                       outgoing_body const* body, send_options o)
{
    client_options const& options = shared->options;
    detail::client_call<Stream> call(shared, to, o.slot, std::min(o.deadline, after(steady::now(), options.whole_time)));
    detail::client_trouble trouble = co_await call.begin(r, body);
    while (!trouble) {
        framing::event found = call.step();
        if (found == framing::event::more) found = co_await call.fill(trouble);
        if (found == framing::event::body) {
            if (call.data().size() > options.body_bytes - call.answer.body().size())
                trouble = call.failed("the body is too large, see client_options::body_bytes");
            else
                call.answer.body().append(call.data());
        } else if (found == framing::event::end) {
            call.finish();
            co_return std::move(call.answer);
        } else if (found == framing::event::refused && !trouble) {
            trouble = call.refused();
        }
    }
    co_return shared->fails(to, trouble, o.failure);
}

template<class Stream>
boost::asio::awaitable<result<incoming_response>> basic_client<Stream>::stream_by(std::shared_ptr<state> shared, upstream const& to,
                                                                                  request const& r, outgoing_body const* body,
                                                                                  send_options o)
{
    auto const call = std::make_shared<detail::kept_call<Stream>>(shared, to, o.slot, o.deadline);
    detail::client_trouble const trouble = co_await call->begin(r, body);
    if (trouble) co_return shared->fails(to, trouble, o.failure);
    co_return incoming_response(std::move(call->answer), call);
}

/// The client over plain TCP.
using client = basic_client<>;

#ifdef WEIR_SEPARATE_COMPILATION
extern template class basic_client<>;
#endif

} // namespace weir::inline v0::http
