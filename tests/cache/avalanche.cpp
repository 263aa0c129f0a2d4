// SPDX-License-Identifier: BSL-1.0
//
// An avalanche: a million entries go out of date at once, and what stands behind the cache is not drowned.
#include <weir/cache/hit_rate_alarm.hpp>
#include <weir/cache/load_limit.hpp>
#include <weir/cache/stale_on_error.hpp>

#include "source_scene.hpp"

#include <functional>

using namespace weir_test;

TEST_CASE("avalanche: a million entries expire at once; loads are limited, the rest is answered stale, the alarm tightens and loosens")
{
    weir::scope jobs;
    weir::simulation world;
    source ask(world);
    callers users(world);
    weir::store<int, int> kept{{.capacity = 1'100'000, .ttl = 120s, .jitter = 0, .keep_stale = 1h}};
    weir::load_limit loads{{.max_loads = 20, .max_wait = 20ms}};
    std::vector<weir::hit_rate_change> changes;
    weir::hit_rate_alarm alarm{{.drop = 0.3}, weir::tightens{std::ref(loads), 0.25}};
    std::uint32_t tightened = 0;
    alarm.listen([&](weir::hit_rate_change const& c) {
        changes.push_back(c);
        if (c.what == weir::hit_rate_change::kind::dropped) tightened = static_cast<std::uint32_t>(loads.stats().limit);
    });
    weir::pipeline svc{
        weir::timed_by{std::ref(world.clock())}, weir::within{jobs},
        weir::cached{std::ref(kept), itself, std::ref(alarm),
                     weir::stale_on_error{{.max_stale = 10min, .backoff = {.retry_after = 100ms, .max_retry_after = 400ms}}}},
        std::ref(loads), std::ref(ask)};
    for (int key = 0; key < 1'000'000; ++key) kept.put(key, key, world.clock().now());
    // Two thousand keys are in use; one in a hundred calls asks for something new, so that there are misses.
    std::uint64_t random = 1;
    int fresh = 1'000'000;
    auto const traffic = [&](weir::duration for_so_long) {
        weir::time_point const end = world.clock().now() + for_so_long;
        while (world.clock().now() < end) {
            auto const draw = weir::detail::splitmix64(random);
            world.spawn(users.call(svc, draw % 100 == 0 ? ++fresh : static_cast<int>((draw >> 8) % 2'000) * 499));
            world.run_for(1ms);
        }
    };
    traffic(119s);
    CHECK(changes.empty());
    CHECK(users.failures == 0);
    CHECK(alarm.stats().usual > 0.98);
    ask.most_inside = 0;
    users.forget();

    traffic(5s); // a second of it before, four of the avalanche
    REQUIRE(!changes.empty());
    CHECK(changes[0].what == weir::hit_rate_change::kind::dropped);
    CHECK(changes[0].before > 0.98);
    CHECK(changes[0].now < 0.7);
    CHECK(tightened == 5);
    CHECK(ask.most_inside <= 20);
    CHECK(users.values >= 4'900); // all but new keys that found no place
    CHECK(users.stale > 0);

    traffic(60s);
    REQUIRE(changes.size() == 2);
    CHECK(changes[1].what == weir::hit_rate_change::kind::recovered);
    CHECK(loads.stats().limit == 20);
    CHECK(ask.most_inside <= 20);
    users.forget();
    traffic(1s);
    CHECK(users.failures == 0);
    CHECK(users.stale == 0);
}
