// SPDX-License-Identifier: BSL-1.0
// What it has beside the laws of `second_level_of`, which are in tests/law/second_level.cpp: its bounds, and what can go wrong with it.
#include <weir/testing/memory_level.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <stdexcept>
#include <vector>

using namespace std::chrono_literals;

namespace {

constexpr weir::time_point now{1h};
using level = weir::memory_level<int, int>;

} // namespace

TEST_CASE("memory_level: it holds no more than its capacity, and forgets the oldest")
{
    level three{{.capacity = 3}};
    for (int key = 0; key < 5; ++key) CHECK(three.put(key, {key, 1min}, three.look_up(key, now)->lease, now).value() == 1);
    CHECK(three.size() == 3);
    CHECK(three.look_up(4, now)->value == 4);
    CHECK(three.look_up(2, now)->value == 2);
    CHECK_FALSE(three.look_up(0, now)->value);
}

TEST_CASE("memory_level: messages that are lost reach nobody, and leave a gap in the numbers")
{
    level loose{{.capacity = 3}};
    std::vector<std::uint64_t> heard;
    loose.listen([&](weir::invalidation<int> const& m) { heard.push_back(m.number); });
    CHECK(loose.publish(1).value() == 1);
    loose.loses(2);
    CHECK(loose.publish(1).value() == 2);
    CHECK(loose.publish(1).value() == 3);
    CHECK(loose.publish(1).value() == 4);
    CHECK(heard == std::vector<std::uint64_t>{1, 4});
}

TEST_CASE("memory_level: a listener may use the level")
{
    level busy{{.capacity = 3}};
    std::uint64_t erased = 9;
    busy.listen([&](weir::invalidation<int> const& m) { erased = busy.erase(m.key, now).value(); });
    CHECK(busy.publish(1).value() == 1);
    CHECK(erased == 0);
    CHECK(busy.asked() == 2);
}

TEST_CASE("memory_level: bad options are refused by name")
{
    CHECK_THROWS_WITH_AS(level({.capacity = 0}), "memory_level.capacity: expected at least 1", std::invalid_argument);
    CHECK_THROWS_AS(level({.capacity = 1, .lease_time = 0s}), std::invalid_argument);
}
