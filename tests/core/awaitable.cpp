// SPDX-License-Identifier: BSL-1.0
#include <weir/core/awaitable.hpp>

#include <doctest/doctest.h>

#include <type_traits>

namespace {

template<class T>
struct soon {};

} // namespace

template<class T>
struct weir::awaitable_traits<soon<T>> {
    static constexpr bool is_awaitable = true;
    using value_type = T;
};

namespace {

TEST_CASE("awaitable: a plain value is none and yields itself; another kind of coroutine says so of itself")
{
    CHECK_FALSE(weir::awaitable<int>);
    CHECK(std::is_same_v<weir::awaitable_traits<int>::value_type, int>);
    CHECK(weir::awaitable<soon<long>>);
    CHECK(std::is_same_v<weir::awaitable_traits<soon<long>>::value_type, long>);
}

} // namespace
