// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "config.hpp"
#include "handlers.hpp"
#include "routes.hpp"

#include <weir/weir.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gateway {

/// Where two configurations differ: the paths of members that are not the same, as `/routes/quotes/rate/permits`.
inline std::vector<std::string> differences(json::value const& before, json::value const& after, std::string const& path = {})
{
    if (before == after) return {};
    if (!before.is_object() || !after.is_object()) return {path};
    std::vector<std::string> found;
    for (auto const& [name, value] : after.get_object()) {
        json::value const* const old = before.get_object().if_contains(name);
        for (std::string& each : differences(old != nullptr ? *old : json::value(), value, path + '/' + std::string(name)))
            found.push_back(std::move(each));
    }
    return found;
}

/// What cannot change while the gateway runs: addresses, and what memory was taken for.
inline bool needs_restart(std::string_view path)
{
    constexpr std::string_view fixed[] = {"/listen",
                                          "/actuator",
                                          "/drain",
                                          "/upstreams",
                                          "/routes/quotes/rate/clients",
                                          "/routes/quotes/cache/capacity",
                                          "/routes/quotes/refresh_after",
                                          "/routes/quotes/loads/tightened_to",
                                          "/routes/quotes/symbols",
                                          "/routes/orders/rate/clients",
                                          "/routes/orders/signature"};
    return std::ranges::any_of(fixed, [&](std::string_view each) { return path.starts_with(each); });
}

/// The settings in force, and the pipelines that they are in force in. Used by one thread.
template<class OneQuote, class List, class Order>
class settings_in_force {
public:
    settings_in_force(config first, weir::load_limit<>& loads, weir::circuit_breaker<>& quotes_breaker, keys_in_force& keys, OneQuote& one,
                      List& list, Order& order)
        : now_(std::move(first)), loads_(loads), quotes_breaker_(quotes_breaker), keys_(keys), one_(one), list_(list), order_(order)
    {
    }

    /// Puts other settings in the place of the present ones. What the policies know stays: what each client has used of its rate, the
    /// state of the breakers, the cache's entries. Says what has changed, and what of it waits for a restart.
    /// If a policy refuses them, which `read_config` should have foreseen, it throws and all is as it was.
    std::string change_to(config wanted)
    {
        try {
            apply(wanted);
        } catch (...) {
            apply(now_);
            throw;
        }
        std::vector<std::string> changed, waiting;
        for (std::string const& path : differences(now_.written, wanted.written)) (needs_restart(path) ? waiting : changed).push_back(path);
        std::string said = fmt::format("changed: {}", changed.empty() ? "nothing" : fmt::to_string(fmt::join(changed, ", ")));
        if (!waiting.empty()) said += fmt::format("; not before a restart: {}", fmt::join(waiting, ", "));
        now_ = std::move(wanted);
        return said;
    }

private:
    void apply(config const& c)
    {
        keys_.replace(c);
        quotes_breaker_.reconfigure(c.quotes.breaker);
        one_.template get<weir::cached>().reconfigure(
            {c.quotes.cache.ttl, c.quotes.cache.jitter, c.quotes.cache.negative_ttl, c.quotes.cache.keep_stale});
        one_.template get<weir::cached>().template part<weir::hit_rate_alarm<>>().reconfigure(c.quotes.alarm);
        loads_.reconfigure(c.quotes.loads);
        list_.template get<weir::paging>().reconfigure(c.quotes.page);
        auto const both = [&](auto& route) {
            route.template get<weir::rate_limit>().reconfigure(c.quotes.rate.client);
            route.template get<weir::verify_jwt>().reconfigure(c.tokens.options);
            route.template get<weir::retry>().reconfigure(c.quotes.retry);
            route.template get<weir::attempt_timeout>().reconfigure(c.quotes.timeout);
        };
        both(one_);
        both(list_);

        order_.template get<weir::max_body>().reconfigure(c.orders.body);
        order_.template get<weir::rate_limit>().reconfigure(c.orders.rate.client);
        order_.template get<weir::bulkhead>().reconfigure(c.orders.bulkhead);
        order_.template get<weir::circuit_breaker>().reconfigure(c.orders.breaker);
        order_.template get<weir::timeout>().reconfigure(c.orders.timeout);
    }

    config now_;
    weir::load_limit<>& loads_;
    weir::circuit_breaker<>& quotes_breaker_;
    keys_in_force& keys_;
    OneQuote& one_;
    List& list_;
    Order& order_;
};

} // namespace gateway
