// SPDX-License-Identifier: BSL-1.0
#include <weir/resilience/call_window.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <random>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;

constexpr weir::time_point start{1h};

template<class Threading>
void compare(std::uint32_t seed, weir::duration span)
{
    std::mt19937_64 random(seed);
    weir::call_window<Threading> window{span};
    std::vector<std::pair<weir::time_point, bool>> seen;
    weir::time_point now = start;
    for (int step = 0; step < 3'000; ++step) {
        now += weir::duration(static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(span.count() / 20 + 1)));
        if (random() % 200 == 0) now += span * static_cast<int>(random() % 4);
        bool const marked = random() % 3 == 0;
        window.count(now, marked);
        seen.emplace_back(now, marked);

        // All of the last span less a slice counts; nothing older than the span and a slice does. A slice is at most an 8th of it.
        weir::duration const slice = span / 7 + 1ns;
        std::uint64_t least = 0, most = 0, least_marked = 0, most_marked = 0;
        for (auto const& [at, m] : seen) {
            least += now - at <= span - slice;
            most += now - at <= span + slice;
            least_marked += m && now - at <= span - slice;
            most_marked += m && now - at <= span + slice;
        }
        auto const sum = window.sum(now);
        REQUIRE(sum.calls >= least);
        REQUIRE(sum.calls <= most);
        REQUIRE(sum.marked >= least_marked);
        REQUIRE(sum.marked <= most_marked);
    }
}

} // namespace

TEST_CASE("call_window: counts what the last span holds, to a slice")
{
    compare<weir::shared>(1, 10s);
    compare<weir::confined>(2, 10s);
    compare<weir::confined>(3, 1us);
    compare<weir::confined>(4, 24h);
    compare<weir::confined>(5, 1ms);
    compare<weir::confined>(6, 7'777'777ns);
}

TEST_CASE("call_window: covers the whole span less a part of its oldest slice")
{
    weir::call_window<weir::confined> window{10s};
    window.count(start, true);
    CHECK(window.sum(start + 8s).calls == 1);
    CHECK(window.sum(start + 12s).calls == 0);
    CHECK(window.sum(start + 24h).calls == 0);
}

TEST_CASE("call_window: forgets when it is told, and when its span changes")
{
    weir::call_window window{10s};
    window.count(start, true);
    window.forget();
    CHECK(window.sum(start).calls == 0);
    window.count(start, false);
    CHECK(window.sum(start).calls == 1);
    window.resize(1s);
    CHECK(window.sum(start).calls == 0);
    window.count(start, true);
    CHECK(window.sum(start).marked == 1);
    for (int i = 0; i < 100; ++i) window.forget();
    CHECK(window.sum(start).calls == 0);
}

TEST_CASE("call_window: what an idle thread counted long ago does not come back")
{
    for (weir::duration const span : {weir::duration(1ms), weir::duration(10s), weir::duration(1h)}) {
        weir::call_window<weir::confined> window{span};
        window.count(start, true);
        int shift = 0;
        while ((span.count() >> shift) >= 15) ++shift;
        for (std::int64_t const slices : {std::int64_t{1} << 14, std::int64_t{1} << 16, std::int64_t{1} << 17, std::int64_t{1} << 18})
            CHECK(window.sum(start + weir::duration(slices << shift)).calls == 0);
    }
}

TEST_CASE("call_window: a slice that is full keeps its ratio")
{
    weir::call_window<weir::confined> window{24h};
    for (int i = 0; i < (1 << 21) + 10; ++i) window.count(start, i % 4 == 0);
    auto const sum = window.sum(start);
    CHECK(sum.calls >= 1u << 19);
    CHECK(sum.marked > sum.calls / 4 - 10);
    CHECK(sum.marked < sum.calls / 4 + 10);
}

TEST_CASE("call_window: threads count into it at once, nothing is lost")
{
    weir::call_window window{10s};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&] {
            for (int i = 0; i < 5'000; ++i) {
                window.count(start, i % 2 == 0);
                if (i % 100 == 0) static_cast<void>(window.sum(start));
            }
        });
    for (auto& t : threads) t.join();
    CHECK(window.sum(start).calls == 20'000);
    CHECK(window.sum(start).marked == 10'000);
}
