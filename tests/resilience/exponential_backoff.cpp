// SPDX-License-Identifier: BSL-1.0
#include <weir/resilience/exponential_backoff.hpp>

#include <doctest/doctest.h>

#include <random>

namespace {
using namespace std::chrono_literals;
}

TEST_CASE("exponential_backoff: the bound doubles up to the cap, and never wraps")
{
    constexpr weir::exponential_backoff b{.base = 3ms, .cap = 20ms};
    static_assert(b.bound(1) == 3ms && b.bound(2) == 6ms && b.bound(3) == 12ms && b.bound(4) == 20ms && b.bound(5) == 20ms);
    static_assert(b.bound(1'000'000) == 20ms);
    constexpr weir::exponential_backoff wide{.base = 1ns, .cap = weir::duration::max()};
    static_assert(wide.bound(63) == weir::duration{std::int64_t{1} << 62});
    static_assert(wide.bound(64) == weir::duration{std::int64_t{1} << 62}); // doublings end at 62
    static_assert(weir::exponential_backoff{.base = 5ms, .cap = 5ms}.bound(1) == 5ms);
}

TEST_CASE("exponential_backoff: a wait lies in [0, bound)")
{
    std::mt19937_64 random(1);
    weir::exponential_backoff const b{.base = 1us, .cap = 24h};
    for (int i = 0; i < 10'000; ++i) {
        auto const attempt = static_cast<std::uint32_t>(1 + random() % 80);
        weir::duration const wait = b.wait(attempt, random());
        REQUIRE(wait >= 0ns);
        REQUIRE(wait < b.bound(attempt));
    }
    CHECK(b.wait(1, 0) == 0ns);
    CHECK(b.wait(1, ~std::uint64_t{0}) < 1us);
}
