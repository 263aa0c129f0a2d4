// SPDX-License-Identifier: BSL-1.0
#include <weir/cache/hit_rate_watch.hpp>

#include <weir/core/detail/splitmix64.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <optional>
#include <stdexcept>

using namespace std::chrono_literals;

namespace {

using kind = weir::hit_rate_change::kind;

/// A cache that is asked 1,000 times a second, as the watch sees it.
struct watched {
    explicit watched(weir::hit_rate_options const& o = {}) : watch(o) {}
    weir::hit_rate_watch watch;
    std::uint64_t hits = 0, look_ups = 0;
    weir::time_point now{1h};

    std::optional<weir::hit_rate_change> second(double rate, std::uint64_t calls = 1'000)
    {
        hits += static_cast<std::uint64_t>(rate * static_cast<double>(calls) + 0.5);
        look_ups += calls;
        now += 1s;
        return watch.observe(hits, look_ups, now);
    }
    /// The only change in so many seconds; nothing if there was none. Two are a mistake.
    std::optional<weir::hit_rate_change> seconds(int n, double rate)
    {
        std::optional<weir::hit_rate_change> seen;
        for (int i = 0; i < n; ++i)
            if (auto const change = second(rate)) {
                CHECK(!seen);
                seen = change;
            }
        return seen;
    }
};

} // namespace

TEST_CASE("hit_rate_watch: a sudden drop is told with its figures, and its end")
{
    watched w;
    w.watch.observe(0, 0, w.now);
    CHECK(!w.seconds(120, 0.9));
    auto const dropped = w.second(0.4);
    REQUIRE(dropped);
    CHECK(dropped->what == kind::dropped);
    CHECK(dropped->before == doctest::Approx(0.9));
    CHECK(dropped->now == doctest::Approx(0.4));
    CHECK(dropped->window == 1s);
    CHECK(dropped->look_ups == 1'000);
    CHECK(dropped->when == w.now);
    CHECK(dropped->number == 1);
    CHECK(w.watch.alarmed());
    CHECK(!w.seconds(30, 0.5));
    CHECK(w.watch.usual() == doctest::Approx(0.9)); // an alarm does not become usual
    auto const back = w.second(0.85);
    REQUIRE(back);
    CHECK(back->what == kind::recovered);
    CHECK(back->before == doctest::Approx(0.9));
    CHECK(back->number == 2);
    CHECK(!w.watch.alarmed());
}

TEST_CASE("hit_rate_watch: between the two thresholds it neither begins nor ends")
{
    watched w;
    w.watch.observe(0, 0, w.now);
    CHECK(!w.seconds(120, 0.9));
    watched before = w;
    CHECK(!before.second(0.71));                                            // 0.19 below
    REQUIRE(w.second(0.69));                                                // 0.21 below
    for (int i = 0; i < 20; ++i) CHECK(!w.second(i % 2 == 0 ? 0.79 : 0.6)); // 0.11 below, and more
    CHECK(w.second(0.81));
}

TEST_CASE("hit_rate_watch: what changes slowly is no alarm")
{
    watched w;
    w.watch.observe(0, 0, w.now);
    double rate = 0.95;
    CHECK(!w.seconds(100, rate));
    for (int i = 0; i < 600; ++i, rate -= 0.0015) CHECK(!w.second(rate)); // 0.9 in ten minutes; the average is a minute behind
    CHECK(w.watch.usual() < 0.2);
}

TEST_CASE("hit_rate_watch: a cache that fills, or has filled a moment ago, has no usual rate")
{
    watched w;
    w.watch.observe(0, 0, w.now);
    CHECK(!w.seconds(30, 0.8));
    CHECK(!w.seconds(10, 0.1));
}

TEST_CASE("hit_rate_watch: a drop that lasts is accepted in the end")
{
    watched w({.accepted_after = 60s});
    w.watch.observe(0, 0, w.now);
    CHECK(!w.seconds(120, 0.9));
    REQUIRE(w.second(0.3));
    CHECK(!w.seconds(59, 0.3));
    auto const accepted = w.second(0.3);
    REQUIRE(accepted);
    CHECK(accepted->what == kind::accepted);
    CHECK(!w.watch.alarmed());
    CHECK(w.watch.usual() == doctest::Approx(0.3));
    CHECK(!w.seconds(60, 0.3));
    CHECK(w.second(0.05)); // and it watches on
}

TEST_CASE("hit_rate_watch: a window with few calls is prolonged, one that is too short too")
{
    watched w;
    w.watch.observe(0, 0, w.now);
    CHECK(!w.seconds(120, 0.9));
    for (int i = 0; i < 9; ++i) CHECK(!w.second(0, 10)); // 90 calls: too few to tell
    CHECK(w.watch.rate() == doctest::Approx(0.9));
    auto const dropped = w.second(0, 10);
    REQUIRE(dropped);
    CHECK(dropped->window == 10s);
    CHECK(dropped->look_ups == 100);
    CHECK(!w.watch.observe(w.hits, w.look_ups + 5'000, w.now + 999ms));
    CHECK(w.watch.next() == w.now + 1s);
}

TEST_CASE("hit_rate_watch: totals that went back begin a new window, who comes late changes nothing")
{
    watched w;
    w.watch.observe(0, 0, w.now);
    CHECK(!w.seconds(120, 0.9));
    w.hits = w.look_ups = 0;
    CHECK(!w.second(0)); // 1,000 misses, but since when
    CHECK(w.second(0));
    weir::time_point const next = w.watch.next();
    CHECK(!w.watch.observe(w.hits + 5'000, w.look_ups + 5'000, w.now - 1h));
    CHECK(w.watch.next() == next);
}

TEST_CASE("hit_rate_watch: chance alone hardly ever raises an alarm")
{
    std::uint64_t random = 7;
    auto const draw = [&] { return static_cast<double>(weir::detail::splitmix64(random) >> 11) * 0x1p-53; };
    watched w;
    w.watch.observe(0, 0, w.now);
    int drops = 0;
    for (int i = 0; i < 100'000; ++i) { // at a rate of 0.5, where chance is greatest, and with as few calls as may be
        for (int c = 0; c < 100; ++c) w.hits += draw() < 0.5;
        w.look_ups += 100;
        w.now += 1s;
        auto const change = w.watch.observe(w.hits, w.look_ups, w.now);
        drops += change && change->what == kind::dropped;
    }
    CHECK(drops <= 10); // 3 are expected by the normal law
}

TEST_CASE("hit_rate_watch: bad options name their member")
{
    weir::hit_rate_watch w;
    auto const refused = [&](weir::hit_rate_options const& o, char const* why) {
        CHECK_THROWS_WITH_AS(w.reconfigure(o), why, std::invalid_argument);
        CHECK(w.settings() == weir::hit_rate_options{});
    };
    refused({.window = 0s}, "hit_rate.window: expected more than 0");
    refused({.minimum_calls = 0}, "hit_rate.minimum_calls: expected at least 1");
    refused({.drop = 0}, "hit_rate.drop: expected a ratio above 0 and at most 1");
    refused({.recovered = 0.2}, "hit_rate.recovered: expected a ratio of at least 0 and below drop");
    refused({.memory = 1ms}, "hit_rate.memory: expected at least the window");
    refused({.accepted_after = 0s}, "hit_rate.accepted_after: expected more than 0");
    w.reconfigure({.drop = 0.5, .memory = 10min});
    CHECK(w.settings().drop == 0.5);
}
