// SPDX-License-Identifier: BSL-1.0
#include <weir/core/striped.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <utility>
#include <vector>

TEST_CASE("striped: nothing that a thread counts is lost, however many there are")
{
    weir::detail::counter<weir::shared> counter;
    constexpr int threads_at_once = 80; // more than there are stripes
    std::atomic<int> begun{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < threads_at_once; ++t)
        threads.emplace_back([&] {
            counter.add();
            ++begun;
            while (begun < threads_at_once) std::this_thread::yield(); // all live at the same time
            for (int i = 0; i < 99; ++i) counter.add();
            if (counter.sum() < 100) CHECK(false);
        });
    for (auto& t : threads) t.join();
    CHECK(counter.sum() == 100u * threads_at_once);
}

TEST_CASE("striped: a thread's number is lent to the next one when it ends")
{
    weir::detail::counter<weir::shared> counter;
    for (int t = 0; t < 200; ++t) std::thread([&] { counter.add(2); }).join();
    CHECK(counter.sum() == 400);
    unsigned first = 0, second = 0;
    std::thread([&] { first = weir::detail::thread_number::current(); }).join();
    std::thread([&] { second = weir::detail::thread_number::current(); }).join();
    CHECK(first == second);
    CHECK(first < weir::detail::stripes);
}

TEST_CASE("striped: what was counted moves along")
{
    weir::detail::counter<weir::shared> a;
    a.add(3);
    weir::detail::counter<weir::shared> b = std::move(a);
    b.add(4);
    CHECK(b.sum() == 7);
    weir::detail::counter<weir::confined> c;
    c.add(5);
    weir::detail::counter<weir::confined> d = std::move(c);
    CHECK(d.sum() == 5);
}
