// SPDX-License-Identifier: BSL-1.0
#pragma once

// The core, limits, resilience and caches. What needs more than Boost's headers of containers and results is included by its own
// name: weir/asio.hpp, and the headers of validate/, sign/, http/ and testing/.
#include <weir/cache/bloom_filter.hpp>
#include <weir/cache/bloom_guard.hpp>
#include <weir/cache/cached.hpp>
#include <weir/cache/store.hpp>
#include <weir/core/describe.hpp>
#include <weir/core/key.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/core/principal.hpp>
#include <weir/limit/all_of.hpp>
#include <weir/limit/cost_of.hpp>
#include <weir/limit/exact_gcra.hpp>
#include <weir/limit/fixed_window.hpp>
#include <weir/limit/gcra.hpp>
#include <weir/limit/keyed.hpp>
#include <weir/limit/leaky_bucket.hpp>
#include <weir/limit/leased.hpp>
#include <weir/limit/limit_facts.hpp>
#include <weir/limit/rate_limit.hpp>
#include <weir/limit/sliding_log.hpp>
#include <weir/limit/sliding_window.hpp>
#include <weir/limit/throttle.hpp>
#include <weir/limit/token_bucket.hpp>
#include <weir/limit/warm_up.hpp>
#include <weir/resilience/attempt_timeout.hpp>
#include <weir/resilience/budget.hpp>
#include <weir/resilience/bulkhead.hpp>
#include <weir/resilience/circuit_breaker.hpp>
#include <weir/resilience/deadline_from.hpp>
#include <weir/resilience/enough_time.hpp>
#include <weir/resilience/fallback.hpp>
#include <weir/resilience/hedge.hpp>
#include <weir/resilience/idempotency_key.hpp>
#include <weir/resilience/retry.hpp>
#include <weir/resilience/send_deadline.hpp>
#include <weir/resilience/send_idempotency_key.hpp>
#include <weir/resilience/timeout.hpp>
#include <weir/version.hpp>
