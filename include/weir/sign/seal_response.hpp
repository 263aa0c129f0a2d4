// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/contracts.hpp>
#include <weir/core/request.hpp>
#include <weir/resilience/degraded.hpp>
#include <weir/sign/detail/message_end.hpp>
#include <weir/sign/http_signature.hpp>
#include <weir/sign/random_nonce.hpp>

#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

namespace weir::inline v0 {

/// What a response's signature covers unless it is told otherwise: the status, method and target of the request that it answers, and those
/// of the fields that change what an answer means which it has. `X-Degraded` is one: neither can it be stripped from an answer that is less
/// than it should be, nor added to a good one.
[[nodiscard]] inline http_signature_options sealed_answer()
{
    return {.components = {"@status", "@method;req", "@target-uri;req"},
            .if_present = {"content-type", "content-encoding", "location", "x-degraded"},
            .label = "seal"};
}

/// The pitcher: signs each response at the service that gives it, bound to the request that it answers. `open_response` is the catcher.
/// `seal_response{http_signature{sealed_answer()}, std::ref(keys)}`, or `seal_response{jwt_seal{{.issuer = "bank"}}, std::ref(keys)}`. A scheme
/// has `message_check sign_answer(response, request, keys, now, nonce) const`.
///
/// Put `"signature;req;key=\"sig1\""` among the components where requests are signed: the response is then bound to that very request, not only to
/// one that asks the same. Stands outside of caches, since a kept response answers another request (a law: inside of one it does not compile), and of
/// what rewrites the body. A response that cannot be signed does not leave: the outcome is `errc::unavailable`. An answer that a policy
/// further in has reported as `degraded` leaves with `X-Degraded` under the seal.
///
/// An error is no response: what the HTTP edge makes of it is not sealed, and whoever opens it gets `errc::upstream_failed`, as for a forged one. To have refusals
/// sealed, too, seal what the edge makes, or a whole router with its 404s and 405s: each is a handler that always responds. Stand the seal
/// outermost in that pipeline: what a policy further out refuses (a `correlate` that requires an id, a limit) leaves unsealed, and so does what the server
/// says to bytes that are no request.
/// ```cpp
/// weir::pipeline service{weir::verify_signature{...}, weir::rate_limit{...}, answer};                 // its 401 and 429
/// weir::http::router routes;
/// routes.add("GET", "/balance", weir::http::edge(service));
/// weir::pipeline sealed{weir::seal_response{scheme, std::ref(keys)}, std::move(routes)};              // leave sealed
/// weir::http::server server(executor, weir::http::edge(sealed));
/// ```
template<class Scheme, class Keys, class Clock = system_wall, class Nonces = random_nonces>
class seal_response : public detail::message_end<Scheme, Keys, Clock> {
    using base = detail::message_end<Scheme, Keys, Clock>;
    static_assert(wall_clock<detail::policy_t<Clock>>, "weir::seal_response wants a wall clock: a type with wall_now()");

public:
    using role = transform;
    using traits = weir::traits<wants_whole_outcome, binds_to_the_request>;
    static constexpr std::string_view name = "seal_response";

    /// Keys and a clock given by `std::ref` outlive the policy.
    seal_response(Scheme scheme, Keys keys, Clock clock = {}, Nonces nonces = {})
        : base(std::move(scheme), std::move(keys), std::move(clock)), nonces_(std::move(nonces))
    {
    }

    void up(auto& call, auto& outcome)
    {
        if (!outcome.has_value()) return;
        mark(call, *outcome);
        auto const nonce = nonces_();
        message_check const made =
            this->counted(this->scheme()->sign_answer(*outcome, call.request(), this->keys(), this->wall_now(), nonce.view()));
        if (!made) [[unlikely]]
            outcome = error(errc::unavailable);
    }

private:
    /// The field that the HTTP edge would add when the seal is made.
    static void mark(auto const& call, auto& response)
    {
        if constexpr (std::remove_cvref_t<decltype(call)>::reported_facets::template contains<degraded>)
            if (std::optional<degraded> const& less = call.template reported<degraded>()) set_header(response, "X-Degraded", less->by);
    }

    [[no_unique_address]] Nonces nonces_;
};

} // namespace weir::inline v0
