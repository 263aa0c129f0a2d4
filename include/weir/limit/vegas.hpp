// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/options.hpp>
#include <weir/limit/detail/unloaded_time.hpp>
#include <weir/limit/load_window.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string_view>

namespace weir::inline v0 {

struct vegas_options {
    /// The limit grows while fewer calls than this, times log10 of the limit, rounded down, are queued; above 0. That is 1 below a limit of
    /// 100.
    double alpha = 3;
    /// It shrinks when more than this, times the same, are queued; above `alpha`. It also grows by so much at once while the queue is no
    /// longer than the logarithm.
    double beta = 6;
    /// But no more than this part of the limit is queued before it shrinks, and in proportion before it grows; in (0, 1].
    double queue_share = 0.06;
    /// How much of a change is made; in (0, 1].
    double smoothing = 1;
    /// So many of a window's calls may be dropped before the limit shrinks for that; in [0, 1].
    double drop_tolerance = 0.01;
};

/// Keeps a short queue at the service behind, told by the time that calls take: of `limit` calls inside, limit * (1 - rtt without load /
/// rtt) wait there (L. Brakmo and L. Peterson, "TCP Vegas", IEEE JSAC 13(8), 1995; Netflix concurrency-limits, VegasLimit, whose steps
/// these are). The rtt without load is the mean of the latest probes that agree, and sinks slowly when a window takes less.
///
/// Unlike there the queue is bounded by a part of the limit, too: 3 to 6 calls are a seventh to a third of a limit of 20. And the rtt
/// without load is no minimum: the least mean of many windows is 2 to 7 % too low by chance, for which the limit stayed a fifth below a
/// capacity of 200. Precise: it stands 2 to 10 % above the capacity. It comes down slowly, a step a window. Used by one thread at a time.
class vegas {
public:
    using options = vegas_options;
    static constexpr std::string_view name = "vegas";

    /// Throws `std::invalid_argument` if the options are bad.
    explicit vegas(options const& o = {}) : options_(checked(o)) {}

    [[nodiscard]] double next(load_window const& w, double limit) noexcept
    {
        double const step = std::max(1.0, std::floor(std::log10(limit)));
        // What alpha and beta are multiples of.
        double const part = std::min(step, options_.queue_share * limit / options_.beta);
        double wanted = limit;
        if (w.drop_ratio() > options_.drop_tolerance)
            wanted = limit - step;
        else if (w.served == 0)
            return limit;
        else {
            double const rtt = static_cast<double>(w.rtt.count());
            if (unloaded_.get() == 0 || rtt < unloaded_.get()) unloaded_.seen(rtt, 0.05);
            if (!w.is_used(limit)) return limit;
            double const queued = limit * (1 - unloaded_.get() / rtt);
            if (queued <= part)
                wanted = limit + std::max(options_.beta * part, 1.0);
            else if (queued < options_.alpha * part)
                wanted = limit + step;
            else if (queued > options_.beta * part)
                wanted = limit - step;
        }
        return limit + options_.smoothing * (wanted - limit);
    }
    void probed(load_window const& w) noexcept
    {
        if (w.served != 0) unloaded_.probed(static_cast<double>(w.rtt.count()));
    }
    /// How long a call takes when nothing is queued, as far as is known; 0 at first.
    [[nodiscard]] duration without_load() const noexcept { return duration(static_cast<std::int64_t>(unloaded_.get())); }

    [[nodiscard]] options settings() const noexcept { return options_; }
    void reconfigure(options const& o) { options_ = checked(o); }
    void describe(auto&& field) const
    {
        field("alpha", options_.alpha);
        field("beta", options_.beta);
        field("queue_share", options_.queue_share);
        field("smoothing", options_.smoothing);
        field("drop_tolerance", options_.drop_tolerance);
    }

private:
    static options const& checked(options const& o)
    {
        expect(o.alpha > 0, "vegas.alpha", "more than 0");
        expect(o.beta > o.alpha && o.beta <= 1'000'000, "vegas.beta", "more than alpha and at most 1000000");
        expect(o.queue_share > 0 && o.queue_share <= 1, "vegas.queue_share", "a ratio above 0 and at most 1");
        expect(o.smoothing > 0 && o.smoothing <= 1, "vegas.smoothing", "a ratio above 0 and at most 1");
        expect_ratio(o.drop_tolerance, "vegas.drop_tolerance");
        return o;
    }
    options options_;
    detail::unloaded_time unloaded_;
};

} // namespace weir::inline v0
