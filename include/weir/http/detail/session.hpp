// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/result.hpp>
#include <weir/http/detail/input.hpp>
#include <weir/http/detail/serialize.hpp>
#include <weir/http/detail/server_state.hpp>
#include <weir/http/detail/stream.hpp>
#include <weir/http/framing.hpp>
#include <weir/http/problem.hpp>

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/this_coro.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace weir::inline v0::http::detail {

/// One connection of a server over any stream: reads requests, lets the handler answer them in order, writes the answers.
/// One coroutine a connection; a request adds the handler's own.
template<class Stream>
class session : connection {
public:
    session(std::shared_ptr<server_state<Stream>> server, Stream&& stream, std::string peer)
        : server_(std::move(server)), stream_(std::move(stream)), framing_(server_->options.limits)
    {
        request_.peer(std::move(peer));
        server_->add(*this);
    }
    ~session() { server_->remove(*this); }
    session(session const&) = delete;
    session& operator=(session const&) = delete;

    [[nodiscard]] asio::cancellation_slot slot() noexcept { return end.slot(); }

    asio::awaitable<void> run()
    {
        make_ready(stream_);
        if constexpr (is_secure<Stream>)
            if (!co_await shake_hands()) co_return;
        for (;;) {
            auto const found = framing_.next(input_.view());
            input_.consume(framing_.consumed()); // moves a mark only: what the machine points to stays where it is
            switch (found) {
            case framing::event::more:
                if (!co_await read()) co_return;
                break;
            case framing::event::head: {
                bool const asks = take_head();
                if (asks && input_.empty() && !co_await write("HTTP/1.1 100 Continue\r\n\r\n", {})) co_return;
                break;
            }
            case framing::event::body: request_.body().append(framing_.data()); break;
            case framing::event::end:
                if (!co_await answer()) co_return;
                break;
            case framing::event::refused:
                count(server_->refused);
                reply_ = problem(static_cast<status>(status_of(framing_.why())), {.detail = to_string(framing_.why())});
                keep_alive_ = false;
                co_await reply(false);
                co_return;
            }
        }
    }

private:
    /// What the client has to do next: it says how long it may take.
    enum class stage : std::uint8_t { none, idle, header, body };

    void enter(stage s, duration d)
    {
        stage_ = s;
        deadline = server_->in(d);
    }

    /// TLS begins. False: the client has gone, took longer than it may for a header, or may not come in.
    asio::awaitable<bool> shake_hands() requires is_secure<Stream>
    {
        idle = true;
        deadline = server_->in(server_->options.header_time);
        error_code failed;
        co_await stream_.async_handshake(asio::redirect_error(asio::use_awaitable, failed));
        idle = false;
        if (!failed) {
            request_.peer_identity(stream_.peer_identity());
            co_return true;
        }
        if (failed == asio::error::operation_aborted) co_return false;
        count(server_->refused);
        if (stream_.is_plain_http(failed)) {
            reply_ = problem(status::bad_request, {.detail = "this port speaks TLS: the request has to come by https"});
            (void)write_head(head_, reply_, {.keep_alive = false, .date = server_->date()});
            write_now(socket_of(stream_), {asio::buffer(head_), asio::buffer(reply_.body())});
        }
        co_return false;
    }

    /// Reads some bytes. False: the client has gone or took too long, or nothing was begun and the server drains.
    asio::awaitable<bool> read()
    {
        server_options const& o = server_->options;
        idle = framing_.idle();
        if (idle && server_->draining()) co_return false;
        if (stage_ == stage::none && !idle) enter(stage::header, o.header_time);
        if (stage_ == stage::none) enter(stage::idle, served_ > 0 ? o.idle_time : o.header_time);
        char* const room = input_.room();
        error_code failed;
        std::size_t const size =
            co_await stream_.async_read_some(asio::buffer(room, input_.room_size()), asio::redirect_error(asio::use_awaitable, failed));
        idle = false;
        if (failed) co_return false;
        input_.add(size);
        if (stage_ == stage::idle) enter(stage::header, o.header_time);
        co_return true;
    }

    /// Makes the request of a head. True if the client waits for leave to send the body.
    bool take_head()
    {
        message_head const& head = framing_.head();
        request_.method_string(head.method());
        request_.target(head.target());
        request_.version(head.version());
        for (std::size_t i = 0; i < head.field_count(); ++i) {
            auto const [name, value] = head.field_at(i);
            request_.insert(name, value);
        }
        // What CONNECT asks for, a tunnel, is not there: whatever the answer is, nothing comes behind it.
        keep_alive_ = head.keep_alive() && head.method() != "CONNECT";
        if (head.has_body()) enter(stage::body, server_->options.body_time);
        return head.expects_continue();
    }

    /// Lets the handler answer and sends what it says. False: the connection ends.
    asio::awaitable<bool> answer()
    {
        count(server_->requests);
        deadline = server_->last_deadline();
        try {
            reply_ = co_await server_->handler(request_);
        } catch (boost::system::system_error const& e) {
            error const failed(e.code());
            reply_ = thrown(failed.kind() == errc::foreign ? errc::handler_threw : failed);
        } catch (...) {
            reply_ = thrown(errc::handler_threw);
        }
        asio::cancellation_state const state = co_await asio::this_coro::cancellation_state;
        if (state.cancelled() != asio::cancellation_type::none) co_return false;
        if (++served_ >= server_->options.requests_per_connection || server_->draining()) keep_alive_ = false;
        if (auto const own = find_field(reply_, "Connection"); own && has_element(*own, "close")) keep_alive_ = false;
        bool const sent = co_await reply(request_.method() == verb::head);
        request_.reset();
        reply_.body() = {}; // a connection may be idle for long
        stage_ = stage::none;
        co_return sent;
    }

    response thrown(error const& e)
    {
        count(server_->threw);
        return problem(e);
    }

    /// Sends the reply. False: the connection ends.
    asio::awaitable<bool> reply(bool is_head)
    {
        response_framing const how{
            .keep_alive = keep_alive_, .tells_keep_alive = request_.version() == 10, .is_head = is_head, .date = server_->date()};
        if (reply_.result_int() < 200 || reply_.result_int() > 599 || !write_head(head_, reply_, how)) {
            reply_ = thrown(errc::handler_threw);
            (void)write_head(head_, reply_, how);
        }
        bool const bodiless = is_head || is_bodiless(reply_.result_int());
        bool const sent = co_await write(head_, bodiless ? std::string_view{} : std::string_view(reply_.body()));
        if (!sent) co_return false;
        if (!keep_alive_) co_await linger();
        co_return keep_alive_;
    }

    asio::awaitable<bool> write(std::string_view head, std::string_view body)
    {
        gathered buffers{asio::buffer(head.data(), head.size()), asio::buffer(body.data(), body.size())};
        if (advance(buffers, write_now(stream_, buffers))) co_return true;
        deadline = server_->in(server_->options.body_time);
        co_return !co_await write_rest(stream_, buffers);
    }

    /// Ends the output, then waits for the client to end: closing a socket that has unread input would destroy the last answer
    /// on its way (RFC 9112 section 9.6).
    asio::awaitable<void> linger()
    {
        constexpr std::size_t most = 1 << 18;
        end_output(stream_);
        input_ = {};
        deadline = server_->in(std::chrono::seconds(2));
        error_code failed;
        for (std::size_t size = 0; !failed && size < most;) {
            char* const room = input_.room();
            size +=
                co_await stream_.async_read_some(asio::buffer(room, input_.room_size()), asio::redirect_error(asio::use_awaitable, failed));
        }
    }

    std::shared_ptr<server_state<Stream>> server_;
    Stream stream_;
    framing framing_;
    input_buffer input_;
    request request_;
    response reply_;
    std::string head_; // of the reply
    std::size_t served_ = 0;
    stage stage_ = stage::none;
    bool keep_alive_ = true;
};

} // namespace weir::inline v0::http::detail
