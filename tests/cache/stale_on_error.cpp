// SPDX-License-Identifier: BSL-1.0
#include <weir/cache/stale_on_error.hpp>

#include "source_scene.hpp"

#include <weir/resilience/budget.hpp>
#include <weir/resilience/circuit_breaker.hpp>

#include <functional>
#include <stdexcept>

using namespace weir_test;

namespace {

constexpr weir::store_options keeps_stale{.capacity = 100, .ttl = 1s, .jitter = 0, .keep_stale = 1h};

/// A budget for loads, as a gate in front of the source: composed, not built in.
struct load_budget {
    using role = weir::gate;
    static constexpr std::string_view name = "load_budget";
    weir::budget& left;
    weir::admission<> admit(auto& call)
    {
        if (!left.withdraw(call.now())) return weir::errc::overloaded;
        return weir::admitted;
    }
};

} // namespace

TEST_CASE("stale_on_error: a source that fails for a minute, and stale is served; it is asked after pauses only")
{
    weir::scope jobs;
    weir::simulation world;
    source ask(world);
    callers users(world);
    weir::pipeline svc{weir::timed_by{std::ref(world.clock())}, weir::within{jobs},
                       weir::cached{weir::store<int, int>{keeps_stale}, itself,
                                    weir::stale_on_error{{.max_stale = 10min, .backoff = {.retry_after = 1s, .max_retry_after = 5s}}}},
                       std::ref(ask)};
    users.come(svc, 1, 20ms, 20ms);
    world.run_for(2s);
    ask.fails = weir::errc::upstream_failed;
    users.forget();
    users.come(svc, 1, 1ms, 60s);
    world.run_for(1s);
    CHECK(users.values == 60'000);
    CHECK(users.stale == 60'000);
    CHECK(users.failures == 0);
    CHECK(users.longest == 10ms); // those who waited for a try
    CHECK(users.oldest > 60s);
    CHECK(ask.calls >= 1 + 60 / 5);
    CHECK(ask.calls <= 1 + 60 / 2); // 12 to 25 pauses, some short ones at the beginning
    ask.fails = weir::errc{};
    users.forget();
    users.come(svc, 1, 1ms, 10s);
    CHECK(users.failures == 0);
    CHECK(users.stale <= 5'050); // until the next try
    users.forget();
    users.come(svc, 1, 1ms, 500ms);
    CHECK(users.stale == 0);
    CHECK(svc.get<weir::cached>().stats().stale_answers > 59'000); // those who joined a try are not among them
}

TEST_CASE("stale_on_error: what is older than the greatest age is not given, also while the key pauses")
{
    weir::scope jobs;
    weir::simulation world;
    source ask(world);
    callers users(world);
    weir::pipeline svc{weir::timed_by{std::ref(world.clock())}, weir::within{jobs},
                       weir::cached{weir::store<int, int>{keeps_stale}, itself,
                                    weir::stale_on_error{{.max_stale = 30s, .backoff = {.retry_after = 20s, .max_retry_after = 20s}}}},
                       std::ref(ask)};
    users.come(svc, 1, 20ms, 20ms);
    ask.fails = weir::errc::unavailable;
    users.come(svc, 1, 100ms, 29s);
    CHECK(users.failures == 0);
    users.forget();
    world.run_for(3s);
    users.come(svc, 1, 100ms, 5s);
    world.run_for(1s);
    CHECK(users.values == 0);
    CHECK(users.last == weir::errc::unavailable);
}

TEST_CASE("stale_on_error: the caller's own mistakes are told, and so is what was never known")
{
    weir::scope jobs;
    weir::simulation world;
    source ask(world);
    callers users(world);
    weir::pipeline svc{weir::timed_by{std::ref(world.clock())}, weir::within{jobs},
                       weir::cached{weir::store<int, int>{keeps_stale}, itself, weir::stale_on_error{{.max_stale = 10min}}}, std::ref(ask)};
    users.come(svc, 1, 20ms, 20ms);
    world.run_for(2s);
    ask.fails = weir::errc::forbidden;
    users.come(svc, 1, 20ms, 20ms);
    CHECK(users.last == weir::errc::forbidden);
    ask.fails = weir::errc::unavailable;
    users.come(svc, 2, 20ms, 20ms); // nothing is there of this key
    CHECK(users.last == weir::errc::unavailable);
    CHECK(users.stale == 0);
    for (auto const e : {weir::errc::unavailable, weir::errc::circuit_open, weir::errc::bulkhead_full, weir::errc::rate_limited,
                         weir::errc::deadline_exceeded, weir::errc::handler_threw})
        CHECK(weir::source_failures{}(e));
    for (auto const e :
         {weir::errc::not_found, weir::errc::forbidden, weir::errc::invalid_request, weir::errc::unauthenticated, weir::errc::cancelled})
        CHECK(!weir::source_failures{}(e));
}

TEST_CASE("stale_on_error: a breaker and a budget in front of the source are composed, and what they refuse is answered stale")
{
    weir::scope jobs;
    weir::simulation world;
    source ask(world);
    callers users(world);
    weir::budget loads{{.ratio = 0, .floor_per_second = 5, .window = 1s}};
    weir::pipeline svc{weir::timed_by{std::ref(world.clock())},
                       weir::within{jobs},
                       weir::cached{weir::store<int, int>{keeps_stale}, itself, weir::stale_on_error{{.max_stale = 10min}}},
                       weir::circuit_breaker{weir::row_breaker_options{.failures = 3}},
                       load_budget{loads},
                       std::ref(ask)};
    for (int key = 0; key < 5; ++key) users.come(svc, key, 20ms, 20ms);
    world.run_for(2s);
    SUBCASE("the breaker")
    {
        ask.fails = weir::errc::upstream_failed;
        users.forget();
        for (int round = 0; round < 4; ++round)
            for (int key = 0; key < 5; ++key) users.come(svc, key, 20ms, 20ms);
        CHECK(users.stale == 20);
        CHECK(users.why == weir::errc::unavailable); // not tried again so soon
        CHECK(ask.calls == 5 + 3);                   // then the breaker was open for all keys
        CHECK(svc.get<weir::circuit_breaker>().stats(world.clock().now()).refused == 2);
    }
    SUBCASE("the budget")
    {
        users.forget();
        for (int i = 0; i < 10; ++i) { // more loads in a second than it has
            svc.get<weir::cached>().store().reconfigure({.ttl = 1ms, .jitter = 0, .negative_ttl = 0s, .keep_stale = 1h});
            users.come(svc, i % 5, 20ms, 20ms);
        }
        CHECK(users.values == 10);
        CHECK(users.stale == 5);
        CHECK(ask.calls == 10);
    }
}

TEST_CASE("stale_on_error: which errors count is a predicate; settings")
{
    auto const never_mind = [](weir::error const& why) { return why == weir::errc::forbidden; };
    weir::stale_on_error part({.max_stale = 1min}, never_mind);
    CHECK(part.stale_for({.why = weir::errc::forbidden, .now = {}, .key = 1}) == 1min);
    CHECK(part.stale_for({.why = weir::errc::unavailable, .now = {}, .key = 1}) == 0s);
    part.reconfigure({.max_stale = 2min});
    CHECK(*part.settings().max_stale == 2min);
    CHECK_THROWS_WITH_AS(part.reconfigure({.max_stale = 0s}), "stale_on_error.max_stale: expected more than 0", std::invalid_argument);
    CHECK_THROWS_WITH_AS(part.reconfigure({.max_stale = 1s, .backoff = {.retry_after = 0s}}),
                         "stale_on_error.retry_after: expected more than 0", std::invalid_argument);
}

namespace weir {
static_assert(failure_strategy<stale_on_error<>> && load_throttle<stale_on_error<>> && load_watcher<stale_on_error<>>);
} // namespace weir: what the header promises
