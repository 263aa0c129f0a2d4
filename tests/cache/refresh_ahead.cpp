// SPDX-License-Identifier: BSL-1.0
#include <weir/cache/refresh_ahead.hpp>

#include "source_scene.hpp"

#include <weir/resilience/budget.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

using namespace weir_test;

TEST_CASE("refresh_ahead: a hot key that expires under load is loaded once each time, and nobody waits for it")
{
    weir::scope jobs;
    weir::simulation world;
    source ask(world);
    callers users(world);
    weir::pipeline svc{
        weir::timed_by{std::ref(world.clock())}, weir::within{jobs},
        weir::cached{weir::store<int, int>{{.capacity = 100, .ttl = 10s, .jitter = 0}}, itself, weir::refresh_ahead{{.after = 0.8}}},
        std::ref(ask)};
    users.come(svc, 1, 20ms, 20ms); // the first one loads
    CHECK(users.longest == 10ms);
    users.forget();
    users.come(svc, 1, 1ms, 60s); // a thousand a second
    world.run_for(1s);
    CHECK(users.values == 60'000);
    CHECK(users.longest == 0ns);
    CHECK(ask.calls == 1 + 7); // one each 8 s
    CHECK(ask.most_inside == 1);
    CHECK(svc.get<weir::cached>().stats().refreshes == 7);
    CHECK(svc.get<weir::cached>().stats().misses == 1);
}

TEST_CASE("refresh_ahead: a key that nobody asks for is not refreshed")
{
    weir::scope jobs;
    weir::simulation world;
    source ask(world);
    callers users(world);
    weir::pipeline svc{weir::timed_by{std::ref(world.clock())}, weir::within{jobs},
                       weir::cached{weir::store<int, int>{{.capacity = 100, .ttl = 10s, .jitter = 0}}, itself, weir::refresh_ahead{}},
                       std::ref(ask)};
    users.come(svc, 1, 1s, 2s);
    world.run_for(60s);
    CHECK(ask.calls == 1);
}

TEST_CASE("refresh_ahead: a refresh that fails keeps the old value, and the next one comes after a pause that doubles")
{
    weir::scope jobs;
    weir::simulation world;
    source ask(world);
    callers users(world);
    weir::pipeline svc{weir::timed_by{std::ref(world.clock())}, weir::within{jobs},
                       weir::cached{weir::store<int, int>{{.capacity = 100, .ttl = 100s, .jitter = 0}}, itself,
                                    weir::refresh_ahead{{.after = 0.5, .backoff = {.retry_after = 1s, .max_retry_after = 8s}}}},
                       std::ref(ask)};
    users.come(svc, 1, 20ms, 20ms);
    ask.fails = weir::errc::upstream_failed;
    users.come(svc, 1, 10ms, 99s);
    CHECK(users.failures == 0); // the old value, as long as it is good
    CHECK(users.longest <= 10ms);
    REQUIRE(ask.asked.size() > 5);
    CHECK(ask.calls < 20);                               // of 4,900 hits
    for (std::size_t i = 2; i < ask.asked.size(); ++i) { // between half of the pause and the pause, the load and the next hit
        weir::duration const pause = ask.asked[i] - ask.asked[i - 1];
        weir::duration const most = std::min<weir::duration>(1s * (1 << (i - 2)), 8s);
        CHECK(pause >= most / 2);
        CHECK(pause <= most + 30ms);
    }
    ask.fails = weir::errc{};
    users.come(svc, 1, 10ms, 10s);
    int const after = ask.calls;
    users.come(svc, 1, 10ms, 30s);
    CHECK(ask.calls == after); // it is fresh again
}

TEST_CASE("refresh_ahead: many threads at a due key, and one of them loads")
{
    weir::manual_clock clock;
    std::atomic<int> loads{0};
    weir::pipeline svc{weir::timed_by{std::ref(clock)},
                       weir::cached{weir::store<int, int>{{.capacity = 100, .ttl = 10s, .jitter = 0}}, itself, weir::refresh_ahead{}},
                       [&](int key) { return key * 1'000 + ++loads; }};
    for (int round = 0; round < 50; ++round) {
        static_cast<void>(svc(1));
        int const before = loads;
        clock.advance(9s);
        std::vector<std::thread> threads;
        for (int t = 0; t < 4; ++t)
            threads.emplace_back([&] {
                for (int i = 0; i < 20; ++i) static_cast<void>(svc(1));
            });
        for (auto& t : threads) t.join();
        CHECK(loads == before + 1);
    }
}

TEST_CASE("refresh_ahead: a budget bounds the refreshes of a failing source, and those that it refuses leave the old value")
{
    weir::scope jobs;
    weir::simulation world;
    source ask(world);
    callers users(world);
    weir::budget few{{.ratio = 0, .floor_per_second = 0.2, .window = 50s}}; // ten
    weir::pipeline svc{
        weir::timed_by{std::ref(world.clock())}, weir::within{jobs},
        weir::cached{weir::store<int, int>{{.capacity = 100, .ttl = 100s, .jitter = 0}}, itself,
                     weir::refresh_ahead{{.after = 0.5, .backoff = {.retry_after = 1s, .max_retry_after = 1s}}, std::ref(few)}},
        std::ref(ask)};
    users.come(svc, 1, 20ms, 20ms);
    ask.fails = weir::errc::upstream_failed;
    users.come(svc, 1, 10ms, 80s); // due for 30 s: without a budget some 40 refreshes
    CHECK(users.failures == 0);
    CHECK(users.longest <= 10ms);
    CHECK(ask.calls == 1 + 10);
    CHECK(few.left(world.clock().now()) < 1);
    auto const stats = svc.get<weir::cached>().part<weir::refresh_ahead>().stats();
    CHECK(stats.over_budget >= 15);
    CHECK(stats.over_budget <= 30); // a pause of a second after each
    CHECK(svc.get<weir::cached>().stats().refreshes == 10);

    ask.fails = weir::errc{};
    users.come(svc, 1, 10ms, 10s); // nothing that was borrowed has left the window
    CHECK(ask.calls == 1 + 10);
    users.come(svc, 1, 10ms, 40s); // now it has, or else the value expires: loaded, and good for 50 s
    CHECK(users.failures == 0);
    CHECK(ask.calls == 1 + 10 + 1);
    users.come(svc, 1, 10ms, 40s); // due again, and there is a load
    CHECK(ask.calls == 1 + 10 + 2);
}

TEST_CASE("refresh_ahead: the refreshes of a sound source go back to the budget")
{
    weir::scope jobs;
    weir::simulation world;
    source ask(world);
    callers users(world);
    weir::budget one{{.ratio = 0, .floor_per_second = 0.001, .window = 1'000s}};
    weir::pipeline svc{weir::timed_by{std::ref(world.clock())}, weir::within{jobs},
                       weir::cached{weir::store<int, int>{{.capacity = 100, .ttl = 10s, .jitter = 0}}, itself,
                                    weir::refresh_ahead{{.after = 0.8}, std::ref(one)}},
                       std::ref(ask)};
    users.come(svc, 1, 20ms, 20ms);
    users.come(svc, 1, 10ms, 60s);
    CHECK(svc.get<weir::cached>().stats().refreshes == 7);
    CHECK(svc.get<weir::cached>().stats().misses == 1);
    CHECK(svc.get<weir::cached>().part<weir::refresh_ahead>().stats().over_budget == 0);
    CHECK(one.left(world.clock().now()) == doctest::Approx(1));
}

TEST_CASE("refresh_ahead: a synchronous pipeline takes its refreshes from the budget, too")
{
    weir::manual_clock clock;
    bool fails = false;
    int loads = 0;
    auto const two = std::make_shared<weir::budget>(weir::budget_options{.ratio = 0, .floor_per_second = 0.02, .window = 100s});
    weir::pipeline svc{weir::timed_by{std::ref(clock)},
                       weir::cached{weir::store<int, int>{{.capacity = 100, .ttl = 100s, .jitter = 0}}, itself,
                                    weir::refresh_ahead{{.backoff = {.max_retry_after = 1s}}, two}},
                       [&](int) -> weir::result<int> {
                           ++loads;
                           if (fails) return weir::errc::unavailable;
                           return loads;
                       }};
    CHECK(svc(1) == 1);
    clock.advance(81s);
    fails = true;
    for (int i = 0; i < 15; ++i, clock.advance(1s)) CHECK(svc(1) == 1); // the old value
    CHECK(loads == 1 + 2);
    std::string seen;
    svc.get<weir::cached>().stats().each([&](std::string_view name, auto const& value) {
        if constexpr (std::is_integral_v<std::remove_cvref_t<decltype(value)>>)
            if (name == "refreshes_over_budget_total") seen = std::to_string(value);
    });
    CHECK(seen == "13");
}

TEST_CASE("refresh_ahead: settings")
{
    weir::refresh_ahead part{{.after = 0.25}};
    weir::hit_facts hit;
    CHECK(!part.wants_refresh(hit)); // it never goes out of date
    hit.age = 24s;
    hit.time_left = 76s;
    CHECK(!part.wants_refresh(hit));
    hit.age = 25s;
    hit.time_left = 75s;
    CHECK(part.wants_refresh(hit));
    CHECK(!part.wants_refresh(hit)); // another one is at it
    CHECK_THROWS_WITH_AS(part.reconfigure({.after = 1}), "refresh_ahead.after: expected a ratio in [0, 1)", std::invalid_argument);
    CHECK_THROWS_WITH_AS(part.reconfigure({.backoff = {.retry_after = 0s}}), "refresh_ahead.retry_after: expected more than 0",
                         std::invalid_argument);
    CHECK_THROWS_WITH_AS(part.reconfigure({.backoff = {.retry_after = 2s, .max_retry_after = 1s}}),
                         "refresh_ahead.max_retry_after: expected at least retry_after", std::invalid_argument);
    part.reconfigure({.after = 0.9});
    CHECK(part.settings().after == 0.9);
    CHECK_THROWS_WITH_AS((weir::refresh_ahead{{}, std::shared_ptr<weir::budget>()}), "budget: expected a budget, not null",
                         std::invalid_argument);
    weir::budget shared{{.ratio = 0.3}};
    weir::refresh_ahead const bounded{{}, std::ref(shared)};
    double ratio = 0;
    bounded.describe([&](std::string_view name, auto const& value) {
        if constexpr (std::is_same_v<std::remove_cvref_t<decltype(value)>, double>)
            if (name == "refresh_budget_ratio") ratio = value;
    });
    CHECK(ratio == 0.3);
}

namespace weir {
static_assert(freshness_strategy<refresh_ahead<>> && load_watcher<refresh_ahead<>>);
} // namespace weir: what the header promises
