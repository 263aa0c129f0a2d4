// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/core/options.hpp>
#include <weir/http/grammar.hpp>
#include <weir/http/refusal.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

namespace weir::inline v0::http {

/// Where a server listens, and what its clients may take of it.
struct server_options {
    std::string address = "127.0.0.1"; ///< the address to listen at; `0.0.0.0` or `::` for all
    std::uint16_t port = 0;            ///< 0: any free one, which `port()` tells
    bool reuse_port = false;           ///< several servers, one a thread, share the port; the system spreads the connections
    framing_limits limits = {};        ///< sizes of header and body
    std::uint64_t streamed_body_bytes = std::uint64_t{1}
                                        << 30; ///< of a body that its handler reads in pieces, in place of `limits.body_bytes`
    std::size_t connections = 10'000;          ///< open at a time; further ones wait in the system's queue until one ends
    std::size_t connections_per_address = std::numeric_limits<std::size_t>::max(); ///< open at a time; one more is closed at once. Of IPv6
                                                                                   ///< addresses a /64 network counts as one
    std::size_t requests_per_connection = std::numeric_limits<std::size_t>::max(); ///< then it is closed
    duration idle_time = std::chrono::seconds(60);                                 ///< a connection may be kept without a request
    duration header_time = std::chrono::seconds(10); ///< from the first byte of a header, or a new connection, to the header's end
    duration body_time = std::chrono::seconds(30);   ///< for a whole body; also for the client to take a response. Of what streams, for
                                                     ///< the next bytes of a body, and for a piece of a response
    duration request_time = duration::max();         ///< from the first byte of a request to the last of its response, streams included
    duration drain_time = std::chrono::seconds(10);  ///< for running requests to end after `drain()`
    bool half_close = true;       ///< a client may end its side when it has sent its request, and gets the answer; else that is leaving
    std::string server_name = {}; ///< the Server field of responses that have none; left out if empty
};

/// Throws `std::invalid_argument` naming the member that is out of range.
inline void check(server_options const& o)
{
    expect(o.connections > 0, "connections", "at least 1");
    expect(o.requests_per_connection > 0, "requests_per_connection", "at least 1");
    expect(o.limits.header_bytes >= 64, "limits.header_bytes", "at least 64");
    expect(o.limits.header_bytes <= std::numeric_limits<std::uint32_t>::max(), "limits.header_bytes", "less than 4 GiB");
    expect(o.limits.line_bytes > 0 && o.limits.field_bytes > 0, "limits.line_bytes, limits.field_bytes", "at least 1");
    expect(o.idle_time.count() > 0, "idle_time", "more than zero");
    expect(o.header_time.count() > 0, "header_time", "more than zero");
    expect(o.body_time.count() > 0, "body_time", "more than zero");
    expect(o.request_time.count() > 0, "request_time", "more than zero");
    expect(o.connections_per_address > 0, "connections_per_address", "at least 1");
    expect(detail::all(detail::in::value, o.server_name), "server_name", "visible characters and blanks");
    expect(o.drain_time.count() >= 0, "drain_time", "zero or more");
}

/// What a server did since it began.
struct server_stats {
    std::uint64_t accepted = 0;  ///< connections
    std::uint64_t open = 0;      ///< connections now
    std::uint64_t requests = 0;  ///< that reached the handler
    std::uint64_t refused = 0;   ///< for their framing or size
    std::uint64_t timed_out = 0; ///< connections that were ended for being idle or slow
    std::uint64_t threw = 0;     ///< requests whose handler threw
    std::uint64_t left = 0;      ///< requests whose client left before the answer
    std::uint64_t shed = 0;      ///< connections closed at once, for their address had too many

    /// Sums: of servers that share a port.
    server_stats& operator+=(server_stats const& more) noexcept
    {
        accepted += more.accepted;
        open += more.open;
        requests += more.requests;
        refused += more.refused;
        timed_out += more.timed_out;
        threw += more.threw;
        left += more.left;
        shed += more.shed;
        return *this;
    }
};

} // namespace weir::inline v0::http
