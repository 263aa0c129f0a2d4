// SPDX-License-Identifier: BSL-1.0
#include <weir/testing/manual_clock.hpp>

#include <doctest/doctest.h>

#include <thread>
#include <vector>

using namespace std::chrono_literals;

TEST_CASE("manual_clock: stands until it is moved")
{
    weir::manual_clock clock{weir::time_point{5s}};
    CHECK(clock.now() == weir::time_point{5s});
    clock.advance(1s);
    CHECK(clock.now() == weir::time_point{6s});
    clock.set(weir::time_point{10s});
    CHECK(clock.now() == weir::time_point{10s});
}

TEST_CASE("manual_clock: never goes back")
{
    weir::manual_clock clock{weir::time_point{5s}};
    clock.set(weir::time_point{4s});
    clock.sleep_until(weir::time_point{3s});
    CHECK(clock.now() == weir::time_point{5s});
}

TEST_CASE("manual_clock: a sleep ends at once, and the time has passed")
{
    weir::manual_clock clock;
    weir::time_point const start = clock.now();
    clock.sleep_until(start + 24h);
    CHECK(clock.now() == start + 24h);
}

TEST_CASE("manual_clock: threads that move it lose no step, and nobody sees it go back")
{
    weir::manual_clock clock{weir::time_point{}};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&clock] {
            weir::time_point last{};
            for (int i = 0; i < 1'000; ++i) {
                clock.advance(1ns);
                if (clock.now() < last) clock.advance(1h);
                last = clock.now();
            }
        });
    for (auto& t : threads) t.join();
    CHECK(clock.now() == weir::time_point{4'000ns});
}
