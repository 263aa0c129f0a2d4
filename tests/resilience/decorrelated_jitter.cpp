// SPDX-License-Identifier: BSL-1.0
#include <weir/resilience/decorrelated_jitter.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <random>

using namespace std::chrono_literals;

TEST_CASE("decorrelated_jitter: from the base to three times the wait before, evenly, at most the cap")
{
    constexpr weir::decorrelated_jitter jitter{10ms, 1s};
    static_assert(jitter.wait(1, 0s, 0) == 10ms);
    CHECK(jitter.wait(1, 0s, ~0ull) > 29ms);
    CHECK(jitter.wait(1, 0s, ~0ull) < 30ms);
    CHECK(jitter.wait(2, 100ms, ~0ull >> 1) > 154ms); // half way between 10 and 300
    CHECK(jitter.wait(2, 100ms, ~0ull >> 1) < 156ms);
    CHECK(jitter.wait(2, 900ms, ~0ull) == 1s);
    CHECK(jitter.wait(9, weir::duration::max(), 0) == 10ms);
    CHECK(jitter.wait(9, weir::duration::max(), ~0ull) <= 1s);
    CHECK(jitter.wait(9, 1ms, ~0ull) < 30ms); // shorter than the base counts as the base
}

TEST_CASE("decorrelated_jitter: chains of waits stay within their bounds and use them")
{
    constexpr weir::decorrelated_jitter jitter{10ms, 500ms};
    std::mt19937_64 random(2);
    weir::duration longest{};
    for (int chain = 0; chain < 1'000; ++chain) {
        weir::duration before{};
        for (std::uint32_t attempt = 1; attempt < 12; ++attempt) {
            weir::duration const wait = jitter.wait(attempt, before, random());
            REQUIRE(wait >= 10ms);
            REQUIRE(wait <= std::min<weir::duration>(500ms, 3 * std::max<weir::duration>(before, 10ms)));
            before = wait;
            longest = std::max(longest, wait);
        }
    }
    CHECK(longest > 490ms);
}
