// SPDX-License-Identifier: BSL-1.0
#include <weir/core/tsc_clock.hpp>

#include <weir/core/detail/counter_map.hpp>
#include <weir/core/directives.hpp>
#include <weir/core/pipeline.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <random>
#include <thread>
#include <type_traits>
#include <vector>

namespace {

using namespace std::chrono_literals;
using weir::duration;
using weir::time_point;

static_assert(std::is_empty_v<weir::tsc_clock> && std::is_empty_v<weir::ordered_tsc_clock>); // nothing in a call

/// A machine whose counter ticks 3 times a nanosecond, while the kernel slews its clock as it likes. A reading takes a nanosecond.
struct machine {
    double ticks = 1e12;
    double clock = 5e9; // ns
    double slew = 0;    // parts of one
    void pass(double ns)
    {
        ticks += ns * 3;
        clock += ns * (1 + slew);
    }
    [[nodiscard]] time_point reference() const { return time_point{duration{static_cast<std::int64_t>(clock)}}; }
};

struct simulated {
    machine* of;
    std::uint64_t ticks() noexcept
    {
        of->pass(1);
        return static_cast<std::uint64_t>(of->ticks);
    }
    std::uint64_t ordered_ticks() noexcept { return ticks(); }
    time_point reference() noexcept
    {
        of->pass(1);
        return of->reference();
    }
};

using simulated_map = weir::detail::counter_map<simulated>;

duration apart(time_point a, time_point b)
{
    return a < b ? b - a : a - b;
}

/// Time that passes with each look at it, 50 us a look: threads that read it lay a piece every 200 looks.
struct hurried {
    static inline std::atomic<std::uint64_t> looks{1};
    static std::uint64_t ticks() noexcept { return looks.fetch_add(1); }
    static std::uint64_t ordered_ticks() noexcept { return ticks(); }
    static time_point reference() noexcept { return time_point{static_cast<std::int64_t>(looks.load()) * 50us}; }
};

bool trusted()
{
    if (weir::tsc_clock::available()) return true;
    std::puts("skipped: the time-stamp counter is not invariant, or the kernel does not trust it");
    return false;
}

} // namespace

TEST_CASE("counter_map: for hours within the bound of a reference that is slewed, and never back")
{
    std::mt19937_64 random(20261122);
    machine m;
    simulated_map map{simulated{&m}};
    time_point before = time_point::min();
    duration worst{};
    double const begin = m.clock;
    while (m.clock < begin + 3.0 * 3600e9) {
        if (random() % 64 == 0) m.slew = static_cast<double>(static_cast<int>(random() % 1001) - 500) * 1e-6;
        // mostly a busy service, now and then a rest of a second
        m.pass(static_cast<double>(random() % 1000 == 0 ? random() % 1'000'000'000 : random() % 4'000'000));
        time_point const now = map.now<false>();
        REQUIRE(now >= before);
        before = now;
        worst = std::max(worst, apart(now, m.reference()));
    }
    CHECK(worst <= weir::tsc_clock::bound);
    CHECK(worst > 100ns); // the slew was felt
}

TEST_CASE("counter_map: the reference is not asked while a piece lasts")
{
    machine m;
    simulated_map map{simulated{&m}};
    static_cast<void>(map.now<false>());
    for (int i = 0; i < 100; ++i) {
        m.pass(1e6);
        static_cast<void>(map.now<false>());
    }
    m.slew = 100; // would be seen at once by who asks
    time_point const first = map.now<false>();
    m.pass(1e6);
    CHECK(apart(map.now<false>(), first + 1ms) < 100ns);
}

TEST_CASE("counter_map: a counter that jumps, forward or back, does not take the time with it")
{
    std::mt19937_64 random(7);
    machine m;
    simulated_map map{simulated{&m}};
    time_point before = time_point::min();
    for (int round = 0; round < 200; ++round) {
        for (int i = 0; i < 200; ++i) {
            m.pass(static_cast<double>(random() % 1'000'000));
            time_point const now = map.now<false>();
            REQUIRE(now >= before);
            REQUIRE(now <= m.reference() + simulated_map::longest_piece);
            before = now;
        }
        CHECK(apart(map.now<false>(), m.reference()) <= 1us);
        // the machine slept, was moved to another, or was started anew
        if (random() % 2 == 0)
            m.ticks += static_cast<double>(random() % 1'000'000'000'000);
        else
            m.ticks = static_cast<double>(random() % 1'000'000);
    }
}

TEST_CASE("counter_map: in the first millisecond it is the reference itself")
{
    machine m;
    simulated_map map{simulated{&m}};
    for (int i = 0; i < 90; ++i) {
        m.pass(10'000);
        time_point const now = map.now<true>();
        CHECK(apart(now, m.reference()) <= 20ns); // what the comparison took
    }
}

TEST_CASE("counter_map: threads that read while others lay pieces see no half of one")
{
    static weir::detail::counter_map<hurried> map;
    std::atomic<std::int64_t> told{0};
    std::array<std::atomic<bool>, 3> kept{};
    std::vector<std::thread> threads;
    for (auto& all : kept)
        threads.emplace_back([&] {
            bool forward = true;
            for (int i = 0; i < 100'000; ++i) {
                std::int64_t const seen = told.load();
                std::int64_t const now = map.now<true>().time_since_epoch().count();
                forward = forward && now >= seen;
                told.store(now);
            }
            all = forward;
        });
    for (std::thread& t : threads) t.join();
    for (auto const& all : kept) CHECK(all.load());
    CHECK(apart(map.now<true>(), hurried::reference()) < 100ms);
}

TEST_CASE("tsc_clock: agrees with the steady clock within its bound")
{
    if (!trusted()) return;
    for (int i = 0; i < 300'000; ++i) {
        time_point const before = weir::steady::now();
        time_point const now = weir::tsc_clock::now();
        time_point const after = weir::steady::now();
        REQUIRE(now >= before - weir::tsc_clock::bound);
        REQUIRE(now <= after + weir::tsc_clock::bound);
    }
}

TEST_CASE_TEMPLATE("tsc_clock: never goes back on a thread, while others read it too", Clock, weir::tsc_clock, weir::ordered_tsc_clock)
{
    std::array<std::atomic<bool>, 3> kept{};
    std::vector<std::thread> threads;
    for (auto& all : kept)
        threads.emplace_back([&all] {
            time_point before = Clock::now();
            bool forward = true;
            for (int i = 0; i < 200'000; ++i) {
                time_point const now = Clock::now();
                forward = forward && now >= before;
                before = now;
            }
            all = forward;
        });
    for (std::thread& t : threads) t.join();
    for (auto const& all : kept) CHECK(all.load());
}

TEST_CASE("ordered_tsc_clock: who was told the time by another thread reads no earlier one")
{
    std::atomic<std::int64_t> told{0};
    std::array<std::atomic<bool>, 2> kept{};
    auto const work = [&](std::atomic<bool>& all) {
        bool forward = true;
        for (int i = 0; i < 100'000; ++i) {
            std::int64_t const seen = told.load();
            std::int64_t const now = weir::ordered_tsc_clock::now().time_since_epoch().count();
            forward = forward && now >= seen;
            told.store(now);
        }
        all = forward;
    };
    std::thread other([&] { work(kept[0]); });
    work(kept[1]);
    other.join();
    CHECK(kept[0].load());
    CHECK(kept[1].load());
}

TEST_CASE("tsc_clock: where the counter is not trusted, it is the steady clock")
{
    if (weir::tsc_clock::available()) return;
    time_point const before = weir::steady::now();
    time_point const now = weir::tsc_clock::now();
    CHECK(now >= before);
    CHECK(now <= weir::steady::now());
}

TEST_CASE("tsc_clock: a point that is reached is not waited for, and one ahead is reached")
{
    weir::tsc_clock::sleep_until(weir::tsc_clock::now());
    time_point const soon = weir::tsc_clock::now() + 100us;
    weir::tsc_clock::sleep_until(soon);
    CHECK(weir::tsc_clock::now() >= soon);
}

namespace {
struct notes_time {
    using role = weir::gate;
    static constexpr std::string_view name = "notes_time";
    time_point seen{};
    weir::admission<> admit(auto& call)
    {
        seen = call.now();
        return weir::admitted;
    }
};
} // namespace

TEST_CASE("tsc_clock: a pipeline is timed by it")
{
    weir::pipeline svc{weir::timed_by{weir::tsc_clock{}}, notes_time{}, [](int x) { return x; }};
    time_point const before = weir::tsc_clock::now();
    CHECK(svc(3).value() == 3);
    CHECK(svc.get<notes_time>().seen >= before);
    CHECK(svc.get<notes_time>().seen <= weir::tsc_clock::now());
}
