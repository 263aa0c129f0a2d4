// SPDX-License-Identifier: BSL-1.0
#include <weir/core/detail/owner.hpp>

#include <doctest/doctest.h>

#include <type_traits>
#include <utility>

namespace {

using weir::detail::owner;

struct counted {
    static inline int alive = 0;
    counted() { ++alive; }
    counted(counted const&) = delete;
    counted& operator=(counted const&) = delete;
    ~counted() { --alive; }
    owner<counted> next{};
};

struct tallied {
    static inline int freed = 0;
    void operator()(int*) const noexcept { ++freed; }
};

static_assert(sizeof(owner<counted>) == sizeof(void*) && sizeof(owner<int, tallied>) == sizeof(void*));
static_assert(!std::is_copy_constructible_v<owner<counted>> && !std::is_copy_assignable_v<owner<counted[]>>);
static_assert(std::is_nothrow_move_constructible_v<owner<counted>> && std::is_nothrow_move_assignable_v<owner<counted[]>>);

TEST_CASE("an owner ends its object once, wherever it was moved")
{
    {
        owner<counted> first(new counted);
        owner<counted> second(std::move(first));
        CHECK(first == nullptr);
        CHECK(second != nullptr);
        CHECK(counted::alive == 1);
        second = owner<counted>(new counted);
        CHECK(counted::alive == 1);
        second = nullptr;
        CHECK(counted::alive == 0);
        second = owner<counted>(new counted);
        counted* const let_go = second.release();
        CHECK(second == nullptr);
        CHECK(counted::alive == 1);
        delete let_go;
    }
    CHECK(counted::alive == 0);
}

TEST_CASE("an owner takes the rest of its own list, and itself")
{
    owner<counted> list(new counted);
    list->next = owner<counted>(new counted);
    list->next->next = owner<counted>(new counted);
    list = std::move(list->next);
    CHECK(counted::alive == 2);
    auto& same = list;
    list = std::move(same);
    CHECK(list != nullptr);
    CHECK(counted::alive == 2);
    list = nullptr;
    CHECK(counted::alive == 0);
}

TEST_CASE("an owner of an array ends all of it")
{
    {
        owner<counted[]> some(new counted[3]);
        CHECK(counted::alive == 3);
        CHECK(&some[2] == some.get() + 2);
        some = owner<counted[]>(new counted[5]);
        CHECK(counted::alive == 5);
        owner<counted[]> const others(std::move(some));
        CHECK(some == nullptr);
        CHECK(counted::alive == 5);
    }
    CHECK(counted::alive == 0);
}

TEST_CASE("an owner frees as it is told, and nothing if it has nothing")
{
    int a = 0, b = 0;
    {
        owner<int, tallied> one(&a);
        one = owner<int, tallied>(&b);
        CHECK(tallied::freed == 1);
        owner<int, tallied> const none;
        CHECK(none == nullptr);
    }
    CHECK(tallied::freed == 2);
}

} // namespace
