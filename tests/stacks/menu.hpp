// SPDX-License-Identifier: BSL-1.0
//
// What a random stack is made of: each dish has a policy for a given place, behind so many codecs. `draw` reads the same list.
#pragma once

#include "policies.hpp"

#include <weir/cache/bloom_guard.hpp>
#include <weir/cache/cached.hpp>
#include <weir/core/directives.hpp>
#include <weir/core/key.hpp>
#include <weir/limit/adaptive_lifo.hpp>
#include <weir/limit/adaptive_limit.hpp>
#include <weir/limit/aimd.hpp>
#include <weir/limit/all_of.hpp>
#include <weir/limit/by_priority.hpp>
#include <weir/limit/codel.hpp>
#include <weir/limit/concurrency_limit.hpp>
#include <weir/limit/exact_gcra.hpp>
#include <weir/limit/fair_by.hpp>
#include <weir/limit/fixed_window.hpp>
#include <weir/limit/gcra.hpp>
#include <weir/limit/hot_keys.hpp>
#include <weir/limit/keyed.hpp>
#include <weir/limit/leaky_bucket.hpp>
#include <weir/limit/leased.hpp>
#include <weir/limit/lifo.hpp>
#include <weir/limit/rate_limit.hpp>
#include <weir/limit/sliding_log.hpp>
#include <weir/limit/sliding_window.hpp>
#include <weir/limit/throttle.hpp>
#include <weir/limit/token_bucket.hpp>
#include <weir/limit/vegas.hpp>
#include <weir/limit/warm_up.hpp>
#include <weir/resilience/adaptive_throttle.hpp>
#include <weir/resilience/answer_store.hpp>
#include <weir/resilience/attempt_timeout.hpp>
#include <weir/resilience/bulkhead.hpp>
#include <weir/resilience/circuit_breaker.hpp>
#include <weir/resilience/degrade.hpp>
#include <weir/resilience/fallback.hpp>
#include <weir/resilience/hedge.hpp>
#include <weir/resilience/idempotency_key.hpp>
#include <weir/resilience/isolate.hpp>
#include <weir/resilience/keyed_breaker.hpp>
#include <weir/resilience/load_shed.hpp>
#include <weir/resilience/retry.hpp>
#include <weir/resilience/shadow.hpp>
#include <weir/resilience/timeout.hpp>
#include <weir/testing/chaos.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <string_view>

namespace stacks::menu {

/// What a draw has to know besides the laws.
enum rules : unsigned {
    anywhere = 0,
    awaits = 1,     ///< in asynchronous pipelines only
    forks = 2,      ///< runs the inside on its own: each doubles what there is to compile
    no_streams = 4, ///< cannot stand around a handler of `held`
    borders = 8,    ///< a codec
    scoped = 16,    ///< within a scope only
    detours = 32,   ///< runs the inside on a thread of its own: nothing in there may await
};

#define WEIR_DISH(dish, dish_rules, ...)                                                                                                   \
    template<int Depth>                                                                                                                    \
    struct dish {                                                                                                                          \
        static constexpr std::string_view name = #dish;                                                                                    \
        static constexpr unsigned rules = dish_rules;                                                                                      \
        static auto make([[maybe_unused]] std::size_t place) { return __VA_ARGS__; }                                                       \
    };

// The test policies.
WEIR_DISH(strict_gate, anywhere, strict<>{place})
WEIR_DISH(shared_gate, anywhere, std::make_shared<strict<>>(place))
WEIR_DISH(identity, anywhere, strict<weir::establishes_identity>{place})
WEIR_DISH(once, anywhere, strict<weir::passes_once>{place})
WEIR_DISH(body_check, anywhere, weir::named<"body_check">(strict<weir::reads_body>{place}))
WEIR_DISH(forgetful, anywhere, plain_gate{})
WEIR_DISH(parking_gate, anywhere, parking(place))
WEIR_DISH(pending_gate, awaits | no_streams, remote_gate<true>{place})
WEIR_DISH(asking_gate, awaits, remote_gate<false>{place})
WEIR_DISH(guessing, no_streams, guess<false>{})
WEIR_DISH(pending_guess, awaits | no_streams, guess<true>{})
WEIR_DISH(mending, no_streams, mender{})
WEIR_DISH(refresh, forks | no_streams, refreshing())
WEIR_DISH(repeating, no_streams, again_and_again{})
WEIR_DISH(stamping, anywhere, stamp{})
WEIR_DISH(pending_stamp, awaits, remote_stamp{})
WEIR_DISH(rewriting, anywhere, rewriter{})
WEIR_DISH(codec, borders, translation<Depth>{})
WEIR_DISH(tenants, anywhere, names_tenant{})
WEIR_DISH(tenant_reader, anywhere, reads_tenant{})

// Those that weir ships.
struct name_of_key {
    std::string_view operator()(auto const& call) const
    {
        constexpr std::string_view names[] = {"zero", "one", "two", "three"};
        return names[call.request().key % 4];
    }
};
struct anything {
    int operator()(auto const&) const { return 0; }
};
/// When all is quiet nothing is minor.
struct any_priority {
    using key_type = weir::priority::level;
    key_type operator()(auto const&) const { return here().trouble(4) ? weir::priority::level::batch : weir::priority::level::normal; }
};
inline weir::load_gauge const& always_overloaded()
{
    static weir::load_gauge gauge;
    gauge.cpu_is(1);
    return gauge;
}
inline weir::switchboard const& degraded_board()
{
    static weir::switchboard board{{"it"}};
    board.set("it", weir::service_level::shed_minor);
    return board;
}
WEIR_DISH(rate, anywhere, weir::rate_limit{weir::gcra{{.permits = 50, .per = 1s, .burst = 4}}})
WEIR_DISH(bucket, anywhere, weir::rate_limit{weir::token_bucket{{.permits = 50, .per = 1s, .burst = 4}}})
inline constexpr auto by_key = weir::keyed_by<int>([](auto const& q) { return q.key; });
WEIR_DISH(keyed_rate, anywhere,
          weir::rate_limit{weir::keyed{weir::gcra{{.permits = 50, .per = 1s, .burst = 3}}, by_key, {.capacity = 8, .seed = 1}}})
WEIR_DISH(throttled, anywhere, weir::throttle{weir::gcra{{.permits = 50, .per = 1s}}, 50ms})
WEIR_DISH(keyed_throttle, anywhere,
          weir::throttle{weir::keyed{weir::gcra{{.permits = 50, .per = 1s}}, by_key, {.capacity = 8, .seed = 1}}, 50ms})
WEIR_DISH(places, anywhere, weir::bulkhead{{.max_concurrent = 2, .max_wait = 30ms, .max_waiting = 4}})
WEIR_DISH(one_place, anywhere, weir::bulkhead{{.max_concurrent = 1}})
WEIR_DISH(breaker, anywhere,
          weir::circuit_breaker{
              {.failure_rate = 0.5, .window = 1s, .minimum_calls = 2, .open_for = 20ms, .probes = 2, .probe_limit = 50ms}})
WEIR_DISH(
    counting_breaker, anywhere,
    weir::circuit_breaker{weir::count_breaker_options{
        .window = 10, .minimum_calls = 2, .slow_call = 60ms, .open_for = 10ms, .max_open_for = 20ms, .probes = 1, .probe_limit = 50ms}})
WEIR_DISH(keyed_breakers, anywhere,
          weir::keyed_breaker{weir::row_breaker_options{.failures = 2, .open_for = 20ms, .probes = 1, .probe_limit = 50ms},
                              by_key,
                              {.capacity = 3, .forget_after = 100ms, .seed = 1}})
WEIR_DISH(shedding, anywhere, weir::adaptive_throttle{{.window = 100ms, .seed = 1}})
WEIR_DISH(latest_first, anywhere, weir::concurrency_limit{{.max_concurrent = 2, .max_wait = 30ms, .max_waiting = 4}, weir::lifo{}})
WEIR_DISH(lifo_by_load, anywhere, weir::concurrency_limit{{.max_concurrent = 1, .max_wait = 30ms, .max_waiting = 4}, weir::adaptive_lifo{}})
WEIR_DISH(fair_places, anywhere,
          weir::concurrency_limit{{.max_concurrent = 2, .max_wait = 30ms, .max_waiting = 4}, weir::fair_by{by_key, {.max_users = 3}}})
WEIR_DISH(adapting, anywhere,
          weir::adaptive_limit{weir::vegas{},
                               {.initial = 3,
                                .floor = 2,
                                .ceiling = 8,
                                .probe_limit = 1,
                                .probe_every = 100ms,
                                .window = 20ms,
                                .window_calls = 3,
                                .max_wait = 30ms,
                                .max_waiting = 4},
                               weir::codel{}})
WEIR_DISH(dropping, anywhere,
          weir::adaptive_limit{weir::aimd{}, {.initial = 3, .floor = 1, .ceiling = 5, .probe_limit = 1, .window = 20ms}})
WEIR_DISH(dripping, anywhere, weir::throttle{weir::leaky_bucket{{.permits = 50, .per = 1s, .queue = 3}}, 50ms})
WEIR_DISH(warming_up, anywhere, weir::throttle{weir::warm_up{{.permits = 100, .per = 1s, .warm_up = 100ms}}, 50ms})
WEIR_DISH(leased_rate, anywhere,
          weir::rate_limit{weir::leased{weir::gcra{{.permits = 1'000, .per = 1s, .burst = 50}}, {.batch = 5, .life = 10ms}}})
WEIR_DISH(several_rates, anywhere,
          weir::rate_limit{weir::all_of{
              weir::named<"all">(weir::gcra{{.permits = 50, .per = 1s, .burst = 6}}),
              weir::named<"each">(weir::keyed{weir::gcra{{.permits = 50, .per = 1s, .burst = 3}}, by_key, {.capacity = 8, .seed = 1}})}})
WEIR_DISH(window_of_time, anywhere, weir::rate_limit{weir::fixed_window{{.permits = 10, .per = 500ms}}})
WEIR_DISH(log_of_times, anywhere, weir::rate_limit{weir::sliding_log{{.permits = 10, .per = 500ms}}})
WEIR_DISH(two_windows, anywhere, weir::rate_limit{weir::sliding_window{{.permits = 10, .per = 500ms}}})
WEIR_DISH(exact_rate, anywhere, weir::rate_limit{weir::exact_gcra{{.permits = 30, .per = 1s, .burst = 4}}})
WEIR_DISH(hot_rate, anywhere,
          weir::rate_limit{weir::hot_keys{weir::gcra{{.permits = 50, .per = 1s, .burst = 3}}, by_key, {.top = 2, .seed = 1}}})
WEIR_DISH(ranked_places, anywhere,
          weir::concurrency_limit{{.max_concurrent = 2, .max_wait = 30ms, .max_waiting = 3}, weir::by_priority{by_key, 0.0, 0.3, 0.2}})
WEIR_DISH(shadowed_breaker, anywhere,
          weir::shadow{weir::circuit_breaker{
              {.failure_rate = 0.5, .window = 1s, .minimum_calls = 2, .open_for = 20ms, .probes = 1, .probe_limit = 50ms}}})
WEIR_DISH(shadowed_places, anywhere, weir::shadow{weir::bulkhead{{.max_concurrent = 1, .max_wait = 30ms, .max_waiting = 2}}})
WEIR_DISH(shadowed_parking, anywhere, weir::shadow{parking(place)})
WEIR_DISH(load_shedding, anywhere, weir::load_shed{always_overloaded(), {.cpu = 0.5, .window = 50ms}, any_priority{}})
WEIR_DISH(degrading, no_streams, weir::degrade{degraded_board(), "it", any_priority{}})
WEIR_DISH(isolated, no_streams | detours, weir::isolate{{.core_size = 1, .max_queue = 4}})
WEIR_DISH(once_a_key, no_streams,
          weir::idempotency_key{weir::answer_store<answer<Depth>>{{.capacity = 16, .ttl = 20ms}}, weir::one_scope{}, name_of_key{},
                                anything{}})
WEIR_DISH(chaotic, anywhere,
          weir::chaos{{.latency_rate = 0.1, .min_latency = 10ms, .max_latency = 30ms, .fault_rate = 0.1, .drop_rate = 0.1}, here()})
WEIR_DISH(retrying, no_streams, weir::retry<3>{{.base = 10ms, .cap = 40ms, .budget = {.floor_per_second = 1e6}, .seed = 7}})
WEIR_DISH(retry_twice, no_streams, weir::retry<2>{{.base = 20ms, .cap = 20ms, .seed = 7}})
WEIR_DISH(time_limit, awaits, weir::timeout{40ms})
WEIR_DISH(stated_limit, awaits, weir::timeout<weir::ms{120}>{})
WEIR_DISH(short_limit, awaits, weir::timeout<weir::ms{30}>{})
WEIR_DISH(attempt_limit, awaits, weir::attempt_timeout{25ms})
WEIR_DISH(hedging, awaits | forks | no_streams | scoped, weir::hedge<2>{{.after = 10ms, .budget = {.floor_per_second = 1e6}}})
WEIR_DISH(default_answer, no_streams, weir::fallback{answer<Depth>(-1)})
WEIR_DISH(failing_fallback, no_streams, weir::fallback{[](auto const& q, weir::error) {
              here().point();
              return answer<Depth>(q.key);
          }})
WEIR_DISH(cache, forks | no_streams,
          weir::cached{
              weir::store<int, answer<Depth>>{{.capacity = 16, .ttl = 20ms, .negative_ttl = 20ms, .seed = 1}}, by_key, {.max_flights = 8}})
WEIR_DISH(guarded_cache, forks | no_streams,
          weir::cached{weir::store<int, answer<Depth>>{{.capacity = 16, .ttl = 20ms, .seed = 1}},
                       by_key,
                       weir::bloom_guard<int>(std::array{0, 1, 2, 3}),
                       {.max_flights = 1}})
#undef WEIR_DISH

template<template<int> class... Dishes>
struct list {
};
using all = list<strict_gate, shared_gate, identity, once, body_check, forgetful, parking_gate, pending_gate, asking_gate, guessing,
                 pending_guess, mending, refresh, repeating, stamping, pending_stamp, rewriting, codec, tenants, tenant_reader, rate,
                 bucket, keyed_rate, throttled, keyed_throttle, places, one_place, breaker, counting_breaker, keyed_breakers, shedding,
                 latest_first, lifo_by_load, fair_places, adapting, dropping, dripping, warming_up, leased_rate, several_rates,
                 window_of_time, log_of_times, two_windows, exact_rate, hot_rate, ranked_places, shadowed_breaker, shadowed_places,
                 shadowed_parking, load_shedding, degrading, isolated, attempt_limit, hedging, once_a_key, chaotic, retrying, retry_twice,
                 time_limit, stated_limit, short_limit, default_answer, failing_fallback, cache, guarded_cache>;

} // namespace stacks::menu
