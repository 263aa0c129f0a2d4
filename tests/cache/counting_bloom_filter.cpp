// SPDX-License-Identifier: BSL-1.0
#include <weir/cache/counting_bloom_filter.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

TEST_CASE("counting_bloom_filter: what was removed is not found, what is still in is")
{
    weir::counting_bloom_filter<std::string> symbols{{.population = 100, .seed = 1u}};
    symbols.add("ABC");
    symbols.add("XYZ");
    CHECK(symbols.may_contain("ABC"));
    CHECK(symbols.remove("ABC"));
    CHECK_FALSE(symbols.may_contain("ABC"));
    CHECK_FALSE(symbols.remove("ABC"));
    CHECK(symbols.may_contain(std::string("XYZ")));
}

TEST_CASE("counting_bloom_filter: added twice, a key is removed twice")
{
    weir::counting_bloom_filter<int> filter{{.population = 100, .seed = 1u}};
    filter.add(1);
    filter.add(1);
    CHECK(filter.remove(1));
    CHECK(filter.may_contain(1));
    CHECK(filter.remove(1));
    CHECK_FALSE(filter.may_contain(1));
}

TEST_CASE("counting_bloom_filter: a counter that is full loses nobody")
{
    weir::counting_bloom_filter<int> filter{{.population = 1, .false_positive_rate = 0.5, .seed = 1u}};
    for (int key = 0; key < 64; ++key)
        for (int i = 0; i < 40; ++i) filter.add(key);
    for (int key = 1; key < 64; ++key)
        for (int i = 0; i < 40; ++i) static_cast<void>(filter.remove(key));
    CHECK(filter.may_contain(0));
}

TEST_CASE_TEMPLATE("counting_bloom_filter: random histories against a map", Threading, weir::shared, weir::confined)
{
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        std::mt19937_64 random(seed);
        std::size_t const population = 1 + random() % 1'000;
        double const rate = seed % 2 == 0 ? 0.01 : 0.0001;
        weir::counting_bloom_filter<std::uint64_t, Threading> filter{{.population = population, .false_positive_rate = rate, .seed = seed}};
        std::map<std::uint64_t, int> model;
        std::size_t in = 0;
        std::size_t absent = 0;
        std::size_t wrong = 0;
        for (std::size_t step = 0; step < 10 * population; ++step) {
            std::uint64_t const key = random() % (4 * population);
            if (random() % 2 == 0 && in < population) {
                filter.add(key);
                ++model[key];
                ++in;
            } else if (auto const at = model.find(key); at != model.end()) {
                REQUIRE(filter.remove(key)); // never a key that is not in: it might be a false positive
                --in;
                if (--at->second == 0) model.erase(at);
            }
            std::uint64_t const asked = random() % (4 * population);
            bool const found = filter.may_contain(asked);
            if (model.contains(asked))
                REQUIRE(found);
            else {
                ++absent;
                wrong += found ? 1 : 0;
            }
        }
        CHECK(wrong <= static_cast<std::size_t>(static_cast<double>(absent) * rate * 1.5) + 5);
        CHECK(static_cast<double>(filter.added()) == doctest::Approx(static_cast<double>(in)).epsilon(0.001));
        for (auto const& [key, times] : model) {
            REQUIRE(filter.may_contain(key));
            for (int i = 0; i < times; ++i) REQUIRE(filter.remove(key));
        }
        CHECK(filter.added() == 0);
        CHECK(filter.stats().false_positive_rate == 0);
    }
}

TEST_CASE("counting_bloom_filter: the rate that was asked for, at the memory that is promised")
{
    struct promise {
        double rate;
        double bits_a_key;
    };
    for (auto const& [rate, bits_a_key] : {promise{0.1, 25.5}, {0.01, 46.5}, {0.001, 69.5}, {0.0001, 93}}) {
        CAPTURE(rate);
        constexpr std::size_t population = 30'000;
        weir::counting_bloom_filter<std::uint64_t> filter{{.population = population, .false_positive_rate = rate, .seed = 3u}};
        for (std::uint64_t key = 0; key < population; ++key) filter.add(key);
        CHECK(filter.stats().false_positive_rate <= 1.05 * rate);
        CHECK(filter.stats().false_positive_rate >= 0.85 * rate);
        CHECK(static_cast<double>(filter.size_in_bytes()) * 8 / population <= bits_a_key);
        std::size_t seen = 0;
        for (std::uint64_t key = population; key < population + 200'000; ++key) seen += filter.may_contain(key) ? 1u : 0u;
        CHECK(static_cast<double>(seen) <= 1.05 * rate * 200'000 + 4 * 10 + 200 * rate);
    }
}

TEST_CASE("counting_bloom_filter: threads that add and remove beside each other miss no key that stays")
{
    weir::counting_bloom_filter<std::uint64_t> filter{{.population = 3'000, .false_positive_rate = 0.001, .seed = 7u}};
    for (std::uint64_t key = 0; key < 1'000; ++key) filter.add(key);
    std::atomic<bool> lost{false};
    {
        std::vector<std::jthread> threads;
        for (std::uint64_t first = 1; first <= 3; ++first)
            threads.emplace_back([&, first] {
                for (int round = 0; round < 20; ++round) {
                    for (std::uint64_t key = 0; key < 600; ++key) filter.add(first * 10'000 + key);
                    for (std::uint64_t key = 0; key < 1'000; ++key)
                        if (!filter.may_contain(key)) lost = true;
                    for (std::uint64_t key = 0; key < 600; ++key)
                        if (!filter.remove(first * 10'000 + key)) lost = true;
                }
            });
    }
    CHECK_FALSE(lost);
    CHECK(filter.added() == 1'000);
    filter.clear();
    CHECK(filter.added() == 0);
}

TEST_CASE("counting_bloom_filter: bad options are refused by the name of the member")
{
    CHECK_THROWS_WITH_AS(weir::counting_bloom_filter<int>({.population = 0}), doctest::Contains("bloom_filter.population"),
                         std::invalid_argument);
}
