// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>

#include <atomic>
#include <cstdint>

namespace weir::inline v0 {

/// How loaded this process is, as samplers have measured it: the part of its processors that is in use, and how long what is ready waits
/// for its turn. Samplers write it now and then (`cgroup_cpu`, `lag_probe` of `asio/`), policies read it: a load of a word. What nobody has
/// measured is absent. Thread-safe.
class load_gauge {
public:
    load_gauge() = default;
    load_gauge(load_gauge const&) = delete;
    load_gauge& operator=(load_gauge const&) = delete;

    /// The part of the processors that this process may use and does; 1 is all of them. Smoothed: a measurement counts a tenth, as the
    /// jumps of a quarter of a second say little. Told by one sampler.
    void cpu(double used) noexcept
    {
        double const before = cpu_.load(std::memory_order_relaxed);
        cpu_.store(before < 0 ? used : before + (used - before) / 10, std::memory_order_relaxed);
    }
    /// As it is, not smoothed.
    void cpu_is(double used) noexcept { cpu_.store(used, std::memory_order_relaxed); }
    void queue_delay(duration d) noexcept { delay_.store(d.count(), std::memory_order_relaxed); }

    /// Below 0: nobody has measured it.
    [[nodiscard]] double cpu() const noexcept { return cpu_.load(std::memory_order_relaxed); }
    /// Below 0: nobody has measured it.
    [[nodiscard]] duration queue_delay() const noexcept { return duration{delay_.load(std::memory_order_relaxed)}; }

private:
    std::atomic<double> cpu_{-1};
    std::atomic<std::int64_t> delay_{-1};
};

} // namespace weir::inline v0
