// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/asio/detail/time_limit.hpp>
#include <weir/asio/driver.hpp>
#include <weir/core/awaitable.hpp>
#include <weir/core/clock.hpp>
#include <weir/core/options.hpp>
#include <weir/core/policy.hpp>
#include <weir/core/result.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/this_coro.hpp>

#include <exception>
#include <optional>
#include <utility>

namespace weir::inline v0 {

/// A second level each of whose operations may take so long and no longer:
/// `second_level{timely_level{std::ref(redis), 20ms}, by_symbol, circuit_breaker{...}}`.
///
/// An operation that takes longer is cancelled, and once it has ended the answer is `errc::deadline_exceeded`: for `second_level` the level
/// did not answer. The call goes on without it, the breaker hears of it, a delete waits for the next attempt. So a level that hangs costs a
/// call this time, not its deadline. It wants a level whose operations are awaitable and can be cancelled; what cannot, is waited for.
///
/// Level and clock may be `std::ref`; the clock, a third argument, is the pipeline's if that has one (`timed_by`). Cost: a spawned
/// coroutine an operation, see `timeout`. Thread-safe as the level is.
template<class Level, class Clock = steady>
class timely_level {
    using level_type = detail::policy_t<Level>;

public:
    using key_type = typename level_type::key_type;
    using value_type = typename level_type::value_type;

    /// `limit` is above zero. Throws `std::invalid_argument`.
    timely_level(Level level, duration limit, Clock clock = {}) : level_(std::move(level)), clock_(std::move(clock)), limit_(limit)
    {
        expect(limit.count() > 0, "timely_level.limit", "a duration above zero");
    }

    [[nodiscard]] auto look_up(key_type const& key, time_point now) { return in_time(level().look_up(key, now)); }
    [[nodiscard]] auto put(key_type const& key, auto const& entry, auto lease, time_point now)
    {
        return in_time(level().put(key, entry, lease, now));
    }
    [[nodiscard]] auto lease(key_type const& key, time_point now) { return in_time(level().lease(key, now)); }
    [[nodiscard]] auto erase(key_type const& key, time_point now) { return in_time(level().erase(key, now)); }
    [[nodiscard]] auto publish(key_type const& key) { return in_time(level().publish(key)); }

    [[nodiscard]] level_type& level() noexcept { return detail::unwrapped<Level>::of(level_); }
    [[nodiscard]] duration limit() const noexcept { return limit_; }

private:
    template<class T>
    struct kept {
        std::optional<T> told{};
        std::exception_ptr thrown{};
        void keep(T&& value) { told.emplace(std::move(value)); }
        void threw(std::exception_ptr e) noexcept { thrown = std::move(e); }
    };

    template<class T, class Executor>
    boost::asio::awaitable<T, Executor> in_time(boost::asio::awaitable<T, Executor> asking)
    {
        namespace this_coro = boost::asio::this_coro;
        detail::time_limit<Executor> limit(co_await this_coro::executor);
        boost::asio::cancellation_state const cancelling = co_await this_coro::cancellation_state;
        time_point const now = detail::unwrapped<Clock>::of(clock_).now();
        limit.begin(now, after(now, limit_), cancelling.slot());
        kept<T> result;
        co_await limit.run(asking, result);
        if (!limit.end()) [[unlikely]] {
            bool const throws = co_await this_coro::throw_if_cancelled();
            co_await this_coro::throw_if_cancelled(false); // to await it, of a call that is cancelled, would throw
            co_await limit.hear(throws);
        }
        if (result.thrown == nullptr) co_return std::move(*result.told);
        if (limit.passed()) co_return T(errc::deadline_exceeded);
        std::rethrow_exception(result.thrown);
    }

    Level level_;
    Clock clock_;
    duration limit_;
};

} // namespace weir::inline v0
