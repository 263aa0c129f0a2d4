// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/core/options.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <optional>

namespace weir::inline v0 {

struct hit_rate_options {
    /// How long the look-ups are counted for the rate of now; a window with fewer than `minimum_calls` is prolonged until it has them.
    /// Above 0.
    duration window = std::chrono::seconds(1);
    std::uint32_t minimum_calls =
        100; ///< at least 1; for a smaller `drop` take more: chance alone moves the rate of n calls by 1 / sqrt(n)
    /// How far the rate of now has to lie below the usual one for an alarm, as a difference of ratios; in (0, 1].
    double drop = 0.2;
    /// The alarm is over when the rate is less than this below what was usual; at least 0, below `drop`.
    double recovered = 0.1;
    /// Over how long a time the usual rate is averaged; at least `window`. What changes more slowly than that is no alarm.
    duration memory = std::chrono::minutes(1);
    /// An alarm that has lasted so long is over: the new rate is the usual one now. Above 0.
    duration accepted_after = std::chrono::minutes(10);

    friend bool operator==(hit_rate_options const&, hit_rate_options const&) = default;
};

/// Throws `std::invalid_argument` that names the member.
inline void check(hit_rate_options const& o)
{
    expect(o.window.count() > 0, "hit_rate.window", "more than 0");
    expect(o.minimum_calls >= 1, "hit_rate.minimum_calls", "at least 1");
    expect(o.drop > 0 && o.drop <= 1, "hit_rate.drop", "a ratio above 0 and at most 1");
    expect(o.recovered >= 0 && o.recovered < o.drop, "hit_rate.recovered", "a ratio of at least 0 and below drop");
    expect(o.memory >= o.window, "hit_rate.memory", "at least the window");
    expect(o.accepted_after.count() > 0, "hit_rate.accepted_after", "more than 0");
}

/// A cache's hit rate has dropped suddenly, or the alarm of before is over.
struct hit_rate_change {
    enum class kind : std::uint8_t {
        dropped,   ///< the alarm begins
        recovered, ///< the rate is back
        accepted,  ///< it is not, and has been so for so long that it is the usual one now
    };
    kind what = kind::dropped;
    double before = 0;          ///< the rate that was usual before the drop
    double now = 0;             ///< the rate in the window that has just ended
    duration window{};          ///< how long that was
    std::uint64_t look_ups = 0; ///< how many look-ups it had
    time_point when{};
    std::uint64_t number = 0; ///< counts the changes from 1
};

/// Tells a sudden drop of a hit rate from the noise and from slow changes: it is shown running totals and compares the rate of each window
/// with an exponentially weighted average of those before (S. W. Roberts, "Control Chart Tests Based on Geometric Moving Averages",
/// Technometrics 1, 1959), weighted by time, as windows differ in length. During an alarm the average stands still, so that a long one does
/// not become usual before `accepted_after`; that it ends at another rate than it begins at keeps it from fluttering.
///
/// The first `memory` of its life it only learns: a cache that fills has no usual rate. With 100 calls a window and a drop of 0.2 chance
/// alone raises no more than 1 alarm in 30,000 windows (four standard deviations at a rate of 0.5, the worst). No clock, no lock; 120
/// bytes.
class hit_rate_watch {
public:
    using options = hit_rate_options;

    /// Throws `std::invalid_argument` that names the member.
    explicit hit_rate_watch(options const& o = {}) : options_(o) { check(o); }

    /// Shows it the totals of now: look-ups that found something, and all. Totals that went back begin a new window; a time before that
    /// window is somebody's who is late, and changes nothing.
    std::optional<hit_rate_change> observe(std::uint64_t hits, std::uint64_t look_ups, time_point now) noexcept
    {
        if (began_ != never && now < began_) return std::nullopt;
        if (began_ == never || look_ups < look_ups_ || hits < hits_) {
            begin_window(hits, look_ups, now);
            return std::nullopt;
        }
        duration const length = now - began_;
        std::uint64_t const calls = look_ups - look_ups_;
        if (length < options_.window || calls < options_.minimum_calls) return std::nullopt;
        std::uint64_t const found = std::min(hits - hits_, calls);
        rate_ = static_cast<double>(found) / static_cast<double>(calls);
        begin_window(hits, look_ups, now);
        return judge(length, calls, now);
    }

    [[nodiscard]] bool alarmed() const noexcept { return alarmed_since_ != never; }
    [[nodiscard]] double usual() const noexcept { return usual_; } ///< 0 before the first window has ended
    [[nodiscard]] double rate() const noexcept { return rate_; }   ///< of the window that ended last
    /// Before then there is nothing to see: no window ends.
    [[nodiscard]] time_point next() const noexcept { return began_ == never ? time_point::min() : after(began_, options_.window); }

    [[nodiscard]] options const& settings() const noexcept { return options_; }
    /// Other settings from now on; what it has learnt stays. Throws `std::invalid_argument` and changes nothing if they are bad.
    void reconfigure(options const& o)
    {
        check(o);
        options_ = o;
    }

private:
    void begin_window(std::uint64_t hits, std::uint64_t look_ups, time_point now) noexcept
    {
        began_ = now;
        hits_ = hits;
        look_ups_ = look_ups;
    }
    std::optional<hit_rate_change> judge(duration length, std::uint64_t calls, time_point now) noexcept
    {
        auto const change = [&](hit_rate_change::kind what) {
            return hit_rate_change{what, usual_, rate_, length, calls, now, ++changes_};
        };
        if (!alarmed()) {
            if (learnt_ >= options_.memory && usual_ - rate_ >= options_.drop) {
                alarmed_since_ = now;
                return change(hit_rate_change::kind::dropped);
            }
            learn(length);
            return std::nullopt;
        }
        if (usual_ - rate_ < options_.recovered) {
            alarmed_since_ = never;
            auto const told = change(hit_rate_change::kind::recovered);
            learn(length);
            return told;
        }
        if (now - alarmed_since_ >= options_.accepted_after) {
            alarmed_since_ = never;
            auto const told = change(hit_rate_change::kind::accepted);
            usual_ = rate_;
            return told;
        }
        return std::nullopt;
    }
    void learn(duration length) noexcept
    {
        if (learnt_.count() == 0)
            usual_ = rate_;
        else
            usual_ += (rate_ - usual_) * -std::expm1(-static_cast<double>(length.count()) / static_cast<double>(options_.memory.count()));
        learnt_ = options_.memory - learnt_ <= length ? options_.memory : learnt_ + length;
    }

    options options_;
    time_point began_ = never; // the window
    std::uint64_t hits_ = 0;   // at its beginning, as the following
    std::uint64_t look_ups_ = 0;
    double usual_ = 0;
    double rate_ = 0;
    duration learnt_{};
    time_point alarmed_since_ = never;
    std::uint64_t changes_ = 0;
};

} // namespace weir::inline v0
