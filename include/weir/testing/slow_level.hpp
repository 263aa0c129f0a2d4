// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/asio/driver.hpp>
#include <weir/cache/level.hpp>
#include <weir/core/park.hpp>
#include <weir/core/policy.hpp>
#include <weir/core/result.hpp>
#include <weir/testing/detail/sleep.hpp>
#include <weir/testing/latency.hpp>
#include <weir/testing/schedule.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <utility>

namespace weir::inline v0 {

/// A second level that takes its time, in the virtual time of a schedule: each operation is awaited, and is done at half of the time that
/// it takes, so that another may come between it and its answer: `slow_level{std::ref(shared), s, latency::fixed(2ms)}`.
template<class Level>
class slow_level {
    using level_type = detail::policy_t<Level>;
    template<class T>
    using later = boost::asio::awaitable<result<T>>;

public:
    using key_type = typename level_type::key_type;
    using value_type = typename level_type::value_type;

    slow_level(Level level, schedule& s, latency takes) : level_(std::move(level)), schedule_(&s), takes_(takes) {}

    later<level_finding<value_type>> look_up(key_type const& key, time_point)
    {
        duration const half = co_await there();
        auto const found = level().look_up(key, schedule_->now());
        co_await back(half);
        co_return found;
    }
    later<std::uint64_t> put(key_type const& key, level_entry<value_type> const& entry, level_lease lease, time_point)
    {
        duration const half = co_await there();
        auto const written = level().put(key, entry, lease, schedule_->now());
        co_await back(half);
        co_return written;
    }
    later<level_lease> lease(key_type const& key, time_point)
    {
        duration const half = co_await there();
        auto const given = level().lease(key, schedule_->now());
        co_await back(half);
        co_return given;
    }
    later<std::uint64_t> erase(key_type const& key, time_point)
    {
        duration const half = co_await there();
        auto const was_there = level().erase(key, schedule_->now());
        co_await back(half);
        co_return was_there;
    }
    later<std::uint64_t> publish(key_type const& key)
    {
        duration const half = co_await there();
        auto const number = level().publish(key);
        co_await back(half);
        co_return number;
    }

private:
    level_type& level() noexcept { return detail::unwrapped<Level>::of(level_); }
    boost::asio::awaitable<duration> there()
    {
        duration const half = takes_.draw(schedule_->draws()) / 2;
        co_await detail::wait_for<waiter>(nullptr, schedule_->now(), after(schedule_->now(), half));
        co_return half;
    }
    boost::asio::awaitable<void> back(duration half)
    {
        return detail::wait_for<waiter>(nullptr, schedule_->now(), after(schedule_->now(), half));
    }

    Level level_;
    schedule* schedule_;
    latency takes_;
};

} // namespace weir::inline v0
