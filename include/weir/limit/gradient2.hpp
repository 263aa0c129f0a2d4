// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/options.hpp>
#include <weir/limit/detail/unloaded_time.hpp>
#include <weir/limit/load_window.hpp>

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace weir::inline v0 {

struct gradient2_options {
    /// How much longer than usual a call may take before the limit shrinks, as a factor; at least 1. Netflix has 1.5, which lets the limit
    /// stand half as high again as the capacity.
    double rtt_tolerance = 1;
    /// By how many calls the limit grows after a window without a queue; above 0. Netflix has 4, and lets as many queue for good.
    double queue = 4;
    /// What part of the limit may be queued at the service behind; in (0, 1]. It grows by less when more is, and by more when less is.
    double queue_share = 0.04;
    /// How much of a change is made; in (0, 1].
    double smoothing = 0.2;
    /// Over how many windows the usual time is averaged; at least 10. Netflix has 600 windows of a second: as many minutes as these of 100
    /// ms.
    std::uint32_t long_window = 6'000;
    /// So many of a window's calls may be dropped before the limit shrinks for that; in [0, 1].
    double drop_tolerance = 0.01;
};

/// Compares the time that calls take now with the time that they usually take, an exponential average: the limit is multiplied by usual /
/// now, in [0.5, 1], and grows by a few calls that may queue (Netflix concurrency-limits, Gradient2Limit). A service that becomes slower
/// for good becomes the usual in time.
///
/// Unlike there a window with drops counts as one that took twice as long, and probes set what is usual (the mean of the latest that
/// agree): without one, the average climbs after the queue in a long overload, and the limit after the average. Unlike there, too, the
/// calls that may queue are learnt: a tenth less after a window that took longer than `queue_share` allows, a tenth more after another, up
/// to `queue` or that part of the limit. Four calls for good would be a fifth of a limit of 20, and less than the error of the measurement
/// at 200. The limit stands 2 to 10 % above the capacity, whatever that is. Used by one thread at a time.
class gradient2 {
public:
    using options = gradient2_options;
    static constexpr std::string_view name = "gradient2";

    /// Throws `std::invalid_argument` if the options are bad.
    explicit gradient2(options const& o = {}) : options_(checked(o)) {}

    [[nodiscard]] double next(load_window const& w, double limit) noexcept
    {
        bool const dropped = w.drop_ratio() > options_.drop_tolerance;
        double now = static_cast<double>(w.rtt.count());
        double const usual = w.served != 0 ? add(now) : 0;
        if (usual > 2 * now) usual_ *= 0.95; // back from an overload: sooner than the average would be
        if (!dropped && (w.served == 0 || !w.is_used(limit))) return limit;
        double const gradient = dropped ? 0.5 : std::clamp(options_.rtt_tolerance * usual / now, 0.5, 1.0);
        double const wanted =
            limit * gradient + (dropped ? 0 : allowed(now > (1 + options_.queue_share) * options_.rtt_tolerance * usual, limit));
        return limit + options_.smoothing * (wanted - limit);
    }
    void probed(load_window const& w) noexcept
    {
        if (w.served == 0) return;
        unloaded_.probed(static_cast<double>(w.rtt.count()));
        usual_ = unloaded_.get();
        averaged_ = warm_up;
    }
    /// How long a call usually takes; 0 at first.
    [[nodiscard]] duration usual() const noexcept { return duration(static_cast<std::int64_t>(usual_)); }

    [[nodiscard]] options settings() const noexcept { return options_; }
    void reconfigure(options const& o) { options_ = checked(o); }
    void describe(auto&& field) const
    {
        field("rtt_tolerance", options_.rtt_tolerance);
        field("queue", options_.queue);
        field("queue_share", options_.queue_share);
        field("smoothing", options_.smoothing);
        field("long_window", options_.long_window);
        field("drop_tolerance", options_.drop_tolerance);
    }

private:
    static constexpr std::uint32_t warm_up = 10; // so many windows are averaged evenly

    static options const& checked(options const& o)
    {
        expect(o.rtt_tolerance >= 1 && o.rtt_tolerance <= 100, "gradient2.rtt_tolerance", "1 to 100");
        expect(o.queue > 0 && o.queue <= 1'000'000, "gradient2.queue", "more than 0 and at most 1000000");
        expect(o.queue_share > 0 && o.queue_share <= 1, "gradient2.queue_share", "a ratio above 0 and at most 1");
        expect(o.smoothing > 0 && o.smoothing <= 1, "gradient2.smoothing", "a ratio above 0 and at most 1");
        expect(o.long_window >= warm_up, "gradient2.long_window", "at least 10");
        expect_ratio(o.drop_tolerance, "gradient2.drop_tolerance");
        return o;
    }
    double add(double rtt) noexcept
    {
        double const weight = averaged_ < warm_up ? 1.0 / ++averaged_ : 2.0 / (options_.long_window + 1.0);
        return usual_ += weight * (rtt - usual_);
    }
    /// How many calls may queue.
    double allowed(bool too_long, double limit) noexcept
    {
        double const wanted = too_long ? allowed_ / 1.1 : allowed_ * 1.1;
        return allowed_ = std::clamp(wanted, 0.1, std::max(std::max(0.1, options_.queue), options_.queue_share * limit));
    }
    options options_;
    detail::unloaded_time unloaded_;
    double usual_ = 0;
    double allowed_ = options_.queue;
    std::uint32_t averaged_ = 0;
};

} // namespace weir::inline v0
