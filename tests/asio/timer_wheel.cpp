// SPDX-License-Identifier: BSL-1.0
#include <weir/asio/timer_wheel.hpp>
#include <weir/testing/detail/exact_alarms.hpp>

#include <boost/asio/io_context.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <memory>
#include <random>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;

constexpr weir::duration tick{1 << 20};
constexpr weir::time_point start{1h};

struct alarm_type : weir::detail::wheel_entry {
    alarm_type() noexcept
    {
        expire = [](wheel_entry& e) noexcept { ++static_cast<alarm_type&>(e).rung; };
    }
    std::atomic<int> rung{0};
    weir::time_point at{};
    bool set = false;
};

struct world {
    boost::asio::io_context context;
    weir::timer_wheel& wheel = boost::asio::use_service<weir::timer_wheel>(context);
    world() { wheel.drive_by_hand(); }
};

/// Spans of all sizes, far ones too.
weir::duration any_span(std::mt19937_64& random)
{
    return weir::duration(static_cast<std::int64_t>(random() >> (random() % 36 + 10)));
}

} // namespace

TEST_CASE("timer_wheel: each alarm rings once, never early, at most a tick late, whatever the history")
{
    for (std::uint64_t seed = 1; seed < 6; ++seed) {
        std::mt19937_64 random(seed);
        world w;
        std::deque<alarm_type> alarms(200);
        weir::time_point now = start;
        for (int step = 0; step < 6'000; ++step) {
            alarm_type& a = alarms[random() % alarms.size()];
            switch (random() % 4) {
            case 0:
            case 1:
                if (!a.set) {
                    a.at = weir::after(now, any_span(random));
                    if (random() % 20 == 0) a.at = now - weir::duration(random() % 1'000'000); // due already
                    a.rung = 0;
                    a.set = true;
                    w.wheel.arm(a, now, a.at);
                }
                break;
            case 2:
                if (a.set) {
                    REQUIRE(w.wheel.disarm(a));
                    REQUIRE(a.rung == 0);
                    a.set = false;
                }
                break;
            case 3: {
                weir::time_point earliest = weir::never;
                for (alarm_type const& each : alarms)
                    if (each.set) earliest = std::min(earliest, each.at);
                REQUIRE((earliest == weir::never || w.wheel.next() <= std::max(earliest, now) + 2 * tick));
                if (random() % 2 == 0)
                    now = weir::after(now, any_span(random));
                else if (w.wheel.next() != weir::never)
                    now = std::max(now, w.wheel.next());
                w.wheel.advance(now);
                for (alarm_type& each : alarms) {
                    if (!each.set) continue;
                    if (each.at > now) REQUIRE(each.rung == 0);
                    if (each.at <= now - 2 * tick) REQUIRE(each.rung == 1);
                    if (each.rung == 1) {
                        each.set = false;
                        REQUIRE_FALSE(w.wheel.disarm(each));
                        REQUIRE(each.rung == 1);
                    }
                }
                break;
            }
            }
            if (now > start + 24h * 365 * 100) break;
        }
        for (alarm_type& a : alarms)
            if (a.set) CHECK(w.wheel.disarm(a));
        CHECK(w.wheel.next() == weir::never);
    }
}

TEST_CASE("timer_wheel: far away times")
{
    world w;
    alarm_type decade, century, end_of_time;
    w.wheel.arm(decade, start, start + 24h * 3'650);
    w.wheel.arm(century, start, start + 24h * 36'500);
    w.wheel.arm(end_of_time, start, weir::never - 1ns);
    int steps = 0;
    weir::time_point now = start;
    while (century.rung == 0 && ++steps < 10'000) {
        now = std::max(now, w.wheel.next());
        w.wheel.advance(now);
        if (decade.rung == 0) CHECK(now < start + 24h * 3'650 + tick);
    }
    CHECK(decade.rung == 1);
    CHECK(century.rung == 1);
    CHECK(now >= start + 24h * 36'500);
    CHECK(now < start + 24h * 36'500 + tick);
    CHECK(end_of_time.rung == 0);
    CHECK(w.wheel.disarm(end_of_time));
}

TEST_CASE("timer_wheel: an alarm may be armed again, before and after it rang")
{
    world w;
    alarm_type a;
    w.wheel.arm(a, start, start + 10ms);
    CHECK(w.wheel.disarm(a));
    w.wheel.arm(a, start, start + 20ms);
    w.wheel.advance(start + 15ms);
    CHECK(a.rung == 0);
    w.wheel.advance(start + 22ms);
    CHECK(a.rung == 1);
    w.wheel.arm(a, start + 22ms, start + 1s);
    w.wheel.advance(start + 2s);
    CHECK(a.rung == 2);
}

TEST_CASE("timer_wheel: alarms of several threads, and their ends, race with the wheel's own thread")
{
    boost::asio::io_context context;
    auto& wheel = boost::asio::use_service<weir::timer_wheel>(context);
    std::atomic<int> rung{0}, disarmed{0};
    std::vector<std::thread> threads;
    for (std::uint32_t t = 0; t < 3; ++t)
        threads.emplace_back([&, t] {
            std::mt19937 random(t);
            for (int i = 0; i < 1'000; ++i) {
                auto a = std::make_unique<alarm_type>();
                weir::time_point const now = weir::steady::now();
                wheel.arm(*a, now, now + std::chrono::microseconds(random() % 2'000));
                if (random() % 8 == 0) std::this_thread::yield();
                if (random() % 32 == 0)
                    while (a->rung == 0) std::this_thread::yield();
                bool const in_time = wheel.disarm(*a);
                CHECK(in_time == (a->rung == 0));
                ++(in_time ? disarmed : rung);
            }
        });
    for (auto& t : threads) t.join();
    CHECK(rung + disarmed == 3'000);
    CHECK(rung > 0);
}

TEST_CASE("timer_wheel: driven exactly, each alarm rings once, at its time, whatever the history")
{
    for (std::uint64_t seed = 1; seed < 6; ++seed) {
        std::mt19937_64 random(seed);
        boost::asio::io_context context;
        auto& wheel = boost::asio::use_service<weir::timer_wheel>(context);
        wheel.drive_by_hand(std::make_unique<weir::detail::exact_alarms>());
        std::deque<alarm_type> alarms(100);
        weir::time_point now = start;
        for (int step = 0; step < 5'000; ++step) {
            alarm_type& a = alarms[random() % alarms.size()];
            weir::time_point earliest = weir::never;
            for (alarm_type const& each : alarms)
                if (each.set) earliest = std::min(earliest, each.at);
            REQUIRE(wheel.next() == earliest);
            if (random() % 3 != 0) {
                if (a.set) {
                    REQUIRE(wheel.disarm(a));
                    REQUIRE(a.rung == 0);
                } else {
                    a.at =
                        random() % 10 == 0 ? weir::never : weir::after(now, weir::duration(random() % 4 == 0 ? 5 : random() % 3'000'000));
                    a.rung = 0;
                    wheel.arm(a, now, a.at);
                }
                a.set = !a.set;
                continue;
            }
            now = random() % 2 == 0 && earliest != weir::never ? std::max(now, earliest) : now + weir::duration(random() % 1'000'000);
            wheel.advance(now);
            for (alarm_type& each : alarms) {
                REQUIRE(each.rung == (each.set && each.at <= now ? 1 : 0));
                if (each.rung == 1) {
                    each.set = false;
                    each.rung = 0;
                    REQUIRE_FALSE(wheel.disarm(each));
                }
            }
        }
        for (alarm_type& each : alarms)
            if (each.set) REQUIRE(wheel.disarm(each));
    }
}
