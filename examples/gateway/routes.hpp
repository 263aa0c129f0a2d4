// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "config.hpp"
#include "handlers.hpp"
#include "policies.hpp"

#include <weir/http/correlate.hpp>
#include <weir/http/query_key.hpp>
#include <weir/sign/verify_request.hpp>
#include <weir/validate/max_body.hpp>
#include <weir/validate/paging.hpp>
#include <weir/validate/require_headers.hpp>
#include <weir/weir.hpp>

#include <functional>
#include <string>

// The routes of the gateway. Each is a pipeline: a request goes down the list of its policies to the handler, the outcome comes back up.
namespace gateway {

/// What stands before every route that anyone may call: an id by which the request is found in all logs, and a limit for each client.
inline auto baseline(rate_for_each const& limit)
{
    return weir::correlate{{.required = true}} | weir::rate_limit{weir::keyed{weir::gcra{limit.client}, weir::by_peer, limit.all}};
}

// GET /quotes?symbol=ACME: from the cache while it is fresh, else from the quotes service. While that one is in trouble, the last known. Symbols
// that do not exist stop at the guard; one that is in use is loaded anew before it expires; so many loads run at a time, and fewer while hits are
// suddenly rare.
inline auto one_quote(quotes_settings const& s, quote_store& known, weir::load_limit<>& loads, weir::circuit_breaker<>& breaker,
                      forward const& service, weir::scope& work)
{
    return weir::pipeline{
        weir::within{work},
        baseline(s.rate),
        one_symbol{},
        weir::fallback{last_known{known}},
        weir::cached{std::ref(known), weir::query<"symbol">, weir::bloom_guard{s.symbols}, weir::refresh_ahead{{.after = 0.5}},
                     weir::hit_rate_alarm{{.drop = 0.4}, weir::tightens{std::ref(loads), 0.5}}},
        std::ref(loads),
        std::ref(breaker),
        weir::retry<3>{s.retry},
        log_failures{"quotes"},
        weir::attempt_timeout{s.timeout},
        weir::idempotent{service},
    };
}

// GET /quotes?limit=10&offset=20: a part of the list. It comes from the same service, so the breaker is the same one, too.
inline auto list_of_quotes(quotes_settings const& s, weir::circuit_breaker<>& breaker, forward const& service)
{
    return weir::pipeline{
        baseline(s.rate),
        weir::paging{s.page},
        std::ref(breaker),
        weir::retry<3>{s.retry},
        log_failures{"quotes"},
        weir::attempt_timeout{s.timeout},
        weir::idempotent{page_from{service}},
    };
}

// POST /orders, signed by an app. Nothing is sent twice: an order is not idempotent, and the compiler would refuse a retry here.
inline auto place_order(orders_settings const& s, weir::key_ring<>& keys, forward const& service)
{
    return weir::pipeline{
        weir::correlate{{.required = true}},
        weir::require_headers<"content-type">{},
        weir::max_body{s.body},
        weir::verify_request{std::ref(keys), s.signature},
        weir::rate_limit{weir::keyed{weir::gcra{s.rate.client}, weir::by<weir::principal>, s.rate.all}},
        weir::bulkhead{s.bulkhead},
        weir::circuit_breaker{s.breaker},
        log_failures{"orders"},
        weir::timeout{s.timeout},
        service,
    };
}

} // namespace gateway
