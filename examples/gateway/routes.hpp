// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "config.hpp"
#include "handlers.hpp"
#include "policies.hpp"

#include <weir/http/correlate.hpp>
#include <weir/http/query_key.hpp>
#include <weir/sign/add_signature.hpp>
#include <weir/sign/authorize.hpp>
#include <weir/sign/claims_match.hpp>
#include <weir/sign/seal_response.hpp>
#include <weir/sign/verify_jwt.hpp>
#include <weir/sign/verify_request.hpp>
#include <weir/validate/max_body.hpp>
#include <weir/validate/paging.hpp>
#include <weir/validate/require_headers.hpp>
#include <weir/weir.hpp>

#include <functional>
#include <string_view>
#include <utility>

// The routes of the gateway. Each is a pipeline: a request goes down the list of its policies to the handler, the outcome comes back up.
namespace gateway {

/// The keys that the routes use, replaced while they do.
struct keys_in_force {
    weir::key_set<> issuer;   ///< whose tokens let clients read
    weir::message_keys<> own; ///< the gateway's
    weir::key_ring<> apps;    ///< those that order

    explicit keys_in_force(config const& c) : issuer(R"({"keys":[]})", issuer_options()), own(c.identity.key), apps(c.keys)
    {
        issuer.replace(*c.tokens.keys);
    }
    void replace(config const& c)
    {
        issuer.replace(*c.tokens.keys);
        own.replace(c.identity.key);
        apps.replace(c.keys);
    }
};

// What each answer leaves through, a refusal and a path that is not there as well: the id by which the request is found in all logs, and the seal by
// which the answer is known to be the gateway's, and to be for this request. `routes` answers all of them.
template<class Routes>
auto sealed(keys_in_force& keys, Routes routes)
{
    return weir::pipeline{
        weir::correlate{{.required = true}},
        weir::seal_response{weir::http_signature{seal()}, std::ref(keys.own)},
        std::move(routes),
    };
}

/// Who may read: so many requests for each client, and a token that says so, on the device that it was made for.
inline auto readers(config const& c, keys_in_force& keys)
{
    return weir::rate_limit{weir::keyed{weir::gcra{c.quotes.rate.client}, weir::by_peer, c.quotes.rate.all}} |
           weir::verify_jwt{std::ref(keys.issuer), c.tokens.options} |
           weir::claims_match{"device", weir::by_header<"x-device-id">, {.mismatch = weir::errc::unauthenticated}} |
           weir::authorize<weir::has_scope<"quotes:read">>{};
}

/// How a service is asked: each time with a signature of the gateway's, so that it knows who asks, and for what.
template<class AsTheServiceSeesIt = as_the_service_sees_it>
auto signed_for(std::string_view service, keys_in_force& keys)
{
    return AsTheServiceSeesIt{} | weir::add_signature{weir::http_signature{asked_of(service)}, std::ref(keys.own)};
}

// GET /quotes?symbol=ACME: from the cache while it is fresh, else from the quotes service. While that one is in trouble, the last known. Symbols
// that do not exist stop at the guard; one that is in use is loaded anew before it expires; so many loads run at a time, and fewer while hits are
// suddenly rare.
inline auto one_quote(config const& c, keys_in_force& keys, quote_store& known, weir::load_limit<>& loads, weir::circuit_breaker<>& breaker,
                      service const& quotes, weir::scope& work)
{
    quotes_settings const& s = c.quotes;
    return weir::pipeline{
        weir::within{work},
        weir::correlate{},
        readers(c, keys),
        one_symbol{},
        weir::fallback{last_known{known}},
        weir::cached{std::ref(known), weir::query<"symbol">, weir::bloom_guard{s.symbols}, weir::refresh_ahead{s.refresh},
                     weir::hit_rate_alarm{s.alarm, weir::tightens{std::ref(loads), s.tightened_to}}},
        std::ref(loads),
        std::ref(breaker),
        weir::retry<3>{s.retry},
        log_failures{"quotes"},
        weir::attempt_timeout{s.timeout},
        signed_for("quotes", keys),
        weir::idempotent{quotes},
    };
}

// GET /quotes?limit=10&offset=20: a part of the list. It comes from the same service, so the breaker is the same one, too.
inline auto list_of_quotes(config const& c, keys_in_force& keys, weir::circuit_breaker<>& breaker, service const& quotes)
{
    quotes_settings const& s = c.quotes;
    return weir::pipeline{
        weir::correlate{},
        readers(c, keys),
        weir::paging{s.page},
        std::ref(breaker),
        weir::retry<3>{s.retry},
        log_failures{"quotes"},
        weir::attempt_timeout{s.timeout},
        signed_for<page_as_the_service_sees_it>("quotes", keys),
        weir::idempotent{quotes},
    };
}

// POST /orders, signed by an app. Nothing is sent twice: an order is not idempotent, and the compiler would refuse a retry here.
inline auto place_order(config const& c, keys_in_force& keys, service const& orders)
{
    orders_settings const& s = c.orders;
    return weir::pipeline{
        weir::correlate{},
        weir::require_headers<"content-type">{},
        weir::max_body{s.body},
        weir::verify_request{std::ref(keys.apps), s.signature},
        weir::rate_limit{weir::keyed{weir::gcra{s.rate.client}, weir::by<weir::principal>, s.rate.all}},
        weir::bulkhead{s.bulkhead},
        weir::circuit_breaker{s.breaker},
        log_failures{"orders"},
        weir::timeout{s.timeout},
        signed_for("orders", keys),
        orders,
    };
}

} // namespace gateway
