// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/asio/detail/wait.hpp>
#include <weir/core/clock.hpp>
#include <weir/http/detail/server_state.hpp>
#include <weir/http/detail/session.hpp>
#include <weir/http/detail/stream.hpp>
#include <weir/http/ip_address.hpp>
#include <weir/http/server.hpp>

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace weir::inline v0::http {

template<class Stream>
basic_server<Stream>::basic_server(context_type const& context, boost::asio::any_io_executor const& executor, handler_type handler,
                                   server_options const& options)
    : executor_(executor),
      state_(std::make_shared<state>(executor, std::move(handler), options, context)),
      port_(state_->acceptor.local_endpoint().port())
{
    state_->run(accept(state_), {}, nullptr);
}

template<class Stream>
basic_server<Stream>::~basic_server()
{
    state_->stop();
}

template<class Stream>
void basic_server<Stream>::drain()
{
    boost::asio::post(executor_, [shared = state_] { shared->drain(); });
}

template<class Stream>
void basic_server<Stream>::drain_on(std::initializer_list<int> signals)
{
    for (int s : signals) state_->signals.add(s);
    state_->signals.async_wait([shared = state_](boost::system::error_code failed, int) {
        if (!failed) shared->drain();
    });
}

template<class Stream>
void basic_server<Stream>::drain_after(std::function<boost::asio::awaitable<void>()> work)
{
    state_->last_work = std::move(work);
}

template<class Stream>
server_stats basic_server<Stream>::stats() const noexcept
{
    auto const read = [](auto const& counter) { return counter.load(std::memory_order_relaxed); };
    return {read(state_->accepted),  read(state_->open),  read(state_->requests), read(state_->refused),
            read(state_->timed_out), read(state_->threw), read(state_->left),     read(state_->shed)};
}

namespace detail {

/// Nothing if the other side has gone.
inline std::optional<ip_address> address_of(boost::asio::ip::tcp::socket const& socket)
{
    boost::system::error_code failed;
    std::string const text = socket.remote_endpoint(failed).address().to_string();
    if (failed) return {};
    return ip_address::parse(std::string_view(text).substr(0, text.find('%'))); // without the zone
}

} // namespace detail

template<class Stream>
boost::asio::awaitable<void> basic_server<Stream>::accept(std::shared_ptr<state> shared)
{
    namespace asio = boost::asio;
    using session = detail::session<Stream>;
    shared->tick();
    while (!shared->draining()) {
        boost::system::error_code failed;
        if (shared->full()) {
            co_await wait_for_place(*shared, never);
            continue;
        }
        co_await shared->acceptor.async_wait(asio::socket_base::wait_read, asio::redirect_error(asio::use_awaitable, failed));
        if (shared->draining()) co_return;
        asio::ip::tcp::socket socket = shared->acceptor.accept(failed);
        if (failed == asio::error::would_block || failed == asio::error::connection_aborted) continue; // whoever came has gone
        if (failed) { // out of descriptors, most likely: another try is of no use before a connection has ended
            co_await wait_for_place(*shared, steady::now() + std::chrono::milliseconds(100));
            continue;
        }
        detail::count(shared->accepted);
        auto const peer = detail::address_of(socket);
        if (!peer) continue; // it has gone already
        if (!shared->addresses.take(*peer)) {
            detail::count(shared->shed);
            continue;
        }
        auto one = std::make_shared<session>(shared, detail::make_stream<Stream>(std::move(socket), shared->context), *peer);
        auto& running = *one;
        shared->run(running.run(), running.slot(), std::move(one));
    }
}

/// Until a connection has ended, or the time is up.
template<class Stream>
boost::asio::awaitable<void> basic_server<Stream>::wait_for_place(state& shared, time_point until)
{
    weir::detail::wait place;
    typename state::wanting_place const wanting(shared, place);
    co_await place(nullptr, steady::now(), until);
    place.finish();
}

} // namespace weir::inline v0::http
