// SPDX-License-Identifier: BSL-1.0
#include <weir/cache/finding.hpp>

#include <doctest/doctest.h>

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
    CHECK(weir::finding<int>(1, 3s).stale_for() == 3s);
    CHECK(weir::finding<int>(1, 3s).hit());
    CHECK(weir::finding<int>::absent(2s).stale_for() == 2s);
    CHECK(weir::finding<int>::absent(2s).negative());
}

TEST_CASE("finding: a value that can only be moved is moved out")
{
    weir::finding<std::unique_ptr<int>> found(std::make_unique<int>(9));
    std::unique_ptr<int> const mine = *std::move(found);
    CHECK(*mine == 9);
}

} // namespace
