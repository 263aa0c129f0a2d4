// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/asio/detail/wait.hpp>
#include <weir/core/park.hpp>
#include <weir/http/client_options.hpp>
#include <weir/http/detail/client_lease.hpp>
#include <weir/http/detail/pool.hpp>
#include <weir/http/detail/stream.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <concepts>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace weir::inline v0::http::detail {

/// Why a request fails. False: it does not.
struct client_trouble {
    errc kind{};
    client_stage stage = client_stage::wait;
    error_code why{};
    std::string_view detail{};

    explicit operator bool() const noexcept { return kind != errc{}; }
};

// What is no template of itself is one here all the same: else every file that includes this pays for Asio's templates within.

/// Waits for the waiter, the time or the slot.
template<std::derived_from<waiter> Waiter>
asio::awaitable<weir::detail::wait_end> wait_for(Waiter& w, time_point now, time_point until, asio::cancellation_slot slot)
{
    weir::detail::wait waiting;
    co_await waiting(&w, now, until)(asio::bind_cancellation_slot(slot, asio::use_awaitable));
    if (slot.is_connected()) slot.clear();
    auto const end = waiting.finish();
    w.detach();
    co_return end;
}

/// Waits for a connection, or for a place to open one.
template<class Stream>
asio::awaitable<client_trouble> wait_for_place(client_pools<Stream>& all, client_pool<Stream>& in, client_lease<Stream>& lease,
                                               time_point now, time_point until, asio::cancellation_slot slot)
{
    place_wait<Stream> place;
    if (!all.line_up(in, place))
        co_return client_trouble{errc::overloaded, client_stage::wait, {}, "too many requests wait already, see client_options::waiting"};
    auto const end = co_await wait_for(place, now, until, slot);
    if (end == weir::detail::wait_end::cancelled) co_return client_trouble{errc::cancelled, client_stage::wait};
    if (!place.granted) co_return client_trouble{errc::overloaded, client_stage::wait, {}, "none came free in time"};
    lease = client_lease<Stream>(place);
    co_return client_trouble{};
}

/// A look-up that goes on by itself when nobody waits for it any more: the system cannot be interrupted in it.
struct look_up_job {
    waiter done;
    std::optional<result<endpoints>> found;
};

/// By the system, in a thread that Asio keeps for it.
template<class Resolver = asio::ip::tcp::resolver>
asio::awaitable<result<endpoints>> look_up_by_system(upstream to)
{
    Resolver resolver(co_await asio::this_coro::executor);
    std::string const service = std::to_string(to.port());
    error_code why;
    auto const found =
        co_await resolver.async_resolve(to.host(), service, Resolver::numeric_service, asio::redirect_error(asio::use_awaitable, why));
    if (why) co_return error(why);
    endpoints all;
    for (auto const& entry : found) all.push_back(entry.endpoint());
    co_return all;
}

template<class Resolver = asio::ip::tcp::resolver>
asio::awaitable<client_trouble> look_up(upstream const& to, endpoints& found, client_options const& options, asio::any_io_executor executor,
                                        time_point last, asio::cancellation_slot slot)
{
    using weir::detail::wait_end;
    error_code no_address;
    if (auto const address = asio::ip::make_address(to.host(), no_address); !no_address) {
        found.emplace_back(address, to.port());
        co_return client_trouble{};
    }
    auto const job = std::make_shared<look_up_job>();
    asio::co_spawn(executor, options.look_up ? options.look_up(to) : look_up_by_system<Resolver>(to),
                   [job](std::exception_ptr thrown, result<endpoints> made) {
                       job->found = thrown ? result<endpoints>(error(errc::unavailable)) : std::move(made);
                       job->done.wake();
                   });
    time_point const now = steady::now();
    auto const end = co_await wait_for(job->done, now, std::min(last, after(now, options.look_up_time)), slot);
    if (end == wait_end::cancelled) co_return client_trouble{errc::cancelled, client_stage::look_up};
    if (!job->found) co_return client_trouble{errc::unavailable, client_stage::look_up, asio::error::timed_out};
    if (job->found->has_error()) co_return client_trouble{errc::unavailable, client_stage::look_up, job->found->error().code()};
    found = std::move(**job->found);
    if (found.empty()) co_return client_trouble{errc::unavailable, client_stage::look_up, asio::error::host_not_found};
    co_return client_trouble{};
}

/// Connects to the first of the addresses that answers. Each has its share of the time that is left, so that one that is silent does not
/// take it all. Then shakes hands, where the stream does. `following` the caller is up to the caller.
template<class Stream>
asio::awaitable<client_trouble> connect(client_connection<Stream>& c, upstream const& to, endpoints const& ends, time_point last)
{
    auto& socket = socket_of(c.stream);
    error_code why;
    auto token = cancellable_by(c.stream, c.slot(), why);
    std::size_t left = ends.size();
    for (auto const& end : ends) {
        time_point const now = steady::now();
        c.until(now, now + (last - now) / static_cast<int>(left--));
        error_code ignored;
        socket.close(ignored);
        co_await socket.async_connect(end, token);
        if (c.cancelled()) co_return client_trouble{errc::cancelled, client_stage::connect};
        if (c.late()) why = asio::error::timed_out;
        if (!why) break;
    }
    if (why) co_return client_trouble{errc::unavailable, client_stage::connect, why};
    make_ready(c.stream);
    c.born = steady::now();
    if constexpr (is_secure<Stream>) {
        c.until(c.born, last);
        c.stream.expect_host(to.host());
        co_await c.stream.async_handshake(token);
        if (c.cancelled()) co_return client_trouble{errc::cancelled, client_stage::handshake};
        if (c.late()) why = asio::error::timed_out;
        if (why) co_return client_trouble{errc::unavailable, client_stage::handshake, why};
    }
    co_return client_trouble{};
}

} // namespace weir::inline v0::http::detail
