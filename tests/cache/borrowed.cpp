// SPDX-License-Identifier: BSL-1.0
#include <weir/cache/borrowed.hpp>

#include <weir/cache/store.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <thread>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

namespace {

constexpr weir::time_point now{1h};

/// Counts those that live, and says that it does.
struct counted {
    explicit counted(int number, std::atomic<int>& living) : n(number), alive(living) { ++alive; }
    counted(counted const&) = delete;
    ~counted()
    {
        n = -1;
        --alive;
    }
    int n;
    std::atomic<int>& alive;
};
using pointer = std::shared_ptr<counted const>;
using lender = weir::store<int, pointer>;

/// Has the store destroy whatever it may: so many writes settle each part.
void settle(lender& store, std::atomic<int>& alive)
{
    for (int i = 0; i < 2'000; ++i) store.put(1'000'000 + i % 8, std::make_shared<counted const>(i, alive), now);
    for (int i = 0; i < 8; ++i) store.erase(1'000'000 + i);
}

} // namespace

TEST_CASE("borrowed: what is lent is the value itself, and its count is not touched")
{
    std::atomic<int> alive{0};
    lender store{{.capacity = 100, .ttl = 1h}};
    store.put(1, std::make_shared<counted const>(1, alive), now);
    store.put(2, nullptr, now);
    CHECK_FALSE(store.borrow(3, now).hit()); // the thread's first: a copy, if there was something
    auto const held = store.borrow(1, now);
    REQUIRE(held.hit());
    CHECK(held->n == 1);
    CHECK(store.visit(1, now, [&](pointer const& p, auto const&) {
        CHECK(p.use_count() == 1);
        CHECK(p.get() == held.get());
    }));
    auto const none = store.borrow(2, now);
    CHECK(none.hit());
    CHECK_FALSE(none);
    CHECK_FALSE(store.borrow(1, now + 2h).hit());
    CHECK(store.stats().hits == 3);
    CHECK(store.stats().misses == 2);
}

TEST_CASE("borrowed: a value that is erased, replaced, evicted or cleared stays until it was given back, and goes after that")
{
    for (int way = 0; way < 4; ++way) {
        std::atomic<int> alive{0};
        lender store{{.capacity = 100, .ttl = 1h}};
        static_cast<void>(store.borrow(0, now));
        store.put(7, std::make_shared<counted const>(7, alive), now);
        auto held = store.borrow(7, now);
        REQUIRE(held.hit());
        if (way == 0) store.erase(7);
        if (way == 1) store.put(7, std::make_shared<counted const>(8, alive), now);
        if (way == 2)
            for (int i = 100; i < 2'000; ++i) store.put(i, std::make_shared<counted const>(i, alive), now);
        if (way == 3) store.clear();
        settle(store, alive);
        CHECK(held->n == 7);
        if (way == 1) CHECK((*store.find(7, now))->n == 8);
        store.clear();
        CHECK(alive == 1);
        held = {};
        store.erase(7); // a later write destroys it
        store.put(7, std::make_shared<counted const>(9, alive), now);
        store.clear();
        CHECK(alive == 0);
    }
}

TEST_CASE("borrowed: whoever holds more than there are cells for has copies")
{
    std::atomic<int> alive{0};
    lender store{{.capacity = 100, .ttl = 1h}};
    static_cast<void>(store.borrow(0, now));
    for (int i = 0; i < 10; ++i) store.put(i, std::make_shared<counted const>(i, alive), now);
    std::vector<weir::borrowed<counted const>> held;
    for (int i = 0; i < 10; ++i) held.push_back(store.borrow(i, now)); // moved as the vector grows
    store.clear();
    settle(store, alive);
    for (int i = 0; i < 10; ++i) CHECK(held[static_cast<std::size_t>(i)]->n == i);
    CHECK(alive == 10);
    held.clear();
    store.clear();
    settle(store, alive);
    store.clear();
    CHECK(alive == 0);
}

TEST_CASE("borrowed: the same value under many keys is kept once; the store's end frees what was given back late")
{
    std::atomic<int> alive{0};
    {
        lender store{{.capacity = 100, .ttl = 1h}};
        static_cast<void>(store.borrow(0, now));
        auto shared = std::make_shared<counted const>(5, alive);
        for (int i = 0; i < 50; ++i) store.put(i, shared, now);
        std::weak_ptr<counted const> const watch = shared;
        shared.reset();
        auto const held = store.borrow(3, now);
        store.clear();
        CHECK(watch.use_count() == 1);
        CHECK(held->n == 5);
    }
    CHECK(alive == 0);
}

TEST_CASE("borrowed: a loan may outlive its thread and end on another one, and the next thread does not take its place")
{
    std::atomic<int> alive{0};
    lender store{{.capacity = 100, .ttl = 1h}};
    store.put(1, std::make_shared<counted const>(1, alive), now);
    store.put(2, std::make_shared<counted const>(2, alive), now);
    std::vector<weir::borrowed<counted const>> held;
    for (int thread = 0; thread < 6; ++thread)
        std::thread([&] {
            static_cast<void>(store.find(0, now));
            held.push_back(store.borrow(1 + thread % 2, now));
        }).join();
    store.clear();
    settle(store, alive);
    for (std::size_t i = 0; i < held.size(); ++i) CHECK(held[i]->n == static_cast<int>(1 + i % 2));
    CHECK(alive == 2);
    held.clear();
    settle(store, alive);
    store.clear();
    CHECK(alive == 0);
}

TEST_CASE("borrowed: confined, it is a copy")
{
    weir::store<int, std::shared_ptr<int const>, weir::confined> store{{.capacity = 10, .ttl = 1h}};
    store.put(1, std::make_shared<int const>(11), now);
    auto const held = store.borrow(1, now);
    store.clear();
    CHECK(*held == 11);
}

TEST_CASE("borrowed: threads borrow, hold, move and give back while others replace, erase and clear")
{
    std::atomic<int> alive{0};
    {
        lender store{{.capacity = 60, .ttl = 1h, .seed = 4u}};
        std::atomic<bool> wrong{false};
        std::vector<std::thread> threads;
        for (unsigned seed = 0; seed < 4; ++seed)
            threads.emplace_back([&, seed] {
                std::mt19937 random(seed);
                std::vector<std::pair<int, weir::borrowed<counted const>>> held;
                for (int step = 0; step < 20'000; ++step) {
                    int const key = static_cast<int>(random() % 64);
                    auto const what = random() % 100;
                    if (what < 60) {
                        if (auto one = store.borrow(key, now); one.hit()) held.emplace_back(key, std::move(one));
                    } else if (what < 85) {
                        store.put(key, std::make_shared<counted const>(key, alive), now);
                    } else if (what < 99) {
                        store.erase(key);
                    } else {
                        store.clear();
                    }
                    for (auto const& [wanted, one] : held)
                        if (one->n != wanted) wrong = true;
                    while (held.size() > random() % 7) held.erase(held.begin() + static_cast<std::ptrdiff_t>(random() % held.size()));
                }
            });
        for (std::thread& each : threads) each.join();
        CHECK_FALSE(wrong);
        store.clear();
        settle(store, alive);
        store.clear();
        CHECK(alive == 0);
    }
    CHECK(alive == 0);
}
