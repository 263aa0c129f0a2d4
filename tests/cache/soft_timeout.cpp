// SPDX-License-Identifier: BSL-1.0
#include <weir/cache/soft_timeout.hpp>

#include "source_scene.hpp"

#include <weir/resilience/timeout.hpp>

#include <functional>
#include <stdexcept>

using namespace weir_test;

TEST_CASE("soft_timeout: a load that hangs: after the soft limit callers get the stale value, the load goes on and fills the store, the "
          "hard limit ends it")
{
    weir::scope jobs;
    weir::simulation world;
    source ask(world);
    callers users(world);
    weir::pipeline svc{
        weir::timed_by{std::ref(world.clock())}, weir::within{jobs},
        weir::cached{weir::store<int, int>{{.capacity = 100, .ttl = 1s, .jitter = 0, .keep_stale = 1h}}, itself, weir::soft_timeout{50ms}},
        weir::timeout{2s}, std::ref(ask)};
    users.come(svc, 1, 20ms, 20ms);
    world.run_for(2s);
    users.forget();

    ask.takes = 500ms; // slow
    users.come(svc, 1, 1ms, 10ms);
    world.run_for(100ms);
    CHECK(users.stale == 10);
    CHECK(users.why == weir::errc::deadline_exceeded);
    CHECK(users.longest == 50ms);
    CHECK(jobs.size() == 1); // the load goes on, and nobody waits
    world.run_for(400ms);
    CHECK(jobs.size() == 0);
    users.forget();
    users.come(svc, 1, 1ms, 10ms);
    CHECK(users.values == 10);
    CHECK(users.stale == 0);
    CHECK(ask.calls == 2);

    world.run_for(2s);
    users.forget();
    ask.takes = 1h; // hangs
    users.come(svc, 1, 1ms, 1s);
    world.run_for(60ms);
    CHECK(users.stale == 1'000);
    CHECK(users.longest == 50ms);
    CHECK(ask.calls == 3);
    CHECK(ask.inside == 1);
    world.run_for(1s);
    CHECK(ask.inside == 0); // ended by the hard limit
    CHECK(jobs.size() == 0);

    users.forget();
    users.come(svc, 2, 1ms, 1ms); // nothing is there of this key: who wants it waits, up to the hard limit
    world.run_for(3s);
    CHECK(users.failures == 1);
    CHECK(users.last == weir::errc::deadline_exceeded);
    CHECK(users.longest == 2s);
}

TEST_CASE("soft_timeout: settings")
{
    weir::soft_timeout part{50ms};
    CHECK(part.patience() == 50ms);
    part.reconfigure(20ms);
    CHECK(part.settings() == 20ms);
    CHECK_THROWS_WITH_AS(part.reconfigure(0ms), "soft_timeout: expected more than 0", std::invalid_argument);
}

namespace weir {
static_assert(soft_limit<soft_timeout<>>);
} // namespace weir: what the header promises
