// SPDX-License-Identifier: BSL-1.0
// The laws of `second_level_of` hold for it, too: tests/law/second_level.cpp.
#include <weir/testing/slow_level.hpp>

#include <weir/testing/memory_level.hpp>
#include <weir/testing/simulation.hpp>

#include <boost/asio/awaitable.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <optional>

using namespace std::chrono_literals;

TEST_CASE("slow_level: an operation is done at half of its time, so that another may come before its answer")
{
    weir::schedule s;
    weir::memory_level<int, int> memory{{.capacity = 10}};
    weir::slow_level slow{std::ref(memory), s, weir::latency::fixed(10ms)};
    CHECK(memory.put(1, {5, 1h}, memory.look_up(1, s.now())->lease, s.now()).value() == 1);
    std::optional<int> seen;
    auto const look = [&]() -> boost::asio::awaitable<void> {
        int const key = 1;
        auto asking = slow.look_up(key, s.now());
        auto const found = co_await std::move(asking);
        seen = found->value;
    };
    weir::simulation world(s);
    world.spawn(look());
    world.run_for(5ms);
    CHECK(memory.erase(1, s.now()).value() == 1);
    world.run_for(4ms);
    CHECK_FALSE(seen);
    world.run_for(1ms);
    CHECK(seen == 5); // what was there when it was asked
}
