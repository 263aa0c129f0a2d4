// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/http/streamed_response.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

namespace weir::inline v0::http {

/// One event of a stream that a browser's `EventSource` reads (HTML standard, section 9.2 "Server-sent events").
struct server_event {
    std::string_view data = {};          ///< any text; its lines are kept
    std::string_view event = {};         ///< the type; `message` for the reader if empty
    std::string_view id = {};            ///< what the client sends as `Last-Event-ID` when it comes again
    std::chrono::milliseconds retry{-1}; ///< when it comes again after a loss; not told if negative
};

namespace detail {

/// `name: value`, a line for each line of the value: a line end of any kind in it would be a field of its own.
inline void append_event_field(std::string& to, std::string_view name, std::string_view value)
{
    for (;;) {
        auto const end = value.find_first_of("\r\n");
        to.append(name).append(": ").append(value.substr(0, end)).append("\n");
        if (end == std::string_view::npos) return;
        value.remove_prefix(end + (value.substr(end).starts_with("\r\n") ? 2 : 1));
    }
}
/// A value that has one line, and no NUL.
inline std::string_view first_line(std::string_view value) noexcept
{
    return value.substr(0, value.find_first_of(std::string_view("\r\n\0", 3)));
}

} // namespace detail

/// Appends an event as the bytes of the stream, for `body_writer::write`. `event` and `id` end with their first line.
inline void append_event(std::string& to, server_event const& e)
{
    if (!e.event.empty()) detail::append_event_field(to, "event", detail::first_line(e.event));
    if (!e.id.empty()) detail::append_event_field(to, "id", detail::first_line(e.id));
    if (e.retry.count() >= 0) detail::append_event_field(to, "retry", std::to_string(e.retry.count()));
    detail::append_event_field(to, "data", e.data);
    to += '\n';
}

/// A line that readers skip: sent now and then, it keeps the connection through proxies, and finds out that a client has gone.
inline constexpr std::string_view event_comment = ":\n\n";

/// A response of events: its producer writes what `append_event` makes, as long as it likes.
///
/// ```cpp
/// auto const ticks = [](http::body_writer& to) -> asio::awaitable<weir::result<void>> {
///     asio::steady_timer timer(co_await asio::this_coro::executor);
///     for (int i = 0;; ++i) {
///         std::string text;
///         http::append_event(text, {.data = std::to_string(i), .event = "tick"});
///         if (auto const sent = co_await to.write(text); !sent) co_return sent.error(); // the client has gone
///         timer.expires_after(1s);
///         co_await timer.async_wait(asio::use_awaitable);
///     }
/// };
/// co_return http::event_stream(ticks);
/// ```
template<class Producer>
[[nodiscard]] streamed_response event_stream(Producer producer)
{
    streamed_response made(status::ok, "text/event-stream", std::move(producer));
    made.head().set(field::cache_control, "no-store");
    return made;
}

} // namespace weir::inline v0::http
