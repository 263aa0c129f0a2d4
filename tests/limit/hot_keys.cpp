// SPDX-License-Identifier: BSL-1.0
#include <weir/limit/hot_keys.hpp>

#include "../schedules.hpp"

#include <weir/core/directives.hpp>
#include <weir/core/key.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/limit/fixed_window.hpp>
#include <weir/limit/gcra.hpp>
#include <weir/limit/rate_limit.hpp>
#include <weir/testing/manual_clock.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;

constexpr weir::time_point start{1h};
constexpr weir::rate two_an_hour{.permits = 2, .per = 1h};

struct by_name {
    using key_type = std::string;
};
struct by_number {
    using key_type = std::uint64_t;
};

/// Ranks by Zipf's law with exponent 1, the most frequent first.
class zipf {
public:
    explicit zipf(std::size_t keys)
    {
        double total = 0;
        for (std::size_t rank = 1; rank <= keys; ++rank) sum_.push_back(total += 1 / static_cast<double>(rank));
    }
    std::uint64_t operator()(std::mt19937_64& random) const
    {
        double const at = std::uniform_real_distribution<double>(0, sum_.back())(random);
        return static_cast<std::uint64_t>(std::lower_bound(sum_.begin(), sum_.end(), at) - sum_.begin());
    }

private:
    std::vector<double> sum_;
};

} // namespace

TEST_CASE("hot_keys: limits the keys that come most often, and lets the others pass")
{
    weir::hot_keys limiter{weir::gcra{two_an_hour}, by_name{}, {.top = 1}};
    CHECK(limiter.try_acquire("hot", start));
    CHECK(limiter.try_acquire("hot", start));
    CHECK(limiter.try_acquire("hot", start).retry_after() == 30min);
    for (int i = 0; i < 3; ++i) CHECK(limiter.try_acquire("cold", start)); // three calls each: not more than the hot one
    CHECK_FALSE(limiter.try_acquire("hot", start));
    CHECK(limiter.stats().keys == 1);
    CHECK(limiter.stats().cold == 3);
    CHECK(limiter.available("cold", start) > 1'000'000);
    CHECK(limiter.available("hot", start) == 0);
    CHECK(limiter.quota_at("hot", start).remaining == 0);
    CHECK(limiter.quota_at("cold", start).remaining == 2);
    CHECK_FALSE(limiter.peek("hot", start));
    CHECK(limiter.peek("cold", start));
    limiter.refund("hot", 1);
    CHECK(limiter.available("hot", start) == 1);
    limiter.refund("cold", 1);
}

TEST_CASE("hot_keys: who overtakes the least of the top takes its place, and begins with a full burst")
{
    weir::hot_keys limiter{weir::gcra{two_an_hour}, by_name{}, {.top = 1}};
    for (int i = 0; i < 5; ++i) static_cast<void>(limiter.try_acquire("first", start));
    for (int i = 0; i < 5; ++i) CHECK(limiter.try_acquire("second", start));
    CHECK(limiter.top()[0].key == "first");
    CHECK(limiter.try_acquire("second", start)); // the sixth: limited from here on
    CHECK(limiter.top()[0].key == "second");
    CHECK(limiter.top()[0].calls == 6);
    CHECK(limiter.try_acquire("second", start));
    CHECK_FALSE(limiter.try_acquire("second", start));
    CHECK(limiter.try_acquire("first", start));
    CHECK(limiter.stats().replaced == 1);
    CHECK(limiter.try_acquire("first", start)); // seven calls, where the second has eight
    CHECK_FALSE(limiter.try_acquire("second", start));
}

TEST_CASE("hot_keys: what was long ago counts less and less")
{
    weir::hot_keys limiter{weir::gcra{two_an_hour}, by_name{}, {.top = 1, .half_life = 10s}};
    for (int i = 0; i < 64; ++i) static_cast<void>(limiter.try_acquire("old", start));
    CHECK(limiter.top()[0].calls == 64);
    for (int i = 0; i < 3; ++i) CHECK(limiter.try_acquire("new", start + 50s)); // the old one has two left
    CHECK(limiter.top()[0].key == "new");
    CHECK(limiter.top()[0].calls == 3);
    CHECK(limiter.try_acquire("old", start + 1'000h));
    CHECK(limiter.top()[0].key == "old"); // of the new one nothing is left
    CHECK(limiter.try_acquire("old", weir::time_point::max()));
}

TEST_CASE("hot_keys: exceptions by value have a limit of their own, or none, whatever their rank")
{
    weir::hot_keys limiter{
        weir::gcra{two_an_hour}, by_name{}, {.top = 1}, {{"dear", weir::rate{.permits = 1, .per = 1min}}, {"free", std::nullopt}}};
    CHECK(limiter.try_acquire("dear", start));
    CHECK(limiter.try_acquire("dear", start).retry_after() == 1min);
    CHECK(limiter.quota_at("dear", start).window == 1min);
    for (int i = 0; i < 10; ++i) CHECK(limiter.try_acquire("free", start));
    CHECK(limiter.stats().keys == 0);
    CHECK(limiter.try_acquire("other", start));
    limiter.refund("dear", 1);
    CHECK(limiter.available("dear", start) == 1);
    using limits = weir::hot_keys<weir::gcra<>, by_name>;
    CHECK_THROWS_WITH_AS((limits{weir::gcra{two_an_hour}, by_name{}, {.top = 1}, {{"a", std::nullopt}, {"a", std::nullopt}}}),
                         "exceptions: expected each key once", std::invalid_argument);
}

TEST_CASE("hot_keys: options that make no sense are refused by name")
{
    using limits = weir::hot_keys<weir::gcra<>, by_name>;
    CHECK_THROWS_WITH_AS((limits{weir::gcra{two_an_hour}, by_name{}, {.top = 0}}), "top: expected 1 to 1,000,000", std::invalid_argument);
    CHECK_THROWS_WITH_AS((limits{weir::gcra{two_an_hour}, by_name{}, {.top = 1, .half_life = 1us}}), "half_life: expected at least 1 ms",
                         std::invalid_argument);
    CHECK_THROWS_AS((limits{weir::gcra{two_an_hour}, by_name{}, {.top = 1, .width = std::size_t{1} << 30}}), std::invalid_argument);
}

TEST_CASE("hot_keys: new settings reach the keys that are limited and keep what they used")
{
    weir::hot_keys limiter{weir::gcra{two_an_hour}, by_number{}, {.top = 3}};
    for (std::uint64_t key = 0; key < 3; ++key) CHECK(limiter.try_acquire(key, start, 2));
    limiter.reconfigure({.permits = 5, .per = 1h});
    for (std::uint64_t key = 0; key < 3; ++key) CHECK(limiter.available(key, start) == 3);
    CHECK_THROWS_AS(limiter.reconfigure({.permits = 0}), std::invalid_argument);
    CHECK(*limiter.settings().permits == 5);
}

TEST_CASE("hot_keys: in a pipeline, by any limiter that can be had per key")
{
    weir::manual_clock clock;
    weir::pipeline svc{weir::timed_by{std::ref(clock)},
                       weir::rate_limit{weir::hot_keys{
                           weir::fixed_window{{.permits = 1, .per = 1s}}, weir::keyed_by<int>([](int x) { return x; }), {.top = 2}}},
                       [](int x) { return x; }};
    CHECK(svc(1).has_value());
    CHECK(svc(1).has_error());
    CHECK(svc(2).has_value());
    CHECK(svc(2).has_error());
    CHECK(svc(3).has_value());
    CHECK(svc(3).has_value());
    CHECK(svc.get<weir::rate_limit>().algorithm().stats().keys == 2);
}

TEST_CASE("hot_keys: on zipf data it limits those that exact counts name, within the error it states")
{
    constexpr std::size_t top = 50;
    zipf const draw(100'000);
    for (std::uint64_t seed : {1u, 2u, 3u}) {
        std::mt19937_64 random(seed);
        constexpr std::size_t width = 2'048; // half of what it is by default
        weir::hot_keys limiter{weir::gcra{two_an_hour}, by_number{}, {.top = top, .half_life = 1h, .width = width, .seed = seed}};
        std::map<std::uint64_t, std::uint64_t> exact;
        for (int i = 0; i < 200'000; ++i) {
            std::uint64_t const key = draw(random);
            ++exact[key];
            static_cast<void>(limiter.try_acquire(key, start));
        }
        auto const error = static_cast<std::uint64_t>(std::exp(1.0) / width * static_cast<double>(limiter.stats().cold));
        std::vector<std::uint64_t> counts;
        for (auto const& [key, n] : exact) counts.push_back(n);
        std::nth_element(counts.begin(), counts.begin() + (top - 1), counts.end(), std::greater<>());
        std::uint64_t const least = counts[top - 1];
        std::set<std::uint64_t> limited;
        std::size_t too_high = 0;
        auto const all = limiter.top();
        CHECK(std::is_sorted(all.begin(), all.end(), [](auto const& a, auto const& b) { return a.calls > b.calls; }));
        for (auto const& hot : all) {
            limited.insert(hot.key);
            CHECK(hot.calls >= exact[hot.key]);
            too_high += hot.calls > exact[hot.key] + error ? 1 : 0;
            CHECK(exact[hot.key] + error >= least);
        }
        CHECK(limited.size() == top);
        CHECK(too_high <= top / 50);
        for (auto const& [key, n] : exact)
            if (n > least + error) CHECK(limited.contains(key));
        CHECK(error < least);
    }
}

TEST_CASE("hot_keys: random schedules against exact counts, where the sketch is wide enough for them")
{
    struct seen {
        std::uint64_t count = 0;
        bool hot = false;
        std::int64_t used = 0;
    };
    for (std::uint64_t i = 0, seed = weir_test::first_seed(); i < weir_test::schedules() / 10; ++i, ++seed) {
        std::mt19937_64 random(seed);
        std::size_t const top = random() % 3 + 1;
        std::int64_t const burst = static_cast<std::int64_t>(random() % 3 + 1);
        // Twelve keys in 1,024 places a row: a key whose four places are all another's is not met in a million schedules.
        weir::hot_keys<weir::gcra<weir::confined>, by_number> limiter{
            weir::gcra<weir::confined>{{.permits = 1, .per = 1'000h, .burst = static_cast<std::uint64_t>(burst)}},
            by_number{},
            {.top = top, .half_life = 1s, .width = 1'024, .seed = seed}};
        std::map<std::uint64_t, seen> model;
        weir::time_point now = start;
        weir::time_point halved = start;
        for (int step = 0; step < 40; ++step) {
            if (step > 0 && random() % 8 == 0) now += weir::duration(static_cast<std::int64_t>(random() % 1'500'000'000));
            for (; now - halved >= 1s; halved += 1s)
                for (auto& [key, s] : model) s.count /= 2;
            std::uint64_t const key = std::min(random() % 12, random() % 12);
            seen& mine = model[key];
            ++mine.count;
            if (!mine.hot) {
                std::size_t hot = 0;
                std::uint64_t least = ~std::uint64_t{0};
                for (auto const& [k, s] : model) {
                    hot += s.hot ? 1 : 0;
                    if (s.hot) least = std::min(least, s.count);
                }
                if (hot < top) {
                    mine.hot = true;
                } else if (mine.count > least) {
                    // Which of several that are equally rare has to go is the limiter's choice.
                    std::set<std::uint64_t> held;
                    bool const admitted = static_cast<bool>(limiter.try_acquire(key, now));
                    if (!admitted) FAIL("a key that becomes hot begins full, seed ", seed);
                    for (auto const& each : limiter.top()) held.insert(each.key);
                    for (auto& [k, s] : model) {
                        if (s.hot && !held.contains(k)) {
                            if (s.count != least) FAIL("another than the least was replaced, seed ", seed);
                            s.hot = false;
                            s.used = 0;
                        }
                    }
                    mine.hot = true;
                    mine.used = 1;
                    continue;
                }
            }
            bool const expected = !mine.hot || mine.used < burst;
            if (mine.hot && expected) ++mine.used;
            if (static_cast<bool>(limiter.try_acquire(key, now)) == expected) continue;
            CAPTURE(seed);
            CAPTURE(step);
            CAPTURE(key);
            FAIL("hot_keys decides otherwise than exact counts");
        }
    }
}

TEST_CASE("hot_keys: threads at once get a hot key's burst together, while settings change and others look")
{
    weir::hot_keys limiter{weir::gcra{{.permits = 1, .per = 1'000h, .burst = 40}}, by_number{}, {.top = 8, .half_life = 1h}};
    for (std::uint64_t key = 0; key < 8; ++key)
        for (int i = 0; i < 2'000; ++i) static_cast<void>(limiter.try_acquire(key, start, 0));
    std::vector<std::atomic<int>> admitted(8);
    std::vector<std::thread> threads;
    for (unsigned n = 0; n < 3; ++n)
        threads.emplace_back([&, n] {
            std::mt19937_64 random(n);
            for (int i = 0; i < 6'000; ++i) {
                std::uint64_t const key = random() % 1'000;
                bool const got = static_cast<bool>(limiter.try_acquire(key % 3 == 0 ? key % 8 : key + 8, start));
                if (got && key % 3 == 0) ++admitted[key % 8];
                if (i % 512 == 0) static_cast<void>(limiter.top());
                if (i % 1'024 == 0) limiter.reconfigure({.permits = 1, .per = 1'000h, .burst = 40 - static_cast<std::uint64_t>(i) / 1'024});
            }
        });
    for (std::thread& each : threads) each.join();
    for (auto const& each : admitted) {
        CHECK(each >= 30);
        CHECK(each <= 40);
    }
    CHECK(limiter.stats().keys == 8);
}
