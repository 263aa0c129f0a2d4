// SPDX-License-Identifier: BSL-1.0
#include <weir/testing/latency.hpp>

#include <doctest/doctest.h>

using namespace std::chrono_literals;

TEST_CASE("latency: each kind draws what its name says")
{
    weir::draws a(5), b(5);
    CHECK(weir::latency::fixed(20ms).draw(a) == 20ms);
    CHECK(weir::latency::exponential(20ms).draw(a) == b.exponential(20ms));
    CHECK(weir::latency::log_normal(20ms, 0.5).draw(a) == b.log_normal(20ms, 0.5));
    for (int i = 0; i < 100; ++i) {
        auto const d = weir::latency::even(3ms, 5ms).draw(a);
        CHECK(d >= 3ms);
        CHECK(d <= 5ms);
    }
}

TEST_CASE("latency: bad bounds are refused by name")
{
    CHECK_THROWS_WITH_AS(static_cast<void>(weir::latency::even(5ms, 3ms)),
                         "latency: expected 0 or more, and a low end that is not above the high one", std::invalid_argument);
    CHECK_THROWS_AS(static_cast<void>(weir::latency::fixed(-1ms)), std::invalid_argument);
    CHECK_THROWS_WITH_AS(static_cast<void>(weir::latency::log_normal(1ms, 9)), "latency.sigma: expected 0 to 4", std::invalid_argument);
}
