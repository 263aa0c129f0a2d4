// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/options.hpp>
#include <weir/limit/load_window.hpp>

#include <string_view>

namespace weir::inline v0 {

struct aimd_options {
    /// The limit grows by this after a window in which it was felt; above 0.
    double increase = 1;
    /// The limit is multiplied by this after a window with drops; in [0.5, 1).
    double backoff = 0.9;
    /// So many of a window's calls may be dropped without that; in [0, 1].
    double drop_tolerance = 0.01;
    /// A window whose calls take longer than this on average counts as one with drops; above 0. As a rule, the time within which an answer
    /// is wanted.
    duration slow_after = duration::max();
};

/// Additive increase, multiplicative decrease, as in TCP (D.-M. Chiu and R. Jain, 1989; Netflix concurrency-limits, AIMDLimit): one more at
/// a time, and down by a tenth when calls are dropped or slow. It saws between the capacity and nine tenths of it.
///
/// It sees no load but by drops, or by the time in `slow_after`: for a service behind this one that refuses what is too much, or where the
/// time that is too long is known. Else take `vegas` or `gradient2`. Used by one thread at a time.
class aimd {
public:
    using options = aimd_options;
    static constexpr std::string_view name = "aimd";

    /// Throws `std::invalid_argument` if the options are bad.
    explicit aimd(options const& o = {}) : options_(checked(o)) {}

    [[nodiscard]] double next(load_window const& w, double limit) const noexcept
    {
        if (w.drop_ratio() > options_.drop_tolerance || w.rtt > options_.slow_after) return limit * options_.backoff;
        return w.is_used(limit) ? limit + options_.increase : limit;
    }

    [[nodiscard]] options settings() const noexcept { return options_; }
    void reconfigure(options const& o) { options_ = checked(o); }
    void describe(auto&& field) const
    {
        field("increase", options_.increase);
        field("backoff", options_.backoff);
        field("drop_tolerance", options_.drop_tolerance);
        field("slow_after", options_.slow_after);
    }

private:
    static options const& checked(options const& o)
    {
        expect(o.increase > 0 && o.increase <= 1'000'000, "aimd.increase", "more than 0 and at most 1000000");
        expect(o.backoff >= 0.5 && o.backoff < 1, "aimd.backoff", "a ratio from 0.5 to below 1");
        expect_ratio(o.drop_tolerance, "aimd.drop_tolerance");
        expect(o.slow_after.count() > 0, "aimd.slow_after", "more than 0");
        return o;
    }
    options options_;
};

} // namespace weir::inline v0
