// SPDX-License-Identifier: BSL-1.0
#include <weir/limit/window_rate.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <stdexcept>

using namespace std::chrono_literals;
using weir::detail::until;
using weir::detail::window_at;

TEST_CASE("window_rate: a window of a second, unless told otherwise; bad ones are refused by name")
{
    CHECK(weir::window_rate{.permits = 1}.per == 1s);
    CHECK_NOTHROW(weir::detail::expect_window(std::uint64_t{1} << 62, 1ns));
    CHECK_THROWS_AS(weir::detail::expect_window(0, 1s), std::invalid_argument);
    CHECK_THROWS_AS(weir::detail::expect_window((std::uint64_t{1} << 62) + 1, 1s), std::invalid_argument);
    CHECK_THROWS_AS(weir::detail::expect_window(1, 0s), std::invalid_argument);
}

TEST_CASE("window_rate: windows begin at the epoch, also before it, and to the ends of time")
{
    CHECK(window_at(weir::time_point{0ns}, 10) == 0);
    CHECK(window_at(weir::time_point{9ns}, 10) == 0);
    CHECK(window_at(weir::time_point{10ns}, 10) == 1);
    CHECK(window_at(weir::time_point{-1ns}, 10) == -1);
    CHECK(window_at(weir::time_point{-10ns}, 10) == -1);
    CHECK(window_at(weir::time_point{-11ns}, 10) == -2);
    CHECK(window_at(weir::time_point::min(), 1) == std::numeric_limits<std::int64_t>::min());
    CHECK(window_at(weir::time_point::max(), 1) == std::numeric_limits<std::int64_t>::max());
}

TEST_CASE("window_rate: how long until a place in a window, never below zero and never past the end of time")
{
    CHECK(until(weir::time_point{25ns}, 3, 0, 10) == 5ns);
    CHECK(until(weir::time_point{25ns}, 2, 9, 10) == 4ns);
    CHECK(until(weir::time_point{25ns}, 2, 5, 10) == 0ns);
    CHECK(until(weir::time_point{25ns}, 1, 0, 10) == 0ns);
    CHECK(until(weir::time_point::min(), std::numeric_limits<std::int64_t>::max(), 0, 10) == weir::duration::max());
}
