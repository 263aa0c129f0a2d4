// SPDX-License-Identifier: BSL-1.0
#include <weir/core/owned.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <type_traits>
#include <utility>

namespace {

struct order {
    std::unique_ptr<int> number;
};

static_assert(!std::is_constructible_v<weir::owned<order>, order&>, "an lvalue has to be given away in so many words");
static_assert(!std::is_convertible_v<order, weir::owned<order>>);

TEST_CASE("owned: takes the value over and gives it away once")
{
    order mine{std::make_unique<int>(7)};
    weir::owned given{std::move(mine)};
    static_assert(std::is_same_v<decltype(given), weir::owned<order>>);
    CHECK(mine.number == nullptr);
    order const theirs = std::move(given).release();
    REQUIRE(theirs.number != nullptr);
    CHECK(*theirs.number == 7);
}

TEST_CASE("owned: is told from what it owns")
{
    CHECK(weir::detail::is_owned<weir::owned<order>>);
    CHECK_FALSE(weir::detail::is_owned<order>);
}

} // namespace
