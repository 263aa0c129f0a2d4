// SPDX-License-Identifier: BSL-1.0
#include <weir/cache/full_table.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

TEST_CASE("full_table: what it does not hold does not exist")
{
    weir::full_table<std::string, int> table{{.capacity = 2}};
    CHECK(table.put("a", 1));
    CHECK(table.put("b", 2));
    CHECK_FALSE(table.put("c", 3));
    CHECK(table.put("a", 4));
    CHECK(table.find(std::string_view("a")) == 4);
    CHECK(table.may_exist("b"));
    CHECK_FALSE(table.may_exist("c"));
    CHECK_FALSE(table.find("c").has_value());
    CHECK(table.erase("b"));
    CHECK_FALSE(table.erase("b"));
    CHECK(table.size() == 1);
    CHECK(table.put("c", 3));
    CHECK(table.population() == 2);
}

TEST_CASE("full_table: what is put and erased during a reload is newer than what the reload brings")
{
    weir::full_table<std::string, int> table{{.capacity = 10}};
    for (auto const& [key, value] : {std::pair{"gone", 1}, {"changed", 1}, {"erased", 1}, {"kept", 1}}) table.put(key, value);
    auto fresh = table.begin_reload();
    REQUIRE(fresh.has_value());
    CHECK_FALSE(table.begin_reload().has_value());
    fresh->put("kept", 2);
    table.put("changed", 9);
    fresh->put("changed", 2);
    table.erase("erased");
    fresh->put("erased", 2);
    table.put("new", 9);
    CHECK(table.find("kept") == 1);
    CHECK(table.may_exist("gone"));
    fresh->commit();
    CHECK(table.find("kept") == 2);
    CHECK(table.find("changed") == 9);
    CHECK(table.find("new") == 9);
    CHECK_FALSE(table.may_exist("erased"));
    CHECK_FALSE(table.may_exist("gone"));
    CHECK(table.size() == 3);
    CHECK(table.put("erased", 3));
    CHECK(table.find("erased") == 3);
}

TEST_CASE("full_table: a reload that is given up, or has no room, changes nothing")
{
    weir::full_table<int, int> table{{.capacity = 3}};
    CHECK(table.reload(std::vector<std::pair<int, int>>{{1, 1}, {2, 2}}));
    CHECK_FALSE(table.reload(std::vector<std::pair<int, int>>{{3, 3}, {4, 4}, {5, 5}, {6, 6}}));
    static_cast<void>(table.begin_reload());
    CHECK(table.size() == 2);
    CHECK(table.find(2) == 2);
    CHECK(table.reload(std::map<int, int>{{7, 7}}));
    CHECK(table.size() == 1);
}

TEST_CASE_TEMPLATE("full_table: random histories against a map", Threading, weir::shared, weir::confined)
{
    using table_type = weir::full_table<int, int, Threading>;
    for (unsigned seed = 1; seed <= 200; ++seed) {
        std::mt19937 random(seed);
        std::size_t const capacity = 1 + random() % 20;
        table_type table{{.capacity = capacity, .seed = seed}};
        std::map<int, int> model;
        std::map<int, std::optional<int>> during; // what was put and erased during the reload
        std::map<int, int> loaded;
        std::optional<typename table_type::reloading> fresh;
        for (int step = 0; step < 120; ++step) {
            int const key = static_cast<int>(random() % 25);
            int const value = static_cast<int>(random());
            switch (random() % 7) {
            case 0:
            case 1: {
                bool const fits = model.contains(key) || model.size() < capacity;
                bool const kept = table.put(key, value);
                if (!fresh) REQUIRE(kept == fits);
                if (fits) model[key] = value;
                if (fresh) during[key] = value;
                break;
            }
            case 2:
                REQUIRE(table.erase(key) == (model.erase(key) == 1));
                if (fresh) during[key].reset();
                break;
            case 3:
                if (!fresh && random() % 3 == 0 && capacity == 20) {
                    fresh = table.begin_reload();
                    during.clear();
                    loaded.clear();
                }
                break;
            case 4:
                if (fresh && loaded.size() + during.size() < 18 && fresh->put(key, value)) loaded.emplace(key, value);
                break;
            case 5:
                if (fresh && random() % 4 == 0) {
                    std::map<int, int> next = loaded;
                    for (auto const& [k, v] : during)
                        if (v)
                            next[k] = *v;
                        else
                            next.erase(k);
                    if (next.size() > capacity || during.size() > 18) {
                        fresh.reset();
                        break;
                    }
                    fresh->commit();
                    fresh.reset();
                    model = next;
                }
                break;
            default: {
                auto const at = model.find(key);
                REQUIRE(table.may_exist(key) == (at != model.end()));
                REQUIRE(table.find(key) == (at != model.end() ? std::optional(at->second) : std::nullopt));
            }
            }
            REQUIRE(table.size() == model.size());
        }
    }
}

TEST_CASE("full_table: threads that read and write while it is reloaded see every key that stays")
{
    weir::full_table<int, int> table{{.capacity = 5'000}};
    for (int key = 0; key < 500; ++key) table.put(key, key);
    std::atomic<bool> wrong{false};
    {
        std::vector<std::jthread> threads;
        for (int i = 1; i <= 3; ++i)
            threads.emplace_back([&, i] {
                for (int n = 0; n < 3'000; ++n) {
                    int const mine = 1'000 * i + n % 300;
                    if (!table.put(mine, n)) wrong = true;
                    if (table.find(mine) != n) wrong = true;
                    if (table.find(n % 500) != n % 500) wrong = true;
                    if (n % 3 == 0 && !table.erase(mine)) wrong = true;
                }
            });
        for (int round = 0; round < 20; ++round) {
            auto fresh = table.begin_reload();
            for (int key = 0; key < 500; ++key) fresh->put(key, key);
            // What the others have is theirs: it is old by the time it comes here, and must not win.
            for (int i = 1; i <= 3; ++i)
                for (int n = 0; n < 300; ++n)
                    if (auto const value = table.find(1'000 * i + n)) fresh->put(1'000 * i + n, *value);
            fresh->commit();
        }
    }
    CHECK_FALSE(wrong);
}

TEST_CASE("full_table: bad options are refused by name")
{
    CHECK_THROWS_WITH_AS((weir::full_table<int, int>({.capacity = 0})), doctest::Contains("full_table.capacity"), std::invalid_argument);
}

namespace weir {
static_assert(guard_of<full_table<std::string, int>, std::string>);
} // namespace weir: what the header promises
