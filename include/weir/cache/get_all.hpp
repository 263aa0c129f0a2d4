// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/cache/cached.hpp>
#include <weir/cache/detail/bulk_flight.hpp>
#include <weir/core/clock.hpp>
#include <weir/core/detail/blocked_thread.hpp>
#include <weir/core/park.hpp>
#include <weir/core/result.hpp>

#include <exception>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace weir::inline v0 {

/// Looks up many keys in a `cached`, and loads those that are missing with one call: `get_all(svc.get<cached>(), symbols, load, clock)`,
/// where `load(std::span<symbol const>)` returns a `result` of a vector of optional values, one for each key in turn; an empty one is
/// "there is none". Gives a `result` for each key, in their order.
///
/// Single flight holds for every key, also with calls of the pipeline: what another call loads is waited for, until `deadline`; what this
/// one loads the others wait for. A load that fails fails for all its keys; what it throws is thrown on, to those who wait, too. Guards,
/// rules, leases and watchers among the cache's parts have their say; a refresh and stale answers are for calls of the pipeline only. A
/// vector that is too short is `errc::upstream_failed` for the rest; a key that this very thread is loading further out is
/// `std::errc::resource_deadlock_would_occur`. Blocks while it waits; `async_get_all` of `weir/asio/get_all.hpp` does not.
///
/// Cost: a find for each hit; what is missing allocates. Memory: a ticket for each missing key.
template<class Cached, class Load, class Clock = steady>
[[nodiscard]] auto get_all(Cached& cache, std::span<typename Cached::key_type const> keys, Load&& load, Clock&& clock = {},
                           time_point deadline = never) -> std::vector<result<typename Cached::value_type>>
{
    auto& core = detail::insides::core(cache);
    detail::bulk_flight<std::remove_reference_t<decltype(core)>> bulk(core, keys, clock.now(), &detail::blocked_thread::current());
    for (;;) {
        if (auto const missing = bulk.to_load(); !missing.empty()) {
            try {
                detail::bulk_load<typename Cached::value_type> const what = load(std::span<typename Cached::key_type const>(missing));
                bulk.loaded(what, clock.now());
            } catch (...) {
                bulk.threw(std::current_exception(), clock.now());
                throw;
            }
        }
        waiter* const parked = bulk.waits_for();
        if (parked == nullptr) return std::move(bulk).answers();
        detail::thread_notifier self;
        bool const in_time = self.wait(*parked, deadline == never ? never : after(steady::now(), deadline - clock.now()));
        bulk.woken(in_time, clock.now());
    }
}

} // namespace weir::inline v0
