// SPDX-License-Identifier: BSL-1.0
#include <weir/core/threading.hpp>

#include <doctest/doctest.h>

#include <mutex>
#include <thread>
#include <type_traits>
#include <utility>

namespace {

static_assert(!weir::threading_model<int>);
static_assert(weir::shared::is_shared && !weir::confined::is_shared);
static_assert(sizeof(weir::confined::cell<int>) == sizeof(int) && sizeof(weir::shared::cell<int>) == sizeof(int));
static_assert(!std::is_copy_constructible_v<weir::shared::cell<int>> && !std::is_copy_constructible_v<weir::confined::cell<int>>);

TEST_CASE_TEMPLATE("threading: a cell begins empty, or with what it is given", Model, weir::shared, weir::confined)
{
    typename Model::template cell<int> const empty, given{5};
    CHECK(empty.load() == 0);
    CHECK(given.load() == 5);
}

TEST_CASE_TEMPLATE("threading: a cell stores, adds, exchanges and replaces alike in both models", Model, weir::shared, weir::confined)
{
    typename Model::template cell<int> cell;
    cell.store(3);
    CHECK(cell.add(4) == 3);
    CHECK(cell.exchange(10) == 7);
    int seen = cell.load();
    while (!cell.replace(seen, seen * 2)) {}
    CHECK(cell.load() == 20);
}

TEST_CASE_TEMPLATE("threading: a small counter wraps as its type does", Model, weir::shared, weir::confined)
{
    typename Model::template cell<unsigned char> cell{255};
    CHECK(cell.add(1) == 255);
    CHECK(cell.load() == 0);
}

TEST_CASE_TEMPLATE("threading: a cell moves with its value", Model, weir::shared, weir::confined)
{
    typename Model::template cell<int> first{8};
    typename Model::template cell<int> second{std::move(first)};
    CHECK(second.load() == 8);
    typename Model::template cell<int> third;
    third = std::move(second);
    CHECK(third.load() == 8);
}

TEST_CASE_TEMPLATE("threading: a mutex is free again after each use, and after it was moved", Model, weir::shared, weir::confined)
{
    typename Model::mutex first;
    int inside = 0;
    for (int i = 0; i < 3; ++i) {
        std::lock_guard const lock(first);
        ++inside;
    }
    typename Model::mutex second{std::move(first)};
    if (std::unique_lock const lock(second, std::try_to_lock); lock.owns_lock()) ++inside;
    first = std::move(second);
    {
        std::lock_guard const lock(first);
        ++inside;
    }
    CHECK(inside == 5);
}

TEST_CASE("threading: no step of two threads is lost in a shared cell or under a shared mutex")
{
    constexpr int rounds = 2'000;
    weir::shared::cell<int> added, replaced;
    weir::shared::mutex mutex;
    int guarded = 0;
    auto const work = [&] {
        for (int i = 0; i < rounds; ++i) {
            added.add(1);
            int seen = replaced.load();
            while (!replaced.replace(seen, seen + 1)) {}
            std::lock_guard const lock(mutex);
            ++guarded;
        }
    };
    std::thread other(work);
    work();
    other.join();
    CHECK(added.load() == 2 * rounds);
    CHECK(replaced.load() == 2 * rounds);
    CHECK(guarded == 2 * rounds);
}

TEST_CASE("threading: a failed replace tells what is there")
{
    weir::shared::cell<int> cell{1};
    int seen = 2;
    CHECK_FALSE(cell.replace(seen, 3));
    CHECK(seen == 1);
    CHECK(cell.load() == 1);
}

} // namespace
