// SPDX-License-Identifier: BSL-1.0
// The laws of `second_level_of` are in tests/law/second_level.cpp.
#include <weir/cache/level.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <string>

namespace {

/// A cache that writes down what it is told.
struct diary {
    std::string text;
    void erase(int key) { text += std::to_string(key); }
    void clear() { text += '*'; }
};

struct no_level {
    weir::result<weir::level_finding<int>> look_up(int, weir::time_point);
};
struct silent {
    weir::result<weir::level_finding<int>> look_up(int, weir::time_point);
    weir::result<std::uint64_t> put(int, weir::level_entry<int> const&, weir::level_lease, weir::time_point);
    weir::result<weir::level_lease> lease(int, weir::time_point);
    weir::result<std::uint64_t> erase(int, weir::time_point);
    weir::result<std::uint64_t> publish(int);
};
static_assert(weir::second_level_of<silent, int, int>);
static_assert(!weir::second_level_of<silent, int, double>);
static_assert(!weir::second_level_of<no_level, int, int>);

} // namespace

TEST_CASE("follow: a message erases its key; a gap before one, or a lost connection, clears all; what is told again does nothing")
{
    diary kept;
    weir::follow listen{kept};
    for (std::uint64_t const number : {1u, 2u, 2u, 1u, 4u, 5u}) listen(weir::invalidation<int>{number, static_cast<int>(number)});
    CHECK(kept.text == "12*5");
    CHECK(listen.losses() == 1);
    listen.lost();
    CHECK(kept.text == "12*5*");

    diary late;
    weir::follow joins{late, 10}; // it began when ten had been told
    joins(weir::invalidation<int>{11, 7});
    CHECK(late.text == "7");
}
