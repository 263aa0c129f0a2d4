// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/options.hpp>
#include <weir/testing/draws.hpp>

namespace weir::inline v0 {

/// How long something takes: `latency::fixed(20ms)`, `latency::log_normal(20ms, 0.5)`.
class latency {
public:
    /// Always the same.
    [[nodiscard]] static latency fixed(duration d) { return {kind::even, d, d, 0}; }
    /// Evenly between two bounds.
    [[nodiscard]] static latency even(duration low, duration high) { return {kind::even, low, high, 0}; }
    /// As between events that come at random; `draws::exponential`.
    [[nodiscard]] static latency exponential(duration mean) { return {kind::exponential, mean, mean, 0}; }
    /// As services take it; `draws::log_normal`.
    [[nodiscard]] static latency log_normal(duration median, double sigma) { return {kind::log_normal, median, median, sigma}; }

    [[nodiscard]] duration draw(draws& from) const
    {
        switch (kind_) {
        case kind::exponential: return from.exponential(low_);
        case kind::log_normal: return from.log_normal(low_, sigma_);
        default: return from.between(low_, high_);
        }
    }

private:
    enum class kind { even, exponential, log_normal };
    latency(kind k, duration low, duration high, double sigma) : kind_(k), low_(low), high_(high), sigma_(sigma)
    {
        expect(low.count() >= 0 && low <= high, "latency", "0 or more, and a low end that is not above the high one");
        expect(sigma >= 0 && sigma <= 4, "latency.sigma", "0 to 4");
    }

    kind kind_;
    duration low_;
    duration high_;
    double sigma_;
};

} // namespace weir::inline v0
