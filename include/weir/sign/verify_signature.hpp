// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/contracts.hpp>
#include <weir/core/principal.hpp>
#include <weir/core/request.hpp>
#include <weir/sign/detail/message_end.hpp>
#include <weir/sign/detail/signature_stats.hpp>
#include <weir/sign/http_signature.hpp>
#include <weir/sign/signature_facts.hpp>
#include <weir/validate/violation.hpp>

#include <string_view>
#include <utility>

namespace weir::inline v0 {

/// Lets a request pass if it is signed as the scheme says, and provides who signed it as the `principal`:
/// `verify_signature{http_signature{{.components = {"@method", "@target-uri"}}}, std::ref(keys)}`. A scheme is `http_signature`, `sigv4`, or one of
/// your own with `message_check verify(request, keys, now) const`.
///
/// What is too old is refused with `errc::replayed`, all else with `errc::unauthenticated`, and a `violation` that tells a stranger what a
/// signature has to have, not what was wrong with this one; the stats tell more. The same request passes again, as often as it comes: put a
/// `replay_guard` further in, where that matters.
///
/// Keys are what the scheme reads (`message_keys` for `http_signature`), or shared by `std::ref` or a `shared_ptr`; `keys().replace(...)` rotates them.
/// Thread-safe as they are. A call costs what `verify` of the scheme costs, and a SHA-256 of its nonce.
template<class Scheme, class Keys, class Clock = system_wall>
class verify_signature : public detail::message_end<Scheme, Keys, Clock> {
    using base = detail::message_end<Scheme, Keys, Clock>;
    static_assert(wall_clock<detail::policy_t<Clock>>, "weir::verify_signature wants a wall clock: a type with wall_now()");

public:
    using role = gate;
    using traits = weir::traits<establishes_identity, reads_body>;
    using provides = facets<principal, signature_facts>;
    using reports = facets<violation>;
    using reads = reads_request<customisation::method_fn, customisation::target_fn, customisation::body_fn>;
    static constexpr std::string_view name = "verify_signature";

    /// Keys and a clock given by `std::ref` outlive the policy.
    verify_signature(Scheme scheme, Keys keys, Clock clock = {}) : base(std::move(scheme), std::move(keys), std::move(clock)) {}

    [[nodiscard]] admission<> admit(auto& call)
    {
        message_check found = this->counted(this->scheme()->verify(call.request(), this->keys(), this->wall_now()));
        if (!found) [[unlikely]]
            return refuse(call, found);
        call.set(signature_facts(found));
        call.set(principal{std::move(found.signer)});
        return admitted;
    }

private:
    [[gnu::noinline, gnu::cold]] static errc refuse(auto& call, message_check const& found)
    {
        call.report(detail::violation_of("signature", found));
        return found.fault == message_fault::late ? errc::replayed : errc::unauthenticated;
    }
};

} // namespace weir::inline v0
