// SPDX-License-Identifier: BSL-1.0
#include <weir/resilience/fixed_backoff.hpp>

#include <doctest/doctest.h>

using namespace std::chrono_literals;

TEST_CASE("fixed_backoff: always the same time")
{
    constexpr weir::fixed_backoff steady{30ms};
    static_assert(steady.wait(1, 0s, 0) == 30ms);
    CHECK(steady.wait(100, 5s, ~0ull) == 30ms);
}
