// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/core/options.hpp>
#include <weir/core/result.hpp>
#include <weir/http/detail/pool.hpp>
#include <weir/http/detail/serialize.hpp>
#include <weir/http/framing.hpp>
#include <weir/http/message.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/this_coro.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::inline v0::http {

/// Where a client sends: a host by name or address, and a port.
class upstream {
public:
    upstream(std::string host, std::uint16_t port = 80) : host_(std::move(host)), port_(port), name_(make_name()) {} // NOLINT: implicit
    [[nodiscard]] std::string const& host() const noexcept { return host_; }
    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    /// As in a Host field: `127.0.0.1:8080`, `[::1]:8080`, `example.com`.
    [[nodiscard]] std::string const& name() const noexcept { return name_; }

private:
    [[nodiscard]] std::string make_name() const
    {
        std::string made = host_.find(':') == std::string::npos ? host_ : '[' + host_ + ']';
        return port_ == 80 ? made : made + ':' + std::to_string(port_);
    }
    std::string host_;
    std::uint16_t port_;
    std::string name_;
};

struct client_options {
    std::size_t connections_per_upstream = 64;     ///< in use and idle together; a request beyond gets `errc::overloaded` at once
    std::size_t upstreams = 256;                   ///< that have a pool; a request to a further one gets `errc::overloaded`
    duration idle_time = std::chrono::seconds(30); ///< a connection idle for longer is not used again
    std::size_t header_bytes = 32'768;             ///< of a response
    std::uint64_t body_bytes = 16'777'216;         ///< of a response; a longer one is `errc::upstream_failed`
};

/// Sends requests over HTTP/1.1 and keeps the connections for the next ones.
///
/// Used on one serial executor, that of the coroutines that send. Errors: `unavailable` where no connection can be made,
/// `upstream_failed` where one breaks or what comes back is no response or too large, `overloaded` where all connections are in
/// use, `cancelled`, `invalid_request` for a request that cannot be sent. A response with status 500 is a response.
///
/// There are no time limits in here: the caller's deadline or `weir::timeout` cancels. Cancellation (terminal) ends the operation under way and
/// closes its connection; the one exception is the look-up of a name, which the system does in a thread of its own. A kept connection that proves to be
/// closed before anything of a response came is replaced once, and the request sent again, if its method is idempotent
/// (RFC 9110 section 9.2.2); any other method is only sent on a kept connection that the system still thinks open.
template<class Stream = boost::asio::ip::tcp::socket>
class basic_client {
public:
    explicit basic_client(boost::asio::any_io_executor executor, client_options const& options = {}) requires(!detail::is_secure<Stream>)
        : basic_client(std::make_shared<state>(state{std::move(executor), {}, options, {}}))
    {
    }
    /// A client that speaks TLS takes the context that its connections begin with.
    basic_client(boost::asio::any_io_executor executor, detail::context_of<Stream> context,
                 client_options const& options = {}) requires detail::is_secure<Stream>
        : basic_client(std::make_shared<state>(state{std::move(executor), std::move(context), options, {}}))
    {
    }

    /// Sends a request and awaits its response. Host and Content-Length are set here. Both arguments are read until it ends.
    /// `slot` is where cancellation comes from, if not from the coroutine's own: in a handler `call.get<weir::cancellation>().slot`.
    [[nodiscard]] boost::asio::awaitable<result<response>> send(upstream const& to, request const& r,
                                                                boost::asio::cancellation_slot slot = {})
    {
        return send_by(state_, to, r, slot);
    }

    /// Connections to an upstream, in use and idle.
    [[nodiscard]] std::size_t open(upstream const& to) const
    {
        auto const found = state_->pools.find(to.name());
        return found == state_->pools.end() ? 0 : found->second.open;
    }
    /// Closes what is idle.
    void close_idle() noexcept
    {
        for (auto& [name, pool] : state_->pools) pool.close_idle();
    }

private:
    /// What an exchange on one connection came to.
    struct outcome {
        explicit outcome(result<response> what) : answer(std::move(what)) {}
        result<response> answer;
        bool stale = false; ///< the connection broke before anything came
        bool keep = false;
    };

    /// Shared with the requests under way, which may outlive the client.
    struct state {
        boost::asio::any_io_executor executor;
        [[no_unique_address]] detail::context_of<Stream> context;
        client_options options;
        detail::client_pools<Stream> pools;
    };

    explicit basic_client(std::shared_ptr<state> made) : state_(std::move(made))
    {
        client_options const& options = state_->options;
        expect(options.connections_per_upstream > 0, "connections_per_upstream", "at least 1");
        expect(options.upstreams > 0, "upstreams", "at least 1");
        expect(options.idle_time >= duration::zero(), "idle_time", "zero or more");
        expect(options.header_bytes >= 64, "header_bytes", "at least 64");
    }
    static boost::asio::awaitable<result<response>> send_by(std::shared_ptr<state> shared, upstream const& to, request const& r,
                                                            boost::asio::cancellation_slot slot);
    static boost::asio::awaitable<result<void>> connect(detail::client_connection<Stream>& c, upstream const& to,
                                                        boost::asio::cancellation_slot slot);
    static boost::asio::awaitable<outcome> exchange(detail::client_connection<Stream>& c, request const& r, std::string const& head,
                                                    client_options const& options, boost::asio::cancellation_slot slot);
    static void take_head(message_head const& head, response& to);
    static error failed(boost::system::error_code why, errc otherwise) noexcept
    {
        return why == boost::asio::error::operation_aborted ? errc::cancelled : otherwise;
    }

    std::shared_ptr<state> state_;
};

template<class Stream>
boost::asio::awaitable<result<response>> basic_client<Stream>::send_by(std::shared_ptr<state> shared, upstream const& to, request const& r,
                                                                       boost::asio::cancellation_slot slot)
{
    client_options const& options = shared->options;
    if (!slot.is_connected()) {
        boost::asio::cancellation_state const own = co_await boost::asio::this_coro::cancellation_state;
        slot = own.slot();
    }
    std::string head;
    if (!detail::write_head(head, r, to.name())) co_return error(errc::invalid_request);
    auto& pools = shared->pools;
    auto pool = pools.find(to.name());
    if (pool == pools.end()) {
        if (pools.size() >= options.upstreams) co_return error(errc::overloaded);
        pool = pools.try_emplace(to.name()).first;
    }
    auto const method = r.method();
    bool const idempotent = method == verb::get || method == verb::head || method == verb::put || method == verb::delete_ ||
                            method == verb::options || method == verb::trace;
    for (;;) {
        auto kept = pool->second.take(steady::now() - options.idle_time);
        while (kept && !idempotent && !detail::is_quiet(kept->stream)) {
            --pool->second.open;
            kept = pool->second.take(steady::now() - options.idle_time);
        }
        bool const reused = kept != nullptr;
        if (!reused && pool->second.open >= options.connections_per_upstream) co_return error(errc::overloaded);
        detail::client_lease<Stream> lease(pool->second, std::move(kept));
        if (!reused) {
            lease.open(shared->executor, shared->context);
            result<void> const connected = co_await connect(*lease, to, slot);
            if (!connected) co_return connected.error();
        }
        outcome made = co_await exchange(*lease, r, head, options, slot);
        if (made.keep) lease.keep(steady::now());
        if (!made.stale || !reused || !idempotent) co_return std::move(made.answer);
        pool->second.close_idle(); // the others are as old
    }
}

template<class Stream>
boost::asio::awaitable<result<void>> basic_client<Stream>::connect(detail::client_connection<Stream>& c, upstream const& to,
                                                                   boost::asio::cancellation_slot slot)
{
    namespace asio = boost::asio;
    using protocol = asio::ip::tcp;
    asio::ip::tcp::socket& socket = detail::socket_of(c.stream);
    boost::system::error_code why;
    auto token = detail::cancellable_by(socket, slot, why);
    std::vector<protocol::endpoint> ends;
    if (auto const address = asio::ip::make_address(to.host(), why); !why) {
        ends.emplace_back(address, to.port());
    } else {
        protocol::resolver resolver(socket.get_executor());
        std::string const service = std::to_string(to.port());
        protocol::resolver::results_type const found =
            co_await resolver.async_resolve(to.host(), service, protocol::resolver::numeric_service, token);
        if (why) co_return failed(why, errc::unavailable);
        for (auto const& entry : found) ends.push_back(entry.endpoint());
    }
    for (auto const& end : ends) {
        boost::system::error_code ignored;
        socket.close(ignored);
        co_await socket.async_connect(end, token);
        if (why == asio::error::operation_aborted) co_return error(errc::cancelled);
        if (why) continue;
        detail::make_ready(c.stream);
        if constexpr (detail::is_secure<Stream>) {
            c.stream.expect_host(to.host());
            co_await c.stream.async_handshake(token);
            if (why) co_return failed(why, errc::unavailable);
        }
        co_return result<void>();
    }
    co_return error(errc::unavailable);
}

template<class Stream>
boost::asio::awaitable<typename basic_client<Stream>::outcome>
basic_client<Stream>::exchange(detail::client_connection<Stream>& c, request const& r, std::string const& head,
                               client_options const& options, boost::asio::cancellation_slot slot)
{
    namespace asio = boost::asio;
    boost::system::error_code why;
    auto token = detail::cancellable_by(c.stream, slot, why);
    auto const give_up = [&](bool stale) {
        outcome made(failed(why, errc::upstream_failed));
        made.stale = stale && made.answer.error() != errc::cancelled;
        return made;
    };

    detail::gathered buffers{asio::buffer(head), asio::buffer(r.body())};
    bool sent = detail::advance(buffers, detail::write_now(c.stream, buffers));
    while (!sent && !why) {
        std::size_t const size = co_await c.stream.async_write_some(buffers, token);
        sent = detail::advance(buffers, size);
    }
    // A server that has refused a large body may have answered before it closed: what it said is worth reading.
    if (why == asio::error::operation_aborted) co_return give_up(false);

    response answer;
    bool begun = !c.input.empty();
    bool keep = false;
    framing machine({.line_bytes = options.header_bytes,
                     .field_bytes = options.header_bytes,
                     .header_bytes = options.header_bytes,
                     .fields = options.header_bytes,
                     .body_bytes = options.body_bytes},
                    message_kind::response);
    if (r.method() == verb::head) machine.expect_no_body();
    for (;;) {
        auto found = machine.next(c.input.view());
        c.input.consume(machine.consumed());
        if (found == framing::event::more) {
            char* const room = c.input.room();
            std::size_t const size = co_await c.stream.async_read_some(asio::buffer(room, c.input.room_size()), token);
            c.input.add(size);
            begun = begun || size > 0;
            if (why == asio::error::eof && begun) {
                found = machine.finish();
            } else if (why) {
                co_return give_up(!begun);
            }
        }
        switch (found) {
        case framing::event::more: break;
        case framing::event::head:
            take_head(machine.head(), answer);
            keep = sent && machine.head().keep_alive() && !machine.needs_end() && answer.result_int() != 101;
            break;
        case framing::event::body: answer.body().append(machine.data()); break;
        case framing::event::end: {
            if (answer.result_int() < 200 && answer.result_int() != 101) {
                // An interim response: the one that counts comes behind it (RFC 9110 section 15.2).
                answer = response();
                if (r.method() == verb::head) machine.expect_no_body();
                break;
            }
            keep = keep && c.input.empty();
            outcome made(std::move(answer));
            made.keep = keep;
            co_return made;
        }
        case framing::event::refused: co_return outcome(error(errc::upstream_failed));
        }
    }
}

template<class Stream>
void basic_client<Stream>::take_head(message_head const& head, response& to)
{
    to.result(head.status());
    to.reason(head.reason());
    to.version(head.version());
    for (std::size_t i = 0; i < head.field_count(); ++i) {
        auto const [name, value] = head.field_at(i);
        to.insert(name, value);
    }
}

/// The client over plain TCP.
using client = basic_client<>;

#ifdef WEIR_SEPARATE_COMPILATION
extern template class basic_client<>;
#endif

} // namespace weir::inline v0::http
