// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/http/client_options.hpp>
#include <weir/http/detail/connect.hpp>
#include <weir/http/detail/pool.hpp>
#include <weir/http/detail/serialize.hpp>
#include <weir/http/detail/stream.hpp>
#include <weir/http/framing.hpp>
#include <weir/http/message.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/error.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>

namespace weir::inline v0::http::detail {

/// What the requests of a client share. They may outlive it.
template<class Stream>
struct client_state {
    client_state(asio::any_io_executor ex, context_of<Stream> c, client_options const& o)
        : executor(std::move(ex)), context(std::move(c)), options(o), pools(options)
    {
        check(options);
    }
    [[nodiscard]] framing_limits limits() const noexcept
    {
        return {.line_bytes = options.header_bytes,
                .field_bytes = options.header_bytes,
                .header_bytes = options.header_bytes,
                .fields = options.header_bytes,
                .body_bytes = std::numeric_limits<std::uint64_t>::max()}; // the call counts
    }

    /// Counts a failure and tells whoever wants to know.
    error fails(upstream const& to, client_trouble const& t, client_failure* told)
    {
        ++pools.stats.failed;
        bool const loud = options.on_failure && t.kind != errc::cancelled;
        if (told == nullptr && !loud) return t.kind;
        client_failure made{to.address(), t.stage, t.why ? t.why : make_error_code(t.kind), std::string(t.detail)};
        if (loud) options.on_failure(made);
        if (told != nullptr) *told = std::move(made);
        return t.kind;
    }

    asio::any_io_executor executor;
    [[no_unique_address]] context_of<Stream> context;
    client_options options;
    client_pools<Stream> pools;
};

/// One request of a client, until its response has come.
template<class Stream>
class client_call {
public:
    using event = framing::event;

    client_call(std::shared_ptr<client_state<Stream>> shared, upstream const& to, asio::cancellation_slot slot, time_point last)
        : shared_(std::move(shared)), to_(to), slot_(slot), last_(last)
    {
    }

    response answer;

    /// Gets a connection, sends the request, and reads the head of its response.
    asio::awaitable<client_trouble> begin(request const& r);

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
    void take_head(message_head const& head);

    std::shared_ptr<client_state<Stream>> shared_;
    upstream const& to_;
    asio::cancellation_slot slot_;
    time_point last_;
    client_lease<Stream> lease_;
    client_stage stage_ = client_stage::wait;
    bool keep_ = false;
};

template<class Stream>
asio::awaitable<client_trouble> client_call<Stream>::begin(request const& r)
{
    auto& pools = shared_->pools;
    client_options const& options = shared_->options;
    ++pools.stats.requests;
    constexpr std::uint16_t default_port = is_secure<Stream> ? 443 : 80;
    std::string head;
    if (!write_head(head, r, to_.authority(default_port)))
        co_return client_trouble{errc::invalid_request, client_stage::request, {}, "something in the request cannot be sent"};
    auto* const pool = pools.find(to_.address());
    if (pool == nullptr) {
        ++pools.stats.refused;
        co_return client_trouble{errc::overloaded, client_stage::wait, {}, "too many upstreams, see client_options::upstreams"};
    }
    for (;;) {
        // The way of most requests: a kept connection.
        if (auto kept = pools.take_idle(*pool, steady::now())) lease_ = client_lease<Stream>(pools, *pool, std::move(kept));
        if (!lease_.has_connection())
            if (auto const trouble = co_await get_connection(*pool)) co_return trouble;

        auto& c = *lease_;
        bool const reused = c.requests > 0;
        c.renew();
        following const caller(slot_, c);
        stage_ = client_stage::request;
        keep_ = false;
        std::size_t sent = 0;
        bool whole = false;
        error_code why;
        gathered buffers{asio::buffer(head), asio::buffer(r.body())};
        sent = write_now(c.stream, buffers);
        if (whole = advance(buffers, sent); !whole) {
            // The socket's buffer is full, or the connection has broken.
            auto token = cancellable_by(c.stream, c.slot(), why);
            while (!whole && !why) {
                until(options.piece_time);
                std::size_t const size = co_await c.stream.async_write_some(buffers, token);
                sent += size;
                whole = advance(buffers, size);
            }
            if (c.over()) co_return broken(why);
            // A server that has refused a large body may have answered before it closed: what it said is worth reading.
        }

        stage_ = client_stage::first_byte;
        until(options.first_byte_time);
        if (r.method() == verb::head) c.machine.expect_no_body();
        bool begun = false;
        bool again = false;
        for (unsigned interim = 0; !again;) {
            event found = step();
            if (found == event::more) {
                auto token = cancellable_by(c.stream, c.slot(), why);
                char* const room = c.input.room();
                std::size_t const size = co_await c.stream.async_read_some(asio::buffer(room, c.input.room_size()), token);
                c.input.add(size);
                begun = begun || size > 0;
                if (c.over()) co_return broken(why);
                if (!why) continue;
                // Nothing came back: an old connection may have ended before the request got there.
                again = !begun && reused && (is_idempotent(r) || sent == 0);
                if (!again) co_return broken(why);
            } else if (found == event::refused) {
                co_return refused();
            } else if (found == event::head) {
                unsigned const status = c.machine.head().status();
                if (status == 101) co_return failed("it changed to another protocol unasked");
                if (status < 200) { // more is to come (RFC 9110 section 15.2)
                    if (++interim > 16) co_return failed("too many interim responses");
                    continue;
                }
                take_head(c.machine.head());
                keep_ = whole && c.machine.head().keep_alive() && !c.machine.needs_end();
                stage_ = client_stage::body;
                co_return client_trouble{};
            } else if (found == event::end && r.method() == verb::head) {
                c.machine.expect_no_body(); // of the response behind the interim one
            }
        }
        ++pools.stats.resent;
        ++pools.stats.stale;
        lease_ = {};
        pool->close_idle(); // the others are as old
    }
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
    char* const room = c.input.room();
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

} // namespace weir::inline v0::http::detail
