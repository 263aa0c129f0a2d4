// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/contracts.hpp>
#include <weir/core/request.hpp>
#include <weir/http/correlation_id.hpp>
#include <weir/validate/mask.hpp>
#include <weir/validate/query.hpp>
#include <weir/validate/violation.hpp>

#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <string_view>

/// Two policies of this gateway's own: a policy is a plain class.
namespace gateway {

/// Refuses a request that does not name one symbol, written as symbols are.
struct one_symbol {
    using role = weir::gate;
    using reads = weir::reads_request<weir::customisation::target_fn>;
    using reports = weir::facets<weir::violation>;
    static constexpr std::string_view name = "one_symbol";

    weir::admission<> admit(auto& call) const
    {
        auto const symbol = weir::find_query(weir::target(call.request()), "symbol");
        bool const good = symbol && !symbol.value.empty() && symbol.value.size() <= 8 &&
                          symbol.value.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") == std::string_view::npos;
        if (good) return weir::admitted;
        call.report(weir::violation{"query", "symbol", "one symbol of up to 8 capital letters"});
        return weir::errc::invalid_request;
    }
};

/// What of a request may stand in a line of the log.
using log_mask = weir::common_mask;

/// Writes each failure of what is further in to standard error, with the request, masked, and the id by which it is found in the other
/// services' logs.
struct log_failures {
    using role = weir::transform;
    using needs = weir::facets<weir::correlation_id>;
    using reads = weir::reads_request<weir::customisation::method_fn, weir::customisation::target_fn>;
    static constexpr std::string_view name = "log_failures";

    std::string_view service;

    void up(auto& call, auto const& outcome) const
    {
        if (!call.failed(outcome)) return;
        fmt::print(stderr, "gateway: {}: {} {} [{}]\n", service, to_string(outcome.error().kind()), log_mask::request_line(call.request()),
                   call.template get<weir::correlation_id>().key());
    }
};

} // namespace gateway
