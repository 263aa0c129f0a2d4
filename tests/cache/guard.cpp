// SPDX-License-Identifier: BSL-1.0
#include <weir/cache/guard.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

struct below {
    int bound;
    std::vector<int>* asked = nullptr;
    bool may_exist(int key) const
    {
        if (asked != nullptr) asked->push_back(bound);
        return key < bound;
    }
};
struct even {
    bool may_exist(int key) const { return key % 2 == 0; }
    std::size_t population() const { return 500; }
    struct stats_type {
        std::uint64_t odd;
        void each(auto&& field) const { field("odd_total", odd); }
    };
    stats_type stats() const { return {7}; }
    void describe(auto&& field) const { field("even", true); }
};

} // namespace

TEST_CASE("guards: a key may exist if each guard says so, asked from left to right until one says no")
{
    std::vector<int> asked;
    weir::guards all{below{100, &asked}, even{}, below{10, &asked}};
    CHECK(all.may_exist(4));
    CHECK(asked == std::vector{100, 10});
    asked.clear();
    CHECK_FALSE(all.may_exist(3));
    CHECK(asked == std::vector{100});
    asked.clear();
    CHECK_FALSE(all.may_exist(1'000));
    CHECK(asked == std::vector{100});
    CHECK_FALSE(all.may_exist(12));
}

TEST_CASE("guards: guards that others have, too, and their population")
{
    below shared{10};
    weir::guards all{std::ref(shared), std::make_shared<even>()};
    CHECK(all.population() == 500);
    CHECK(all.may_exist(8));
    all.get<0>().bound = 5;
    CHECK(shared.bound == 5);
    CHECK_FALSE(all.may_exist(8));
}

TEST_CASE("guards: tell what their guards tell")
{
    weir::guards const all{below{10}, even{}};
    std::string told;
    all.stats().each([&](std::string_view name, std::uint64_t value) { told += std::string(name) + "=" + std::to_string(value) + " "; });
    all.describe([&](std::string_view name, bool) { told += name; });
    CHECK(told == "odd_total=7 even");
}

TEST_CASE("guards: of the keys that all of them take")
{
    static_assert(weir::guard_of<weir::guards<below, even>, int>);
    static_assert(!weir::guard_of<weir::guards<below, even>, std::string>);
    static_assert(!weir::guard_of<int, int>);
}
