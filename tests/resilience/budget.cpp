// SPDX-License-Identifier: BSL-1.0
#include <weir/resilience/budget.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <random>
#include <stdexcept>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;

constexpr weir::time_point start{1h};

} // namespace

TEST_CASE("budget: a part of the calls, and a floor")
{
    weir::budget b{{.ratio = 0.5, .floor_per_second = 1, .window = 2s}};
    CHECK(b.left(start) == 2.0);
    for (int i = 0; i < 4; ++i) b.deposit(start);
    CHECK(b.left(start) == 4.0);
    for (int i = 0; i < 4; ++i) CHECK(b.withdraw(start));
    CHECK_FALSE(b.withdraw(start));
    CHECK(b.left(start + 3s) == 2.0); // both have left the window
}

TEST_CASE("budget: never lends more than the window's calls allow, whatever the history")
{
    std::mt19937_64 random(3);
    weir::budget b{{.ratio = 0.2, .floor_per_second = 2, .window = 1s}};
    std::vector<std::pair<weir::time_point, bool>> seen;
    weir::time_point now = start;
    for (int step = 0; step < 4'000; ++step) {
        now += weir::duration(static_cast<std::int64_t>(random() % 20'000'000));
        if (random() % 2 == 0) {
            b.deposit(now);
            seen.emplace_back(now, false);
        } else {
            // The model counts by the same slices of 2^26 ns, of which 15 fall into the window.
            auto const slice = [](weir::time_point t) { return static_cast<std::uint64_t>(t.time_since_epoch().count()) >> 26; };
            double calls = 0, extra = 0;
            for (auto const& [at, is_extra] : seen)
                if (slice(now) - slice(at) <= (1'000'000'000u >> 26)) (is_extra ? extra : calls) += 1;
            bool const expected = 2 + 0.2 * calls - extra >= 1;
            REQUIRE(b.withdraw(now) == expected);
            if (expected) seen.emplace_back(now, true);
        }
    }
}

TEST_CASE("budget: bad options name the member")
{
    CHECK_THROWS_WITH_AS(weir::budget({.ratio = -0.1}), "budget.ratio: expected a ratio in [0, 1]", std::invalid_argument);
    CHECK_THROWS_AS(weir::budget({.floor_per_second = -1}), std::invalid_argument);
    CHECK_THROWS_AS(weir::budget({.window = 0s}), std::invalid_argument);
}
