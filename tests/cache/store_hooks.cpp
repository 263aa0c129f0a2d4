// SPDX-License-Identifier: BSL-1.0
// What a store tells and asks its owner, its weights, its capacity while it runs, and what a flood of chosen keys does to it.
#include <weir/cache/store.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using weir::removal;

constexpr weir::time_point start{1h};

struct heard {
    std::string key;
    int value;
    removal cause;
    friend bool operator==(heard const&, heard const&) = default;
};

std::uint32_t by_value(std::string const&, int value)
{
    return static_cast<std::uint32_t>(value);
}

} // namespace

TEST_CASE("store: the listener hears why each value left, once, and may use the store")
{
    std::vector<heard> events;
    weir::store<std::string, int>* self = nullptr;
    weir::store<std::string, int> quotes{{.capacity = 2, .ttl = 10s, .jitter = 0, .negative_ttl = 1s},
                                         {.on_removal = [&](std::string const& key, int value, removal cause) {
                                             events.push_back({key, value, cause});
                                             if (self != nullptr) (void)self->find(key, start);
                                         }}};
    self = &quotes;
    quotes.put("A", 1, start);
    quotes.put("A", 2, start);
    CHECK(events == std::vector<heard>{{"A", 1, removal::replaced}});
    events.clear();
    quotes.put_absent("A", start);
    CHECK(events == std::vector<heard>{{"A", 2, removal::replaced}});
    events.clear();
    quotes.put("A", 3, start);
    quotes.erase("A");
    quotes.erase("A");
    CHECK(events == std::vector<heard>{{"A", 3, removal::erased}});
    events.clear();
    quotes.put("A", 4, start);
    quotes.put("B", 5, start);
    quotes.put("C", 6, start);
    CHECK(events.size() == 1);
    CHECK(events[0].cause == removal::evicted);
    events.clear();
    quotes.erase_if([](std::string const& key, int) { return key == "C"; });
    CHECK(events == std::vector<heard>{{"C", 6, removal::erased}});
    events.clear();
    quotes.put("D", 7, start + 1s);
    quotes.put("E", 8, start + 10s);
    for (int write = 0; write < 4; ++write) quotes.put("E", 9, start + 10s); // each looks at two places
    CHECK(std::count_if(events.begin(), events.end(), [](heard const& e) { return e.cause == removal::expired; }) == 1);
    events.clear();
    auto const held = quotes.size();
    quotes.clear();
    for (heard const& each : events) CHECK(each.cause == removal::cleared);
    CHECK(events.size() == held);
}

TEST_CASE("store: never heavier than its weight, and what is too heavy by itself is not kept")
{
    weir::store<std::string, int> pages{{.capacity = 100, .max_weight = 50}, {.weigh = by_value}};
    std::mt19937 random(1);
    for (int write = 0; write < 2'000; ++write) {
        pages.put(std::to_string(random() % 40), static_cast<int>(random() % 20), start);
        REQUIRE(pages.stats().weight <= 50);
    }
    CHECK(pages.stats().weight > 25);
    pages.put("A", 10, start);
    CHECK_FALSE(pages.put("A", 51, start));
    CHECK(pages.find("A", start).miss());
    CHECK(pages.put("A", 50, start));
    CHECK(pages.size() >= 1); // it alone, beside what weighs nothing
    CHECK(*pages.find("A", start) == 50);
}

TEST_CASE("store: weights and weigher go together")
{
    using pages = weir::store<std::string, int>;
    auto const refused = [](weir::store_options const& o, weir::store_hooks<std::string, int> const& h) {
        try {
            pages{o, h};
        } catch (std::invalid_argument const& e) {
            return std::string(e.what());
        }
        return std::string();
    };
    CHECK(refused({.capacity = 10, .max_weight = 5}, {}).starts_with("store.max_weight: expected zero"));
    CHECK(refused({.capacity = 10}, {.weigh = by_value}).starts_with("store.max_weight: expected a weight"));
    CHECK(refused({.capacity = 10, .idle = -1s}, {}).starts_with("store.idle: expected"));
    CHECK(refused({.capacity = 10, .max_weight = 5}, {.weigh = by_value}).empty());
}

TEST_CASE("store: what nobody asks for goes out of date, what is asked for does not")
{
    weir::store<int, int> plain{{.capacity = 10, .ttl = 1h, .jitter = 0, .idle = 32s}};
    weir::store<int, std::shared_ptr<int>> counted{{.capacity = 10, .ttl = 1h, .jitter = 0, .idle = 32s}};
    auto const check = [](auto& quotes) {
        quotes.put(1, {}, start);
        quotes.put(2, {}, start);
        for (auto now = start; now < start + 10min; now += 20s) REQUIRE(quotes.find(1, now).hit());
        CHECK(quotes.find(2, start + 31s).hit());
        CHECK(quotes.find(2, start + 31s + 32s).miss());
        quotes.put(3, {}, start);
        CHECK(quotes.find(3, start + 32s - 1ns).left() == 1ns);
        CHECK(quotes.find(3, start + 1h).miss());
    };
    check(plain);
    check(counted);
}

TEST_CASE("store: the capacity changes while it runs, and what fits stays")
{
    weir::store<int, std::shared_ptr<int>> quotes{{.capacity = 100, .ttl = 1h, .negative_ttl = 1h}};
    auto const fill = [&](int to) {
        for (int key = 0; key < to; ++key) quotes.put(key, std::make_shared<int>(key), start);
    };
    fill(100);
    quotes.resize(1'000, start);
    CHECK(quotes.capacity() == 1'000);
    CHECK(quotes.size() == 100);
    for (int key = 0; key < 100; ++key) CHECK(**quotes.find(key, start) == key);
    fill(1'000);
    CHECK(quotes.size() == 1'000);
    quotes.resize(10, start);
    CHECK(quotes.size() == 10);
    CHECK(quotes.stats().evicted == 990);
    fill(1'000);
    CHECK(quotes.size() == 10);
    quotes.resize(500, start); // within what it once had
    fill(500);
    CHECK(quotes.size() == 500);
    int there = 0;
    for (int key = 0; key < 500; ++key) {
        auto const found = quotes.find(key, start);
        there += found.hit() && **found == key;
    }
    CHECK(there >= 490); // beside the ten that were there, if those are not the ones that had to go
    quotes.clear();
    fill(500);
    for (int key = 0; key < 500; ++key) {
        auto const found = quotes.find(key, start);
        REQUIRE(found.hit());
        CHECK(**found == key);
    }
    CHECK_THROWS_AS(quotes.resize(0, start), std::invalid_argument);
    CHECK_THROWS_AS(quotes.resize(10, start, 7), std::invalid_argument);
}

TEST_CASE("store: is read and written while it grows and shrinks, and each value is told of once")
{
    std::mutex mutex;
    std::map<std::pair<int, int>, int> gone;
    std::atomic<int> written{0};
    std::atomic<bool> wrong{false};
    {
        weir::store<int, std::string> quotes{{.capacity = 200, .ttl = 1h}, {.on_removal = [&](int key, std::string const& value, removal) {
                                                 std::scoped_lock const lock(mutex);
                                                 ++gone[{key, std::stoi(value.substr(30))}];
                                             }}};
        auto const work = [&](unsigned seed) {
            std::mt19937 random(seed);
            for (int step = 0; step < 3'000; ++step) {
                int const key = static_cast<int>(random() % 300);
                if (random() % 3 == 0)
                    quotes.put(key, std::string(30, 'x') + std::to_string(written++), start);
                else
                    quotes.visit(key, start, [&](std::string const& value, auto const&) {
                        if (value.find_first_not_of('x') < 30) wrong = true;
                    });
            }
        };
        {
            std::vector<std::jthread> threads;
            for (unsigned seed = 1; seed <= 2; ++seed) threads.emplace_back(work, seed);
            for (std::size_t capacity : {400u, 50u, 900u, 100u, 2'000u, 20u}) {
                quotes.resize(capacity, start);
                quotes.for_each(start, [&](auto const& each) {
                    if (each.value.size() < 31) wrong = true;
                });
            }
        }
        quotes.clear();
    }
    CHECK_FALSE(wrong);
    CHECK(gone.size() == static_cast<std::size_t>(written));
    CHECK(std::all_of(gone.begin(), gone.end(), [](auto const& each) { return each.second == 1; }));
}

TEST_CASE("store: what for_each tells can be put into another store with the time that was left")
{
    weir::store<std::string, int> before{{.capacity = 100, .ttl = 10s}};
    for (int key = 0; key < 50; ++key) before.put(std::to_string(key), key, start, {.took = 5us});
    weir::store<std::string, int> after{{.capacity = 100, .ttl = 1h}};
    auto const now = start + 9500ms;
    before.for_each(now, [&](auto const& each) { after.put(each.key, each.value, now, {.left = each.left, .took = each.took}); });
    CHECK(after.size() < 50); // some were out of date
    CHECK(after.size() > 0);
    for (int key = 0; key < 50; ++key) {
        auto const was = before.find(std::to_string(key), now);
        auto const is = after.find(std::to_string(key), now);
        CHECK(is.hit() == was.hit());
        CHECK(is.left() == (was.hit() ? was.left() : 0s));
        CHECK(is.took() == (was.hit() ? was.took() : 0s));
    }
}

TEST_CASE("store: a million entries written at once do not expire together")
{
    constexpr std::uint32_t entries = 1'000'000;
    weir::store<std::uint32_t, std::uint32_t> quotes{{.capacity = entries + entries / 10, .ttl = 100s, .jitter = 0.1, .seed = 1u}};
    for (std::uint32_t key = 0; key < entries; ++key) quotes.put(key, key, start);
    std::array<std::uint32_t, 10> in_a_second{}; // from 90 s to 100 s
    std::uint32_t outside = 0;
    for (std::uint32_t key = 0; key < entries; ++key) {
        auto const left = quotes.find(key, start).left();
        if (left < 90s || left > 100s)
            ++outside;
        else
            ++in_a_second[std::min<std::size_t>(static_cast<std::size_t>((left - 90s) / 1s), 9)];
    }
    CHECK(outside == 0);
    for (auto const each : in_a_second) {
        CHECK(each > entries / 10 - 2'000); // more than six deviations
        CHECK(each < entries / 10 + 2'000);
    }
}

TEST_CASE("store: keys that an attacker chose share no part and crowd no place")
{
    // Alike in their low or high bits, or apart by a constant that hashes of a multiplication fear: the whole store is used all the same.
    for (std::uint64_t const step : {std::uint64_t{1} << 32, std::uint64_t{1} << 44, std::uint64_t{64}, 0x9e3779b97f4a7c15u}) {
        CAPTURE(step);
        weir::store<std::uint64_t, std::uint64_t> quotes{{.capacity = 65'536, .ttl = 1h}};
        for (std::uint64_t i = 0; i < 50'000; ++i) quotes.put(i * step, i, start);
        std::uint64_t found = 0;
        for (std::uint64_t i = 0; i < 50'000; ++i) found += quotes.find(i * step, start).hit() ? 1 : 0;
        CHECK(found == 50'000); // a part holds 1,024 and is given 781 on average: eight deviations away
    }
}
