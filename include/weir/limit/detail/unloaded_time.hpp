// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/limit/load_window.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace weir::inline v0::detail {

/// How long a call takes without load, as probes have measured it. One probe of 100 calls whose times deviate by a quarter is off by 2.5 %,
/// which is as much as the queue that the algorithms look for; so those that agree to within a tenth are averaged, the latest four or so.
class unloaded_time {
public:
    /// In ns; 0: nobody knows.
    [[nodiscard]] double get() const noexcept { return time_; }

    void probed(double rtt) noexcept
    {
        probes_ = is_near(rtt) ? std::min(probes_ + 1, most) : 1;
        time_ += (rtt - time_) / probes_;
    }
    /// A window under load took less, or is the first. It counts little if it is near, as the least of many is low by chance.
    void seen(double rtt, double weight) noexcept { time_ += (is_near(rtt) ? weight : 1) * (rtt - time_); }

private:
    static constexpr std::uint32_t most = 4;

    [[nodiscard]] bool is_near(double rtt) const noexcept { return std::abs(rtt - time_) <= 0.1 * time_; }

    double time_ = 0;
    std::uint32_t probes_ = 0;
};

} // namespace weir::inline v0::detail
