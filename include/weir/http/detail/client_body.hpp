// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/http/client.hpp>
#include <weir/http/detail/client_call.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>

namespace weir::inline v0::http {

template<class Stream>
basic_client<Stream>::basic_client(context_type const& context, boost::asio::any_io_executor executor, client_options const& options)
    : state_(std::make_shared<state>(std::move(executor), context, options))
{
}

template<class Stream>
std::size_t basic_client<Stream>::open(upstream const& to) const
{
    auto const* const pool = state_->pools.look(to.address());
    return pool == nullptr ? 0 : pool->open;
}

template<class Stream>
client_stats basic_client<Stream>::stats() const noexcept
{
    return state_->pools.snapshot();
}

template<class Stream>
void basic_client<Stream>::close_idle()
{
    state_->pools.close_idle();
}

template<class Stream>
boost::asio::awaitable<result<response>> basic_client<Stream>::send_by(std::shared_ptr<state> shared, upstream const& to, request const& r,
                                                                       outgoing_body const* body, send_options o)
{
    client_options const& options = shared->options;
    detail::client_call<Stream> call(shared, to, o.slot, std::min(o.deadline, after(steady::now(), options.whole_time)));
    detail::client_trouble trouble = co_await call.begin(r, body);
    while (!trouble) {
        framing::event found = call.step();
        if (found == framing::event::more) found = co_await call.fill(trouble);
        if (found == framing::event::body) {
            if (call.data().size() > options.body_bytes - call.answer.body().size())
                trouble = call.failed("the body is too large, see client_options::body_bytes");
            else
                call.answer.body().append(call.data());
        } else if (found == framing::event::end) {
            call.finish();
            co_return std::move(call.answer);
        } else if (found == framing::event::refused && !trouble) {
            trouble = call.refused();
        }
    }
    co_return shared->fails(to, trouble, o.failure);
}

template<class Stream>
boost::asio::awaitable<result<incoming_response>> basic_client<Stream>::stream_by(std::shared_ptr<state> shared, upstream const& to,
                                                                                  request const& r, outgoing_body const* body,
                                                                                  send_options o)
{
    auto const call = std::make_shared<detail::kept_call<Stream>>(shared, to, o.slot, o.deadline);
    detail::client_trouble const trouble = co_await call->begin(r, body);
    if (trouble) co_return shared->fails(to, trouble, o.failure);
    co_return incoming_response(std::move(call->answer), call);
}

} // namespace weir::inline v0::http
