// SPDX-License-Identifier: BSL-1.0
#include <weir/cache/bloom_guard.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <list>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

TEST_CASE("bloom_guard: what is known may exist, almost nothing else may")
{
    std::vector<std::string> known;
    for (int i = 0; i < 10'000; ++i) known.push_back("symbol " + std::to_string(i));
    weir::bloom_guard guard{known};
    for (std::string const& each : known) CHECK(guard.may_exist(each));

    int passed = 0;
    for (int i = 0; i < 100'000; ++i) passed += guard.may_exist("made up " + std::to_string(i));
    CHECK(passed < 100'000 * 0.013);
}

TEST_CASE("bloom_guard: strings of every kind are strings")
{
    std::list<std::string_view> const views{"a", "b"};
    weir::bloom_guard of_views{views, 0.001};
    CHECK(std::is_same_v<decltype(of_views)::key_type, std::string>);
    CHECK(of_views.may_exist("a"));
    CHECK(of_views.may_exist(std::string("b")));
    CHECK_FALSE(of_views.may_exist("c"));

    char const* const literals[]{"x", "y"};
    weir::bloom_guard of_literals{literals};
    CHECK(std::is_same_v<decltype(of_literals)::key_type, std::string>);
    CHECK(of_literals.may_exist("x"));

    weir::bloom_guard of_numbers{std::set<int>{1, 2, 3}};
    CHECK(std::is_same_v<decltype(of_numbers)::key_type, int>);
    CHECK(of_numbers.may_exist(2));
}

TEST_CASE("bloom_guard: a key that is added may exist from then on")
{
    weir::bloom_guard<std::string> guard{{.population = 100, .false_positive_rate = 0.0001}};
    CHECK_FALSE(guard.may_exist("new"));
    guard.add("new");
    CHECK(guard.may_exist("new"));
}

TEST_CASE("bloom_guard: the population counts a key once")
{
    std::mt19937 random(1);
    weir::bloom_guard<int> guard{{.population = 5'000}};
    CHECK(guard.population() == 0);
    std::set<int> model;
    for (int i = 0; i < 10'000; ++i) {
        int const key = static_cast<int>(random() % 5'000);
        guard.add(key);
        model.insert(key);
    }
    CHECK(guard.population() <= model.size());
    CHECK(static_cast<double>(guard.population()) > 0.99 * static_cast<double>(model.size()));
}

TEST_CASE("bloom_guard: room for more keys than there are at first")
{
    weir::bloom_guard guard{std::vector<int>{1, 2, 3}, {.population = 1'000}};
    CHECK(guard.population() == 3);
    for (int i = 0; i < 997; ++i) guard.add(1'000 + i);
    CHECK(guard.stats().false_positive_rate < 0.013);
}

TEST_CASE("bloom_guard: nothing is known of an empty range")
{
    weir::bloom_guard guard{std::vector<std::string>{}};
    CHECK(guard.population() == 0);
    CHECK_FALSE(guard.may_exist("a"));
}

TEST_CASE("bloom_guard: bad options are refused by name")
{
    CHECK_THROWS_WITH_AS(weir::bloom_guard<int>({.population = 0}), doctest::Contains("bloom_filter.population"), std::invalid_argument);
    CHECK_THROWS_WITH_AS((weir::bloom_guard{std::vector<int>{1}, 2.0}), doctest::Contains("bloom_filter.false_positive_rate"),
                         std::invalid_argument);
}
