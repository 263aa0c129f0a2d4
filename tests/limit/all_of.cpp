// SPDX-License-Identifier: BSL-1.0
#include <weir/limit/all_of.hpp>

#include "../schedules.hpp"

#include <weir/core/describe.hpp>
#include <weir/core/directives.hpp>
#include <weir/core/key.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/limit/fixed_window.hpp>
#include <weir/limit/gcra.hpp>
#include <weir/limit/keyed.hpp>
#include <weir/limit/rate_limit.hpp>
#include <weir/limit/throttle.hpp>
#include <weir/limit/token_bucket.hpp>
#include <weir/testing/manual_clock.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;

constexpr weir::time_point start{1h};

struct visit {
    std::string tenant;
    std::uint64_t size = 1;
};
int ok(visit const&)
{
    return 200;
}
auto per_second(std::uint64_t n)
{
    return weir::named<"per second">(weir::gcra{{.permits = n, .per = 1s}});
}
auto per_day(std::uint64_t n)
{
    return weir::named<"per day">(weir::gcra{{.permits = n, .per = 24h}});
}
auto per_tenant(std::uint64_t n)
{
    return weir::named<"per tenant">(weir::keyed{weir::gcra{{.permits = n, .per = 1s}}, weir::keyed_by(&visit::tenant), {.capacity = 100}});
}

static_assert(weir::limiter<decltype(weir::all_of{per_second(1), per_day(1)})>);
static_assert(weir::limiter<weir::all_of<weir::token_bucket<weir::confined>>>);
static_assert(!weir::limiter<decltype(weir::all_of{per_second(1), per_tenant(1)})>); // has to be told the call

/// A limiter that throws if it is asked, and cannot be peeked at.
struct broken {
    struct options {};
    using threading = weir::shared;
    weir::decision try_acquire(weir::time_point, std::uint64_t = 1) { throw std::runtime_error("broken"); }
    weir::reservation reserve(weir::time_point, std::uint64_t, weir::duration) { throw std::runtime_error("broken"); }
    void refund(std::uint64_t) {}
    std::uint64_t available(weir::time_point) const { return 1; }
    bool is_full(weir::time_point) const { return true; }
    weir::quota quota_at(weir::time_point) const { return {1, 1s, 1, 1, 0s}; }
    options settings() const { return {}; }
    void reconfigure(options) {}
};

} // namespace

TEST_CASE("all_of: what the first gave is given back when the second refuses")
{
    weir::all_of both{weir::gcra{{.permits = 10, .per = 1s}}, weir::gcra{{.permits = 2, .per = 1h}}};
    CHECK(both.try_acquire(start));
    CHECK(both.try_acquire(start));
    for (int i = 0; i < 20; ++i) CHECK(both.try_acquire(start).retry_after() == 30min);
    CHECK(both.at<0>().available(start) == 8);
    CHECK(both.at<1>().available(start) == 0);
    CHECK(both.available(start) == 0);
    both.refund(1);
    CHECK(both.at<0>().available(start) == 9);
    CHECK(both.quota_at(start).limit == 2);
    CHECK_FALSE(both.is_full(start));
    CHECK(both.is_full(start + 30min));
}

TEST_CASE("all_of: the time to come back is the latest of all, whoever refuses first")
{
    weir::all_of three{weir::gcra{{.permits = 1, .per = 1s}}, weir::gcra{{.permits = 1, .per = 1h}},
                       weir::gcra{{.permits = 1, .per = 1min}}};
    CHECK(three.try_acquire(start));
    CHECK(three.try_acquire(start).retry_after() == 1h);
    CHECK(three.peek(start).retry_after() == 1h);
    CHECK(three.try_acquire(start, 2).is_impossible());
    CHECK_FALSE(three.try_acquire(start + 1h - 1ns));
    CHECK(three.try_acquire(start + 1h));
}

TEST_CASE("all_of: reserves with all, or with none")
{
    weir::all_of both{weir::gcra{{.permits = 10, .per = 1s, .burst = 1}}, weir::gcra{{.permits = 1, .per = 1s}}};
    CHECK(both.reserve(start, 1, 0s).wait() == 0s);
    CHECK(both.reserve(start, 1, 1s).wait() == 1s);
    auto const refused = both.reserve(start, 1, 1s);
    CHECK_FALSE(refused);
    CHECK(refused.retry_after() == 1s);
    CHECK(both.at<0>().reserve(start, 1, 1h).wait() == 200ms); // the third took nothing of the first
    CHECK(both.reserve(start, 2, 1h).is_impossible());
}

TEST_CASE("all_of: drains what all of them have")
{
    weir::all_of both{weir::gcra{{.permits = 10, .per = 1s}}, weir::gcra{{.permits = 3, .per = 1s}}};
    CHECK(both.drain(start, 100) == 3);
    CHECK(both.drain(start, 100) == 0);
    CHECK(both.at<0>().available(start) == 7);
}

TEST_CASE("all_of: an exception of one takes nothing from the others")
{
    weir::all_of both{weir::gcra{{.permits = 10, .per = 1s}}, broken{}};
    CHECK_THROWS_AS(static_cast<void>(both.try_acquire(start)), std::runtime_error);
    CHECK_THROWS_AS(static_cast<void>(both.reserve(start, 1, 1s)), std::runtime_error);
    CHECK(both.at<0>().available(start) == 10);
}

TEST_CASE("all_of: new settings are taken whole or not at all")
{
    weir::all_of both{per_second(10), per_day(100)};
    using options = decltype(both)::options;
    CHECK_THROWS_AS(both.reconfigure(options{{.permits = 20, .per = 1s}, {.permits = 0, .per = 24h}}), std::invalid_argument);
    CHECK(*both.settings().at<0>().permits == 10);
    both.reconfigure(options{{.permits = 20, .per = 1s}, {.permits = 200, .per = 24h}});
    CHECK(*both.settings().at<1>().permits == 200);
    both.at<"per day">().reconfigure({.permits = 300, .per = 24h});
    CHECK(*both.settings().at<1>().permits == 300);
}

TEST_CASE("all_of: in a pipeline, per second, per day and per tenant; each is told by its name")
{
    weir::manual_clock clock;
    weir::pipeline svc{weir::timed_by{std::ref(clock)}, weir::rate_limit{weir::all_of{per_second(4), per_day(6), per_tenant(2)}}, ok};
    visit const a{"a"};
    visit const b{"b"};
    CHECK(svc(a).has_value());
    CHECK(svc(a).has_value());
    auto const refused = svc.call(a);
    CHECK(refused.result().error().retry_after() == 500ms);
    REQUIRE(refused.reported<weir::limit_facts>());
    auto const facts = refused.reported<weir::limit_facts>()->all();
    REQUIRE(facts.size() == 3);
    CHECK(facts[0].name == "per second");
    CHECK(facts[0].state.remaining == 2);
    CHECK(facts[1].name == "per day");
    CHECK(facts[1].state.remaining == 4);
    CHECK(facts[2].name == "per tenant");
    CHECK(facts[2].state.remaining == 0);
    CHECK(facts[2].state.until_more == 500ms);
    CHECK(svc(b).has_value());
    CHECK(svc(b).has_value());
    CHECK(svc(visit{"c"}).error().retry_after() == 250ms);
    clock.advance(1s);
    CHECK(svc(a).has_value());
    CHECK(svc(b).has_value());
    CHECK(svc(a).error().retry_after() == 4h - 1s); // the day is used up, and the day's permits come one each four hours
    CHECK(weir::describe(svc).text().find("per day.permits=6 per day.per=24h") != std::string::npos);
}

TEST_CASE("all_of: a throttle waits for the longest of all")
{
    weir::manual_clock clock;
    weir::time_point const begin = clock.now();
    weir::pipeline svc{weir::timed_by{std::ref(clock)}, weir::throttle{weir::all_of{per_second(100), per_tenant(1)}, 5s}, ok};
    visit const a{"a"};
    CHECK(svc(a).has_value());
    CHECK(svc(a).has_value());
    CHECK(clock.now() == begin + 1s);
    CHECK(svc(visit{"b"}).has_value());
    CHECK(clock.now() == begin + 1s);
}

TEST_CASE("all_of: one limit may be shared by several pipelines, by reference or pointer")
{
    weir::manual_clock clock;
    weir::gcra whole{{.permits = 3, .per = 1h}};
    auto const pointer = std::make_shared<weir::gcra<>>(weir::rate{.permits = 2, .per = 1h});
    weir::pipeline one{weir::timed_by{std::ref(clock)}, weir::rate_limit{weir::all_of{std::ref(whole), pointer}}, ok};
    weir::pipeline two{weir::timed_by{std::ref(clock)}, weir::rate_limit{std::ref(whole)}, ok};
    visit const a{"a"};
    CHECK(one(a).has_value());
    CHECK(two(a).has_value());
    CHECK(one(a).has_value());
    CHECK(two(a).has_error());
    CHECK(one(a).has_error());
}

TEST_CASE("all_of: nested, it is one limit more")
{
    weir::all_of nested{weir::all_of{per_second(10), per_day(20)}, weir::gcra{{.permits = 2, .per = 1s}}};
    CHECK(nested.try_acquire(start, 2));
    CHECK_FALSE(nested.try_acquire(start));
    CHECK(nested.at<0>().at<"per second">().available(start) == 8);
}

TEST_CASE("all_of: of limits that can be had per key, all for each key, in one look-up")
{
    weir::keyed limits{weir::all_of{weir::gcra{{.permits = 2, .per = 1s}}, weir::fixed_window{{.permits = 3, .per = 24h}}},
                       weir::keyed_by(&visit::tenant),
                       {.capacity = 10}};
    static_assert(weir::keyable_limiter<weir::all_of<weir::gcra<>, weir::fixed_window<>>>);
    static_assert(!weir::keyable_limiter<weir::all_of<weir::gcra<>, broken>>);
    CHECK(limits.try_acquire("a", start, 2));
    CHECK(limits.try_acquire("a", start).retry_after() == 500ms);
    CHECK(limits.try_acquire("b", start));
    CHECK(limits.try_acquire("a", start + 500ms));
    CHECK(limits.try_acquire("a", start + 1s).retry_after() == 23h - 1s); // the day is used up, whatever the second says
    CHECK(limits.available("a", start + 1s) == 0);
    CHECK(limits.quota_at("a", start + 1s).limit == 3);
    CHECK(limits.reserve("b", start + 2s, 2, 1h).wait() == 0s);
    CHECK(limits.reserve("b", start + 2s, 1, 1h).retry_after() == 22h - 2s);
    limits.refund("a", 1);
    CHECK(limits.try_acquire("a", start + 2s));
    CHECK_THROWS_AS(limits.reconfigure({{.permits = 5, .per = 1s}, {.permits = 0, .per = 24h}}), std::invalid_argument);
    limits.reconfigure({{.permits = 5, .per = 1s}, {.permits = 4, .per = 24h}});
    CHECK(limits.available("a", start + 10s) == 1);
    CHECK(limits.settings().at<1>().permits == 4u);
}

TEST_CASE("all_of: random schedules against limits that are asked and forgotten one by one")
{
    // The model keeps each permit's history and counts by hand: a limit of n each p with burst b admits a call at t if its virtual queue
    // (one permit each p / n) is not longer than b.
    struct naive {
        std::int64_t interval, burst, empty_at = 0; // when all that was taken has come back
        std::int64_t wait(std::int64_t now, std::int64_t cost) const
        {
            if (cost > burst) return -1;
            return std::max<std::int64_t>(0, std::max(empty_at, now) + cost * interval - burst * interval - now);
        }
        void take(std::int64_t now, std::int64_t cost) { empty_at = std::max(empty_at, now) + cost * interval; }
    };
    for (std::uint64_t i = 0, seed = weir_test::first_seed(); i < weir_test::schedules(); ++i, ++seed) {
        std::mt19937_64 random(seed);
        std::array<naive, 3> model{};
        for (naive& m : model) m = {static_cast<std::int64_t>(random() % 50 + 1), static_cast<std::int64_t>(random() % 6 + 1)};
        auto const made = [&](std::size_t n) {
            return weir::gcra<weir::confined>{
                {.permits = 1, .per = weir::duration{model[n].interval}, .burst = static_cast<std::uint64_t>(model[n].burst)}};
        };
        weir::all_of limits{made(0), made(1), made(2)};
        std::int64_t now = 1'000;
        for (int step = 0; step < 24; ++step) {
            now += static_cast<std::int64_t>(random() % 60);
            auto const cost = static_cast<std::int64_t>(random() % 8 == 0 ? random() % 8 : 1);
            std::int64_t longest = 0;
            bool never = false;
            for (naive const& m : model) {
                std::int64_t const w = m.wait(now, cost);
                never = never || w < 0;
                longest = std::max(longest, w);
            }
            weir::decision const expected = never          ? weir::decision::impossible()
                                            : longest != 0 ? weir::decision::refused(weir::duration{longest})
                                                           : weir::decision::admitted();
            weir::time_point const t{weir::duration{now}};
            weir::decision const peeked = limits.peek(t, static_cast<std::uint64_t>(cost));
            weir::decision const got = limits.try_acquire(t, static_cast<std::uint64_t>(cost));
            if (got)
                for (naive& m : model) m.take(now, cost);
            if (got == expected && peeked == expected) continue;
            CAPTURE(seed);
            CAPTURE(step);
            CAPTURE(cost);
            CAPTURE(longest);
            FAIL("all_of decides otherwise than its parts: ", got.retry_after().count());
        }
    }
}

TEST_CASE("all_of: threads at once never get more than any limit, and what is refused costs nothing in the end")
{
    weir::all_of limits{weir::gcra{{.permits = 1'000, .per = 1h}}, weir::gcra{{.permits = 300, .per = 1h}},
                        weir::gcra{{.permits = 500, .per = 1h}}};
    std::atomic<std::uint64_t> admitted{0};
    std::vector<std::thread> threads;
    for (int n = 0; n < 3; ++n)
        threads.emplace_back([&] {
            for (int i = 0; i < 3'000; ++i)
                if (limits.try_acquire(start)) ++admitted;
        });
    for (std::thread& each : threads) each.join();
    CHECK(admitted <= 300);
    CHECK(limits.at<0>().available(start) == 1'000 - admitted);
    CHECK(limits.at<1>().available(start) == 300 - admitted);
    CHECK(limits.at<2>().available(start) == 500 - admitted);
}
