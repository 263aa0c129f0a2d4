// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/http/detail/session.hpp>

#include <boost/asio/use_awaitable.hpp>

#include <cerrno>
#include <charconv>
#include <cstddef>
#include <memory>
#include <string_view>

#include <sys/socket.h>

// What a session does for handlers that stream or take long.

namespace weir::inline v0::http::detail {

template<class Stream>
asio::awaitable<result<std::string_view>> session<Stream>::read_body()
{
    if (!unread_) co_return std::string_view{};
    if (why != cut::none || fault_ != 0) co_return error(errc::cancelled);
    if (expects_ && !co_await write_continue()) co_return error(errc::cancelled);
    for (;;) {
        auto const found = framing_.next(input_.view());
        input_.consume(framing_.consumed());
        switch (found) {
        case framing::event::body: co_return framing_.data();
        case framing::event::end: unread_ = false; co_return std::string_view{};
        case framing::event::refused: {
            count(server_->refused);
            bool const large = framing_.why() == refusal::body_too_large;
            co_return fault(status_of(framing_.why()), to_string(framing_.why()), large ? errc::payload_too_large : errc::invalid_request);
        }
        default: break;
        }
        allow(options().body_time, cut::slow_body);
        char* const room = input_.room(framing_.left());
        error_code failed;
        std::size_t const size =
            co_await stream_.async_read_some(asio::buffer(room, input_.room_size()), asio::redirect_error(asio::use_awaitable, failed));
        allow_handler();
        if (why == cut::slow_body) {
            why = cut::none;
            co_await asio::this_coro::reset_cancellation_state();
            co_return fault(408, "the body did not come in time", errc::deadline_exceeded);
        }
        if (why != cut::none || failed == asio::error::operation_aborted) co_return error(errc::cancelled);
        if (failed == asio::error::eof) co_return fault(400, to_string(refusal::incomplete), errc::cancelled);
        if (failed) {
            why = cut::left;
            co_return error(errc::cancelled);
        }
        input_.add(size);
    }
}

template<class Stream>
asio::awaitable<result<void>> session<Stream>::write_body(std::string_view piece)
{
    constexpr std::size_t turn = 1 << 18;
    constexpr std::size_t one_copy = 16'384; // up to that much a copy is cheaper than another write
    if (broken_ || why != cut::none) co_return error(errc::cancelled);
    if (piece.empty()) co_return result<void>();
    if (ends_ == body_end::counted && piece.size() > *length_ - sent_) {
        broken_ = true;
        co_return error(errc::payload_too_large);
    }
    sent_ += piece.size();
    gathered rest{asio::const_buffer{}, asio::buffer(piece.data(), piece.size())};
    error_code failed;
    if (ends_ == body_end::chunked) {
        char digits[16];
        head_.assign(digits, std::to_chars(digits, digits + sizeof digits, piece.size(), 16).ptr).append("\r\n");
        if (piece.size() <= one_copy) {
            head_.append(piece).append("\r\n");
            rest[1] = {};
        }
        rest[0] = asio::buffer(head_);
    }
    bool at_once = advance(rest, write_now(stream_, rest));
    if (!at_once) failed = co_await write_piece(rest);
    if (ends_ == body_end::chunked && piece.size() > one_copy && !failed) {
        rest = {asio::buffer("\r\n", 2), asio::const_buffer{}}; // what was left of the piece has gone out meanwhile
        bool const ended = advance(rest, write_now(stream_, rest));
        if (!ended) failed = co_await write_piece(rest);
        at_once = at_once && ended;
    }
    burst_ = at_once ? burst_ + piece.size() : 0;
    if (burst_ >= turn && !failed) { // a client that takes all at once would keep the others waiting
        burst_ = 0;
        allow(options().body_time, cut::slow_reader);
        co_await socket_of(stream_).async_wait(asio::socket_base::wait_write, asio::redirect_error(asio::use_awaitable, failed));
        allow_handler();
    }
    if (failed) {
        broken_ = true;
        if (why == cut::none && failed != asio::error::operation_aborted) why = cut::left;
        co_return error(why == cut::slow_reader ? errc::deadline_exceeded : errc::cancelled);
    }
    co_return result<void>();
}

template<class Stream>
asio::awaitable<error_code> session<Stream>::write_piece(gathered rest)
{
    allow(options().body_time, cut::slow_reader);
    error_code const failed = co_await write_rest(stream_, rest);
    allow_handler();
    co_return failed;
}

/// Runs the producer behind the head that was sent. False: the stream broke off, and the connection with it.
template<class Stream>
asio::awaitable<bool> session<Stream>::stream_answer()
{
    allow_handler();
    body_writer to(*this);
    result<void> how = error(errc::handler_threw);
    try {
        how = co_await source_->produce(to);
    } catch (...) {
        if (why == cut::none) count(server_->threw);
    }
    if (how.has_value() && (broken_ || why != cut::none)) how = error(errc::cancelled);
    if (how.has_value() && ends_ == body_end::counted && sent_ != *length_) how = error(errc::upstream_failed);
    if (how.has_value() && ends_ == body_end::chunked) {
        gathered rest{asio::buffer("0\r\n\r\n", 5)};
        if (!advance(rest, write_now(stream_, rest)) && !co_await write_slowly(rest)) how = error(errc::cancelled);
    }
    if (why == cut::left) count(server_->left);
    source_->end(how);
    source_.reset();
    if (!how.has_value() && ends_ == body_end::until_end) break_off(stream_); // else the client would take it for the end
    co_return how.has_value();
}

template<class Stream>
void session<Stream>::watch()
{
    watched = true;
    watcher_ = std::make_shared<session*>(this);
    server_->run(wait_for_leave(stream_, watcher_, options().half_close ? asio::socket_base::wait_error : asio::socket_base::wait_read), {},
                 nullptr);
}

template<class Stream>
asio::awaitable<void> session<Stream>::wait_for_leave(Stream& stream, std::weak_ptr<session*> watched, asio::socket_base::wait_type what)
{
    for (;;) {
        error_code failed;
        if (watched.expired()) co_return;
        co_await socket_of(stream).async_wait(what, asio::redirect_error(asio::use_awaitable, failed));
        auto const there = watched.lock(); // the wait may end when the session has gone
        if (there == nullptr || failed || !(*there)->look_for_leave(what)) co_return;
    }
}

/// A reset, or an end where that is leaving, cancels the handler. Behind bytes that wait to be read an end is not seen. True: there is more
/// to wait for.
template<class Stream>
bool session<Stream>::look_for_leave(asio::socket_base::wait_type& what)
{
    if (!running) {
        watched = false; // again, when another handler takes long
        return false;
    }
    auto& socket = socket_of(stream_);
    if (what == asio::socket_base::wait_error) {
        asio::detail::socket_option::integer<SOL_SOCKET, SO_ERROR> pending;
        error_code failed;
        socket.get_option(pending, failed);
        if (failed || pending.value() != 0) cut_short(cut::left);
        return false;
    }
    char byte = 0;
    auto const seen = ::recv(socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    bool const nothing = seen < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
    if (seen <= 0 && !nothing) {
        cut_short(cut::left);
        return false;
    }
    if (!nothing) what = asio::socket_base::wait_error;
    return true;
}

} // namespace weir::inline v0::http::detail
