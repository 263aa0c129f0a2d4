// SPDX-License-Identifier: BSL-1.0
#include <weir/core/scope.hpp>

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <thread>

namespace {

struct counted_work : weir::work {
    int cancelled = 0;
    void cancel() noexcept override { ++cancelled; }
};

TEST_CASE("scope: it counts what is in it, in any order of ends, and cancels what is left")
{
    weir::scope s;
    std::array<counted_work, 4> all;
    for (counted_work& each : all) CHECK(s.begin(each));
    CHECK(s.size() == 4);
    s.end(all[1]);
    s.end(all[3]);
    s.cancel();
    CHECK(all[0].cancelled == 1);
    CHECK(all[1].cancelled == 0);
    CHECK(all[2].cancelled == 1);
    CHECK(all[3].cancelled == 0);
    s.end(all[0]);
    CHECK(s.size() == 1);
    s.end(all[2]);
    CHECK(s.size() == 0);
    CHECK(s.wait());
}

TEST_CASE("scope: a closed one takes nothing in, and keeps what it has")
{
    weir::scope s;
    counted_work one, two;
    CHECK(s.begin(one));
    s.close();
    CHECK_FALSE(s.begin(two));
    CHECK(s.size() == 1);
    CHECK_FALSE(s.wait(weir::steady::now())); // not over yet
    s.end(one);
    CHECK(s.wait(weir::steady::now()));
}

TEST_CASE("scope: who waits is woken by the last end, from another thread")
{
    weir::scope s;
    std::array<counted_work, 8> all;
    for (counted_work& each : all) CHECK(s.begin(each));
    std::atomic<int> ended = 0;
    std::thread worker([&] {
        for (counted_work& each : all) {
            ++ended;
            s.end(each);
        }
    });
    CHECK(s.wait());
    CHECK(ended == 8);
    worker.join();
}

} // namespace
