// SPDX-License-Identifier: BSL-1.0
#include <weir/cache/tagged.hpp>

#include <weir/cache/cached.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/testing/manual_clock.hpp>

#include "../schedules.hpp"

#include <doctest/doctest.h>

#include <array>
#include <functional>
#include <map>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>

using namespace std::chrono_literals;

namespace {

constexpr auto itself = weir::keyed_by<int>([](int n) { return n; });
using number_handler = std::function<weir::result<int>(int)>;

constexpr weir::time_point start{1h};

} // namespace

TEST_CASE("tagged: what was written at or before an invalidation of its tag does not hold, what came after it does")
{
    weir::tagged by_last_digit{[](int key, int) { return key % 10; }, {.cells = 1 << 16, .seed = 1}};
    CHECK(by_last_digit.is_valid(13, 0, start));
    by_last_digit.invalidate(3, start);
    CHECK_FALSE(by_last_digit.is_valid(13, 0, start - 1s));
    CHECK_FALSE(by_last_digit.is_valid(13, 0, start));
    CHECK(by_last_digit.is_valid(13, 0, start + 1ns));
    CHECK(by_last_digit.is_valid(14, 0, start - 1s));
    by_last_digit.invalidate(3, start - 1s); // told late: the later time stands
    CHECK_FALSE(by_last_digit.is_valid(13, 0, start));
}

TEST_CASE("tagged: a value with several tags goes with any of them; strings are one tag")
{
    weir::tagged by_digits{[](int key, int value) { return std::array{key, value}; }, {.cells = 1 << 16, .seed = 1}};
    by_digits.invalidate(7, start);
    CHECK_FALSE(by_digits.is_valid(7, 1, start));
    CHECK_FALSE(by_digits.is_valid(1, 7, start));
    CHECK(by_digits.is_valid(1, 2, start));
    weir::tagged by_name{[](int, std::string const& name) -> std::string const& { return name; }, {.cells = 1 << 16, .seed = 1}};
    by_name.invalidate("oslo", start);
    CHECK_FALSE(by_name.is_valid(1, std::string("oslo"), start));
    CHECK(by_name.is_valid(1, std::string("rome"), start));
}

TEST_CASE("tagged: tags that share a cell go together, never one too few")
{
    weir::tagged crowded{[](int key, int) { return key; }, {.cells = 4, .seed = 1}};
    int gone = 0;
    for (int tag = 0; tag < 100; ++tag) gone += !crowded.is_valid(tag, 0, start);
    CHECK(gone == 0);
    crowded.invalidate(5, start);
    for (int tag = 0; tag < 100; ++tag) gone += !crowded.is_valid(tag, 0, start);
    CHECK_FALSE(crowded.is_valid(5, 0, start));
    CHECK(gone > 5);
    CHECK(gone < 60);
}

TEST_CASE("tagged: bad options are refused by name")
{
    CHECK_THROWS_WITH_AS((weir::tagged{[](int, int) { return 0; }, {.cells = 0}}), "tagged.cells: expected a number in [1, 2^28]",
                         std::invalid_argument);
}

TEST_CASE("tagged: in a cache one invalidation takes all values of a tag, and nothing that was loaded before it is kept after it")
{
    weir::manual_clock clock;
    int asked = 0;
    std::function<void()> meanwhile = [] {};
    number_handler const load = [&](int key) {
        int const number = ++asked;
        meanwhile();
        clock.advance(10ms);
        return key * 1'000 + number;
    };
    weir::pipeline svc{weir::timed_by{std::ref(clock)},
                       weir::cached{weir::store<int, int>{{.capacity = 1'000, .ttl = 100s, .jitter = 0}}, itself,
                                    weir::tagged{[](int key, int) { return key % 2; }, {.cells = 1 << 16, .seed = 1}}},
                       load};
    auto& cache = svc.get<weir::cached>();
    for (int key = 0; key < 100; ++key) CHECK(svc(key).has_value());
    for (int key = 0; key < 100; ++key) CHECK(svc(key).has_value());
    CHECK(asked == 100);
    cache.part<weir::tagged>().invalidate(0, clock.now());
    clock.advance(1s); // more than the store's ages are off
    for (int round = 0; round < 2; ++round)
        for (int key = 0; key < 100; ++key) CHECK(svc(key).has_value());
    CHECK(asked == 150);
    CHECK(cache.stats().invalid == 50);

    cache.clear();
    asked = 0;
    meanwhile = [&] {
        clock.advance(1ms);
        cache.part<weir::tagged>().invalidate(1, clock.now());
    };
    CHECK(svc(1).value() == 1'001); // asked for before
    meanwhile = [] {};
    clock.advance(1s);
    CHECK(svc(1).value() == 1'002);
    CHECK(svc(1).value() == 1'002);
    CHECK(cache.stats().outdated == 1);
}

TEST_CASE("tagged: a random history never shows a value that was invalidated by key, by tag or with all others")
{
    weir::manual_clock clock;
    std::map<int, int> world;
    std::function<void()> meanwhile = [] {};
    number_handler const load = [&](int key) {
        int const read = world[key];
        meanwhile();
        return read;
    };
    weir::pipeline svc{weir::timed_by{std::ref(clock)},
                       weir::cached{weir::store<int, int>{{.capacity = 1'000, .ttl = 1s, .jitter = 0.5, .seed = 1}}, itself,
                                    weir::tagged{[](int key, int) { return key % 3; }, {.seed = 1}}},
                       load};
    auto& cache = svc.get<weir::cached>();
    std::uint64_t const first = weir_test::first_seed();
    int version = 0;
    std::uint64_t hits = 0;
    for (std::uint64_t seed = first; seed < first + weir_test::schedules(); ++seed) {
        std::mt19937 random(static_cast<unsigned>(seed));
        std::string story;
        cache.clear();
        auto const change = [&] {
            switch (random() % 8) {
            case 0:
                for (int key = 0; key < 9; ++key) world[key] = ++version;
                cache.clear();
                break;
            case 1:
            case 2: {
                int const tag = static_cast<int>(random() % 3);
                for (int key = tag; key < 9; key += 3) world[key] = ++version;
                cache.part<weir::tagged>().invalidate(tag, clock.now());
                break;
            }
            default: {
                int const key = static_cast<int>(random() % 9);
                world[key] = ++version;
                cache.erase(key);
            }
            }
        };
        for (unsigned step = 0; step < 20; ++step) {
            clock.advance(std::chrono::microseconds(random() % 50'000));
            if (random() % 4 == 0) {
                change();
                continue;
            }
            int const key = static_cast<int>(random() % 9);
            int const least = world[key];
            meanwhile = random() % 3 == 0 ? std::function<void()>(change) : [] {};
            std::uint64_t const before = cache.stats().hits;
            int const came = svc(key).value();
            hits += cache.stats().hits - before;
            if (came < least) FAIL("seed " << seed << ", step " << step << ": " << came << " of key " << key << ", and it was " << least);
        }
    }
    CHECK(hits > weir_test::schedules());
}
