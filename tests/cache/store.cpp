// SPDX-License-Identifier: BSL-1.0
#include <weir/cache/store.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

namespace {

constexpr weir::time_point start{1h};

std::string refused(std::function<void()> const& act)
{
    try {
        act();
    } catch (std::invalid_argument const& e) {
        return e.what();
    }
    return "";
}

/// Makes keys and values of the type under test from numbers.
template<class T>
T make(int n)
{
    if constexpr (std::is_same_v<T, std::string>)
        return "a key or value longer than what fits into the string itself: " + std::to_string(n);
    else if constexpr (std::is_same_v<T, std::shared_ptr<int const>>)
        return std::make_shared<int const>(n);
    else
        return static_cast<T>(n);
}
template<class T>
bool same(T const& a, T const& b)
{
    if constexpr (std::is_same_v<T, std::shared_ptr<int const>>)
        return *a == *b;
    else
        return a == b;
}

template<class Key, class Value, class Threading>
struct kind {
    using key = Key;
    using value = Value;
    using threading = Threading;
};

struct padded {
    char letter;
    int number;
    friend bool operator==(padded const&, padded const&) = default;
    friend std::size_t hash_value(padded const& p)
    {
        return static_cast<std::size_t>(p.number) * 256 + static_cast<unsigned char>(p.letter);
    }
};

} // namespace

TEST_CASE("store: finds what was put until its time to live is over")
{
    weir::store<int, int> quotes{{.capacity = 100, .ttl = 30s, .jitter = 0}};
    CHECK(quotes.find(1, start).miss());
    quotes.put(1, 11, start);
    CHECK(*quotes.find(1, start) == 11);
    CHECK(*quotes.find(1, start + 30s - 1ns) == 11);
    CHECK(quotes.find(1, start + 30s).miss());

    quotes.put(1, 12, start + 31s);
    CHECK(*quotes.find(1, start + 31s) == 12);
    CHECK(quotes.erase(1));
    CHECK_FALSE(quotes.erase(1));
    CHECK(quotes.find(1, start + 31s).miss());
}

TEST_CASE("store: a time to live without end")
{
    weir::store<int, int> quotes{{.capacity = 10, .ttl = weir::duration::max(), .jitter = 0, .keep_stale = weir::duration::max()}};
    quotes.put(1, 11, start);
    CHECK(*quotes.find(1, weir::never - 1ns) == 11);
}

TEST_CASE("store: strings are looked up by any string")
{
    weir::store<std::string, std::string> quotes{{.capacity = 10, .ttl = 30s, .negative_ttl = 5s}};
    quotes.put("ABC", "1.25", start);
    CHECK(*quotes.find("ABC", start) == "1.25");
    CHECK(quotes.find(std::string_view("ABCD").substr(0, 3), start)->size() == 4);
    CHECK(quotes.find_stale(std::string("ABC"), start).hit());
    CHECK(quotes.erase("ABC"));
}

TEST_CASE("store: keys with padding, pairs and enumerations")
{
    weir::store<padded, int> by_struct{{.capacity = 10, .ttl = 30s}};
    by_struct.put({'a', 7}, 1, start);
    padded other;
    std::memset(&other, 0xff, sizeof other);
    other.letter = 'a';
    other.number = 7;
    CHECK(*by_struct.find(other, start) == 1);

    weir::store<std::pair<std::string, int>, int> by_pair{{.capacity = 10, .ttl = 30s}};
    by_pair.put({"a", 7}, 1, start);
    CHECK(by_pair.find(std::pair<std::string, int>{"a", 7}, start).hit());
    CHECK(by_pair.find(std::pair<std::string, int>{"b", 7}, start).miss());

    enum class side { buy, sell };
    weir::store<side, int> by_enum{{.capacity = 10, .ttl = 30s}};
    by_enum.put(side::sell, 1, start);
    CHECK(by_enum.find(side::sell, start).hit());
}

TEST_CASE("store: a negative answer is kept for its own time, and a value takes its place")
{
    weir::store<int, int> quotes{{.capacity = 100, .ttl = 30s, .jitter = 0, .negative_ttl = 5s}};
    quotes.put_absent(1, start);
    CHECK(quotes.find(1, start + 5s - 1ns).negative());
    CHECK(quotes.find(1, start + 5s).miss());

    quotes.put_absent(1, start);
    quotes.put(1, 11, start);
    CHECK(*quotes.find(1, start) == 11);
    CHECK(quotes.stats().negative_answers == 0);
    quotes.put_absent(1, start);
    CHECK(quotes.find(1, start).negative());
    CHECK(quotes.size() == 0);
}

TEST_CASE("store: without a negative time to live a negative answer only forgets")
{
    weir::store<int, int> quotes{{.capacity = 100, .ttl = 30s}};
    quotes.put(1, 11, start);
    quotes.put_absent(1, start);
    CHECK(quotes.find(1, start).miss());
    CHECK(quotes.stats().negative_answers == 0);
}

TEST_CASE("store: a flood of negative answers pushes no value out")
{
    weir::store<int, int> quotes{{.capacity = 100, .ttl = 30s, .negative_ttl = 5s}};
    for (int key = 0; key < 100; ++key) quotes.put(key, key, start);
    for (int key = 100; key < 100'000; ++key) quotes.put_absent(key, start);
    CHECK(quotes.size() == 100);
    CHECK(quotes.stats().negative_answers == 10);
    for (int key = 0; key < 100; ++key) CHECK(*quotes.find(key, start) == key);
}

TEST_CASE("store: what is out of date is found by find_stale alone, for as long as it is kept")
{
    weir::store<int, int> quotes{{.capacity = 10, .ttl = 10s, .jitter = 0, .keep_stale = 1min}};
    quotes.put(1, 11, start);
    CHECK(quotes.find_stale(1, start + 5s).stale_for() == 0s);
    CHECK(quotes.find(1, start + 15s).miss());
    CHECK(*quotes.find_stale(1, start + 15s) == 11);
    CHECK(quotes.find_stale(1, start + 15s).stale_for() == 5s);
    CHECK(quotes.find_stale(1, start + 70s).miss());
    CHECK(quotes.stats().stale_hits == 2);

    for (int write = 0; write < 10; ++write) quotes.put(2, 22, start + 69s); // sweeps each slot, but 1 is still kept
    CHECK(quotes.size() == 2);
    for (int write = 0; write < 10; ++write) quotes.put(2, 22, start + 70s);
    CHECK(quotes.size() == 1);
    CHECK(quotes.stats().expired == 1);
}

TEST_CASE("store: writes reclaim what is out of date")
{
    weir::store<int, int> quotes{{.capacity = 1'000, .ttl = 10s, .negative_ttl = 1s}};
    for (int key = 0; key < 1'000; ++key) quotes.put(key, key, start);
    for (int write = 0; write < 500; ++write) quotes.put(-1, 0, start + 20s);
    CHECK(quotes.size() == 1);
    CHECK(quotes.stats().evicted + quotes.stats().expired == 1'000);
}

TEST_CASE("store: never holds more than its capacity, whatever it is")
{
    for (std::size_t const capacity : {1u, 2u, 3u, 1'000u, 2'047u, 2'048u, 5'000u, 70'001u}) {
        CAPTURE(capacity);
        weir::store<std::uint64_t, int> quotes{{.capacity = capacity, .ttl = 10s, .negative_ttl = 10s, .seed = 1u}};
        CHECK(quotes.capacity() == capacity);
        for (std::uint64_t key = 0; key < 3 * capacity; ++key) {
            quotes.put(key, 0, start);
            if (key % 1'000 == 0) REQUIRE(quotes.size() <= capacity);
        }
        CHECK(quotes.size() <= capacity);
        CHECK(quotes.size() >= capacity * 9 / 10);
        CHECK(quotes.stats().evicted == quotes.stats().writes - quotes.size());
        quotes.clear();
        CHECK(quotes.size() == 0);
    }
}

TEST_CASE("store: drawn times to live are spread evenly below the ttl, and never above")
{
    constexpr int writes = 20'000;
    weir::store<int, int> quotes{{.capacity = std::size_t{writes} * 2, .ttl = 1000ms, .jitter = 0.2, .seed = 7u}};
    for (int key = 0; key < writes; ++key) quotes.put(key, key, start);
    auto const alive = [&](weir::duration age) {
        int count = 0;
        for (int key = 0; key < writes; ++key) count += quotes.find(key, start + age).hit() ? 1 : 0;
        return count;
    };
    CHECK(alive(800ms - 1ns) == writes);
    CHECK(alive(1000ms) == 0);

    // Ten cells of 20 ms, 2,000 expected in each: chi-square with 9 degrees of freedom stays below 27.9 in 999 of 1,000 cases.
    double chi_square = 0;
    int before = writes;
    for (int cell = 1; cell <= 10; ++cell) {
        int const now = alive(800ms + cell * 20ms);
        double const off = before - now - writes / 10.0;
        chi_square += off * off / (writes / 10.0);
        before = now;
    }
    CHECK(chi_square < 27.9);
}

TEST_CASE("store: the same seed draws the same, another draws otherwise")
{
    auto const drawn = [](std::uint64_t seed) {
        weir::store<int, int> quotes{{.capacity = 64, .ttl = 1000ms, .jitter = 1, .seed = seed}};
        for (int key = 0; key < 64; ++key) quotes.put(key, key, start);
        std::uint64_t alive = 0;
        for (int key = 0; key < 64; ++key) alive = alive << 1 | (quotes.find(key, start + 500ms).hit() ? 1u : 0u);
        return alive;
    };
    CHECK(drawn(1) == drawn(1));
    CHECK(drawn(1) != drawn(2));
}

TEST_CASE_TEMPLATE("store: random histories go as in a map with times", Kind, kind<int, int, weir::shared>, kind<int, int, weir::confined>,
                   kind<std::string, std::string, weir::shared>, kind<std::uint64_t, std::shared_ptr<int const>, weir::confined>,
                   kind<std::string, std::array<char, 16>, weir::shared>, kind<std::uint16_t, double, weir::shared>)
{
    using key = typename Kind::key;
    using value = typename Kind::value;
    struct answer {
        std::optional<int> number; // nothing: negative
        weir::time_point expiry;
    };
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
        std::mt19937 random(static_cast<unsigned>(seed));
        weir::duration ttl = 50ns;
        weir::duration const negative_ttl = 20ns;
        // Room for all keys ten times over: nothing is pushed out, so that the map is exact.
        weir::store<key, value, typename Kind::threading> quotes{
            {.capacity = 1'000, .ttl = ttl, .jitter = 0, .negative_ttl = negative_ttl, .keep_stale = 5ns, .seed = seed}};
        std::map<int, answer> naive;
        std::uint64_t hits = 0, negative_hits = 0, misses = 0;
        weir::time_point now = start;
        for (int step = 0; step < 5'000; ++step) {
            now += weir::duration(random() % 3);
            int const number = static_cast<int>(random() % 100);
            auto const name = make<key>(number);
            auto const text = [](int n) {
                if constexpr (std::is_same_v<value, std::array<char, 16>>)
                    return value{static_cast<char>(n % 100)};
                else
                    return make<value>(n);
            };
            switch (random() % 8) {
            case 0:
                quotes.put(name, text(step), now);
                naive[number] = {step, now + ttl};
                break;
            case 1:
                quotes.put_absent(name, now);
                naive[number] = {std::nullopt, now + negative_ttl};
                break;
            case 2:
                if (random() % 4 == 0) {
                    quotes.erase(name);
                    naive.erase(number);
                }
                if (random() % 200 == 0) {
                    quotes.clear();
                    naive.clear();
                }
                if (random() % 50 == 0) {
                    ttl = weir::duration(1 + random() % 100);
                    quotes.reconfigure({.ttl = ttl, .jitter = 0, .negative_ttl = negative_ttl, .keep_stale = 5ns});
                }
                break;
            default:
                auto const it = naive.find(number);
                auto const expected = it == naive.end() || it->second.expiry <= now ? nullptr : &it->second;
                auto const found = quotes.find(name, now);
                REQUIRE(found.miss() == (expected == nullptr));
                if (expected != nullptr) {
                    REQUIRE(found.hit() == expected->number.has_value());
                    REQUIRE(found.negative() == !expected->number.has_value());
                    if (found.hit()) REQUIRE(same(*found, text(*expected->number)));
                }
                ++(found.hit() ? hits : found.negative() ? negative_hits : misses);
                auto const stale = quotes.find_stale(name, now);
                if (it != naive.end() && it->second.expiry + 5ns > now) {
                    REQUIRE(!stale.miss());
                    REQUIRE(stale.stale_for() == std::max<weir::duration>(now - it->second.expiry, 0ns));
                } else {
                    REQUIRE(stale.miss());
                }
                ++(stale.hit() ? hits : stale.negative() ? negative_hits : misses);
            }
        }
        auto const stats = quotes.stats();
        CHECK(stats.hits == hits);
        CHECK(stats.negative_hits == negative_hits);
        CHECK(stats.misses == misses);
        CHECK(stats.evicted == 0);
    }
}

TEST_CASE("store: what it hands out under pressure is what was last put, or nothing")
{
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        std::mt19937 random(static_cast<unsigned>(seed));
        weir::store<std::string, std::string> quotes{{.capacity = 30, .ttl = 50ns, .negative_ttl = 20ns, .seed = seed}};
        std::map<std::string, std::pair<std::string, weir::time_point>> naive; // "": negative
        weir::time_point now = start;
        int hits = 0;
        for (int step = 0; step < 20'000; ++step) {
            now += weir::duration(random() % 2);
            auto const name = make<std::string>(static_cast<int>(random() % 60));
            if (random() % 3 == 0) {
                bool const absent = random() % 10 == 0;
                if (absent)
                    quotes.put_absent(name, now);
                else
                    quotes.put(name, std::to_string(step), now);
                naive[name] = {absent ? "" : std::to_string(step), now + (absent ? 20ns : 50ns)};
            } else if (auto const found = quotes.find(name, now); !found.miss()) {
                ++hits;
                REQUIRE(naive.at(name).first == (found.hit() ? *found : ""));
                REQUIRE(naive.at(name).second > now);
            }
            REQUIRE(quotes.size() <= 30);
            REQUIRE(quotes.stats().negative_answers <= 3);
        }
        CHECK(hits > 1'000);
    }
}

TEST_CASE("store: bad options are refused by the name of the member, and change nothing")
{
    using quotes = weir::store<int, int>;
    CHECK(refused([] { quotes{{.capacity = 0, .ttl = 1s}}; }).starts_with("store.capacity: expected"));
    CHECK(refused([] { quotes{{.capacity = std::size_t{1} << 40, .ttl = 1s}}; }).starts_with("store.capacity: expected"));
    CHECK(refused([] { quotes{{.capacity = 1, .ttl = 0s}}; }).starts_with("store.ttl: expected"));
    CHECK(refused([] { quotes{{.capacity = 1, .ttl = 1s, .jitter = 1.5}}; }).starts_with("store.jitter: expected"));
    CHECK(refused([] { quotes{{.capacity = 1, .ttl = 1s, .negative_ttl = -1s}}; }).starts_with("store.negative_ttl: expected"));
    CHECK(refused([] { quotes{{.capacity = 1, .ttl = 1s, .keep_stale = -1s}}; }).starts_with("store.keep_stale: expected"));

    quotes q{{.capacity = 1, .ttl = 1s}};
    auto const before = q.settings();
    CHECK(refused([&] { q.reconfigure({.ttl = 0s, .jitter = 0, .negative_ttl = 0s, .keep_stale = 0s}); }).starts_with("store.ttl"));
    CHECK(q.settings() == before);
}

TEST_CASE("store: moves with what it holds")
{
    weir::store<std::string, std::shared_ptr<int const>> first{{.capacity = 5'000, .ttl = 10s}};
    auto const value = std::make_shared<int const>(7);
    first.put("a", value, start);
    auto second = std::move(first);
    CHECK(*second.find("a", start) == value);
    CHECK(value.use_count() == 2);
    second.clear();
    CHECK(value.use_count() == 1);
}

TEST_CASE_TEMPLATE("store: threads see whole values only, and every look-up is counted", Kind,
                   kind<std::uint64_t, std::array<std::uint64_t, 4>, void>, kind<std::string, std::string, void>)
{
    using key = typename Kind::key;
    using value = typename Kind::value;
    constexpr std::uint64_t steps = 20'000;
    auto const name = [](std::uint64_t n) {
        if constexpr (std::is_same_v<key, std::string>)
            return std::to_string(n);
        else
            return n;
    };
    auto const quote = [](std::uint64_t n, std::uint64_t version) {
        std::uint64_t const made = n + 1'000 * version;
        if constexpr (std::is_same_v<value, std::string>)
            return std::string(40, static_cast<char>('a' + version % 20)) + std::to_string(n);
        else
            return value{made, made, made, made};
    };
    auto const whole = [](std::uint64_t n, value const& v) {
        if constexpr (std::is_same_v<value, std::string>)
            return v.substr(40) == std::to_string(n) && v.find_first_not_of(v[0]) == 40;
        else
            return v[0] % 1'000 == n && v[1] == v[0] && v[2] == v[0] && v[3] == v[0];
    };
    weir::store<key, value> quotes{{.capacity = 300, .ttl = 40ns, .negative_ttl = 20ns}};
    std::atomic<bool> torn{false};
    auto const work = [&](unsigned seed) {
        std::mt19937 random(seed);
        for (std::uint64_t step = 0; step < steps; ++step) {
            weir::time_point const now = start + weir::duration(static_cast<int>(step / 100));
            std::uint64_t const n = random() % 400;
            switch (random() % 16) {
            case 0:
            case 1: quotes.put(name(n), quote(n, step), now); break;
            case 2: quotes.put_absent(name(n), now); break;
            case 3: quotes.erase(name(n)); break;
            default:
                if (auto const found = quotes.find(name(n), now); found.hit() && !whole(n, *found)) torn = true;
            }
            if (step % 5'000 == 0) quotes.reconfigure(quotes.settings());
            if (step % 7'000 == 0) quotes.clear();
        }
    };
    {
        std::vector<std::jthread> threads;
        for (unsigned seed = 1; seed <= 4; ++seed) threads.emplace_back(work, seed);
    }
    CHECK_FALSE(torn);
    CHECK(quotes.size() <= 300);
    auto const stats = quotes.stats();
    CHECK(stats.hits > 0);
    CHECK(stats.hits + stats.negative_hits + stats.misses > 4 * steps * 11 / 16);
}

TEST_CASE("store: counts every look-up, of more threads than have counters of their own")
{
    weir::store<int, int> quotes{{.capacity = 10, .ttl = 10s}};
    quotes.put(1, 11, start);
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 24; ++i)
            threads.emplace_back([&] {
                for (int step = 0; step < 500; ++step) (void)quotes.find(step % 2, start);
            });
    }
    CHECK(quotes.stats().hits == 24 * 250);
    CHECK(quotes.stats().misses == 24 * 250);
    CHECK(quotes.stats().hit_ratio() == 0.5);
}
