// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/core/policy.hpp>
#include <weir/sign/detail/signature_stats.hpp>
#include <weir/sign/message_check.hpp>
#include <weir/sign/timestamp.hpp>

#include <utility>

namespace weir::inline v0::detail {

/// What whoever signs messages and whoever verifies them have in common: a scheme, keys, a wall clock, and counts of what was found.
template<class Scheme, class Keys, class Clock>
class message_end {
public:
    using stats_type = signature_stats;

    /// The keys, to be replaced while calls use them.
    [[nodiscard]] auto& keys() noexcept { return unwrapped<Keys>::of(keys_); }
    [[nodiscard]] stats_type stats(time_point = {}) const { return counts_.sum(); }
    [[nodiscard]] auto const& settings() const noexcept { return scheme_.settings(); }
    void describe(auto&& field) const { scheme_.describe(field); }

protected:
    message_end(Scheme scheme, Keys keys, Clock clock) : scheme_(std::move(scheme)), keys_(std::move(keys)), clock_(std::move(clock)) {}

    [[nodiscard]] Scheme const& scheme() const noexcept { return scheme_; }
    [[nodiscard]] auto wall_now() { return unwrapped<Clock>::of(clock_).wall_now(); }
    message_check counted(message_check&& found)
    {
        counts_.add(found.fault);
        return std::move(found);
    }

private:
    Scheme scheme_;
    Keys keys_;
    [[no_unique_address]] Clock clock_;
    signature_counts<typename policy_t<Keys>::threading> counts_;
};

} // namespace weir::inline v0::detail
