// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/options.hpp>
#include <weir/limit/load_window.hpp>

#include <algorithm>
#include <cmath>
#include <string_view>

namespace weir::inline v0 {

struct vegas_options {
    /// The limit grows while fewer calls than this, times log10 of the limit, rounded down, are queued; above 0. That is 1 below a limit of 100.
    double alpha = 3;
    /// It shrinks when more than this, times the same, are queued; above `alpha`. It also grows by so much at once while the queue is no longer
    /// than the logarithm.
    double beta = 6;
    /// How much of a change is made; in (0, 1].
    double smoothing = 1;
    /// So many of a window's calls may be dropped before the limit shrinks for that; in [0, 1].
    double drop_tolerance = 0.01;
};

/// Keeps a short queue at the service behind, told by the time that calls take: of `limit` calls inside, limit * (1 - rtt without load / rtt)
/// wait there (L. Brakmo and L. Peterson, "TCP Vegas", IEEE JSAC 13(8), 1995; Netflix concurrency-limits, VegasLimit, whose steps and
/// bounds these are). The rtt without load is the least mean of a window since the last probe, and the mean of the probe itself.
///
/// Precise: the limit stands `alpha` to `beta` times that logarithm above the capacity, 3 to 6 calls below a limit of 100. It comes down slowly,
/// a step a window. Used by one thread
/// at a time.
class vegas {
public:
    using options = vegas_options;
    static constexpr std::string_view name = "vegas";

    /// Throws `std::invalid_argument` if the options are bad.
    explicit vegas(options const& o = {}) : options_(checked(o)) {}

    [[nodiscard]] double next(load_window const& w, double limit) noexcept
    {
        double const step = std::max(1.0, std::floor(std::log10(limit)));
        double wanted = limit;
        if (w.drop_ratio() > options_.drop_tolerance)
            wanted = limit - step;
        else if (w.served == 0)
            return limit;
        else if (without_load_ == duration::zero() || w.rtt < without_load_) {
            without_load_ = w.rtt;
            return limit;
        } else if (!w.is_used(limit))
            return limit;
        else {
            double const queued = std::ceil(limit * (1 - static_cast<double>(without_load_.count()) / static_cast<double>(w.rtt.count())));
            if (queued <= step)
                wanted = limit + options_.beta * step;
            else if (queued < options_.alpha * step)
                wanted = limit + step;
            else if (queued > options_.beta * step)
                wanted = limit - step;
        }
        return limit + options_.smoothing * (wanted - limit);
    }
    void probed(load_window const& w) noexcept
    {
        if (w.served != 0) without_load_ = w.rtt;
    }
    /// How long a call takes when nothing is queued, as far as is known; 0 at first.
    [[nodiscard]] duration without_load() const noexcept { return without_load_; }

    [[nodiscard]] options settings() const noexcept { return options_; }
    void reconfigure(options const& o) { options_ = checked(o); }
    void describe(auto&& field) const
    {
        field("alpha", options_.alpha);
        field("beta", options_.beta);
        field("smoothing", options_.smoothing);
        field("drop_tolerance", options_.drop_tolerance);
    }

private:
    static options const& checked(options const& o)
    {
        expect(o.alpha > 0, "vegas.alpha", "more than 0");
        expect(o.beta > o.alpha && o.beta <= 1'000'000, "vegas.beta", "more than alpha and at most 1000000");
        expect(o.smoothing > 0 && o.smoothing <= 1, "vegas.smoothing", "a ratio above 0 and at most 1");
        expect_ratio(o.drop_tolerance, "vegas.drop_tolerance");
        return o;
    }
    options options_;
    duration without_load_{0};
};

static_assert(limit_algorithm<vegas>);

} // namespace weir::inline v0
