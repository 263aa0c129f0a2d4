// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/options.hpp>
#include <weir/testing/simulation.hpp>

#include <boost/asio/awaitable.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace weir::inline v0 {

/// Calls that come for a while.
struct load_step {
    double per_second = 0; ///< how many; 0 to 1e9
    duration lasts{0};     ///< more than 0
};

/// How calls come.
enum class arrivals {
    at_random, ///< independently of each other: a Poisson process, as those of many users
    evenly     ///< one as long after the other
};

namespace detail {
template<class Call>
boost::asio::awaitable<void> one_call(std::shared_ptr<Call> call, std::uint64_t number)
{
    co_await (*call)(number);
}
template<class Call>
boost::asio::awaitable<void> calls_of(simulation& world, std::vector<load_step> steps, std::shared_ptr<Call> call, arrivals how)
{
    std::uint64_t number = 0;
    time_point begins = world.clock().now();
    for (load_step const& step : steps) {
        time_point const ends = after(begins, step.lasts);
        duration const gap = step.per_second > 0 ? duration{static_cast<std::int64_t>(std::min(1e9 / step.per_second, 3e16))} : step.lasts;
        for (time_point next = begins;;) {
            next = after(next, how == arrivals::at_random && step.per_second > 0 ? world.schedule().draws().exponential(gap) : gap);
            if (next >= ends) break;
            co_await world.sleep(next - world.clock().now());
            world.spawn(one_call(call, ++number));
        }
        co_await world.sleep(ends - world.clock().now());
        begins = ends;
    }
}
} // namespace detail

/// Lets calls come, whether or not earlier ones have ended, step by step:
/// `offer_load(world, {{100, 10min}, {300, 1min}, {100, 10min}}, ask)`, where `ask(number)` is an awaitable, and the first call has number
/// 1. It keeps `ask` as long as calls run. Throws `std::invalid_argument` if a step is bad.
template<class Call>
void offer_load(simulation& world, std::vector<load_step> steps, Call ask, arrivals how = arrivals::at_random)
{
    for (load_step const& step : steps) {
        expect(step.per_second >= 0 && step.per_second <= 1e9, "load_step.per_second", "0 to 1e9");
        expect(step.lasts.count() > 0, "load_step.lasts", "more than 0");
    }
    world.spawn(detail::calls_of(world, std::move(steps), std::make_shared<Call>(std::move(ask)), how));
}

} // namespace weir::inline v0
