// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/options.hpp>
#include <weir/resilience/call_window.hpp>

#include <cstdint>

namespace weir::inline v0 {

struct budget_options {
    /// Extra calls allowed for each call of the window; a ratio in [0, 1].
    double ratio = 0.2;
    /// Extra calls allowed however few calls there are, a second.
    double floor_per_second = 10;
    /// The length of the window; from 1 ms to 24 h.
    duration window = std::chrono::seconds(10);
};

/// How much extra load retries may make: a part of the calls in the window and a floor (the retry budget of Google's SRE book,
/// chapter 22, and of Finagle). When a service fails for everybody, retries then add a fifth to its load, not three times. Thread-safe.
class budget {
public:
    using options = budget_options;

    explicit budget(options o = {})
        : options_(checked(o)), calls_(o.window), floor_(o.floor_per_second * std::chrono::duration<double>(o.window).count())
    {
    }

    /// A call begins, or ends; each is deposited once.
    [[gnu::always_inline]] void deposit(time_point now) { calls_.count(now, false); }
    /// Takes one extra call out; false if there is none left.
    [[nodiscard]] bool withdraw(time_point now)
    {
        if (left(now) < 1) return false;
        calls_.count(now, true);
        return true;
    }
    /// How many extra calls may be made now.
    [[nodiscard]] double left(time_point now) const
    {
        auto const window = calls_.sum(now);
        return floor_ + options_.ratio * static_cast<double>(window.calls - window.marked) - static_cast<double>(window.marked);
    }
    [[nodiscard]] options const& settings() const noexcept { return options_; }

private:
    static options const& checked(options const& o)
    {
        expect_ratio(o.ratio, "budget.ratio");
        expect(o.floor_per_second >= 0 && o.floor_per_second <= 1e9, "budget.floor_per_second", "0 to 1e9");
        expect(o.window >= std::chrono::milliseconds(1) && o.window <= std::chrono::hours(24), "budget.window", "1 ms to 24 h");
        return o;
    }
    options options_;
    call_window<shared> calls_;
    double floor_;
};

} // namespace weir::inline v0
