// SPDX-License-Identifier: BSL-1.0
#include <weir/cache/early_expiry.hpp>

#include "source_scene.hpp"

#include <weir/core/detail/splitmix64.hpp>
#include <weir/resilience/budget.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <stdexcept>

using namespace weir_test;

namespace {

/// A hit whose draws come from a seed.
struct drawing {
    std::uint64_t state = 42;
    static std::uint64_t answer(void* self, weir::hit_facts::question)
    {
        return weir::detail::splitmix64(static_cast<drawing*>(self)->state);
    }
};

} // namespace

TEST_CASE("early_expiry: a hit is early with the probability exp(-left / (beta * load time))")
{
    drawing draws;
    weir::hit_facts hit(&draws, &drawing::answer);
    hit.load_time = 100ms;
    for (double const beta : {0.5, 1.0, 3.0}) {
        weir::early_expiry part{{.beta = beta}};
        for (int const ms : {0, 20, 100, 250, 400}) {
            hit.time_left = 1ms * ms;
            int early = 0;
            constexpr int n = 200'000;
            for (int i = 0; i < n; ++i) early += part.wants_refresh(hit);
            double const p = std::exp(-ms / (beta * 100));
            double const deviation = std::sqrt(p * (1 - p) / n);
            CHECK(std::abs(early / double{n} - p) <= 4.5 * deviation + 1e-12);
        }
        hit.time_left = 100ms * 37 * 3;
        CHECK(!part.wants_refresh(hit));
    }
}

TEST_CASE("early_expiry: of a key asked for at a steady rate, the time of the load is distributed as in the paper")
{
    // At each hit, dt apart, the load begins with p(left): the chance that it has not begun with `left` to go is the product of 1 - p before.
    drawing draws;
    weir::hit_facts hit(&draws, &drawing::answer);
    hit.load_time = 50ms;
    weir::early_expiry part{};
    std::vector<double> seen;
    constexpr int most = 1'000; // ms before the end
    for (int i = 0; i < 4'000; ++i) {
        int left = most;
        for (; left > 0; --left) {
            hit.time_left = 1ms * left;
            if (part.wants_refresh(hit)) break;
        }
        seen.push_back(left);
    }
    std::sort(seen.begin(), seen.end());
    std::vector<double> not_yet(most + 1); // with so much left
    double survives = 1;
    for (int left = most; left >= 0; --left) {
        survives *= 1 - std::exp(-left / 50.0);
        not_yet[static_cast<std::size_t>(left)] = survives;
    }
    double apart = 0; // Kolmogorov and Smirnov
    for (std::size_t i = 0; i < seen.size(); ++i) {
        double const at_most = not_yet[static_cast<std::size_t>(seen[i]) + 1]; // the load comes with at most so much left
        apart = std::max(apart, std::abs(static_cast<double>(i + 1) / static_cast<double>(seen.size()) - at_most) -
                                    (not_yet[static_cast<std::size_t>(seen[i]) + 1] - not_yet[static_cast<std::size_t>(seen[i])]));
    }
    CHECK(apart < 1.95 / std::sqrt(static_cast<double>(seen.size()))); // 0.1 % of true samples are further apart
}

TEST_CASE("early_expiry: a hot key that expires under load is loaded once each time, and nobody waits for it")
{
    weir::scope jobs;
    weir::simulation world;
    source ask(world);
    callers users(world);
    weir::pipeline svc{weir::timed_by{std::ref(world.clock())}, weir::within{jobs},
                       weir::cached{weir::store<int, int>{{.capacity = 100, .ttl = 10s, .jitter = 0, .seed = 1}}, itself,
                                    weir::early_expiry{}, weir::cached_options{.seed = 7}},
                       std::ref(ask)};
    ask.takes = 100ms;
    users.come(svc, 1, 200ms, 200ms);
    users.forget();
    users.come(svc, 1, 1ms, 60s);
    world.run_for(1s);
    CHECK(users.values == 60'000);
    CHECK(users.longest == 0ns);
    CHECK(ask.calls >= 1 + 6);
    CHECK(ask.calls <= 1 + 8); // a load each 10 s, less some hundreds of milliseconds
    CHECK(ask.most_inside == 1);
    CHECK(svc.get<weir::cached>().stats().misses == 1);
}

TEST_CASE("early_expiry: after an early load that has failed the key pauses")
{
    weir::early_expiry part{{.backoff = {.retry_after = 1s, .max_retry_after = 1s}}};
    drawing draws;
    weir::hit_facts hit(
        &draws, +[](void*, weir::hit_facts::question q) -> std::uint64_t { return q == weir::hit_facts::question::key ? 7 : 1; });
    hit.now = weir::time_point{1h};
    hit.load_time = 1s;
    hit.time_left = 1ms;
    CHECK(part.wants_refresh(hit));
    part.load_ended({.now = hit.now, .took = 1s, .key = 7, .failed = true, .refresh = true, .why = weir::errc::unavailable});
    CHECK(!part.wants_refresh(hit));
    hit.now += 499ms;
    CHECK(!part.wants_refresh(hit));
    hit.now += 501ms;
    CHECK(part.wants_refresh(hit));
    part.load_ended({.now = hit.now, .took = 1s, .key = 7, .failed = true, .refresh = true, .why = weir::errc::unavailable});
    part.load_ended({.now = hit.now, .took = 1s, .key = 7, .failed = false, .refresh = true, .why = {}});
    CHECK(part.wants_refresh(hit));
}

TEST_CASE("early_expiry: a budget bounds the early loads of a failing source, and a key that it refuses pauses")
{
    weir::scope jobs;
    weir::simulation world;
    source ask(world);
    callers users(world);
    weir::budget five{{.ratio = 0, .floor_per_second = 0.1, .window = 50s}};
    weir::pipeline svc{
        weir::timed_by{std::ref(world.clock())}, weir::within{jobs},
        weir::cached{weir::store<int, int>{{.capacity = 100, .ttl = 60s, .jitter = 0, .seed = 1}}, itself,
                     weir::early_expiry{{.beta = 100, .backoff = {.retry_after = 1s, .max_retry_after = 1s}}, std::ref(five)},
                     weir::cached_options{.seed = 7}},
        std::ref(ask)};
    ask.takes = 100ms;
    users.come(svc, 1, 200ms, 200ms);
    ask.fails = weir::errc::upstream_failed;
    users.come(svc, 1, 10ms, 45s);
    CHECK(users.failures == 0);
    CHECK(ask.calls == 1 + 5);
    auto const over = svc.get<weir::cached>().part<weir::early_expiry>().stats().over_budget;
    CHECK(over >= 10);
    CHECK(over <= 45); // one a second at most, of 4,500 hits
}

TEST_CASE("early_expiry: settings, and values of which nobody knows how long they took")
{
    weir::early_expiry part{};
    weir::hit_facts hit;
    hit.time_left = 0ns;
    CHECK(!part.wants_refresh(hit));
    part.reconfigure({.beta = 2, .load_time = 1s});
    CHECK(part.settings().beta == 2);
    drawing draws;
    weir::hit_facts drawn(&draws, &drawing::answer);
    drawn.time_left = 0ns;
    CHECK(part.wants_refresh(drawn));
    CHECK_THROWS_WITH_AS(part.reconfigure({.beta = 0}), "early_expiry.beta: expected more than 0 and at most 1e6", std::invalid_argument);
    CHECK_THROWS_WITH_AS(part.reconfigure({.load_time = -1s}), "early_expiry.load_time: expected 0 or more", std::invalid_argument);
}

namespace weir {
static_assert(freshness_strategy<early_expiry<>> && load_watcher<early_expiry<>>);
} // namespace weir: what the header promises
