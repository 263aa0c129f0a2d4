// SPDX-License-Identifier: BSL-1.0
#include <weir/cache/cached_stats.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <map>
#include <string>
#include <string_view>

namespace {

constexpr weir::cached_stats busy{.hits = 60,
                                  .negative_hits = 15,
                                  .misses = 25,
                                  .spared = 5,
                                  .loads = 18,
                                  .joined = 2,
                                  .penetrations = 4,
                                  .uncached = 7,
                                  .refreshes = 3,
                                  .failed_loads = 6,
                                  .stale_answers = 8,
                                  .invalid = 9,
                                  .outdated = 10,
                                  .ended_loads = 16,
                                  .load_time = std::chrono::seconds(4),
                                  .values = 30,
                                  .population = 120};

} // namespace

TEST_CASE("cached_stats: rates are parts of the look-ups, and of the keys that exist")
{
    static_assert(busy.look_ups() == 100);
    CHECK(busy.hit_rate() == 0.75); // negative answers are hits
    CHECK(busy.penetration_rate() == 0.04);
    CHECK(busy.fill_rate() == 0.25);
    CHECK(busy.mean_load_time() == std::chrono::milliseconds(250));
}

TEST_CASE("cached_stats: nothing seen is a rate of zero, not a division by it")
{
    constexpr weir::cached_stats fresh;
    CHECK(fresh.look_ups() == 0);
    CHECK(fresh.mean_load_time() == weir::duration::zero());
    CHECK(fresh.hit_rate() == 0);
    CHECK(fresh.penetration_rate() == 0);
    CHECK(fresh.fill_rate() == 0); // nobody knows how many exist
}

TEST_CASE("cached_stats: a rate is at most one, also when counts were read at different moments")
{
    constexpr weir::cached_stats torn{.misses = 3, .penetrations = 4, .values = 11, .population = 10};
    CHECK(torn.penetration_rate() == 1);
    CHECK(torn.fill_rate() == 1);
}

TEST_CASE("cached_stats: every count is told once, by its name; counts that only grow end in total")
{
    std::map<std::string, double, std::less<>> told;
    busy.each([&](std::string_view name, auto value) { CHECK_MESSAGE(told.emplace(name, static_cast<double>(value)).second, name); });
    std::map<std::string, double, std::less<>> const expected{
        {"hits_total", 60},   {"negative_hits_total", 15}, {"misses_total", 25},      {"spared_total", 5},
        {"loads_total", 18},  {"joined_total", 2},         {"uncached_total", 7},     {"penetrations_total", 4},
        {"values", 30},       {"refreshes_total", 3},      {"failed_loads_total", 6}, {"stale_answers_total", 8},
        {"invalid_total", 9}, {"outdated_total", 10},      {"ended_loads_total", 16}, {"load_seconds_total", 4},
        {"hit_rate", 0.75},   {"penetration_rate", 0.04},  {"fill_rate", 0.25}};
    CHECK(told == expected);
}
