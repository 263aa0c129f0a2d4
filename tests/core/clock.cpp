// SPDX-License-Identifier: BSL-1.0
#include <weir/core/clock.hpp>

#include <doctest/doctest.h>

namespace {

using namespace std::chrono_literals;

struct frozen {
    static weir::time_point now() noexcept { return {}; }
};
struct patient : frozen {
    weir::time_point woken{};
    void sleep_until(weir::time_point t) { woken = t; }
};
struct no_clock {
    int now() const { return 0; }
};

static_assert(weir::clock_source<frozen> && !weir::sleeping_clock<frozen>);
static_assert(weir::sleeping_clock<patient> && weir::sleeping_clock<weir::steady>);
static_assert(!weir::clock_source<no_clock> && !weir::clock_source<int>);

constexpr weir::time_point epoch{};

TEST_CASE("after: adds a span to a point")
{
    static_assert(weir::after(epoch, 3s) == epoch + 3s);
    CHECK(weir::after(epoch + 1s, 2s) == epoch + 3s);
    CHECK(weir::after(epoch + 1s, 0s) == epoch + 1s);
    CHECK(weir::after(epoch + 3s, -2s) == epoch + 1s);
}

TEST_CASE("after: a point too far away is never, it does not wrap into the past")
{
    static_assert(weir::after(epoch + 1s, weir::duration::max()) == weir::never);
    CHECK(weir::after(epoch, weir::duration::max()) == weir::never);
    CHECK(weir::after(weir::never, 1ns) == weir::never);
    CHECK(weir::after(weir::never, 0ns) == weir::never);
    CHECK(weir::after(weir::never - 1ns, 1ns) == weir::never);
    CHECK(weir::after(weir::never - 2ns, 1ns) == weir::never - 1ns);
    CHECK(weir::after(weir::never - 1s, 24h) == weir::never);
}

TEST_CASE("steady: never goes back, and a point that is past is not waited for")
{
    weir::time_point before = weir::steady::now();
    for (int i = 0; i < 1'000; ++i) {
        weir::time_point const now = weir::steady::now();
        REQUIRE(now >= before);
        before = now;
    }
    weir::steady::sleep_until(before);
    CHECK(weir::steady::now() >= before);
}

TEST_CASE("clock: a sleeping clock of one's own is told until when")
{
    patient clock;
    clock.sleep_until(clock.now() + 5s);
    CHECK(clock.woken == epoch + 5s);
}

} // namespace
