// SPDX-License-Identifier: BSL-1.0
#include <weir/cache/bloom_guard.hpp>

#include <weir/cache/counting_bloom_filter.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

/// A set in the place of a filter: exact, and counted.
struct counted_set {
    static inline std::atomic<int> alive = 0;
    struct life {
        life() { ++alive; }
        life(life&&) noexcept { ++alive; }
        ~life() { --alive; }
    };
    explicit counted_set(weir::bloom_filter_options const& o) : options(o) {}
    void add(int key) { keys.insert(key); }
    bool may_contain(int key) const { return keys.contains(key); }
    std::size_t added() const { return keys.size(); }
    double rate_with(std::size_t) const { return 0; }
    std::size_t size_in_bytes() const { return 0; }
    std::size_t planned_population() const { return options.population; }
    double planned_rate() const { return options.false_positive_rate; }

    weir::bloom_filter_options options;
    std::set<int> keys{};
    life lives{};
};
using set_guard = weir::bloom_guard<int, weir::confined, counted_set>;

} // namespace

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
    CHECK(guard.stats().false_positive_rate <= 0.01);
    CHECK(guard.stats().false_positive_rate > 0.005);
    CHECK(guard.stats().fill() == doctest::Approx(1).epsilon(0.01));
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

TEST_CASE("bloom_guard: rebuilt, it knows the keys of the new filter and nothing else")
{
    std::vector<std::string> const old{"a", "b"};
    weir::bloom_guard guard{old, 1e-6};
    std::vector<std::string> const fresh{"b", "c", "d"};
    CHECK(guard.rebuild(fresh));
    CHECK_FALSE(guard.may_exist("a"));
    for (auto const& key : fresh) CHECK(guard.may_exist(key));
    weir::bloom_guard_stats const s = guard.stats();
    CHECK(s.population == 3);
    CHECK(s.planned_population == 3);
    CHECK(s.fill() == 1);
    CHECK(s.rebuilds == 1);
    CHECK_FALSE(s.rebuilding);
    CHECK(guard.rebuild(std::vector<std::string>{"x"}, {.population = 50, .false_positive_rate = 0.001}));
    CHECK(guard.stats().planned_population == 50);
    CHECK(guard.stats().rebuilds == 2);
}

TEST_CASE("bloom_guard: what is added while a successor is built is in both, and nobody sees it half built")
{
    weir::bloom_guard<int> guard{std::vector{1, 2, 3}, {.population = 100, .false_positive_rate = 1e-6}};
    auto fresh = guard.begin_rebuild();
    REQUIRE(fresh.has_value());
    CHECK(guard.stats().rebuilding);
    CHECK_FALSE(guard.begin_rebuild().has_value());
    CHECK_FALSE(guard.rebuild(std::vector{7}));
    fresh->add(2);
    guard.add(10);
    CHECK(guard.may_exist(10));
    CHECK(guard.may_exist(1));
    fresh->add_all(std::vector{3, 4});
    CHECK_FALSE(guard.may_exist(4));
    fresh->commit();
    for (int key : {2, 3, 4, 10}) CHECK(guard.may_exist(key));
    CHECK_FALSE(guard.may_exist(1));
    CHECK(guard.population() == 4);
}

TEST_CASE("bloom_guard: a rebuild that is given up, by an exception say, changes nothing and leaves nothing")
{
    {
        set_guard guard{{.population = 10}};
        guard.add(1);
        CHECK(counted_set::alive == 1);
        CHECK_THROWS_AS(guard.rebuild(
                            [](set_guard::rebuilding& fresh) {
                                fresh.add(2);
                                CHECK(counted_set::alive == 2);
                                throw std::runtime_error("the database is down");
                            },
                            {.population = 10}),
                        std::runtime_error);
        CHECK(counted_set::alive == 1);
        CHECK(guard.may_exist(1));
        CHECK_FALSE(guard.may_exist(2));
        CHECK(guard.stats().rebuilds == 0);
        for (int i = 0; i < 10; ++i) CHECK(guard.rebuild(std::vector{i}));
        CHECK(counted_set::alive == 1);
        auto moved = guard.begin_rebuild();
        set_guard::rebuilding other = std::move(*moved);
        moved.reset();
        other.add(5);
        CHECK(counted_set::alive == 2);
    }
    CHECK(counted_set::alive == 0);
}

TEST_CASE("bloom_guard: random histories with rebuilds against a set")
{
    for (unsigned seed = 1; seed <= 300; ++seed) {
        std::mt19937 random(seed);
        set_guard guard{{.population = 10}};
        std::set<int> model;
        std::set<int> next;
        std::optional<set_guard::rebuilding> fresh;
        for (int step = 0; step < 100; ++step) {
            int const key = static_cast<int>(random() % 20);
            switch (random() % 6) {
            case 0:
                guard.add(key);
                model.insert(key);
                if (fresh) next.insert(key);
                break;
            case 1:
                if (!fresh) {
                    fresh = guard.begin_rebuild();
                    next.clear();
                }
                break;
            case 2:
                if (fresh) {
                    fresh->add(key);
                    next.insert(key);
                }
                break;
            case 3:
                if (fresh && random() % 2 == 0) {
                    fresh->commit();
                    model = next;
                }
                if (random() % 2 == 0) fresh.reset();
                if (fresh && !guard.stats().rebuilding) fresh.reset();
                break;
            default: REQUIRE(guard.may_exist(key) == model.contains(key));
            }
            REQUIRE(guard.population() == model.size());
            REQUIRE(guard.stats().rebuilding == fresh.has_value());
        }
    }
}

TEST_CASE("bloom_guard: threads that ask and add while it is rebuilt again and again lose no key")
{
    constexpr int lasting = 300;
    constexpr int adders = 2;
    weir::bloom_guard<int> guard{{.population = 10'000, .false_positive_rate = 0.001}};
    for (int key = 0; key < lasting; ++key) guard.add(key);
    std::atomic<int> stored[adders]{}; // the source of truth: keys of adder i up to here
    std::atomic<bool> lost{false};
    std::atomic<bool> stop{false};
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < adders; ++i)
            threads.emplace_back([&, i] {
                for (int n = 0; n < 3'000 && !stop; ++n) {
                    int const key = 1'000'000 * (i + 1) + n;
                    stored[i] = n + 1; // stored, then added, then told
                    guard.add(key);
                    if (!guard.may_exist(key)) lost = true;
                    if (!guard.may_exist(1'000'000 * (i + 1) + n / 2)) lost = true;
                    if (!guard.may_exist(n % lasting)) lost = true;
                }
            });
        for (int round = 0; round < 40; ++round) {
            auto fresh = guard.begin_rebuild();
            for (int key = 0; key < lasting; ++key) fresh->add(key);
            for (int i = 0; i < adders; ++i)
                for (int n = 0, last = stored[i]; n < last; ++n) fresh->add(1'000'000 * (i + 1) + n);
            if (round % 5 != 4) fresh->commit();
        }
    }
    CHECK_FALSE(lost);
    CHECK(guard.stats().rebuilds == 32);
    for (int i = 0; i < adders; ++i)
        for (int n = 0; n < stored[i]; ++n) CHECK(guard.may_exist(1'000'000 * (i + 1) + n));
}

TEST_CASE("bloom_guard: with a counting filter keys can be removed")
{
    weir::bloom_guard<std::string, weir::shared, weir::counting_bloom_filter<std::string>> guard{{.population = 100}};
    guard.add("a");
    guard.add("b");
    CHECK(guard.remove("a"));
    CHECK_FALSE(guard.remove("a"));
    CHECK_FALSE(guard.may_exist("a"));
    CHECK(guard.may_exist("b"));
    CHECK(guard.population() == 1);
    auto fresh = guard.begin_rebuild();
    fresh->add("b");
    CHECK(guard.remove("b"));
    fresh->commit();
    CHECK(guard.may_exist("b")); // whether the successor had it already nobody could know: it is kept, to be safe
}

TEST_CASE("bloom_guard: takes over a filter, and shows it")
{
    weir::bloom_filter<std::string> filter{{.population = 1'000, .seed = 1u}};
    for (int i = 0; i < 500; ++i) filter.add(std::to_string(i));
    weir::bloom_guard guard{std::move(filter)};
    CHECK(guard.may_exist("77"));
    CHECK(static_cast<double>(guard.population()) == doctest::Approx(500).epsilon(0.05));
    CHECK(guard.with_filter([](auto const& f) { return f.may_contain("78"); }));
    std::size_t fields = 0;
    guard.stats().each([&](std::string_view, auto) { ++fields; });
    CHECK(fields == 7);
}

namespace weir {
static_assert(guard_of<bloom_guard<std::string>, std::string>);
} // namespace weir: what the header promises
