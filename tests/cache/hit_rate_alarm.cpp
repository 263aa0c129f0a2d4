// SPDX-License-Identifier: BSL-1.0
#include <weir/cache/hit_rate_alarm.hpp>

#include <weir/cache/load_limit.hpp>
#include <weir/cache/store_options.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

namespace {

using kind = weir::hit_rate_change::kind;

/// A cache's totals, and a second of its life at a time.
struct life {
    weir::store_stats totals{};
    weir::time_point now{1h};
    void second(auto& alarm, double rate, std::uint64_t calls = 1'000)
    {
        auto const found = static_cast<std::uint64_t>(rate * static_cast<double>(calls) + 0.5);
        totals.hits += found / 2;
        totals.negative_hits += found - found / 2;
        totals.misses += calls - found;
        now += 1s;
        alarm.look(now, totals);
    }
};

} // namespace

TEST_CASE("hit_rate_alarm: tells its listeners of a drop and of its end, and counts")
{
    std::vector<weir::hit_rate_change> told;
    weir::hit_rate_alarm alarm{{.drop = 0.3}, [&](weir::hit_rate_change const& c) { told.push_back(c); }};
    int others = 0;
    alarm.listen([&](weir::hit_rate_change const&) { ++others; });
    life cache;
    for (int i = 0; i < 100; ++i) cache.second(alarm, 0.8);
    CHECK(told.empty());
    cache.second(alarm, 0.1);
    REQUIRE(told.size() == 1);
    CHECK(told[0].what == kind::dropped);
    CHECK(told[0].before == doctest::Approx(0.8));
    CHECK(told[0].now == doctest::Approx(0.1));
    CHECK(alarm.stats().alarmed);
    CHECK(alarm.stats().drops == 1);
    CHECK(alarm.stats().rate == doctest::Approx(0.1));
    cache.second(alarm, 0.8);
    REQUIRE(told.size() == 2);
    CHECK(told[1].what == kind::recovered);
    CHECK(!alarm.stats().alarmed);
    CHECK(others == 2);
}

TEST_CASE("hit_rate_alarm: tightens a limit of loads while it lasts, and loosens it again")
{
    weir::load_limit loads{{.max_loads = 40}};
    weir::hit_rate_alarm alarm{{}, weir::tightens{std::ref(loads), 0.25}};
    life cache;
    for (int i = 0; i < 100; ++i) cache.second(alarm, 0.8);
    CHECK(loads.stats().limit == 40);
    cache.second(alarm, 0.1);
    CHECK(loads.stats().limit == 10);
    loads.reconfigure({.max_loads = 80}); // stays as tight
    CHECK(loads.stats().limit == 20);
    cache.second(alarm, 0.8);
    CHECK(loads.stats().limit == 80);
    CHECK_THROWS_WITH_AS(weir::tightens(std::ref(loads), 0), "tightens.to: expected a ratio above 0 and below 1", std::invalid_argument);
}

TEST_CASE("hit_rate_alarm: looks once a window, and sums nothing up in between")
{
    weir::hit_rate_alarm alarm{};
    int summed = 0;
    auto const totals = [&] { return ++summed, weir::store_stats{}; };
    auto const nobody = [](auto const&) {};
    weir::time_point const start{1h};
    for (int ms = 0; ms < 10'000; ++ms) alarm.missed(start + 1ms * ms, totals, nobody);
    CHECK(summed >= 10);
    CHECK(summed <= 10 * 9); // a window that is prolonged is looked at each eighth
    alarm.reconfigure({.window = 2s});
    CHECK(alarm.settings().window == 2s);
    int const before = summed;
    alarm.missed(start + 10s, totals, nobody);
    CHECK(summed == before + 1);
}

TEST_CASE("hit_rate_alarm: totals that are summed up meanwhile are not shown after later ones")
{
    weir::hit_rate_alarm alarm{};
    life cache;
    for (int i = 0; i < 100; ++i) cache.second(alarm, 1);
    auto const late = [&] {
        weir::store_stats const before = cache.totals;
        std::thread([&] {
            cache.second(alarm, 0, 10'000); // the alarm, if this one may look
            cache.second(alarm, 1);         // and its end
        }).join();
        return before; // after those two, 10'000 misses would count again
    };
    alarm.missed(cache.now + 1h, late, [](auto const&) {});
    cache.now += 1h;
    for (int i = 0; i < 3; ++i) cache.second(alarm, 1);
    CHECK(alarm.stats().drops == 1);
    CHECK(alarm.stats().rate == doctest::Approx(1));
}

TEST_CASE("hit_rate_alarm: many threads look, and each change is told once")
{
    std::atomic<int> told{0};
    weir::hit_rate_alarm alarm{{}, [&](weir::hit_rate_change const&) { ++told; }};
    std::atomic<std::uint64_t> second{0}, both{0}; // hits above, misses below: of one moment
    auto const totals = [&] {
        std::uint64_t const now = both;
        weir::store_stats s{};
        s.hits = now >> 32;
        s.misses = now & 0xFFFF'FFFF;
        return s;
    };
    std::atomic<bool> over{false};
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t)
        threads.emplace_back([&] {
            while (!over) alarm.missed(weir::time_point{1s * second.load()}, totals, [](auto const&) {});
        });
    for (int i = 0; i < 300; ++i) {
        both += i < 200 || i > 210 ? std::uint64_t{1'000} << 32 : 1'000;
        ++second;
        alarm.missed(weir::time_point{1s * second.load()}, totals, [](auto const&) {});
        static_cast<void>(alarm.stats());
        std::this_thread::yield();
    }
    over = true;
    for (auto& t : threads) t.join();
    CHECK(alarm.stats().drops <= 1);
    CHECK(static_cast<std::uint64_t>(told) >= alarm.stats().drops);
    CHECK(told <= 2);
}
