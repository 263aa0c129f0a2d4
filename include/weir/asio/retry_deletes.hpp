// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/asio/detail/wait.hpp>
#include <weir/core/clock.hpp>
#include <weir/core/options.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <cstddef>

namespace weir::inline v0 {

struct retry_deletes_options {
    duration every = std::chrono::milliseconds(100); ///< how often to look whether deletes wait; above zero
    duration longest = std::chrono::seconds(10);     ///< between attempts that fail, the time doubles up to this; at least `every`
};

/// Tries the deletes of a `second_level` that wait, until it is cancelled: for the scope of the pipeline,
/// `weir::spawn(jobs, executor, weir::retry_deletes(svc.get<weir::second_level>(), clock))`. Level and clock outlive it.
/// Throws `std::invalid_argument` that names the member when it begins.
template<class Level, class Clock>
boost::asio::awaitable<void> retry_deletes(Level& level, Clock& clock, retry_deletes_options o = {})
{
    expect(o.every.count() > 0, "retry_deletes.every", "a duration above zero");
    expect(o.longest >= o.every, "retry_deletes.longest", "at least every");
    for (duration wait = o.every;;) {
        boost::asio::cancellation_state const state = co_await boost::asio::this_coro::cancellation_state;
        if (state.cancelled() != boost::asio::cancellation_type::none) co_return;
        detail::wait waiting;
        time_point const now = clock.now();
        co_await waiting(nullptr, now, after(now, wait))(boost::asio::bind_cancellation_slot(state.slot(), boost::asio::use_awaitable));
        if (state.slot().is_connected()) state.slot().clear();
        if (waiting.finish() == detail::wait_end::cancelled) co_return;
        std::size_t const before = level.pending();
        if (before == 0) {
            wait = o.every;
            continue;
        }
        auto flushing = level.flush(clock.now());
        std::size_t const left = co_await std::move(flushing);
        wait = left < before ? o.every : std::min(wait * 2, o.longest);
    }
}

} // namespace weir::inline v0
