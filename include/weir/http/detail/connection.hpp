// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/cancellation_type.hpp>

#include <cstdint>

namespace weir::inline v0::http::detail {

/// Why the work of a connection is cut short.
enum class cut : std::uint8_t {
    none,
    idle,         ///< no request came
    slow_header,  ///< a header began and did not end in time
    slow_body,    ///< a body, or the next piece of one
    slow_reader,  ///< the client does not take the answer
    request_time, ///< the whole request took too long
    left,         ///< the client has gone
    drained,      ///< the server ends
};

/// What the server knows of a connection: its place in the list, and when it is ended unless it moves on.
struct connection {
    connection* before = this;
    connection* behind = this;
    time_point deadline = never;
    time_point whole = never; ///< the end of the time that the request has from its first byte
    cut late = cut::none;     ///< what it means that the deadline passes
    cut why = cut::none;      ///< set before `end` is emitted, and only then
    bool idle = false;        ///< between two requests: a drain ends it at once
    bool running = false;     ///< its handler runs
    bool noticed = false;     ///< ... and ran already when the server last looked
    bool watched = false;     ///< someone waits for the client to leave
    boost::asio::cancellation_signal end;

    /// Ends what the connection waits for. The first reason counts.
    void cut_short(cut reason)
    {
        deadline = never;
        if (why != cut::none) return;
        why = reason;
        end.emit(boost::asio::cancellation_type::terminal);
    }
    /// Begins to wait for the client to leave.
    virtual void watch() {}

protected:
    ~connection() = default;
};

/// The list's own node.
struct connection_list : connection {};

} // namespace weir::inline v0::http::detail
