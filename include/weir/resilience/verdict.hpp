// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/result.hpp>

#include <concepts>
#include <cstdint>
#include <type_traits>

namespace weir::inline v0 {

/// What an outcome says of the service behind a policy: that it works, that it does not, or nothing.
enum class verdict : std::uint8_t { success, failure, ignored };

/// An error that says nothing of the service: the caller's own mistake, its giving up, or a refusal further in, which never asked it.
[[nodiscard]] constexpr bool says_nothing_of_the_service(errc e) noexcept
{
    switch (e) {
    case errc::rate_limited:
    case errc::circuit_open:
    case errc::bulkhead_full:
    case errc::cancelled:
    case errc::invalid_request:
    case errc::unauthenticated:
    case errc::forbidden:
    case errc::replayed:
    case errc::payload_too_large:
    case errc::unsupported_media_type:
    case errc::method_not_allowed:
    case errc::conflict:
    case errc::key_reused: return true;
    default: return false;
    }
}

/// The default classifier of breakers and throttles. What the pipeline's classifier says is a failure is one (`weir::classify(f)` in the
/// pipeline also judges values); errors that say nothing of the service are ignored; the rest, `errc::not_found` among it, is a success.
///
/// A policy's own classifier is any function of the outcome that returns a `verdict`, or a `bool` that is true for failures:
/// `circuit_breaker{{.window = 10s}, [](auto const& outcome) { return outcome.has_error() && outcome.error() == errc::upstream_failed; }}`.
/// It must not throw. Where answers are streamed it is also asked about a `result<void>`, how the stream ended.
struct pipeline_verdict {
    template<class Outcome, class Call>
    [[nodiscard]] constexpr verdict operator()(Outcome const& outcome, Call const& call) const
    {
        if constexpr (requires { outcome.error().kind(); }) {
            if (!outcome.has_error()) [[likely]]
                return call.failed(outcome) ? verdict::failure : verdict::success;
            if (!call.failed(outcome) && says_nothing_of_the_service(outcome.error().kind())) return verdict::ignored;
        }
        return call.failed(outcome) ? verdict::failure : verdict::success;
    }
};

namespace advice {
template<class Classifier>
struct classifier {
    template<class Outcome>
    struct has_to_return_bool_or_verdict_for;
};
} // namespace advice

namespace detail {

/// Asks a classifier of any of the three kinds.
template<class Classifier, class Outcome, class Call>
[[nodiscard, gnu::always_inline]] inline verdict verdict_of(Classifier const& classifier, Outcome const& outcome, Call const& call)
{
    if constexpr (std::is_same_v<Classifier, pipeline_verdict>)
        return classifier(outcome, call);
    else if constexpr (!std::is_invocable_v<Classifier const&, Outcome const&>) {
        static_cast<void>(sizeof(typename advice::classifier<Classifier>::template has_to_return_bool_or_verdict_for<Outcome>));
        return verdict::ignored;
    } else if constexpr (std::is_same_v<std::invoke_result_t<Classifier const&, Outcome const&>, verdict>)
        return classifier(outcome);
    else if constexpr (std::is_same_v<std::invoke_result_t<Classifier const&, Outcome const&>, bool>)
        return classifier(outcome) ? verdict::failure : verdict::success;
    else {
        static_cast<void>(sizeof(typename advice::classifier<Classifier>::template has_to_return_bool_or_verdict_for<Outcome>));
        return verdict::ignored;
    }
}

} // namespace detail

} // namespace weir::inline v0
