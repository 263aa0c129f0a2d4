// SPDX-License-Identifier: BSL-1.0
#include <weir/resilience/decaying_quantile.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

using namespace std::chrono_literals;

TEST_CASE("decaying_quantile: nothing is known at first")
{
    weir::decaying_quantile<> q;
    CHECK(q.at(0.5) == 0ns);
    CHECK(q.samples() == 0);
    q.record(10ms);
    CHECK(q.samples() == 1);
    CHECK(q.at(0.99) >= 10ms);
    CHECK(q.at(0.99) <= 10ms + 625us + 1'024ns);
}

TEST_CASE("decaying_quantile: never below the sample's quantile, above it by a sixteenth and a microsecond at most")
{
    std::mt19937_64 random(11);
    for (int round = 0; round < 200; ++round) {
        weir::decaying_quantile<weir::confined> q(100'000); // forgets nothing here
        std::vector<weir::duration> samples;
        unsigned const magnitude = static_cast<unsigned>(random() % 45);
        for (std::size_t i = 0; i < 1 + random() % 400; ++i) {
            weir::duration const d{static_cast<std::int64_t>(random() % ((std::uint64_t{1} << magnitude) + 1))};
            samples.push_back(d);
            q.record(d);
        }
        std::sort(samples.begin(), samples.end());
        for (double const part : {0.01, 0.5, 0.9, 0.95, 0.99, 1.0}) {
            // The least sample that at least this part of them does not exceed.
            std::size_t rank = 0;
            while (static_cast<double>(rank + 1) < part * static_cast<double>(samples.size())) ++rank;
            weir::duration const exact = samples[rank], told = q.at(part);
            REQUIRE(told >= exact);
            REQUIRE(told <= exact + exact / 16 + 1'024ns);
        }
    }
}

TEST_CASE("decaying_quantile: follows what happens now, and forgets what was")
{
    weir::decaying_quantile<> q(256);
    for (int i = 0; i < 10'000; ++i) q.record(10ms);
    for (int i = 0; i < 100; ++i) q.record(100ms);
    CHECK(q.at(0.5) < 11ms); // most of the weight is old still
    for (int i = 0; i < 512; ++i) q.record(100ms);
    CHECK(q.at(0.5) >= 100ms);
    for (int i = 0; i < 256 * 24; ++i) q.record(100ms);
    CHECK(q.at(0.0) >= 100ms);
    CHECK(q.samples() <= 512);
}

TEST_CASE("decaying_quantile: times below and above what it tells apart")
{
    weir::decaying_quantile<> q;
    q.record(-5s);
    CHECK(q.at(1) == 1'024ns);
    q.record(weir::duration::max());
    CHECK(q.at(1) > 18h);
    CHECK(q.at(1) < 20h);
}
