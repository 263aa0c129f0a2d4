// SPDX-License-Identifier: BSL-1.0
#include <weir/cache/finding.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>

namespace {

using namespace std::chrono_literals;

TEST_CASE("finding: by itself it is a miss")
{
    weir::finding<int> const nothing;
    CHECK(nothing.miss());
    CHECK_FALSE(nothing.hit());
    CHECK_FALSE(nothing.negative());
    CHECK_FALSE(static_cast<bool>(nothing));
    CHECK(nothing.stale_for() == 0s);
}

TEST_CASE("finding: a hit holds the value, fresh unless said otherwise")
{
    weir::finding<std::string> found("price");
    CHECK(found.hit());
    CHECK(static_cast<bool>(found));
    CHECK_FALSE(found.miss());
    CHECK_FALSE(found.negative());
    CHECK(*found == "price");
    CHECK(found->size() == 5);
    CHECK(found.stale_for() == 0s);
    *found += "s";
    CHECK(*std::as_const(found) == "prices");
    CHECK(std::as_const(found)->size() == 6);
}

TEST_CASE("finding: a value that is false is a hit all the same")
{
    CHECK(weir::finding<bool>(false).hit());
    CHECK(weir::finding<int*>(nullptr).hit());
}

TEST_CASE("finding: a negative answer is neither a hit nor a miss")
{
    auto const absent = weir::finding<int>::absent();
    CHECK(absent.negative());
    CHECK_FALSE(absent.hit());
    CHECK_FALSE(absent.miss());
    CHECK_FALSE(static_cast<bool>(absent));
    CHECK(absent.stale_for() == 0s);
}

TEST_CASE("finding: tells for how long it has been out of date")
{
    weir::finding<int> const stale(1, {.left = -3s});
    CHECK(stale.hit());
    CHECK(stale.stale_for() == 3s);
    CHECK(stale.left() == 0s);
    CHECK(weir::finding<int>::absent({.left = -2s}).stale_for() == 2s);
    CHECK(weir::finding<int>::absent({.left = -2s}).negative());
}

TEST_CASE("finding: tells how long it stays fresh, how old it is and how long its load took")
{
    using weir::detail::short_span;
    weir::finding<int> const found(1, {.left = 7s, .spans = {.ttl = short_span(10s), .took = short_span(30ms)}});
    CHECK(found.stale_for() == 0s);
    CHECK(found.left() == 7s);
    CHECK(found.age() <= 3s);
    CHECK(found.age() >= 3s - 10ms); // a thousandth of the ttl
    CHECK(found.took() <= 30ms);
    CHECK(found.took() >= 30ms - 30us);

    weir::finding<int> const unknown(1);
    CHECK(unknown.left() == weir::duration::max());
    CHECK(unknown.age() == 0s);
    CHECK(unknown.took() == 0s);
    CHECK(weir::finding<int>(1, {.left = -5s, .spans = {.ttl = short_span(10s)}}).age() >= 15s - 10ms);
}

TEST_CASE("finding: a span of two bytes is rounded down by less than a thousandth, and exact below two microseconds")
{
    using weir::detail::short_span;
    for (int ns = 0; ns < 2'048; ++ns) REQUIRE(short_span(weir::duration(ns)).value() == weir::duration(ns));
    CHECK(short_span(-1ns).value() == 0ns);
    for (std::int64_t ns = 2'047; ns > 0 && ns < std::numeric_limits<std::int64_t>::max() / 9; ns = ns * 9 / 7) {
        auto const kept = short_span(weir::duration(ns)).value().count();
        REQUIRE(kept <= ns);
        REQUIRE(ns - kept <= ns / 1'024);
    }
    auto const longest = short_span(weir::duration::max()).value();
    CHECK(longest > weir::duration::max() - weir::duration::max() / 1'024);
}

TEST_CASE("finding: a value that can only be moved is moved out")
{
    weir::finding<std::unique_ptr<int>> found(std::make_unique<int>(9));
    std::unique_ptr<int> const mine = *std::move(found);
    CHECK(*mine == 9);
}

} // namespace
