// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/contracts.hpp>
#include <weir/core/live.hpp>
#include <weir/core/options.hpp>
#include <weir/resilience/decaying_quantile.hpp>

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace weir::inline v0 {

struct enough_time_options {
    /// What a call has to have left in any case. 0 or more.
    duration min_time_left{0};
    /// A call has to have left what this part of the calls took lately, 0.5 say; 0 means that is not looked at. In [0, 1).
    double quantile = 0;
    /// How many calls have to have succeeded before the quantile counts. At most 1,000.
    std::uint32_t minimum_calls = 100;
};

/// Refuses calls at once that cannot be done in the time that they have left: with `errc::deadline_exceeded`, before anything is spent on
/// them. What they need is a given minimum, or what calls took lately, by a `decaying_quantile` of those that succeeded. Calls without a
/// deadline pass. It tells by each tenth call that it would refuse for the quantile whether that is still so: such a one passes.
/// Thread-safe.
class enough_time {
public:
    using role = gate;
    using options = enough_time_options;
    static constexpr std::string_view name = "enough_time";
    struct permit {
        time_point began;
    };
    struct stats_type {
        std::uint64_t refused = 0;
        duration needed{}; ///< by the quantile, zero if it does not count
        void each(auto&& field) const
        {
            field("refused_total", refused);
            field("needed", needed);
        }
    };

    explicit enough_time(options const& o) : settings_(checked(o)) {}

    admission<permit> admit(auto& call)
    {
        time_point const now = call.now();
        if (call.deadline().at != never) {
            duration const left = call.deadline().left(now);
            bool const too_little = left.count() <= 0 || left < settings_.load().min_time_left;
            if (too_little || (left < duration{needed_.load()} && probes_.add(1) % 10 != 0)) [[unlikely]] {
                refused_.add(1);
                return errc::deadline_exceeded;
            }
        }
        return permit{now};
    }
    void settle(permit p, auto const& outcome, auto& call)
    {
        if (call.failed(outcome)) return;
        times_.record(call.now() - p.began);
        if (samples_.add(1) % 16 == 0) renew();
    }
    void cancel(permit) noexcept {}

    [[nodiscard]] stats_type stats(time_point = {}) const { return {refused_.load(), duration{needed_.load()}}; }
    [[nodiscard]] options settings() const noexcept { return settings_.load(); }
    /// Other settings for calls from now on. Throws `std::invalid_argument` and changes nothing if they are bad.
    void reconfigure(options const& o)
    {
        settings_.store(checked(o));
        renew();
    }
    void describe(auto&& field) const
    {
        options const o = settings();
        field("min_time_left", o.min_time_left);
        field("quantile", o.quantile);
    }

private:
    static options const& checked(options const& o)
    {
        expect(o.min_time_left.count() >= 0, "enough_time.min_time_left", "0 or more");
        expect(o.quantile >= 0 && o.quantile < 1, "enough_time.quantile", "a ratio in [0, 1)");
        expect(o.minimum_calls <= 1'000, "enough_time.minimum_calls", "at most 1,000");
        return o;
    }
    void renew()
    {
        options const o = settings_.load();
        bool const counts = o.quantile > 0 && times_.samples() >= o.minimum_calls;
        needed_.store(counts ? times_.at(o.quantile).count() : 0);
    }

    live<options> settings_;
    decaying_quantile<> times_;
    shared::cell<std::int64_t> needed_;
    shared::cell<std::uint64_t> samples_;
    shared::cell<std::uint64_t> probes_;
    shared::cell<std::uint64_t> refused_;
};

} // namespace weir::inline v0
