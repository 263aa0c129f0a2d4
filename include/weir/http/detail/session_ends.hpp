// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/http/detail/session.hpp>

#include <chrono>
#include <cstddef>
#include <string_view>
#include <utility>

// What a session does where something is not as usual: a handshake, a write that waits, refusals, cancellation, the end.

namespace weir::inline v0::http::detail {

/// TLS begins. False: the client has gone, took longer than it may for a header, or may not come in.
template<class Stream>
asio::awaitable<bool> session<Stream>::shake_hands() requires is_secure<Stream>
{
    idle = true;
    allow(options().header_time, cut::idle);
    error_code failed;
    co_await stream_.async_handshake(asio::redirect_error(asio::use_awaitable, failed));
    idle = false;
    if (why != cut::none) co_return false;
    late = cut::none;
    if (!failed) {
        request_.peer_identity(stream_.peer_identity());
        co_return true;
    }
    count(server_->refused);
    if (stream_.is_plain_http(failed)) {
        reply_ = problem(status::bad_request, {.detail = "this port speaks TLS: the request has to come by https"});
        keep_alive_ = false;
        (void)serialize();
        gathered const buffers{asio::buffer(head_), asio::buffer(std::as_const(reply_).body())};
        write_now(socket_of(stream_), buffers);
    }
    co_return false;
}

/// The rest of an answer that the system did not take at once.
template<class Stream>
asio::awaitable<bool> session<Stream>::write_slowly(gathered buffers)
{
    allow(options().body_time, cut::slow_reader);
    error_code const failed = co_await write_rest(stream_, buffers);
    if (!failed && why == cut::none) co_return true;
    if (why == cut::none) count(server_->left);
    co_return false;
}

/// Gives leave to send the body, unless the body is there already.
template<class Stream>
asio::awaitable<bool> session<Stream>::write_continue()
{
    expects_ = false;
    if (!input_.empty()) co_return true;
    gathered rest{asio::buffer("HTTP/1.1 100 Continue\r\n\r\n", 25)};
    if (advance(rest, write_now(stream_, rest))) co_return true;
    co_return co_await write_slowly(rest);
}

/// The handler was cancelled, or has read a faulty body. False: nothing more is said.
template<class Stream>
bool session<Stream>::recover()
{
    source_.reset();
    if (why == cut::left) count(server_->left);
    if (why != cut::none && why != cut::request_time) return false;
    reply_ = why == cut::request_time ? problem(errc::deadline_exceeded) : problem(static_cast<status>(fault_), {.detail = fault_text_});
    keep_alive_ = false;
    why = cut::none;
    whole = never;
    return true;
}

/// What came is no request that is handled: tells why, and ends.
template<class Stream>
asio::awaitable<void> session<Stream>::refuse(unsigned code, std::string_view detail)
{
    count(server_->refused);
    return say_last(code, detail);
}

template<class Stream>
asio::awaitable<void> session<Stream>::say_last(unsigned code, std::string_view detail)
{
    reply_ = problem(static_cast<status>(code), {.detail = detail});
    keep_alive_ = is_head_ = false;
    (void)serialize();
    gathered rest{asio::buffer(head_), asio::buffer(std::as_const(reply_).body())};
    if (!advance(rest, write_now(stream_, rest)) && !co_await write_slowly(rest)) co_return;
    co_await linger();
}

/// A read was cut short: what is told to a client that began a request and took too long over it; nothing to any other.
template<class Stream>
std::string_view session<Stream>::told_when_slow() noexcept
{
    cut const how = std::exchange(why, cut::none);
    whole = never;
    if (framing_.idle()) return {};
    switch (how) {
    case cut::slow_header: return "the header did not come in time";
    case cut::slow_body: return "the body did not come in time";
    case cut::request_time: return "the request did not come in time";
    default: return {};
    }
}

/// Ends the output, then waits for the client to end: closing a socket that has unread input would destroy the last answer
/// on its way (RFC 9112 section 9.6).
template<class Stream>
asio::awaitable<void> session<Stream>::linger()
{
    constexpr std::size_t most = 1 << 18;
    running = false;
    end_output(stream_);
    input_ = {};
    whole = never;
    allow(std::chrono::seconds(2), cut::idle);
    error_code failed;
    for (std::size_t size = 0; !failed && why == cut::none && size < most;) {
        char* const room = input_.room();
        size += co_await stream_.async_read_some(asio::buffer(room, input_.room_size()), asio::redirect_error(asio::use_awaitable, failed));
    }
}

} // namespace weir::inline v0::http::detail
