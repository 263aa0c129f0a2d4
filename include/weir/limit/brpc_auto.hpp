// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/options.hpp>
#include <weir/limit/detail/unloaded_time.hpp>
#include <weir/limit/load_window.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weir::inline v0 {

struct brpc_auto_options {
    /// By how much calls may take longer than without load, as a ratio above 0 and at most 10: the room in which the limit is explored.
    /// The limit stands about half of it above the capacity. brpc has 0.3 in its documentation and 0.4 in its source.
    double alpha = 0.1;
    /// How much of the old estimates remains when new ones are worse; in [0, 1).
    double smoothing = 0.9;
    /// How much the time of dropped calls is added to that of those that were served; 0 or more.
    double fail_punish = 1;
};

/// Little's law: the capacity is the most calls that were served in a time, times how long one takes without load, and the limit is (2 +
/// alpha - rtt / rtt without load) times that, or once when the calls take longer than alpha allows (Apache brpc, automatic concurrency
/// limiter: docs/en/auto_concurrency_limiter.md and auto_concurrency_limiter.cpp).
///
/// The peak is that of 50 windows, and sinks slowly afterwards; the rtt without load sinks slowly, and is the mean of the latest probes
/// that agree. If all calls of a window were dropped the limit is halved. Unlike there the capacity is not rounded up before the limit is,
/// the limit stays while it is not felt, and it does not sink below twice what was inside while no call takes longer: few calls are no sign
/// of a small capacity, and a burst may follow. Finds the capacity fast and forgets it late: a service that loses half its capacity is over
/// its limit for about 50 windows. Used by one thread at a time. Memory: 450 bytes.
class brpc_auto {
public:
    using options = brpc_auto_options;
    static constexpr std::string_view name = "brpc_auto";

    /// Throws `std::invalid_argument` if the options are bad.
    explicit brpc_auto(options const& o = {}) : options_(checked(o)) {}

    [[nodiscard]] double next(load_window const& w, double limit) noexcept
    {
        if (w.served == 0) return w.dropped == 0 ? limit : limit / 2;
        double const punish = options_.fail_punish * static_cast<double>(w.dropped) * static_cast<double>(w.dropped_rtt.count());
        double const rtt = static_cast<double>(w.rtt.count()) + punish / static_cast<double>(w.served);
        if (unloaded_.get() <= 0 || rtt < unloaded_.get()) unloaded_.seen(rtt, 1 - options_.smoothing);
        see_rate(w.rate());
        double const capacity = unloaded_.get() * peak_ / 1e9;
        if (!w.is_used(limit)) return limit;
        double const over = rtt / unloaded_.get();
        if (over >= 1 + options_.alpha) return capacity;
        return std::max(std::ceil(capacity * (2 + options_.alpha - over)), std::min(limit, 2.0 * w.inflight));
    }
    void probed(load_window const& w) noexcept
    {
        if (w.served != 0) unloaded_.probed(static_cast<double>(w.rtt.count()));
    }
    /// The estimates: how long a call takes without load, and how many are served a second at most; 0 at first.
    [[nodiscard]] duration without_load() const noexcept { return duration(static_cast<std::int64_t>(unloaded_.get())); }
    [[nodiscard]] double peak() const noexcept { return peak_; }

    [[nodiscard]] options settings() const noexcept { return options_; }
    void reconfigure(options const& o) { options_ = checked(o); }
    void describe(auto&& field) const
    {
        field("alpha", options_.alpha);
        field("smoothing", options_.smoothing);
        field("fail_punish", options_.fail_punish);
    }

private:
    static options const& checked(options const& o)
    {
        expect(o.alpha > 0 && o.alpha <= 10, "brpc_auto.alpha", "more than 0 and at most 10");
        expect(o.smoothing >= 0 && o.smoothing < 1, "brpc_auto.smoothing", "a ratio below 1");
        expect(o.fail_punish >= 0 && o.fail_punish <= 1'000, "brpc_auto.fail_punish", "0 to 1000");
        return o;
    }
    [[nodiscard]] double keep(double old, double fresh) const noexcept
    {
        return old * options_.smoothing + fresh * (1 - options_.smoothing);
    }
    void see_rate(double rate) noexcept
    {
        rates_[seen_++ % rates_.size()] = rate;
        double highest = 0;
        for (double const each : rates_) highest = std::max(highest, each);
        peak_ = highest >= peak_ ? highest : keep(peak_, highest);
    }
    options options_;
    detail::unloaded_time unloaded_;
    double peak_ = 0;
    std::size_t seen_ = 0;
    std::array<double, 50> rates_{};
};

} // namespace weir::inline v0
