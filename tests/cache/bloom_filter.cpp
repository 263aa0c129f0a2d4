// SPDX-License-Identifier: BSL-1.0
#include <weir/cache/bloom_filter.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_set>
#include <utility>
#include <vector>

namespace {

std::string refused(std::function<void()> const& act)
{
    try {
        act();
    } catch (std::invalid_argument const& e) {
        return e.what();
    }
    return "";
}

/// The part of `probes` keys, none of which was added, that the filter takes for added.
template<class Filter>
double false_positives(Filter const& filter, std::uint64_t first, std::uint64_t probes)
{
    std::uint64_t found = 0;
    for (std::uint64_t key = first; key < first + probes; ++key) found += filter.may_contain(key) ? 1u : 0u;
    return static_cast<double>(found) / static_cast<double>(probes);
}

} // namespace

TEST_CASE("bloom_filter: strings are added and found by any string")
{
    weir::bloom_filter<std::string> symbols{{.population = 100}};
    symbols.add("ABC");
    symbols.add(std::string("a symbol of more than sixteen letters"));
    CHECK(symbols.may_contain(std::string_view("ABCD").substr(0, 3)));
    CHECK(symbols.may_contain("a symbol of more than sixteen letters"));
    CHECK_FALSE(weir::bloom_filter<std::string>{{.population = 100}}.may_contain("ABC"));
}

TEST_CASE_TEMPLATE("bloom_filter: random histories have no false negative, and few false positives", Threading, weir::shared,
                   weir::confined)
{
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        std::mt19937_64 random(seed);
        std::size_t const population = 1 + random() % 5'000;
        weir::bloom_filter<std::uint64_t, Threading> filter{{.population = population, .seed = seed}};
        std::unordered_set<std::uint64_t> naive;
        std::size_t false_positives = 0;
        std::size_t absent = 0;
        for (std::size_t step = 0; step < 4 * population; ++step) {
            std::uint64_t const key = random() % (10 * population);
            if (naive.size() < population && random() % 2 == 0) {
                filter.add(key);
                naive.insert(key);
            }
            std::uint64_t const asked = random() % (10 * population);
            if (naive.contains(asked)) {
                REQUIRE(filter.may_contain(asked));
            } else {
                ++absent;
                false_positives += filter.may_contain(asked) ? 1 : 0;
            }
        }
        for (std::uint64_t key : naive) REQUIRE(filter.may_contain(key));
        CHECK(false_positives <= absent * 2 / 100 + 10);
        filter.clear();
        for (std::uint64_t key : naive) REQUIRE_FALSE(filter.may_contain(key));
    }
}

TEST_CASE("bloom_filter: false positives come at the rate that was asked for, at about the memory that is promised")
{
    struct promise {
        double rate;
        double bits_a_key;
    };
    for (auto const& [rate, bits_a_key] : {promise{0.5, 3.4}, {0.1, 5.9}, {0.01, 10.2}, {0.001, 15.8}, {1e-5, 26}, {1e-6, 32}}) {
        CAPTURE(rate);
        constexpr std::size_t population = 50'000;
        weir::bloom_filter<std::uint64_t> filter{{.population = population, .false_positive_rate = rate, .seed = 3u}};
        for (std::uint64_t key = 0; key < population; ++key) filter.add(key);
        auto const probes = rate >= 0.001 ? 200'000u : 1'000'000u;
        double const seen = false_positives(filter, population, probes);
        double const deviation = std::sqrt(rate / probes);
        CHECK(seen <= rate * 1.05 + 4 * deviation);
        CHECK(seen >= rate * 0.85 - 4 * deviation);
        CHECK(filter.stats().false_positive_rate == doctest::Approx(rate).epsilon(0.1));
        CHECK(static_cast<double>(filter.size_in_bytes()) * 8 / population <= bits_a_key);
    }
}

TEST_CASE("bloom_filter: whatever the size and the seed, the rate is never more than 5 % above the one that was asked for")
{
    for (double const rate : {0.3, 0.01, 0.0005, 1e-5})
        for (std::size_t const population : {1u, 10u, 300u, 3'000u, 30'000u})
            for (std::uint64_t seed = 1; seed <= 30'000 / population && seed <= 30; ++seed) {
                weir::bloom_filter<std::uint64_t> filter{{.population = population, .false_positive_rate = rate, .seed = seed}};
                for (std::uint64_t key = 0; key < population; ++key) filter.add(key);
                // What the bits say is exact: the chance that the places of a random key are all taken.
                if (double const filled = filter.stats().false_positive_rate; filled > 1.05 * rate)
                    FAIL("seed ", seed, ", ", population, " keys: ", filled, " instead of ", rate);
            }
}

TEST_CASE("bloom_filter: the processor's vectors say what plain words say")
{
    std::mt19937_64 random(9);
    weir::detail::bloom_line<weir::shared::cell<std::uint64_t>> line;
    std::size_t found = 0;
    for (int i = 0; i < 50'000; ++i) {
        std::uint64_t const bits = random() >> 16;
        for (unsigned word = 0; word < 8; ++word) {
            std::uint64_t const crowded = random() | random() | random() | random() | random();
            std::uint64_t const named = std::uint64_t{1} << weir::detail::bloom_place(bits, word);
            line.words[word].store(i % 3 == 0 ? named : i % 3 == 1 ? ~named : crowded);
        }
        if (i % 3 == 1) line.words[random() % 8].store(0);
        bool const plainly = weir::detail::line_has_plainly(line, bits);
        found += plainly ? 1 : 0;
        REQUIRE(weir::detail::line_has(line, bits) == plainly);
#if defined(__x86_64__)
        using weir::detail::vectors;
        if (weir::detail::has_vectors == vectors::avx512) REQUIRE(weir::detail::line_has_by_avx512(&line, bits) == plainly);
        if (weir::detail::has_vectors != vectors::none) REQUIRE(weir::detail::line_has_by_avx2(&line, bits) == plainly);
#endif
    }
    CHECK(found > 16'000);
    CHECK(found < 34'000);
    // One word that lacks its bit is enough, whichever it is.
    for (unsigned lacking = 0; lacking < 8; ++lacking) {
        for (auto& word : line.words) word.store(~std::uint64_t{0});
        CHECK(weir::detail::line_has(line, 0x123456789abcu));
        line.words[lacking].store(~(std::uint64_t{1} << weir::detail::bloom_place(0x123456789abcu, lacking)));
        CHECK_FALSE(weir::detail::line_has(line, 0x123456789abcu));
    }
}

TEST_CASE("bloom_filter: estimates how many distinct keys were added")
{
    weir::bloom_filter<std::uint64_t> filter{{.population = 20'000, .seed = 5u}};
    CHECK(filter.added() == 0);
    for (std::size_t count : {100u, 1'000u, 20'000u, 40'000u}) {
        for (std::uint64_t key = 0; key < count; ++key) {
            filter.add(key);
            filter.add(key);
        }
        CHECK(static_cast<double>(filter.added()) == doctest::Approx(static_cast<double>(count)).epsilon(0.015));
    }
}

TEST_CASE("bloom_filter: another seed has other false positives")
{
    auto const found = [](std::uint64_t seed) {
        weir::bloom_filter<int> filter{{.population = 1'000, .false_positive_rate = 0.1, .seed = seed}};
        for (int key = 0; key < 1'000; ++key) filter.add(key);
        std::vector<int> keys;
        for (int key = 1'000; key < 2'000; ++key)
            if (filter.may_contain(key)) keys.push_back(key);
        return keys;
    };
    CHECK(found(1) == found(1));
    CHECK(found(1) != found(2));
}

TEST_CASE("bloom_filter: keys added by threads at once are all found")
{
    constexpr std::uint64_t keys = 20'000;
    constexpr std::uint64_t threads = 4;
    // Small for its keys, so that the threads meet in the same words.
    weir::bloom_filter<std::uint64_t> filter{{.population = 2'000, .false_positive_rate = 1e-5}};
    std::atomic<bool> lost{false};
    {
        std::vector<std::jthread> adders;
        for (std::uint64_t first = 0; first < threads; ++first)
            adders.emplace_back([&, first] {
                for (std::uint64_t key = first; key < keys; key += threads) {
                    filter.add(key);
                    if (!filter.may_contain(key)) lost = true;
                }
            });
    }
    CHECK_FALSE(lost);
    for (std::uint64_t key = 0; key < keys; ++key) REQUIRE(filter.may_contain(key));
}

TEST_CASE("bloom_filter: bad options are refused by the name of the member")
{
    using filter = weir::bloom_filter<int>;
    CHECK(refused([] { filter{{.population = 0}}; }).starts_with("bloom_filter.population: expected"));
    CHECK(refused([] { filter{{.population = std::size_t{1} << 40}}; }).starts_with("bloom_filter.population: expected"));
    CHECK(refused([] { filter{{.population = 1, .false_positive_rate = 0.6}}; }).starts_with("bloom_filter.false_positive_rate: expected"));
    CHECK(
        refused([] { filter{{.population = 1, .false_positive_rate = 1e-7}}; }).starts_with("bloom_filter.false_positive_rate: expected"));
    CHECK(refused([] { filter{{.population = 1, .false_positive_rate = std::nan("")}}; }).starts_with("bloom_filter.false_positive_rate"));
}
