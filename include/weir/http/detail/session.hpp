// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/result.hpp>
#include <weir/http/detail/exchange.hpp>
#include <weir/http/detail/input.hpp>
#include <weir/http/detail/serialize.hpp>
#include <weir/http/detail/server_state.hpp>
#include <weir/http/detail/stream.hpp>
#include <weir/http/framing.hpp>
#include <weir/http/problem.hpp>

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace weir::inline v0::http::detail {

/// One connection of a server over any stream: reads requests, lets the handler answer them in order, writes the answers.
///
/// One coroutine a connection, to which a request adds the handler's own: what is awaited on the common way is awaited in `run`, all
/// else is a coroutine besides. Cancellation comes through `connection::cut_short` alone, so that `why` tells whether and why.
template<class Stream>
class session final : public connection, exchange {
public:
    /// Its address is counted already.
    session(std::shared_ptr<server_state<Stream>> server, Stream&& stream, ip_address const& peer)
        : server_(std::move(server)), stream_(std::move(stream)), framing_(widened(server_->options)), peer_(peer)
    {
        request_.peer(peer.to_string());
        exchange_of::set(request_, this);
        server_->add(*this);
    }
    ~session()
    {
        server_->addresses.give_back(peer_);
        server_->remove(*this);
    }

    [[nodiscard]] asio::cancellation_slot slot() noexcept { return end.slot(); }

    asio::awaitable<void> run();
    void watch() override;

private:
    using body_end = response_framing::body;

    [[nodiscard]] server_options const& options() const noexcept { return server_->options; }
    /// The larger of the two limits of bodies: which of them holds, the route decides.
    static framing_limits widened(server_options const& o)
    {
        framing_limits limits = o.limits;
        limits.body_bytes = std::max(limits.body_bytes, o.streamed_body_bytes);
        return limits;
    }
    /// What comes next has that long, and it means `otherwise` if it takes longer.
    void allow(duration d, cut otherwise) noexcept
    {
        late = otherwise;
        deadline = std::min(server_->in(d), whole);
    }
    /// The handler or its stream runs.
    void allow_handler() noexcept
    {
        late = cut::request_time;
        deadline = std::min(server_->last_deadline(), whole);
    }
    void begin_request() noexcept
    {
        if (options().request_time != duration::max()) whole = server_->in(options().request_time);
        allow(options().header_time, cut::slow_header);
    }
    /// The body that the handler reads is at fault: that is the answer, whatever the handler says.
    error fault(unsigned code, std::string_view text, errc kind) noexcept
    {
        fault_ = code;
        fault_text_ = text;
        return kind;
    }
    response thrown(error const& e)
    {
        count(server_->threw);
        return problem(e);
    }

    bool prepare_read();
    void take_head();
    [[nodiscard]] unsigned open_body();
    [[nodiscard]] bool serialize();
    void finish_request();

    // What is not as usual, in session_ends.hpp.
    asio::awaitable<bool> shake_hands() requires is_secure<Stream>;
    [[nodiscard]] bool recover();
    [[nodiscard]] std::string_view told_when_slow() noexcept;
    asio::awaitable<bool> write_slowly(gathered buffers);
    asio::awaitable<bool> write_continue();
    asio::awaitable<void> refuse(unsigned code, std::string_view detail);
    asio::awaitable<void> say_last(unsigned code, std::string_view detail);
    asio::awaitable<void> linger();

    // What streams or takes long, in session_stream.hpp.
    asio::awaitable<result<std::string_view>> read_body() override;
    asio::awaitable<result<void>> write_body(std::string_view piece) override;
    asio::awaitable<error_code> write_piece(gathered rest);
    asio::awaitable<bool> stream_answer();
    static asio::awaitable<void> wait_for_leave(Stream& stream, std::weak_ptr<session*> watched, asio::socket_base::wait_type what);
    [[nodiscard]] bool look_for_leave(asio::socket_base::wait_type& what);

    std::shared_ptr<server_state<Stream>> server_;
    Stream stream_;
    framing framing_;
    ip_address const peer_;
    input_buffer input_;
    request request_;
    response reply_;
    std::string head_; // of the reply, or of a chunk
    std::size_t served_ = 0;
    std::uint64_t sent_ = 0; // of a streamed response's body
    std::size_t burst_ = 0;  // ... since the last time that others had their turn
    unsigned fault_ = 0;     // the status that answers a faulty body
    std::string_view fault_text_;
    body_end ends_ = body_end::whole;
    bool is_head_ = false;
    bool in_pieces_ = false; // the handler reads the body
    bool unread_ = false;    // ... and has not come to its end
    bool expects_ = false;   // the client waits for leave to send it
    bool broken_ = false;    // the stream of the response has failed
    bool keep_alive_ = true;
    std::shared_ptr<session*> watcher_;
};

template<class Stream>
asio::awaitable<void> session<Stream>::run()
{
    error_code failed;
    make_ready(stream_);
    if constexpr (is_secure<Stream>)
        if (!co_await shake_hands()) co_return;
    for (;;) {
        auto const found = framing_.next(input_.view());
        input_.consume(framing_.consumed()); // moves a mark only: what the machine points to stays where it is
        switch (found) {
        case framing::event::more: {
            if (!prepare_read()) co_return;
            char* const room = input_.room(framing_.left());
            std::size_t const size =
                co_await stream_.async_read_some(asio::buffer(room, input_.room_size()), asio::redirect_error(asio::use_awaitable, failed));
            idle = false;
            if (why != cut::none) [[unlikely]] {
                co_await asio::this_coro::reset_cancellation_state(); // nothing can be awaited before that
                if (auto const what = told_when_slow(); !what.empty()) co_await say_last(408, what);
                co_return;
            }
            if (failed) co_return;
            input_.add(size);
            if (late == cut::idle) begin_request();
            continue;
        }
        case framing::event::head:
            take_head();
            if (!framing_.head().has_body() && !framing_.head().expects_unknown()) [[likely]]
                continue;
            if (unsigned const code = open_body(); code != 0) {
                co_await refuse(code, fault_text_);
                co_return;
            }
            if (in_pieces_) break; // the handler is called now
            if (expects_ && !co_await write_continue()) co_return;
            allow(options().body_time, cut::slow_body);
            continue;
        case framing::event::body: request_.body().append(framing_.data()); continue;
        case framing::event::end: break;
        case framing::event::refused: co_await refuse(status_of(framing_.why()), to_string(framing_.why())); co_return;
        }

        if (late == cut::none) begin_request(); // it came as a whole, behind the one before
        count(server_->requests);
        running = true;
        noticed = false;
        allow_handler();
        try {
            reply_ = co_await server_->handler(request_);
        } catch (boost::system::system_error const& e) {
            error const told(e.code());
            reply_ = thrown(told.kind() == errc::foreign ? errc::handler_threw : told);
        } catch (...) {
            reply_ = thrown(errc::handler_threw);
        }
        if (why != cut::none || fault_ != 0) [[unlikely]] {
            co_await asio::this_coro::reset_cancellation_state();
            if (!recover()) co_return;
        }
        bool const has_body = serialize();
        gathered rest{asio::buffer(head_)};
        if (has_body) rest[1] = asio::buffer(std::as_const(reply_).body());
        if (!advance(rest, write_now(stream_, rest)) && !co_await write_slowly(rest)) co_return;
        if (source_ != nullptr && !co_await stream_answer()) co_return;
        running = false;
        if (!keep_alive_) {
            co_await linger();
            co_return;
        }
        finish_request();
    }
}

/// Sets the time that the next bytes have. False: nothing was begun, and the server drains.
template<class Stream>
bool session<Stream>::prepare_read()
{
    idle = framing_.idle();
    if (idle && server_->draining()) return false;
    if (late != cut::none) return true;
    if (idle)
        allow(served_ > 0 ? options().idle_time : options().header_time, cut::idle);
    else
        begin_request(); // its first bytes came behind the request before
    return true;
}

template<class Stream>
void session<Stream>::take_head()
{
    message_head const& head = framing_.head();
    request_.method_string(head.method());
    request_.target(head.target());
    request_.version(head.version());
    for (std::size_t i = 0; i < head.field_count(); ++i) {
        auto const [name, value] = head.field_at(i);
        request_.insert(name, value);
    }
    is_head_ = request_.method() == verb::head;
    // What CONNECT asks for, a tunnel, is not there: whatever the answer is, nothing comes behind it.
    keep_alive_ = head.keep_alive() && request_.method() != verb::connect;
    expects_ = head.expects_continue();
}

/// A head with a body, or with expectations. Not 0: the status that refuses it, before a byte of the body was read.
template<class Stream>
unsigned session<Stream>::open_body()
{
    message_head const& head = framing_.head();
    if (head.expects_unknown()) {
        fault_text_ = "the only expectation that is known is 100-continue";
        return 417;
    }
    in_pieces_ = unread_ = server_->handler.reads_in_pieces(request_);
    std::uint64_t const most = in_pieces_ ? options().streamed_body_bytes : options().limits.body_bytes;
    framing_.limit_body(most);
    if (head.content_length() <= most) return 0;
    fault_text_ = to_string(refusal::body_too_large);
    return status_of(refusal::body_too_large);
}

/// Writes the head of the reply; what cannot be sent is replaced by a problem. True: the reply's body goes with it.
template<class Stream>
bool session<Stream>::serialize()
{
    if (++served_ >= options().requests_per_connection || server_->draining() || unread_) keep_alive_ = false;
    bool const old = request_.version() == 10;
    if (source_ != nullptr) {
        ends_ = length_ ? body_end::counted : old ? body_end::until_end : body_end::chunked;
        if (ends_ == body_end::until_end) keep_alive_ = false;
    }
    for (auto const& line : reply_)
        if (line.name() == field::connection && has_element(line.value(), "close")) keep_alive_ = false;
    response_framing how{.keep_alive = keep_alive_,
                         .tells_keep_alive = old,
                         .is_head = is_head_,
                         .ends = ends_,
                         .length = length_.value_or(0),
                         .date = server_->date(),
                         .server = server_->server()};
    if (reply_.result_int() < 200 || reply_.result_int() > 599 || !write_head(head_, reply_, how)) [[unlikely]] {
        source_.reset();
        how.ends = ends_ = body_end::whole;
        reply_ = thrown(errc::handler_threw);
        (void)write_head(head_, reply_, how);
    }
    bool const bodiless = is_head_ || is_bodiless(reply_.result_int());
    if (source_ == nullptr) [[likely]]
        return !bodiless;
    if (bodiless) {
        source_->end(result<void>());
        source_.reset();
    }
    return false;
}

template<class Stream>
void session<Stream>::finish_request()
{
    request_.reset();
    reply_.body() = {}; // a connection may be idle for long
    if (in_pieces_ || ends_ != body_end::whole) {
        in_pieces_ = false;
        ends_ = body_end::whole;
        length_.reset();
        sent_ = 0;
    }
    input_.shrink();
    whole = never;
    late = cut::none;
}

} // namespace weir::inline v0::http::detail

#include <weir/http/detail/session_ends.hpp>
#include <weir/http/detail/session_stream.hpp>
