// SPDX-License-Identifier: BSL-1.0
#include <weir/limit/leased.hpp>

#include "../schedules.hpp"

#include <weir/core/describe.hpp>
#include <weir/core/directives.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/limit/rate_limit.hpp>
#include <weir/limit/token_bucket.hpp>
#include <weir/testing/manual_clock.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <stdexcept>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;

constexpr weir::time_point start{1h};
constexpr weir::rate thousand{.permits = 1'000, .per = 1s, .burst = 100}; // 1 ms each

/// Runs something as another thread would.
template<class F>
void elsewhere(F f)
{
    std::thread(f).join();
}

/// The most calls that any span of time admitted beyond `burst + span / interval`; 0 or less is right.
std::int64_t excess(std::vector<std::int64_t> admitted, std::int64_t interval, std::int64_t burst)
{
    // n calls from a to b are too many if n - 1 - (b - a) / interval >= burst. One pass would do for exact quotients; these are rounded.
    std::sort(admitted.begin(), admitted.end());
    std::int64_t worst = -burst;
    for (std::size_t a = 0; a < admitted.size(); ++a)
        for (std::size_t b = a; b < admitted.size(); ++b)
            worst = std::max(worst, static_cast<std::int64_t>(b - a + 1) - burst - (admitted[b] - admitted[a]) / interval);
    return worst;
}

} // namespace

TEST_CASE("leased: a thread gets a batch and uses it up without asking again")
{
    weir::leased limiter{weir::gcra{thousand}, {.batch = 10, .life = 20ms}};
    CHECK(limiter.available(start) == 80); // 20 of the burst stand for what a batch may be late
    CHECK(limiter.quota_at(start).burst == 100);
    for (int i = 0; i < 80; ++i) CHECK(limiter.try_acquire(start));
    CHECK(limiter.stats().leases == 8);
    CHECK(limiter.try_acquire(start).retry_after() == 1ms);
    CHECK(limiter.available(start) == 0);
    CHECK(limiter.try_acquire(start + 1ms)); // one, where a batch is not there
    CHECK(limiter.stats().leases == 8);
    CHECK(limiter.try_acquire(start + 1s));
    CHECK(limiter.available(start + 1s) == 79);
    CHECK(limiter.stats().leases == 9);
}

TEST_CASE("leased: what is not used in its life goes back by time, or when its thread comes again, and not twice")
{
    weir::leased limiter{weir::gcra{thousand}, {.batch = 40, .life = 20ms}};
    CHECK(limiter.try_acquire(start));
    CHECK(limiter.available(start) == 79);
    CHECK(limiter.available(start + 20ms - 1ns) == 79 + 19 - 19 + 19); // 39 on lease, 40 and what came since inside
    CHECK(limiter.available(start + 20ms) == 60);                      // what is on lease is void
    CHECK(limiter.try_acquire(start + 20ms));
    CHECK(limiter.stats().returned == 19); // 20 of the 39 have come by time
    CHECK(limiter.available(start + 20ms) == 78);
    elsewhere([&] { CHECK(limiter.try_acquire(start + 20ms, 30)); }); // a thread that ends with 10 in its hands
    CHECK(limiter.is_full(start + 1s));
    CHECK(limiter.available(start + 1s) == 80);
}

TEST_CASE("leased: the next thread goes on with what an ended one left")
{
    weir::leased limiter{weir::gcra{thousand}, {.batch = 40, .life = 20ms}};
    CHECK(limiter.try_acquire(start));
    elsewhere([&] { CHECK(limiter.try_acquire(start)); });
    CHECK(limiter.available(start) == 78);
    CHECK(limiter.stats().leases == 2);
    elsewhere([&] {
        for (int i = 0; i < 39; ++i) CHECK(limiter.try_acquire(start));
    });
    CHECK(limiter.stats().leases == 2);
    elsewhere([&] { CHECK_FALSE(limiter.try_acquire(start)); }); // the first thread has 39, and this one nothing
    CHECK(limiter.try_acquire(start));
}

TEST_CASE("leased: a limiter that is gone leaves nothing behind in threads that go on")
{
    std::optional<weir::leased<>> limiter;
    std::atomic<int> turn{0};
    std::thread other([&] {
        for (int round = 0; round < 50; ++round) {
            while (turn.load() != 2 * round + 1) std::this_thread::yield();
            if (!limiter->try_acquire(start)) FAIL("a new limiter begins full");
            turn.store(2 * round + 2);
        }
    });
    for (int round = 0; round < 50; ++round) {
        limiter.emplace(weir::gcra{thousand}, weir::lease_options{.batch = 10});
        CHECK(limiter->try_acquire(start));
        turn.store(2 * round + 1);
        while (turn.load() != 2 * round + 2) std::this_thread::yield();
        CHECK(limiter->stats().leases == 2);
        limiter.reset();
    }
    other.join();
}

TEST_CASE("leased: costs, drains, refunds and reservations")
{
    weir::leased limiter{weir::token_bucket{thousand}, {.batch = 10, .life = 20ms}};
    CHECK(limiter.try_acquire(start, 30)); // more than a batch: from inside
    CHECK(limiter.stats().leases == 0);
    CHECK(limiter.try_acquire(start, 4));
    CHECK(limiter.try_acquire(start, 7)); // what is left of the batch is too little and goes back
    CHECK(limiter.stats().returned == 6);
    CHECK(limiter.available(start) == 39);
    CHECK(limiter.peek(start, 39).retry_after() == 3ms); // 3 are on lease, and 36 inside
    CHECK(limiter.try_acquire(start, 0));
    limiter.refund(4);
    CHECK(limiter.available(start) == 43);
    CHECK(limiter.reserve(start, 3, 0s).wait() == 0s); // of the batch
    CHECK(limiter.reserve(start, 41, 10ms).wait() == 1ms);
    CHECK(limiter.drain(start + 20ms, 5) == 5);
    CHECK(limiter.drain(start + 20ms, 100) == 14);
    CHECK(limiter.drain(start + 20ms, 100) == 0);
    CHECK(limiter.try_acquire(start + 1h, 101).is_impossible());
    CHECK(limiter.try_acquire(start + 1h, 81).is_impossible()); // above the burst that is left
}

TEST_CASE("leased: a clock that goes back makes no batch live longer")
{
    weir::leased limiter{weir::gcra{thousand}, {.batch = 10, .life = 20ms}};
    CHECK(limiter.try_acquire(start));
    CHECK(limiter.try_acquire(start - 1ns)); // asked anew, judged as of then
    CHECK(limiter.stats().leases == 2);
    CHECK(limiter.try_acquire(weir::time_point::max()));
    CHECK(limiter.try_acquire(weir::time_point::min()));
    CHECK(limiter.stats().leases >= 3);
    CHECK(limiter.stats().returned == 0);
}

TEST_CASE("leased: options that make no sense are refused by name; new settings need room for a batch")
{
    using limiter = weir::leased<>;
    CHECK_THROWS_WITH_AS((limiter{thousand, {.batch = 0}}), "batch: expected at least 1", std::invalid_argument);
    CHECK_THROWS_WITH_AS((limiter{thousand, {.batch = 10, .life = -1ns}}), "life: expected 0 or more", std::invalid_argument);
    CHECK_THROWS_WITH_AS((limiter{thousand, {.batch = 81, .life = 20ms}}), "batch: expected at most burst - permits x life / per",
                         std::invalid_argument);
    CHECK_THROWS_AS((limiter{thousand, {.batch = 1, .life = 1s}}), std::invalid_argument);
    limiter one{thousand, {.batch = 50}};
    CHECK(one.life() == 10ms);
    CHECK_THROWS_AS(one.reconfigure({.permits = 1'000, .per = 1s, .burst = 50}), std::invalid_argument);
    CHECK(one.settings().burst == 100);
    one.reconfigure({.permits = 100'000, .per = 1s, .burst = 1'000});
    CHECK(one.life() == 2'500us);
    CHECK(one.try_acquire(start));
    CHECK(one.available(start) == 749);
}

TEST_CASE("leased: in a pipeline it is a limit like others")
{
    weir::manual_clock clock;
    weir::pipeline svc{weir::timed_by{std::ref(clock)}, weir::rate_limit{weir::leased{weir::gcra{thousand}, {.batch = 10, .life = 20ms}}},
                       [](int x) { return x; }};
    int admitted = 0;
    for (int i = 0; i < 100; ++i) admitted += svc(1).has_value() ? 1 : 0;
    CHECK(admitted == 80);
    CHECK(svc(1).error().retry_after() == 1ms);
    CHECK(weir::describe(svc).text() == "directive timed_by\ngate rate_limit permits=1000 per=1s burst=100 batch=10 life=20ms\n");
    std::uint64_t leases = 0;
    svc.get<weir::rate_limit>().stats().each([&](std::string_view field, std::uint64_t n) { leases += field == "leases_total" ? n : 0; });
    CHECK(leases == 8);
}

TEST_CASE("leased: random schedules against batches kept by hand; no span of time gets more than the limit")
{
    std::vector<std::int64_t> admitted;
    for (std::uint64_t i = 0, seed = weir_test::first_seed(); i < weir_test::schedules(); ++i, ++seed) {
        std::mt19937_64 random(seed);
        auto const below = [&](std::uint64_t n) { return static_cast<std::int64_t>(random() % n); };
        std::int64_t const interval = below(20) + 1;
        std::int64_t const burst = below(30) + 3;
        std::int64_t const life = below(static_cast<std::uint64_t>((burst - 2) * interval)) + 1;
        std::int64_t const less = (life + interval - 2) / interval + (life > 1 && (life - 1) % interval != 0 ? 0 : 1);
        if (less >= burst) continue;
        std::int64_t const batch = below(static_cast<std::uint64_t>(burst - less)) + 1;
        weir::leased<weir::gcra<weir::confined>> limiter{
            {.permits = 1, .per = weir::duration{interval}, .burst = static_cast<std::uint64_t>(burst)},
            {.batch = static_cast<std::uint64_t>(batch), .life = weir::duration{life}}};
        // By hand: `back` is when all that was taken inside has come back.
        std::int64_t back = 0, left = 0, since = 0, now = 1'000;
        auto const inside = [&](std::int64_t cost) {
            if (cost > burst - less || std::max(back, now) + cost * interval > now + (burst - less) * interval) return false;
            back = std::max(back, now) + cost * interval;
            return true;
        };
        admitted.clear();
        for (int step = 0; step < 30; ++step) {
            now +=
                below(4) == 0 ? below(static_cast<std::uint64_t>(2 * burst * interval)) : below(static_cast<std::uint64_t>(interval + 1));
            std::int64_t const cost = below(6) == 0 ? below(static_cast<std::uint64_t>(burst + 2)) : 1;
            bool expected = false;
            bool const good = now - since < life && step != 0;
            if (good && since != 0 && cost <= left) {
                left -= cost;
                expected = true;
            } else if (cost == 0 || cost >= batch) {
                expected = cost == 0 ? true : inside(cost);
            } else {
                back -= std::max<std::int64_t>(0, left - (now - since + interval - 1) / interval) * interval; // the rest came back by time
                left = 0;
                if (inside(batch)) {
                    left = batch - cost;
                    since = now;
                    expected = true;
                } else {
                    expected = inside(cost);
                }
            }
            bool const got =
                static_cast<bool>(limiter.try_acquire(weir::time_point{weir::duration{now}}, static_cast<std::uint64_t>(cost)));
            if (got) admitted.insert(admitted.end(), static_cast<std::size_t>(cost), now);
            if (got == expected) continue;
            CAPTURE(seed);
            CAPTURE(step);
            CAPTURE(cost);
            FAIL("leased decides otherwise than by hand");
        }
        if (excess(admitted, interval, burst) > 0) FAIL("more than the limit, seed ", seed);
    }
}

TEST_CASE("leased: threads at once, while time passes and settings change, never get more than the limit in any span")
{
    // Told times only: whatever the order in which threads run, what they were told bounds what they may get.
    constexpr std::int64_t interval = 1'000;
    constexpr std::int64_t burst = 200;
    weir::leased limiter{weir::gcra{{.permits = 1, .per = weir::duration{interval}, .burst = burst}}, {.batch = 16, .life = 20us}};
    std::atomic<std::int64_t> clock{1'000'000};
    std::vector<std::vector<std::int64_t>> admitted(3);
    std::vector<std::thread> threads;
    for (std::size_t n = 0; n < 3; ++n)
        threads.emplace_back([&, n] {
            std::mt19937_64 random(n);
            for (int i = 0; i < 6'000; ++i) {
                std::int64_t const now = clock.fetch_add(static_cast<std::int64_t>(random() % 300));
                std::uint64_t const cost = random() % 20 == 0 ? random() % 12 : 1;
                if (limiter.try_acquire(weir::time_point{weir::duration{now}}, cost)) admitted[n].insert(admitted[n].end(), cost, now);
                if (i % 512 == 0)
                    limiter.reconfigure(
                        {.permits = 1, .per = weir::duration{interval}, .burst = burst - static_cast<std::uint64_t>(i) % 3});
                if (i % 64 == 0) static_cast<void>(limiter.available(weir::time_point{weir::duration{now}}));
            }
        });
    for (std::thread& each : threads) each.join();
    std::vector<std::int64_t> all;
    for (auto const& each : admitted) all.insert(all.end(), each.begin(), each.end());
    CHECK(all.size() > 500);
    CHECK(excess(all, interval, burst) <= 0);
}

namespace weir {
static_assert(limiter<leased<gcra<shared>>> && limiter<leased<gcra<confined>>>);
} // namespace weir: what the header promises
