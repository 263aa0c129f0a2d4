// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/contracts.hpp>
#include <weir/core/request.hpp>
#include <weir/sign/detail/message_end.hpp>
#include <weir/sign/http_signature.hpp>
#include <weir/sign/random_nonce.hpp>

#include <string_view>
#include <utility>

namespace weir::inline v0 {

/// Signs a request on its way down: `add_signature{http_signature{{.authority = "bank.example"}}, std::ref(keys)}`. A scheme is `http_signature`,
/// `sigv4`, or one of your own with `message_check sign(request, keys, now, nonce) const`.
///
/// Each attempt is signed anew, with its own time and nonce, if a `retry` stands further out: stand it there. What changes what is covered stands
/// further out, too. The call works on a copy of the request, so its caller's own stays as it was. Without a key that can sign the call is
/// refused with `errc::unavailable`; a request that cannot be signed, as it lacks a component, with `errc::invalid_request`.
/// Thread-safe as keys, clock and nonces are.
template<class Scheme, class Keys, class Clock = system_wall, class Nonces = random_nonces>
class add_signature : public detail::message_end<Scheme, Keys, Clock> {
    using base = detail::message_end<Scheme, Keys, Clock>;
    static_assert(wall_clock<detail::policy_t<Clock>>, "weir::add_signature wants a wall clock: a type with wall_now()");

public:
    using role = transform;
    using traits = weir::traits<rewrites_request>;
    using reads = reads_request<customisation::header_fn, customisation::set_header_fn, customisation::method_fn, customisation::target_fn,
                                customisation::body_fn>;
    static constexpr std::string_view name = "add_signature";

    /// Keys and a clock given by `std::ref` outlive the policy.
    add_signature(Scheme scheme, Keys keys, Clock clock = {}, Nonces nonces = {})
        : base(std::move(scheme), std::move(keys), std::move(clock)), nonces_(std::move(nonces))
    {
    }

    [[nodiscard]] admission<> down(auto& call)
    {
        auto const nonce = nonces_();
        message_check const made = this->counted(this->scheme()->sign(call.request(), this->keys(), this->wall_now(), nonce.view()));
        if (made) [[likely]]
            return admitted;
        return made.fault == message_fault::unknown_key ? errc::unavailable : errc::invalid_request;
    }

private:
    [[no_unique_address]] Nonces nonces_;
};

} // namespace weir::inline v0
