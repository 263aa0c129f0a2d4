// SPDX-License-Identifier: BSL-1.0
#include <weir/cache/frequency_sketch.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <vector>

TEST_CASE("frequency_sketch: counts a key up to 15")
{
    weir::frequency_sketch sketch(1'000);
    CHECK(sketch.estimate(7) == 0);
    for (unsigned times = 1; times <= 20; ++times) {
        sketch.add(7);
        CHECK(sketch.estimate(7) == std::min(times, weir::frequency_sketch::most));
    }
}

TEST_CASE("frequency_sketch: halves all counts when it has seen ten times its entries")
{
    weir::frequency_sketch sketch(100);
    for (int times = 0; times < 12; ++times) sketch.add(7);
    for (std::uint32_t other = 0; other < 987; ++other) sketch.add(1'000 + other % 10);
    CHECK(sketch.estimate(7) >= 12);
    sketch.add(2'000);
    CHECK(sketch.estimate(7) >= 6);
    CHECK(sketch.estimate(7) <= 7);
}

TEST_CASE("frequency_sketch: never below the truth, and seldom above")
{
    for (unsigned seed = 1; seed <= 5; ++seed) {
        std::mt19937 random(seed);
        weir::frequency_sketch sketch(2'000);
        std::vector<std::uint32_t> keys(4'000);
        for (auto& key : keys) key = static_cast<std::uint32_t>(random());
        std::map<std::uint32_t, unsigned> truth;
        for (int step = 0; step < 10'000; ++step) { // less than ages it
            auto const key = keys[std::min(random() % keys.size(), random() % keys.size())];
            sketch.add(key);
            ++truth[key];
        }
        int above = 0;
        for (auto const& [key, times] : truth) {
            REQUIRE(sketch.estimate(key) >= std::min(times, weir::frequency_sketch::most));
            above += sketch.estimate(key) > std::min(times, weir::frequency_sketch::most) ? 1 : 0;
        }
        CHECK(above < 200); // of about 3,600
    }
}
