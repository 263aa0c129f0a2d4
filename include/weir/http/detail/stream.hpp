// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/http/detail/streams.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <array>
#include <cstddef>
#include <string_view>
#include <utility>

namespace weir::inline v0::http::detail {

namespace asio = boost::asio;
using boost::system::error_code;

/// Plain TCP.
class tcp_stream : public asio::ip::tcp::socket {
public:
    explicit tcp_stream(asio::ip::tcp::socket&& accepted) : asio::ip::tcp::socket(std::move(accepted)) {}
    explicit tcp_stream(asio::any_io_executor const& executor) : asio::ip::tcp::socket(executor) {}
};

/// A server's side of an accepted socket.
template<class Stream>
Stream make_stream(asio::ip::tcp::socket&& accepted, context_of<Stream> const& context)
{
    if constexpr (is_secure<Stream>)
        return Stream(std::move(accepted), context);
    else
        return Stream(std::move(accepted));
}

/// A client's side, not connected yet.
template<class Stream>
Stream make_stream(asio::any_io_executor const& executor, context_of<Stream> const& context)
{
    if constexpr (is_secure<Stream>)
        return Stream(executor, context);
    else
        return Stream(executor);
}

/// The socket under a stream.
template<class Stream>
auto& socket_of(Stream& stream) noexcept
{
    if constexpr (is_secure<Stream>)
        return stream.socket();
    else
        return stream;
}

/// Head and body of a message, written as one.
using gathered = std::array<asio::const_buffer, 2>;

/// What a stream writes without waiting. It does not begin a coroutine, and most responses need no other write.
template<class Stream>
std::size_t write_now(Stream& stream, gathered const& buffers)
{
    error_code failed; // also "would block": the write that waits meets it again
    if constexpr (is_secure<Stream>)
        return stream.write_now(buffers);
    else
        return stream.write_some(buffers, failed);
}

/// Makes a new stream ready: nothing waits for more to send, and `write_now` does not block.
template<class Stream>
void make_ready(Stream& stream)
{
    error_code ignored;
    socket_of(stream).set_option(asio::ip::tcp::no_delay(true), ignored);
    socket_of(stream).non_blocking(true, ignored);
}

/// Whether the other side has neither ended nor said anything, as far as the system knows.
template<class Stream>
bool is_quiet(Stream& stream)
{
    char byte = 0;
    error_code why;
    if constexpr (is_secure<Stream>)
        return stream.is_quiet();
    else
        stream.receive(asio::buffer(&byte, 1), asio::socket_base::message_peek, why);
    return why == asio::error::would_block;
}

/// Says that nothing more will be sent.
template<class Stream>
void end_output(Stream& stream)
{
    error_code ignored;
    if constexpr (is_secure<Stream>) stream.end_output();
    socket_of(stream).shutdown(asio::socket_base::shutdown_send, ignored);
}

/// Closes with a reset: what was sent is not whole.
template<class Stream>
void break_off(Stream& stream)
{
    error_code ignored;
    socket_of(stream).set_option(asio::socket_base::linger(true, 0), ignored);
    socket_of(stream).close(ignored); // not left to the destructor, which would take the option back
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
        std::size_t size = 0;
        if constexpr (is_secure<Stream>) {
            size = co_await stream.async_write_some(buffers, asio::redirect_error(asio::use_awaitable, failed));
        } else { // the wait is an operation that there is anyway: one of its own costs a compiler more than all of this header
            co_await stream.async_wait(asio::socket_base::wait_write, asio::redirect_error(asio::use_awaitable, failed));
            if (!failed) size = stream.write_some(buffers, failed);
            if (failed == asio::error::would_block) failed = {};
        }
        done = advance(buffers, size);
    }
    co_return failed;
}

} // namespace weir::inline v0::http::detail
