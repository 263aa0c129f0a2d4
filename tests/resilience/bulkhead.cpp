// SPDX-License-Identifier: BSL-1.0
#include <weir/resilience/bulkhead.hpp>

#include <weir/core/directives.hpp>
#include <weir/core/pipeline.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <deque>
#include <latch>
#include <list>
#include <random>
#include <stdexcept>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;

constexpr weir::time_point start{1h};

struct test_call {
    weir::time_point time = start;
    [[nodiscard]] weir::time_point now() const { return time; }
};

/// Whom a waiter tells: it counts.
struct told : weir::notifier {
    told() noexcept : notifier{[](notifier& self) noexcept { ++static_cast<told&>(self).times; }} {}
    int times = 0;
};

/// One call at the bulkhead's door.
struct visitor {
    int number = 0;
    weir::waiter waiter;
    told notifier;
};

/// Fair, by the list: who is inside, who waits, in order.
template<class Threading>
void compare(std::uint32_t seed)
{
    std::mt19937 random(seed);
    std::uint32_t places = 2, max_waiting = 3;
    weir::bulkhead<Threading> gate{{.max_concurrent = places, .max_wait = 1s, .max_waiting = max_waiting}};
    std::list<visitor> visitors;
    std::vector<visitor*> inside;
    std::deque<visitor*> waiting;
    test_call call;
    std::uint64_t refused = 0;

    auto const check = [&] {
        auto const stats = gate.stats();
        REQUIRE(stats.inside == inside.size());
        REQUIRE(stats.waiting == waiting.size());
        REQUIRE(stats.refused == refused);
        for (visitor* v : waiting) REQUIRE(v->notifier.times == 0);
    };
    auto const let_in = [&] { // whoever waits longest has been told, and may go on
        visitor* const v = waiting.front();
        waiting.pop_front();
        REQUIRE(v->notifier.times == 1);
        REQUIRE_FALSE(gate.abandon(v->waiter));
        if (random() % 4 == 0) {
            gate.decline(v->waiter); // it had given up meanwhile
            return false;
        }
        REQUIRE(gate.resume(call, v->waiter).is_admitted());
        inside.push_back(v);
        return true;
    };
    auto const left = [&](auto& again) -> void { // a place was given up
        if (inside.size() < places && !waiting.empty() && !let_in()) again(again);
    };

    for (int step = 0; step < 5'000; ++step) {
        switch (random() % 6) {
        case 0:
        case 1: {
            visitor& v = visitors.emplace_back();
            auto const a = gate.admit(call, v.waiter);
            if (inside.size() < places && waiting.empty()) {
                REQUIRE(a.is_admitted());
                inside.push_back(&v);
            } else if (waiting.size() < max_waiting) {
                REQUIRE(a.is_parked());
                REQUIRE(a.parked_until() == start + 1s);
                REQUIRE(v.waiter.attach(v.notifier));
                waiting.push_back(&v);
            } else {
                REQUIRE(a.refusal() == weir::errc::bulkhead_full);
                ++refused;
            }
            break;
        }
        case 2:
        case 3:
            if (!inside.empty()) {
                std::size_t const which = random() % inside.size();
                inside.erase(inside.begin() + static_cast<std::ptrdiff_t>(which));
                if (random() % 2 == 0)
                    gate.cancel({});
                else
                    gate.settle({}, true, call);
                left(left);
            }
            break;
        case 4:
            if (!waiting.empty()) {
                std::size_t const which = random() % waiting.size();
                visitor* const v = waiting[which];
                waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(which));
                REQUIRE(gate.abandon(v->waiter));
                REQUIRE_FALSE(gate.abandon(v->waiter));
                if (random() % 2 == 0) {
                    REQUIRE(gate.gave_up() == weir::errc::bulkhead_full);
                    ++refused;
                }
            }
            break;
        case 5:
            if (random() % 10 == 0) {
                places = 1 + random() % 4;
                gate.reconfigure({.max_concurrent = places, .max_wait = 1s, .max_waiting = max_waiting});
                // All that now find room are told at once; some have given up meanwhile, and their place goes on.
                std::size_t free = places > inside.size() ? places - inside.size() : 0;
                std::size_t declined = 0;
                for (; free > 0 && !waiting.empty(); --free) declined += !let_in();
                for (; declined > 0 && inside.size() < places && !waiting.empty(); --declined) left(left);
            }
            break;
        }
        if (visitors.size() > 50 && waiting.empty() && inside.empty()) visitors.clear();
        check();
    }
    CHECK(refused > 100);
}

} // namespace

TEST_CASE("bulkhead: does what the model does, whatever the history")
{
    compare<weir::shared>(1);
    compare<weir::shared>(2);
    compare<weir::confined>(3);
}

TEST_CASE("bulkhead: without a time to wait it refuses at once")
{
    weir::bulkhead gate{{.max_concurrent = 1}};
    test_call call;
    weir::waiter w;
    CHECK(gate.admit(call, w).is_admitted());
    CHECK(gate.admit(call, w).refusal() == weir::errc::bulkhead_full);
    gate.cancel({});
    CHECK(gate.admit(call, w).is_admitted());
    CHECK(gate.stats().inside == 1);
    CHECK(gate.stats().refused == 1);
}

TEST_CASE("bulkhead: with fewer places than calls inside, they leave and nobody is thrown out")
{
    weir::bulkhead gate{{.max_concurrent = 3}};
    test_call call;
    weir::waiter w;
    for (int i = 0; i < 3; ++i) CHECK(gate.admit(call, w).is_admitted());
    gate.reconfigure({.max_concurrent = 1});
    CHECK(gate.stats().inside == 3);
    gate.settle({}, true, call);
    gate.settle({}, true, call);
    CHECK_FALSE(gate.admit(call, w).is_admitted());
    gate.settle({}, true, call);
    CHECK(gate.admit(call, w).is_admitted());
    CHECK_THROWS_WITH_AS(gate.reconfigure({.max_concurrent = 0}), "bulkhead.max_concurrent: expected at least 1", std::invalid_argument);
    CHECK(*gate.settings().max_concurrent == 1);
}

TEST_CASE("bulkhead: threads that block get their turn, never more than the places are inside")
{
    weir::bulkhead places{{.max_concurrent = 2, .max_wait = 1h}};
    std::atomic<int> inside{0}, most{0}, done{0};
    weir::pipeline svc{std::ref(places), [&](int x) {
                           int const now = ++inside;
                           for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {}
                           std::this_thread::yield();
                           --inside;
                           return x;
                       }};
    std::vector<std::thread> threads;
    for (int t = 0; t < 6; ++t)
        threads.emplace_back([&] {
            for (int i = 0; i < 300; ++i) done += svc(i).has_value();
        });
    for (auto& t : threads) t.join();
    CHECK(most <= 2);
    CHECK(done == 1'800);
    CHECK(places.stats().inside == 0);
    CHECK(places.stats().waiting == 0);
}

TEST_CASE("bulkhead: a wake that races with the end of the time to wait loses no place")
{
    weir::bulkhead places{{.max_concurrent = 1, .max_wait = 20us}};
    std::atomic<int> inside{0}, served{0}, refused{0};
    weir::pipeline svc{std::ref(places), [&](int x) {
                           CHECK(++inside == 1);
                           std::this_thread::yield();
                           --inside;
                           return x;
                       }};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&] {
            for (int i = 0; i < 1'000; ++i) {
                auto const r = svc(i);
                ++(r.has_value() ? served : refused);
                if (r.has_error()) CHECK(r.error() == weir::errc::bulkhead_full);
            }
        });
    for (auto& t : threads) t.join();
    CHECK(served + refused == 4'000);
    CHECK(places.stats().inside == 0);
    CHECK(places.stats().waiting == 0);
    CHECK(places.stats().refused == static_cast<std::uint64_t>(refused.load()));
}

TEST_CASE("bulkhead: places may change while calls come and go")
{
    weir::bulkhead places{{.max_concurrent = 1, .max_wait = 1h}};
    std::atomic<bool> over{false};
    weir::pipeline svc{std::ref(places), [](int x) { return x; }};
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t)
        threads.emplace_back([&] {
            for (int i = 0; i < 2'000; ++i) CHECK(svc(i).has_value());
        });
    std::thread changing([&] {
        for (std::uint32_t i = 0; !over; ++i) places.reconfigure({.max_concurrent = 1 + i % 3, .max_wait = 1h});
    });
    for (auto& t : threads) t.join();
    over = true;
    changing.join();
    CHECK(places.stats().inside == 0);
    CHECK(places.stats().waiting == 0);
}
