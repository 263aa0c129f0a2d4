// SPDX-License-Identifier: BSL-1.0
#include <weir/cache/store.hpp>
#include <weir/cache/store_write.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;

constexpr weir::time_point start{1h};

} // namespace

TEST_CASE("store_write: a lease taken before a load is good for the write after it, more than once")
{
    weir::store<std::string, int> quotes{{.capacity = 10, .negative_ttl = 5s}};
    weir::store_lease const mine = quotes.lease("A");
    CHECK(quotes.put("A", 1, start, mine));
    CHECK(*quotes.find("A", start) == 1);
    CHECK(quotes.put_absent("A", start, mine));
    CHECK(quotes.find("A", start).negative());
    CHECK(quotes.put("A", 2, start, {.lease = mine, .took = 3ms}));
    CHECK(quotes.stats().refused == 0);
}

TEST_CASE("store_write: an invalidation during a load is not overwritten by the load's old value")
{
    weir::store<int, int> quotes{{.capacity = 10, .negative_ttl = 5s}};
    SUBCASE("the key was erased, though it was not even there")
    {
        weir::store_lease const mine = quotes.lease(1);
        CHECK_FALSE(quotes.erase(1));
        CHECK_FALSE(quotes.put(1, 11, start, mine));
        CHECK_FALSE(quotes.put_absent(1, start, mine));
        CHECK(quotes.find(1, start).miss());
        CHECK(quotes.stats().refused == 2);
        CHECK(quotes.stats().writes == 0);
        CHECK(quotes.put(1, 12, start, quotes.lease(1)));
    }
    SUBCASE("the store was cleared")
    {
        weir::store_lease const mine = quotes.lease(1);
        quotes.clear();
        CHECK_FALSE(quotes.put(1, 11, start, mine));
    }
    SUBCASE("values were erased by what they are")
    {
        weir::store_lease const mine = quotes.lease(1);
        CHECK(quotes.erase_if([](int, int) { return true; }) == 0);
        CHECK_FALSE(quotes.put(1, 11, start, mine));
    }
    SUBCASE("somebody wrote the new value: it stays")
    {
        weir::store_lease const mine = quotes.lease(1);
        CHECK(quotes.put(1, 12, start));
        CHECK_FALSE(quotes.put(1, 11, start, mine));
        CHECK(*quotes.find(1, start) == 12);
    }
}

TEST_CASE("store_write: a lease by default is refused")
{
    weir::store<int, int> quotes{{.capacity = 10}};
    CHECK_FALSE(quotes.put(1, 11, start, weir::store_lease()));
    CHECK(quotes.find(1, start).miss());
}

TEST_CASE("store_write: what is pushed out for room outdates no lease, and few other keys' erasures do")
{
    weir::store<int, int> quotes{{.capacity = 100, .seed = 1u}};
    weir::store_lease const mine = quotes.lease(-1);
    for (int key = 0; key < 10'000; ++key) CHECK(quotes.put(key, key, start, quotes.lease(key)));
    CHECK(quotes.put(-1, 0, start, mine));

    int refused = 0;
    for (int key = 0; key < 10'000; ++key) {
        auto const lease = quotes.lease(key);
        quotes.erase(key + 1);
        refused += quotes.put(key, key, start, lease) ? 0 : 1;
    }
    CHECK(refused < 10'000 / 64 * 2);
}

TEST_CASE("store_write: a finding tells the times of what was written")
{
    weir::store<std::uint64_t, std::uint64_t> plain{{.capacity = 10, .ttl = 10s, .jitter = 0, .negative_ttl = 4s}};
    weir::store<std::uint64_t, std::shared_ptr<int>> counted{
        {.capacity = 10, .ttl = 10s, .jitter = 0, .negative_ttl = 4s, .keep_stale = 1h}};
    auto const check = [](auto& quotes, auto value) {
        quotes.put(1, value, start, {.took = 1us});
        auto const found = quotes.find(1, start + 3s);
        CHECK(found.left() == 7s);
        CHECK(found.took() == 1us);
        CHECK(found.age() <= 3s);
        CHECK(found.age() > 3s - 10ms);
        quotes.put_absent(1, start, {.took = 2us});
        CHECK(quotes.find(1, start + 1s).left() == 3s);
        CHECK(quotes.find(1, start + 1s).took() == 2us);
    };
    check(plain, 7u);
    check(counted, nullptr);
    counted.put(2, nullptr, start);
    CHECK(counted.find_stale(2, start + 13s).stale_for() == 3s);
    CHECK(counted.find_stale(2, start + 13s).age() > 13s - 10ms);
}

TEST_CASE("store_write: a time to live of its own is jittered, a time left is not")
{
    weir::store<int, int> quotes{{.capacity = 2'000, .ttl = 1h, .jitter = 0.5, .negative_ttl = 1h, .seed = 3u}};
    int early = 0;
    for (int key = 0; key < 1'000; ++key) {
        quotes.put(key, key, start, {.ttl = 10s});
        CHECK(quotes.find(key, start + 5s - 1ns).hit());
        CHECK(quotes.find(key, start + 10s).miss());
        early += quotes.find(key, start + 7500ms).miss() ? 1 : 0;
    }
    CHECK(early > 400);
    CHECK(early < 600);
    for (int key = 0; key < 100; ++key) {
        quotes.put(key, key, start, {.left = 10s});
        CHECK(quotes.find(key, start + 10s - 1ns).left() == 1ns);
        CHECK(quotes.find(key, start + 10s).miss());
    }
    quotes.put_absent(7, start, {.ttl = 10s});
    CHECK(quotes.find(7, start + 5s - 1ns).negative());
    CHECK(quotes.find(7, start + 10s).miss());
}

TEST_CASE("store_write: the hook gives each value its time to live, and none to what is not to be kept")
{
    std::vector<int> gone;
    weir::store<int, int> quotes{{.capacity = 10, .ttl = 1h, .jitter = 0},
                                 {.time_to_live = [](int key, int value) { return (key + value) * 1s; },
                                  .on_removal = [&](int, int value, weir::removal) { gone.push_back(value); }}};
    CHECK(quotes.put(1, 2, start));
    CHECK(quotes.find(1, start).left() == 3s);
    CHECK(quotes.put(1, 2, start, {.ttl = 9s}));
    CHECK(quotes.find(1, start).left() == 9s);
    CHECK_FALSE(quotes.put(1, -1, start)); // nor is the one before: it is outdated
    CHECK(quotes.find(1, start).miss());
    CHECK(quotes.stats().dropped == 1);
    CHECK(gone == std::vector{2, 2});
}
