// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/call.hpp>
#include <weir/core/result.hpp>

#include <concepts>

namespace weir::inline v0 {

/// What `retry` and `hedge` repeat unless they are told otherwise: faults (see `is_fault`, or the pipeline's classifier), and refusals
/// further in by a limit.
struct when_it_failed {
    template<class Call, class Outcome>
    constexpr bool operator()(Call& call, Outcome const& outcome) const
    {
        if (call.failed(outcome)) [[unlikely]]
            return true;
        return outcome.has_error() && outcome.error().kind() == errc::rate_limited;
    }
};

/// Repeats calls that end with one of these errors: `retry<3, on_errors<errc::unavailable, errc::upstream_failed>>`.
template<errc... Which>
struct when_errors {
    template<class Outcome>
    constexpr bool operator()(Outcome const& outcome) const noexcept
    {
        return outcome.has_error() && ((outcome.error().kind() == Which) || ...);
    }
};
template<errc... Which>
inline constexpr when_errors<Which...> on_errors{};

namespace detail {

/// Asks a predicate of the outcome, or of the call and the outcome.
template<auto When>
[[gnu::always_inline]] inline bool worth_repeating(auto& call, auto const& outcome)
{
    if constexpr (std::predicate<decltype(When), decltype(call), decltype(outcome)>)
        return When(call, outcome);
    else
        return When(outcome);
}

} // namespace detail

} // namespace weir::inline v0
