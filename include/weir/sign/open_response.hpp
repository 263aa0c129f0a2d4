// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/contracts.hpp>
#include <weir/core/request.hpp>
#include <weir/sign/detail/message_end.hpp>
#include <weir/sign/detail/signature_stats.hpp>
#include <weir/sign/seal_response.hpp>
#include <weir/validate/violation.hpp>

#include <string_view>
#include <utility>

namespace weir::inline v0 {

/// The catcher: lets a response come up if the service that gave it sealed it, lately, for this request and with this body.
/// `open_response{http_signature{sealed_answer()}, std::ref(keys)}`, with the options of the service's `seal_response`. A scheme has
/// `message_check verify_answer(response, request, keys, now) const`.
///
/// A response that was altered, answers another request, lost its seal or came late becomes `errc::upstream_failed`, so a breaker further out
/// counts it and a retry may ask again; a `violation` (where `"response"`) says what was expected, the stats what was wrong. Errors pass as they
/// are. It reads the request as it was sent, so it stands outside of nothing that rewrites it but `add_signature`: both orders work.
template<class Scheme, class Keys, class Clock = system_wall>
class open_response : public detail::message_end<Scheme, Keys, Clock> {
    using base = detail::message_end<Scheme, Keys, Clock>;
    static_assert(wall_clock<detail::policy_t<Clock>>, "weir::open_response wants a wall clock: a type with wall_now()");

public:
    using role = transform;
    using traits = weir::traits<wants_whole_outcome>;
    using reports = facets<violation>;
    static constexpr std::string_view name = "open_response";

    /// Keys and a clock given by `std::ref` outlive the policy.
    open_response(Scheme scheme, Keys keys, Clock clock = {}) : base(std::move(scheme), std::move(keys), std::move(clock)) {}

    void up(auto& call, auto& outcome)
    {
        if (!outcome.has_value()) return;
        message_check const found = this->counted(this->scheme()->verify_answer(*outcome, call.request(), this->keys(), this->wall_now()));
        if (found) [[likely]]
            return;
        call.report(detail::violation_of("response", found));
        outcome = error(errc::upstream_failed);
    }
};

} // namespace weir::inline v0
