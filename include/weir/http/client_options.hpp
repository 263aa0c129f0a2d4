// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/core/options.hpp>
#include <weir/core/result.hpp>
#include <weir/http/client_failure.hpp>
#include <weir/http/upstream.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <vector>

namespace weir::inline v0::http {

/// The addresses of an upstream, in the order in which they are tried.
using endpoints = std::vector<boost::asio::ip::tcp::endpoint>;
/// Finds them. The upstream stays where it is only until the function has returned its awaitable.
using look_up_function = std::function<boost::asio::awaitable<result<endpoints>>(upstream)>;

/// What a client takes of the services it calls, and how long it waits for them.
struct client_options {
    std::size_t connections_per_upstream = 64; ///< in use and idle together
    std::size_t connections = 1'024;           ///< the same, of all upstreams; an idle one of another upstream makes room
    std::size_t upstreams = 256;               ///< that have connections; a request to a further one gets `errc::overloaded`
    std::size_t waiting = 1'024;               ///< requests that wait for a connection; a further one gets `errc::overloaded` at once
    std::size_t requests_per_connection = std::numeric_limits<std::size_t>::max(); ///< then it is closed

    duration idle_time = std::chrono::seconds(30); ///< a connection idle for longer is closed. Shorter than the upstream's own is best
    duration age = std::chrono::minutes(10);       ///< a connection older than that is not used again, so that new addresses are found

    duration wait_time = std::chrono::seconds(5);    ///< for a connection to come free; then `errc::overloaded`
    duration look_up_time = std::chrono::seconds(5); ///< for a name to be looked up; then `errc::unavailable`
    duration connect_time = std::chrono::seconds(5); ///< for a connection, with TLS's handshake; then `errc::unavailable`
    duration first_byte_time =
        std::chrono::seconds(30);                   ///< from the request's last byte to the answer's first; then `errc::deadline_exceeded`
    duration piece_time = std::chrono::seconds(30); ///< for the next bytes of a body, to come or to be taken; as above
    duration whole_time = std::chrono::seconds(60); ///< for all of it, where the answer is not read in pieces; as above

    std::size_t header_bytes = 32'768;     ///< of a response
    std::uint64_t body_bytes = 16'777'216; ///< of a response; a longer one is `errc::upstream_failed`. Not for one that is read in pieces

    look_up_function look_up = {};                              ///< in place of the system's
    std::function<void(client_failure const&)> on_failure = {}; ///< told of each request that fails, but is not cancelled
};

/// Throws `std::invalid_argument` naming the member that is out of range.
inline void check(client_options const& o)
{
    expect(o.connections_per_upstream > 0, "connections_per_upstream", "at least 1");
    expect(o.connections > 0, "connections", "at least 1");
    expect(o.upstreams > 0, "upstreams", "at least 1");
    expect(o.requests_per_connection > 0, "requests_per_connection", "at least 1");
    expect(o.idle_time.count() >= 0, "idle_time", "zero or more");
    expect(o.age.count() >= 0, "age", "zero or more");
    expect(o.wait_time.count() >= 0, "wait_time", "zero or more");
    expect(o.look_up_time.count() > 0, "look_up_time", "more than zero");
    expect(o.connect_time.count() > 0, "connect_time", "more than zero");
    expect(o.first_byte_time.count() > 0, "first_byte_time", "more than zero");
    expect(o.piece_time.count() > 0, "piece_time", "more than zero");
    expect(o.whole_time.count() > 0, "whole_time", "more than zero");
    expect(o.header_bytes >= 64, "header_bytes", "at least 64");
    expect(o.header_bytes <= std::numeric_limits<std::uint32_t>::max(), "header_bytes", "less than 4 GiB");
}

/// What belongs to one call.
struct send_options {
    /// Where cancellation comes from, if not from the coroutine's own: in a handler `call.get<weir::cancellation>().slot`.
    boost::asio::cancellation_slot slot = {};
    time_point deadline = never;       ///< earlier than the client's limits
    client_failure* failure = nullptr; ///< is told what went wrong
};

/// What a client did since it began, and what it holds.
struct client_stats {
    std::uint64_t requests = 0; ///< that were sent for
    std::uint64_t failed = 0;   ///< that came back with an error, cancelled ones too
    std::uint64_t opened = 0;   ///< connections that were made
    std::uint64_t reused = 0;   ///< times that a kept connection was used again
    std::uint64_t stale = 0;    ///< kept connections that were found to have ended
    std::uint64_t resent = 0;   ///< requests that were sent again because of that
    std::uint64_t waited = 0;   ///< requests that waited for a connection
    std::uint64_t refused = 0;  ///< requests for which there was none
    std::size_t open = 0;       ///< connections now, idle and in use
    std::size_t idle = 0;       ///< idle ones now
    std::size_t waiting = 0;    ///< requests now
};

} // namespace weir::inline v0::http
