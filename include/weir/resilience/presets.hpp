// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/directives.hpp>
#include <weir/core/options.hpp>
#include <weir/core/scope.hpp>
#include <weir/core/stack.hpp>
#include <weir/limit/adaptive_limit.hpp>
#include <weir/limit/gradient2.hpp>
#include <weir/resilience/attempt_timeout.hpp>
#include <weir/resilience/bulkhead.hpp>
#include <weir/resilience/circuit_breaker.hpp>
#include <weir/resilience/hedge.hpp>
#include <weir/resilience/load_gauge.hpp>
#include <weir/resilience/load_shed.hpp>
#include <weir/resilience/retry.hpp>
#include <weir/resilience/timeout.hpp>

#include <concepts>
#include <cstdint>

// Stacks that most services want, each a function that returns one: policies that stand in the right order, with defaults that one can
// begin with. A pipeline takes a stack apart, so it costs what its policies cost. Copy one and change it when yours differs. They are
// templates so that a file compiles those that it calls.
namespace weir::inline v0 {

struct client_standard_options {
    std::uint32_t max_concurrent = 100;                 ///< calls to the service behind at a time; more are refused
    duration timeout = std::chrono::seconds(10);        ///< of a call, all attempts together
    duration attempt_timeout = std::chrono::seconds(2); ///< of one attempt; at most `timeout`
    retry_options retry{};
    circuit_breaker_options breaker{};
};

/// For a client of another service: a bulkhead, a deadline for the call, up to three attempts with a budget, a breaker that sees each of
/// them, a deadline for each. (The order of Microsoft's standard resilience handler, with a bulkhead where that has a concurrency limiter.)
/// `pipeline{client_standard(), idempotent{fetch}}`; around a handler that blocks
/// `pipeline{client_standard(), isolate{...}, idempotent{f}}`. Throws `std::invalid_argument` that names the member.
template<std::same_as<client_standard_options> Options = client_standard_options>
[[nodiscard]] auto client_standard(Options const& o = {})
{
    expect(o.attempt_timeout <= o.timeout, "client_standard.attempt_timeout", "at most timeout");
    return bulkhead{{.max_concurrent = o.max_concurrent}} | timeout{o.timeout} | retry<3>{o.retry} | circuit_breaker{o.breaker} |
           attempt_timeout{o.attempt_timeout};
}

struct hedged_read_options {
    std::uint32_t max_concurrent = 100;
    duration timeout = std::chrono::seconds(1);                ///< of a call
    duration attempt_timeout = std::chrono::milliseconds(500); ///< of one attempt; at most `timeout`
    /// A second attempt begins when the first takes longer than 95 of 100 lately, or, while that is not known, so long.
    hedge_options hedge{.after = std::chrono::milliseconds(50), .quantile = 0.95};
    circuit_breaker_options breaker{};
};

/// For reads whose slowest calls matter: a bulkhead, a deadline, a breaker, and a second attempt beside one that takes long, within a
/// budget. The attempts run in `work`, which outlives the pipeline and is drained before it:
/// `pipeline{hedged_read(work), idempotent{read}}`, where `read` is a coroutine. Throws `std::invalid_argument` that names the member.
template<std::same_as<hedged_read_options> Options = hedged_read_options>
[[nodiscard]] auto hedged_read(scope& work, Options const& o = {})
{
    expect(o.attempt_timeout <= o.timeout, "hedged_read.attempt_timeout", "at most timeout");
    return within{work} | bulkhead{{.max_concurrent = o.max_concurrent}} | timeout{o.timeout} | circuit_breaker{o.breaker} |
           hedge<2>{o.hedge} | attempt_timeout{o.attempt_timeout};
}

struct server_edge_options {
    load_shed_options shed{};
    adaptive_limit_options limit{.max_wait = std::chrono::milliseconds(100)};
    duration timeout = std::chrono::seconds(10); ///< of a call, its wait for a place included
};

/// For the edge of a server: sheds load while the process is overloaded, a deadline, and a limit of calls at a time that finds itself by
/// their latency (Gradient2). Samplers feed the gauge: `cgroup_cpu` and `lag_probe`; it outlives the pipeline.
/// `pipeline{server_edge(gauge), ..., handler}`.
template<std::same_as<server_edge_options> Options = server_edge_options>
[[nodiscard]] auto server_edge(load_gauge const& gauge, Options const& o = {})
{
    return load_shed{gauge, o.shed} | timeout{o.timeout} | adaptive_limit{gradient2{}, o.limit};
}

struct queue_worker_options {
    std::uint32_t max_concurrent = 16;                   ///< messages worked on at a time
    std::uint32_t max_waiting = 1'000;                   ///< and taken from the queue already
    duration attempt_timeout = std::chrono::seconds(30); ///< of one attempt
    retry_options retry{.base = std::chrono::seconds(1), .cap = std::chrono::minutes(1)};
    circuit_breaker_options breaker{.failure_rate = 0.5, .window = std::chrono::minutes(1), .open_for = std::chrono::seconds(30)};
};

/// For who works messages off a queue: nobody waits for an answer, so calls wait for a place, and failed ones are made again patiently, up
/// to five times, while a breaker keeps them away from what is down. No deadline for the whole: what fails in the end goes back to the
/// queue, or to a list of dead letters. `pipeline{queue_worker(), idempotent{work_on}}`.
template<std::same_as<queue_worker_options> Options = queue_worker_options>
[[nodiscard]] auto queue_worker(Options const& o = {})
{
    return bulkhead{{.max_concurrent = o.max_concurrent, .max_wait = duration::max(), .max_waiting = o.max_waiting}} | retry<5>{o.retry} |
           circuit_breaker{o.breaker} | attempt_timeout{o.attempt_timeout};
}

} // namespace weir::inline v0
