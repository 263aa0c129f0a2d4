// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/asio/detail/wait.hpp>
#include <weir/cache/cached.hpp>
#include <weir/cache/detail/bulk_flight.hpp>
#include <weir/core/clock.hpp>
#include <weir/core/park.hpp>
#include <weir/core/result.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <exception>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace weir::inline v0 {

/// `get_all`, without blocking: `load(std::span<symbol const>)` returns an awaitable. Cancelled, it throws `operation_aborted`; what it was
/// loading goes to those who waited for it. Cache, keys, loader and clock outlive it: name them first.
template<class Cached, class Load, class Clock>
boost::asio::awaitable<std::vector<result<typename Cached::value_type>>>
async_get_all(Cached& cache, std::span<typename Cached::key_type const> keys, Load& load, Clock& clock, time_point deadline = never)
{
    using key_type = typename Cached::key_type;
    auto& core = detail::insides::core(cache);
    detail::bulk_flight<std::remove_reference_t<decltype(core)>> bulk(core, keys, clock.now());
    for (;;) {
        std::vector<key_type> const missing = bulk.to_load();
        if (!missing.empty()) {
            std::exception_ptr thrown;
            try {
                std::span<key_type const> const wanted(missing);
                auto loading = load(wanted);
                detail::bulk_load<typename Cached::value_type> const what = co_await std::move(loading);
                bulk.loaded(what, clock.now());
            } catch (...) {
                thrown = std::current_exception();
            }
            if (thrown != nullptr) {
                boost::asio::cancellation_state const state = co_await boost::asio::this_coro::cancellation_state;
                // Cancelled, it only leaves: another one loads.
                if (state.cancelled() == boost::asio::cancellation_type::none) bulk.threw(thrown, clock.now());
                std::rethrow_exception(thrown);
            }
        }
        waiter* const parked = bulk.waits_for();
        if (parked == nullptr) break;
        boost::asio::cancellation_state const state = co_await boost::asio::this_coro::cancellation_state;
        detail::wait waiting;
        co_await waiting(parked, clock.now(), deadline)(boost::asio::bind_cancellation_slot(state.slot(), boost::asio::use_awaitable));
        if (state.slot().is_connected()) state.slot().clear();
        detail::wait_end const end = waiting.finish();
        if (end == detail::wait_end::cancelled)
            throw boost::system::system_error(boost::asio::error::make_error_code(boost::asio::error::operation_aborted));
        bulk.woken(end == detail::wait_end::woken, clock.now());
    }
    co_return std::move(bulk).answers();
}

} // namespace weir::inline v0
