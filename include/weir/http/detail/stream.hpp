// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <array>
#include <cstddef>
#include <string_view>

namespace weir::inline v0::http::detail {

namespace asio = boost::asio;
using boost::system::error_code;

/// Head and body of a message, written as one.
using gathered = std::array<asio::const_buffer, 2>;

/// What a stream can write without waiting. Most need a coroutine for each write; a socket takes a response at once.
template<class Stream>
std::size_t write_now(Stream&, gathered const&)
{
    return 0;
}
template<class Executor>
std::size_t write_now(asio::basic_stream_socket<asio::ip::tcp, Executor>& socket, gathered const& buffers)
{
    error_code failed; // also "would block": the write that waits meets it again
    return socket.write_some(buffers, failed);
}

/// Makes a new stream ready: on a socket, nothing waits for more to send, and `write_now` does not block.
template<class Stream>
void make_ready(Stream&)
{
}
template<class Executor>
void make_ready(asio::basic_stream_socket<asio::ip::tcp, Executor>& socket)
{
    error_code ignored;
    socket.set_option(asio::ip::tcp::no_delay(true), ignored);
    socket.non_blocking(true, ignored);
}

/// Says that nothing more will be sent.
template<class Stream>
void end_output(Stream&)
{
}
template<class Executor>
void end_output(asio::basic_stream_socket<asio::ip::tcp, Executor>& socket)
{
    error_code ignored;
    socket.shutdown(asio::socket_base::shutdown_send, ignored);
}

/// Awaits an operation of that stream until the slot is emitted; what becomes of it is in `why`.
template<class Stream>
auto cancellable_by(Stream&, asio::cancellation_slot slot, error_code& why)
{
    return asio::redirect_error(asio::bind_cancellation_slot(slot, asio::use_awaitable), why);
}

/// Takes `size` bytes off the front; true if nothing is left.
inline bool advance(gathered& buffers, std::size_t size) noexcept
{
    for (auto& b : buffers) {
        std::size_t const part = size < b.size() ? size : b.size();
        b += part;
        size -= part;
    }
    return buffers[0].size() + buffers[1].size() == 0;
}

/// Writes all of head and body; whatever cannot be written at once is awaited.
template<class Stream>
asio::awaitable<error_code> write_rest(Stream& stream, gathered buffers)
{
    error_code failed;
    for (bool done = false; !done && !failed;) {
        std::size_t const size = co_await stream.async_write_some(buffers, asio::redirect_error(asio::use_awaitable, failed));
        done = advance(buffers, size);
    }
    co_return failed;
}

} // namespace weir::inline v0::http::detail
