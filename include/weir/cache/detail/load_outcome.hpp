// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/detail/layer.hpp>
#include <weir/core/result.hpp>

#include <exception>

namespace weir::inline v0::detail {

/// Whether what a load brought is nothing to keep: failures by the pipeline's classifier, and every error, since a refusal is no answer.
bool is_failure([[maybe_unused]] auto& call, auto const& outcome)
{
    if (outcome.has_error()) return true;
    if constexpr (requires { call.failed(outcome); })
        return call.failed(outcome);
    else
        return false;
}
/// Whether the call that loaded was cancelled, or out of its own time: that says nothing of the source.
bool gave_up(auto& call, auto const& outcome)
{
    if (outcome.has_value()) [[likely]]
        return false;
    return outcome.error() == errc::cancelled || (outcome.error() == errc::deadline_exceeded && !in_time_left(call));
}
/// What the handler threw; null if it did not.
std::exception_ptr thrown_by(auto& call, auto const& outcome)
{
    return outcome.has_error() && outcome.error() == errc::handler_threw ? call.thrown() : nullptr;
}

} // namespace weir::inline v0::detail
