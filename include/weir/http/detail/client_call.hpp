// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/http/body_writer.hpp>
#include <weir/http/detail/client_lease.hpp>
#include <weir/http/detail/client_state.hpp>
#include <weir/http/detail/connect.hpp>
#include <weir/http/detail/exchange.hpp>
#include <weir/http/detail/pool.hpp>
#include <weir/http/detail/serialize.hpp>
#include <weir/http/detail/stream.hpp>
#include <weir/http/framing.hpp>
#include <weir/http/message.hpp>
#include <weir/http/outgoing_body.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace weir::inline v0::http::detail {

/// One request of a client, until its response has come.
template<class Stream>
class client_call : public exchange {
public:
    using event = framing::event;

    /// Without a slot that is connected, cancellation comes from the coroutine that waits.
    client_call(std::shared_ptr<client_state<Stream>> shared, upstream const& to, asio::cancellation_slot slot, time_point last)
        : shared_(std::move(shared)), to_(to), slot_(slot), last_(last), has_slot_(slot.is_connected())
    {
    }

    response answer;

    /// Gets a connection, sends the request, and reads the head of its response. The body is written by its producer, if there is one.
    asio::awaitable<client_trouble> begin(request const& r, outgoing_body const* body = nullptr);

    /// The next piece of the response's body; empty at its end.
    asio::awaitable<result<std::string_view>> read_body() override;
    /// A piece of the request's body.
    asio::awaitable<result<void>> write_body(std::string_view piece) override;

    /// The next event of the response's body, from what has come.
    event step()
    {
        auto& c = *lease_;
        event const found = c.machine.next(c.input.view());
        c.input.consume(c.machine.consumed());
        return found;
    }
    [[nodiscard]] std::string_view data() const noexcept { return lease_->machine.data(); }
    /// Reads on when the step said `more`. `end` if the connection's end is the body's.
    asio::awaitable<event> fill(client_trouble& trouble);
    /// The response is there: its connection may serve again.
    void finish()
    {
        lease_->input.shrink();
        if (keep_ && lease_->input.empty()) lease_.keep(steady::now());
        lease_ = {};
    }
    [[nodiscard]] client_trouble failed(std::string_view detail) const noexcept { return {errc::upstream_failed, stage_, {}, detail}; }
    [[nodiscard]] client_trouble refused() const noexcept { return {errc::upstream_failed, stage_, {}, to_string(lease_->machine.why())}; }

private:
    static bool is_idempotent(request const& r) noexcept
    {
        auto const method = r.method();
        return method == verb::get || method == verb::head || method == verb::put || method == verb::delete_ || method == verb::options ||
               method == verb::trace;
    }
    /// What ended an operation: the caller, the time, or the connection.
    client_trouble broken(error_code why) const noexcept
    {
        if (lease_->cancelled()) return {errc::cancelled, stage_};
        if (lease_->late()) return {errc::deadline_exceeded, stage_, asio::error::timed_out};
        if (why == asio::error::eof) return {errc::upstream_failed, stage_, why, "the connection ended before the response was whole"};
        return {errc::upstream_failed, stage_, why};
    }
    void until(duration d)
    {
        time_point const now = steady::now();
        lease_->until(now, std::min(last_, after(now, d)));
    }

    asio::awaitable<client_trouble> get_connection(client_pool<Stream>& pool);
    /// Sends all of it, or until the connection breaks; trouble if the caller or the time ends it.
    asio::awaitable<client_trouble> write(gathered buffers);
    asio::awaitable<client_trouble> produce(outgoing_body const& body);
    /// Reads to the end of the response's head.
    asio::awaitable<client_trouble> read_head(bool is_head);
    void take_head(message_head const& head);

    std::shared_ptr<client_state<Stream>> shared_;
    upstream const& to_;
    asio::cancellation_slot slot_;
    time_point last_;
    client_lease<Stream> lease_;
    std::string out_;        // what is to be written before the next piece: the head, the framing of a chunk
    std::uint64_t left_ = 0; // of a body whose length was promised
    std::size_t sent_ = 0;
    client_trouble failure_;
    client_stage stage_ = client_stage::wait;
    bool has_slot_;
    bool chunked_ = false;
    bool in_chunks_ = false; // the last chunk's line end is still to come
    bool whole_ = false;     // all of the request was sent
    bool begun_ = false;     // something of the response came
    bool keep_ = false;
    bool ended_ = false;
};

template<class Stream>
asio::awaitable<client_trouble> client_call<Stream>::begin(request const& r, outgoing_body const* body)
{
    auto& pools = shared_->pools;
    ++pools.stats.requests;
    constexpr std::uint16_t default_port = is_secure<Stream> ? 443 : 80;
    request_framing how{.ends = request_framing::body::whole};
    if (body != nullptr) how.ends = body->length ? request_framing::body::counted : request_framing::body::chunked;
    if (body != nullptr && body->length) how.length = *body->length;
    if (!write_head(out_, r, to_.authority(default_port), how))
        co_return client_trouble{errc::invalid_request, client_stage::request, {}, "something in the request cannot be sent"};
    auto* const pool = pools.find(to_.address());
    if (pool == nullptr) {
        ++pools.stats.refused;
        co_return client_trouble{errc::overloaded, client_stage::wait, {}, "too many upstreams, see client_options::upstreams"};
    }
    if (!has_slot_) {
        asio::cancellation_state const own = co_await asio::this_coro::cancellation_state;
        slot_ = own.slot();
    }
    for (;;) {
        // The way of most requests: a kept connection.
        if (auto kept = pools.take_idle(*pool, steady::now())) lease_ = client_lease<Stream>(pools, *pool, std::move(kept));
        if (!lease_.has_connection())
            if (auto trouble = co_await get_connection(*pool)) {
                if (trouble.kind != errc::cancelled && steady::now() >= last_) trouble.kind = errc::deadline_exceeded;
                co_return trouble;
            }
        auto& c = *lease_;
        bool const reused = c.requests > 0;
        c.renew();

        stage_ = client_stage::request;
        sent_ = 0;
        if (body != nullptr) {
            if (auto const trouble = co_await produce(*body)) co_return trouble;
        } else {
            gathered buffers{asio::buffer(out_), asio::buffer(r.body())};
            sent_ = write_now(c.stream, buffers);
            whole_ = advance(buffers, sent_);
            if (!whole_) // the socket's buffer is full, or the connection has broken
                if (auto const trouble = co_await write(buffers)) co_return trouble;
        }
        // A server that has refused a large body may have answered before it closed: what it said is worth reading.
        stage_ = client_stage::first_byte;
        begun_ = false;
        auto const trouble = co_await read_head(r.method() == verb::head);
        if (!trouble) {
            keep_ = whole_ && c.machine.head().keep_alive() && !c.machine.needs_end();
            stage_ = client_stage::body;
            co_return trouble;
        }
        // Nothing came back: an old connection may have ended before the request got there.
        bool const broke = trouble.kind == errc::upstream_failed && !begun_;
        if (!broke || !reused || body != nullptr || (!is_idempotent(r) && sent_ > 0)) co_return trouble;
        ++pools.stats.resent;
        ++pools.stats.stale;
        lease_ = {};
        pool->close_idle(); // the others are as old
    }
}

template<class Stream>
asio::awaitable<client_trouble> client_call<Stream>::write(gathered buffers)
{
    auto& c = *lease_;
    following const caller(slot_, c);
    error_code why;
    auto token = cancellable_by(c.stream, c.slot(), why);
    for (whole_ = false; !whole_ && !why;) {
        until(shared_->options.piece_time);
        std::size_t const size = co_await c.stream.async_write_some(buffers, token);
        sent_ += size;
        whole_ = advance(buffers, size);
    }
    if (c.over()) co_return broken(why);
    co_return client_trouble{};
}

template<class Stream>
asio::awaitable<client_trouble> client_call<Stream>::produce(outgoing_body const& body)
{
    chunked_ = !body.length;
    in_chunks_ = false;
    left_ = body.length.value_or(0);
    whole_ = true;
    body_writer to(*this);
    result<void> const made = co_await body.produce(to);
    if (failure_) co_return failure_;
    if (!whole_) co_return client_trouble{}; // the connection has broken
    if (made.has_error()) co_return client_trouble{made.error().kind(), stage_, made.error().code(), "the request's body was not made"};
    if (left_ > 0) co_return client_trouble{errc::invalid_request, stage_, {}, "the request's body is shorter than was promised"};
    if (chunked_) out_.append(in_chunks_ ? "\r\n0\r\n\r\n" : "0\r\n\r\n");
    gathered const rest{asio::buffer(out_), asio::const_buffer()};
    if (out_.empty()) co_return client_trouble{};
    co_return co_await write(rest);
}

template<class Stream>
asio::awaitable<result<void>> client_call<Stream>::write_body(std::string_view piece)
{
    if (failure_) co_return error(failure_.kind);
    if (!whole_) co_return error(errc::upstream_failed);
    if (piece.empty()) co_return result<void>();
    if (!chunked_ && piece.size() > left_) {
        failure_ = {errc::invalid_request, stage_, {}, "the request's body is longer than was promised"};
        co_return error(errc::payload_too_large);
    }
    if (chunked_) {
        char digits[16];
        if (std::exchange(in_chunks_, true)) out_.append("\r\n");
        out_.append(digits, std::to_chars(digits, digits + sizeof digits, piece.size(), 16).ptr).append("\r\n");
    } else {
        left_ -= piece.size();
    }
    if (!has_slot_) {
        asio::cancellation_state const own = co_await asio::this_coro::cancellation_state;
        slot_ = own.slot();
    }
    gathered const buffers{asio::buffer(out_), asio::buffer(piece)};
    failure_ = co_await write(buffers);
    out_.clear();
    if (failure_) co_return error(failure_.kind);
    if (!whole_) co_return error(errc::upstream_failed);
    co_return result<void>();
}

template<class Stream>
asio::awaitable<client_trouble> client_call<Stream>::read_head(bool is_head)
{
    constexpr unsigned most_interim = 16;
    auto& c = *lease_;
    following const caller(slot_, c);
    until(shared_->options.first_byte_time);
    error_code why;
    auto token = cancellable_by(c.stream, c.slot(), why);
    if (is_head) c.machine.expect_no_body();
    for (unsigned interim = 0;;) {
        switch (step()) {
        case event::more: {
            char* const room = c.input.room();
            std::size_t const size = co_await c.stream.async_read_some(asio::buffer(room, c.input.room_size()), token);
            c.input.add(size);
            begun_ = begun_ || size > 0;
            if (why || c.over()) co_return broken(why);
            break;
        }
        case event::head: {
            unsigned const status = c.machine.head().status();
            if (status == 101) co_return failed("it changed to another protocol unasked");
            if (status >= 200) {
                take_head(c.machine.head());
                co_return client_trouble{};
            }
            if (++interim > most_interim) co_return failed("too many interim responses"); // RFC 9110 section 15.2
            break;
        }
        case event::end: // of an interim response: that to a HEAD is still to come
            if (is_head) c.machine.expect_no_body();
            break;
        case event::body: break;
        case event::refused: co_return refused();
        }
    }
}

template<class Stream>
asio::awaitable<result<std::string_view>> client_call<Stream>::read_body()
{
    if (!has_slot_) {
        asio::cancellation_state const own = co_await asio::this_coro::cancellation_state;
        slot_ = own.slot();
    }
    while (!failure_ && !ended_) {
        event found = step();
        if (found == event::more) found = co_await fill(failure_);
        if (found == event::body) co_return data();
        if (found == event::refused && !failure_) failure_ = refused();
        if (found == event::end) {
            ended_ = true;
            finish();
        }
    }
    if (ended_) co_return std::string_view{};
    lease_ = {};
    co_return shared_->fails(to_, failure_, nullptr);
}

template<class Stream>
asio::awaitable<client_trouble> client_call<Stream>::get_connection(client_pool<Stream>& pool)
{
    auto& pools = shared_->pools;
    client_options const& options = shared_->options;
    if (pool.waiting == 0 && pools.take_place(pool)) {
        lease_ = client_lease<Stream>(pools, pool, nullptr);
    } else {
        time_point const now = steady::now();
        auto const trouble = co_await wait_for_place(pools, pool, lease_, now, std::min(last_, after(now, options.wait_time)), slot_);
        if (trouble.kind == errc::overloaded) ++pools.stats.refused;
        if (trouble || lease_.has_connection()) co_return trouble;
    }
    endpoints ends;
    if (auto const trouble = co_await look_up(to_, ends, options, shared_->executor, last_, slot_)) co_return trouble;
    auto made = std::make_shared<client_connection<Stream>>(shared_->executor, shared_->context, shared_->limits());
    following const caller(slot_, *made);
    time_point const last = std::min(last_, after(steady::now(), options.connect_time));
    if (auto const trouble = co_await connect(*made, to_, ends, last)) co_return trouble;
    ++pools.stats.opened;
    lease_.open(std::move(made));
    co_return client_trouble{};
}

template<class Stream>
asio::awaitable<framing::event> client_call<Stream>::fill(client_trouble& trouble)
{
    auto& c = *lease_;
    following const caller(slot_, c);
    until(shared_->options.piece_time);
    error_code why;
    auto token = cancellable_by(c.stream, c.slot(), why);
    char* const room = c.input.room(c.machine.left());
    std::size_t const size = co_await c.stream.async_read_some(asio::buffer(room, c.input.room_size()), token);
    c.input.add(size);
    if (!why && !c.over()) co_return event::more;
    if (why == asio::error::eof && !c.over() && c.machine.finish() == event::end) co_return event::end;
    trouble = why == asio::error::eof && !c.over() ? refused() : broken(why);
    co_return event::refused;
}

template<class Stream>
void client_call<Stream>::take_head(message_head const& head)
{
    answer.result(head.status());
    answer.reason(head.reason());
    answer.version(head.version());
    for (std::size_t i = 0; i < head.field_count(); ++i) {
        auto const [name, value] = head.field_at(i);
        answer.insert(name, value);
    }
}

/// A call that goes on when its `stream` has returned: it keeps whom it asks.
struct kept_upstream {
    upstream to;
};
template<class Stream>
class kept_call final : kept_upstream, public client_call<Stream> {
public:
    kept_call(std::shared_ptr<client_state<Stream>> shared, upstream const& where, asio::cancellation_slot slot, time_point last)
        : kept_upstream{where}, client_call<Stream>(std::move(shared), kept_upstream::to, slot, last)
    {
    }
};

} // namespace weir::inline v0::http::detail
