// SPDX-License-Identifier: BSL-1.0
#include <weir/sign/nonce_store.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using weir::nonce_store;
using weir::nonce_verdict;
using weir::wall_time;

constexpr wall_time at(milliseconds since_epoch)
{
    return wall_time(since_epoch);
}

TEST_CASE("nonce_store: what was seen is refused for as long as it could pass")
{
    nonce_store<> store{{.capacity = 10, .late = 5s, .early = 1s}, 1};
    CHECK(store.remember("shop", "n1", at(100s), at(100s)) == nonce_verdict::fresh);
    CHECK(store.remember("shop", "n1", at(100s), at(100s)) == nonce_verdict::replayed);
    CHECK(store.remember("shop", "n1", at(100s), at(105s)) == nonce_verdict::replayed);
    CHECK(store.remember("shop", "n1", at(100s), at(105s + 1ms)) == nonce_verdict::outside);
    CHECK(store.remember("shop", "n1", at(104s), at(104s)) == nonce_verdict::replayed); // a new timestamp makes it no new nonce
    CHECK(store.size() == 1);
}

TEST_CASE("nonce_store: a nonce belongs to its app, wherever the two are cut")
{
    nonce_store<> store{{.capacity = 10}, 1};
    CHECK(store.remember("ab", "c", at(1h), at(1h)) == nonce_verdict::fresh);
    CHECK(store.remember("a", "bc", at(1h), at(1h)) == nonce_verdict::fresh);
    CHECK(store.remember("c", "ab", at(1h), at(1h)) == nonce_verdict::fresh);
    CHECK(store.remember("a", "bc", at(1h), at(1h)) == nonce_verdict::replayed);
}

TEST_CASE("nonce_store: the window has two ends, both included")
{
    nonce_store<> store{{.capacity = 10, .late = 5s, .early = 1s}, 1};
    CHECK(store.remember("a", "1", at(95s), at(100s)) == nonce_verdict::fresh);
    CHECK(store.remember("a", "2", at(101s), at(100s)) == nonce_verdict::fresh);
    CHECK(store.remember("a", "3", at(95s - 1ms), at(100s)) == nonce_verdict::outside);
    CHECK(store.remember("a", "4", at(101s + 1ms), at(100s)) == nonce_verdict::outside);
}

TEST_CASE("nonce_store: a full store refuses, loses nothing, and has room again later")
{
    nonce_store<> store{{.capacity = 3, .late = 5s, .early = 1s}, 1};
    auto const memory = store.memory();
    for (char const* n : {"1", "2", "3"}) CHECK(store.remember("a", n, at(60s), at(60s)) == nonce_verdict::fresh);
    CHECK(store.remember("a", "4", at(60s), at(60s)) == nonce_verdict::full);
    for (char const* n : {"1", "2", "3"}) CHECK(store.remember("a", n, at(60s), at(60s)) == nonce_verdict::replayed);
    CHECK(store.remember("a", "4", at(72s), at(72s)) == nonce_verdict::fresh);
    CHECK(store.memory() == memory);
}

TEST_CASE("nonce_store: a clock that is set back does not make old messages fresh")
{
    nonce_store<> store{{.capacity = 10, .late = 5s, .early = 1s}, 1};
    CHECK(store.remember("a", "1", at(60s), at(60s)) == nonce_verdict::fresh);
    CHECK(store.remember("a", "2", at(600s), at(600s)) == nonce_verdict::fresh);
    CHECK(store.remember("a", "1", at(60s), at(60s)) == nonce_verdict::outside);
}

TEST_CASE("nonce_store: a clock that runs ahead alone does no harm")
{
    nonce_store<> store{{.capacity = 10, .late = 5s, .early = 1s}, 1};
    CHECK(store.remember("a", "1", at(60s), at(60s)) == nonce_verdict::fresh);
    CHECK(store.remember("a", "2", at(61s), at(9'000s)) == nonce_verdict::outside);
    CHECK(store.remember("a", "1", at(60s), at(61s)) == nonce_verdict::replayed);
    CHECK(store.remember("a", "2", at(61s), at(61s)) == nonce_verdict::fresh);
}

TEST_CASE("nonce_store: bad options are refused by name")
{
    using store = nonce_store<>;
    CHECK_THROWS_WITH_AS(store({.capacity = 0}), "capacity: expected 1 to 2^30", std::invalid_argument);
    CHECK_THROWS_WITH_AS(store({.capacity = 1, .late = -1ms}), "late: expected 0 to 3650 days", std::invalid_argument);
    CHECK_THROWS_WITH_AS(store({.capacity = 1, .early = -1ms}), "early: expected 0 to 3650 days", std::invalid_argument);
    store kept{{.capacity = 5, .late = 5s}};
    CHECK_THROWS_WITH_AS(kept.reconfigure({.capacity = 1, .late = -1ms}), "late: expected 0 to 3650 days", std::invalid_argument);
    CHECK(kept.settings().capacity == 5);
    CHECK(kept.settings().late == 5s);
    CHECK_THROWS_WITH_AS(store({.capacity = 1, .late = 500ms, .early = 499ms}), "late: expected a second or more together with early",
                         std::invalid_argument);
}

// The stated behaviour, with sets that hold everything for ever.
struct model {
    std::size_t capacity;
    milliseconds late, early;
    std::map<std::int64_t, std::set<std::string>> periods{};
    std::array<std::int64_t, 2> latest{-1'000'000, -1'000'000};

    std::int64_t period_of(wall_time t) const
    {
        std::int64_t const length = (late + early).count();
        std::int64_t p = t.time_since_epoch().count() / length;
        while (p * length > t.time_since_epoch().count()) --p;
        return p;
    }
    nonce_verdict remember(std::string const& key, wall_time signed_at, wall_time now)
    {
        if (now - signed_at > late || signed_at - now > early) return nonce_verdict::outside;
        std::int64_t const p = period_of(signed_at);
        auto& own = latest[p % 2 != 0];
        if (p < own) return nonce_verdict::outside;
        own = p;
        auto const other = latest[p % 2 == 0];
        if (periods[p].contains(key)) return nonce_verdict::replayed;
        if ((other == p - 1 || other == p + 1) && periods[other].contains(key)) return nonce_verdict::replayed;
        if (periods[p].size() == capacity) return nonce_verdict::full;
        periods[p].insert(key);
        return nonce_verdict::fresh;
    }
};

TEST_CASE("nonce_store: random histories, clocks that go back, times before 1970, as the model says; no message is fresh twice")
{
    std::array<int, 4> seen{};
    for (unsigned seed = 0; seed < 60; ++seed) {
        std::mt19937 random(seed);
        milliseconds const late(random() % 3'000), early(1'000 + random() % 2'000);
        std::size_t const capacity = 1 + random() % 40;
        nonce_store<weir::confined> store{{.capacity = capacity, .late = late, .early = early}, seed};
        model oracle{capacity, late, early};
        std::set<std::pair<std::string, std::int64_t>> fresh_before;
        std::int64_t now = seed % 2 == 0 ? -20'000 : 1'000'000;
        for (int i = 0; i < 3'000; ++i) {
            now += random() % 100 == 0 ? -static_cast<std::int64_t>(random() % 8'000) : static_cast<std::int64_t>(random() % 150);
            std::int64_t const signed_at = now + static_cast<std::int64_t>(random() % 7'000) - 3'500;
            std::string const nonce = std::to_string(random() % 200);
            auto const verdict = store.remember("a", nonce, at(milliseconds(signed_at)), at(milliseconds(now)));
            REQUIRE(verdict == oracle.remember(nonce, at(milliseconds(signed_at)), at(milliseconds(now))));
            if (verdict == nonce_verdict::fresh) REQUIRE(fresh_before.emplace(nonce, signed_at).second);
            ++seen[static_cast<std::size_t>(verdict)];
        }
    }
    for (int count : seen) CHECK(count > 1'000);
}

TEST_CASE("nonce_store: reconfigured, a full one has room at once, and what was seen stays seen")
{
    nonce_store<> store{{.capacity = 2, .late = 5s, .early = 1s}, 1};
    for (char const* n : {"1", "2"}) CHECK(store.remember("a", n, at(60s), at(60s)) == nonce_verdict::fresh);
    CHECK(store.remember("a", "3", at(60s), at(60s)) == nonce_verdict::full);
    store.reconfigure({.capacity = 3, .late = 60s, .early = 1s});
    CHECK(store.settings().capacity == 3);
    CHECK(store.settings().late == 60s);
    CHECK(store.size() == 2);
    for (char const* n : {"1", "2"}) CHECK(store.remember("a", n, at(60s), at(60s)) == nonce_verdict::replayed);
    CHECK(store.remember("a", "3", at(60s), at(60s)) == nonce_verdict::fresh);
    // A window that has grown opens no way for what was forgotten.
    CHECK(store.remember("a", "4", at(10s), at(60s)) == nonce_verdict::outside);
    CHECK(store.remember("a", "1", at(60s), at(120s)) == nonce_verdict::replayed);

    auto const memory = store.memory();
    CHECK(store.remember("a", "5", at(200s), at(200s)) == nonce_verdict::fresh);
    CHECK(store.memory() < memory);                                              // the first tables are gone
    CHECK(store.remember("a", "1", at(60s), at(60s)) == nonce_verdict::outside); // a clock that is set back
}

TEST_CASE("nonce_store: reconfigured more often than windows pass, it refuses and stays as it is")
{
    nonce_store<> store{{.capacity = 2}, 1};
    for (int i = 0; i < 3; ++i) {
        CHECK(store.remember("a", std::to_string(i), at(1h), at(1h)) == nonce_verdict::fresh);
        store.reconfigure({.capacity = 3});
        store.reconfigure({.capacity = 2}); // of what is empty nothing is kept
    }
    CHECK(store.remember("a", "last", at(1h), at(1h)) == nonce_verdict::fresh);
    CHECK_THROWS_WITH_AS(store.reconfigure({.capacity = 9}), "nonce_store: expected less than three other changes within one window",
                         std::invalid_argument);
    CHECK(store.settings().capacity == 2);
    for (char const* n : {"0", "1", "2", "last"}) CHECK(store.remember("a", n, at(1h), at(1h)) == nonce_verdict::replayed);
    CHECK(store.remember("a", "new", at(4h), at(4h)) == nonce_verdict::fresh);
    store.reconfigure({.capacity = 9});
}

TEST_CASE(
    "nonce_store: reconfigured at random, clocks that go back: no message is fresh twice, and with a steady clock none is outside for long")
{
    int changes = 0, fresh_after_a_change = 0;
    for (unsigned seed = 0; seed < 100; ++seed) {
        std::mt19937 random(seed);
        auto const drawn = [&] {
            return weir::nonce_store_options{
                .capacity = 1 + random() % 40, .late = milliseconds(random() % 3'000), .early = milliseconds(1'000 + random() % 2'000)};
        };
        weir::nonce_store_options o = drawn();
        nonce_store<weir::confined> store{o, seed};
        std::set<std::pair<std::string, std::int64_t>> fresh_before;
        bool const steady = seed % 4 == 0;
        std::int64_t now = seed % 2 == 0 ? -20'000 : 1'000'000, changed = now - 1'000'000;
        for (int i = 0; i < 2'000; ++i) {
            bool const back = !steady && random() % 100 == 0;
            now += back ? -static_cast<std::int64_t>(random() % 8'000) : static_cast<std::int64_t>(random() % 150);
            if (random() % 60 == 0) {
                auto const other = drawn();
                try {
                    store.reconfigure(other);
                    o = other;
                    changed = now;
                    ++changes;
                } catch (std::invalid_argument const&) {
                    REQUIRE(store.settings().late == o.late);
                }
            }
            std::int64_t const signed_at = now + static_cast<std::int64_t>(random() % 7'000) - 3'500;
            std::string const nonce = std::to_string(random() % 200);
            auto const verdict = store.remember("a", nonce, at(milliseconds(signed_at)), at(milliseconds(now)));
            bool const may_pass = milliseconds(now - signed_at) <= o.late && milliseconds(signed_at - now) <= o.early;
            if (!may_pass) REQUIRE(verdict == nonce_verdict::outside);
            bool const was_fresh = fresh_before.contains({nonce, signed_at});
            if (was_fresh) REQUIRE((verdict == nonce_verdict::replayed || verdict == nonce_verdict::outside));
            if (verdict == nonce_verdict::fresh) {
                fresh_before.emplace(nonce, signed_at);
                fresh_after_a_change += now - changed < 3'000;
            }
            // A window later, the whole window is open again.
            if (steady && may_pass && now - changed > 20'000) REQUIRE(verdict != nonce_verdict::outside);
        }
    }
    CHECK(changes > 1'000);
    CHECK(fresh_after_a_change > 1'000);
}

TEST_CASE("nonce_store: with a steady clock a message that may pass is never outside")
{
    std::mt19937 random(5);
    nonce_store<> store{{.capacity = 100'000, .late = 3s, .early = 1s}, 5};
    std::int64_t now = 0;
    for (int i = 0; i < 50'000; ++i) {
        now += static_cast<std::int64_t>(random() % 40);
        std::int64_t const signed_at = now - 3'000 + static_cast<std::int64_t>(random() % 4'001);
        REQUIRE(store.remember("a", std::to_string(i), at(milliseconds(signed_at)), at(milliseconds(now))) == nonce_verdict::fresh);
    }
}

TEST_CASE("nonce_store: of many threads that bring the same nonces each is fresh once")
{
    nonce_store<> store{{.capacity = 2'000}, 1};
    std::array<int, 4> fresh{};
    std::vector<std::thread> threads;
    for (int& count : fresh) {
        threads.emplace_back([&] {
            for (int i = 0; i < 2'000; ++i) count += store.remember("a", std::to_string(i), at(1h), at(1h)) == nonce_verdict::fresh;
        });
    }
    for (std::size_t i = 0; i < 3; ++i) store.reconfigure({.capacity = 2'000 + i}); // under load
    for (auto& t : threads) t.join();
    CHECK(fresh[0] + fresh[1] + fresh[2] + fresh[3] == 2'000);
    CHECK(store.size() == 2'000);
}

} // namespace
