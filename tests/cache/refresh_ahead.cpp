// SPDX-License-Identifier: BSL-1.0
#include <weir/cache/refresh_ahead.hpp>

#include "source_scene.hpp"

#include <atomic>
#include <functional>
#include <stdexcept>
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
}
