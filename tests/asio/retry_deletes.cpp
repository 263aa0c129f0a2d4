// SPDX-License-Identifier: BSL-1.0
#include <weir/asio/retry_deletes.hpp>

#include <weir/asio.hpp>
#include <weir/asio/scope.hpp>
#include <weir/testing/simulation.hpp>

#include <boost/asio/awaitable.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <stdexcept>
#include <vector>

using namespace std::chrono_literals;

namespace {

/// A level with deletes that wait, which is up from a time on.
struct level {
    weir::simulation& world;
    weir::time_point up;
    std::size_t waiting = 0;
    std::vector<weir::duration> tried{};
    [[nodiscard]] std::size_t pending() const { return waiting; }
    boost::asio::awaitable<std::size_t> flush(weir::time_point now)
    {
        tried.push_back(now.time_since_epoch());
        co_await world.sleep(1ms);
        if (now >= up) waiting = 0;
        co_return waiting;
    }
};

} // namespace

TEST_CASE("retry_deletes: what waits is tried ever less often, until it is done; nothing is done while nothing waits")
{
    weir::scope jobs;
    weir::simulation world;
    weir::time_point const start = world.clock().now();
    level down{world, start + 2s};
    bool const begun = weir::spawn(jobs, world.executor(), weir::retry_deletes(down, world.clock(), {.every = 100ms, .longest = 1s}));
    REQUIRE(begun);
    world.run_for(1s);
    CHECK(down.tried.empty());
    down.waiting = 3;
    world.run_for(5s);
    CHECK(down.waiting == 0);
    CHECK(down.tried.size() >= 4);
    CHECK(down.tried.size() <= 6);
    for (std::size_t i = 2; i < down.tried.size(); ++i) CHECK(down.tried[i] - down.tried[i - 1] > down.tried[i - 1] - down.tried[i - 2]);
    CHECK(jobs.size() == 1);
    jobs.cancel();
    world.run_for(0s);
    CHECK(jobs.size() == 0);
}

TEST_CASE("retry_deletes: bad options are refused by name")
{
    weir::simulation world;
    level none{world, {}};
    auto const run = [&](weir::retry_deletes_options o) {
        world.spawn(weir::retry_deletes(none, world.clock(), o));
        world.run();
    };
    CHECK_THROWS_WITH_AS(run({.every = 0s}), "retry_deletes.every: expected a duration above zero", std::invalid_argument);
    CHECK_THROWS_AS(run({.every = 2s, .longest = 1s}), std::invalid_argument);
}
