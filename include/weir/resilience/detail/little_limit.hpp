// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/core/options.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace weir::inline v0::detail {

/// How many calls a service can have in flight at a time, by Little's law from what it has shown: the most that it finished in a slice of
/// the window, times the shortest that a call took. More in flight than that only wait for each other.
///
/// The estimate of go-zero's adaptive shedder (`core/load/adaptiveshedder.go`) and of Kratos' BBR limiter (aegis `ratelimit/bbr`), which
/// follow TCP BBR. The window has 50 slices; the one under way does not count. Without any that counts it is `never_less`. Not thread-safe:
/// an algorithm of `load_shed`, which locks.
class little_limit {
public:
    /// `window` is from 50 us to 1 h, as `load_shed` checks.
    explicit little_limit(duration window) noexcept : slice_(window / slices) {}

    /// A call has ended well, after `took`.
    void passed(time_point now, duration took) noexcept
    {
        slice& s = at(now);
        ++s.passed;
        s.shortest = std::min(s.shortest, std::max(took, duration{1}));
    }
    /// At least 1.
    [[nodiscard]] double limit(time_point now) const noexcept
    {
        std::int64_t const number = number_of(now);
        std::uint64_t most = 0;
        duration shortest = duration::max();
        for (slice const& s : ring_)
            if (s.number < number && s.number > number - static_cast<std::int64_t>(ring_.size())) {
                most = std::max(most, s.passed);
                if (s.passed != 0) shortest = std::min(shortest, s.shortest);
            }
        if (most == 0) return never_less;
        double const by_law = static_cast<double>(most) * static_cast<double>(shortest.count()) / static_cast<double>(slice_.count());
        return std::max(1.0, std::floor(by_law + 0.5));
    }
    /// Below this nothing is known, and nothing is refused.
    static constexpr double never_less = 1e18;
    [[nodiscard]] duration slice_length() const noexcept { return slice_; }

private:
    static constexpr std::int64_t slices = 50;
    struct slice {
        std::int64_t number = INT64_MIN / 2;
        std::uint64_t passed = 0;
        duration shortest = duration::max();
    };
    [[nodiscard]] std::int64_t number_of(time_point t) const noexcept { return t.time_since_epoch().count() / slice_.count(); }
    slice& at(time_point now) noexcept
    {
        std::int64_t const number = number_of(now);
        slice& s = ring_[static_cast<std::size_t>(number % (slices + 1) + slices + 1) % ring_.size()];
        if (s.number < number) s = {number, 0, duration::max()};
        return s;
    }
    duration slice_;
    std::array<slice, slices + 1> ring_{};
};

} // namespace weir::inline v0::detail
