// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/asio/detail/alarms.hpp>
#include <weir/asio/detail/wheel_levels.hpp>
#include <weir/core/clock.hpp>

#include <cstdint>
#include <map>
#include <mutex>
#include <thread>

namespace weir::inline v0::detail {

/// Alarms in the order of their times, to the nanosecond, and of the same time in the order in which they were armed: what a simulation has
/// in place of the wheel. Logarithmic, and it allocates. Thread-safe; it owns no entry.
class exact_alarms final : public alarms {
public:
    void arm(wheel_entry& e, time_point at) override
    {
        e.tick = static_cast<std::uint64_t>(at.time_since_epoch().count());
        e.state.store(wheel_entry::armed, std::memory_order_relaxed);
        std::lock_guard lock(mutex_);
        line& same_time = lines_[at];
        e.before = same_time.last;
        e.behind = nullptr;
        (e.before != nullptr ? e.before->behind : same_time.first) = &e;
        same_time.last = &e;
    }
    bool disarm(wheel_entry& e) noexcept override
    {
        {
            std::lock_guard lock(mutex_);
            if (e.state.load(std::memory_order_relaxed) == wheel_entry::armed) {
                unlink(e);
                e.state.store(wheel_entry::idle, std::memory_order_relaxed);
                return true;
            }
        }
        while (e.state.load(std::memory_order_acquire) == wheel_entry::expiring) std::this_thread::yield();
        return e.state.load(std::memory_order_relaxed) == wheel_entry::idle;
    }
    void advance(time_point now) noexcept override
    {
        while (wheel_entry* const e = take_due(now)) {
            e->expire(*e);
            e->state.store(wheel_entry::expired, std::memory_order_release); // its owner may free it from here on
        }
    }
    [[nodiscard]] time_point next() noexcept override
    {
        std::lock_guard lock(mutex_);
        return lines_.empty() ? never : lines_.begin()->first;
    }
    void drain(void (*f)(wheel_entry&)) noexcept override
    {
        while (!lines_.empty()) {
            wheel_entry& e = *lines_.begin()->second.first;
            unlink(e);
            f(e);
        }
    }

private:
    struct line {
        wheel_entry* first = nullptr;
        wheel_entry* last = nullptr;
    };
    wheel_entry* take_due(time_point now) noexcept
    {
        std::lock_guard lock(mutex_);
        if (lines_.empty() || lines_.begin()->first > now || lines_.begin()->first == never) return nullptr;
        wheel_entry* const e = lines_.begin()->second.first;
        unlink(*e);
        e->state.store(wheel_entry::expiring, std::memory_order_relaxed);
        return e;
    }
    void unlink(wheel_entry& e) noexcept
    {
        auto const found = lines_.find(time_point{duration{static_cast<std::int64_t>(e.tick)}});
        line& same_time = found->second;
        (e.before != nullptr ? e.before->behind : same_time.first) = e.behind;
        (e.behind != nullptr ? e.behind->before : same_time.last) = e.before;
        if (same_time.first == nullptr) lines_.erase(found);
    }

    std::mutex mutex_;
    std::map<time_point, line> lines_;
};

} // namespace weir::inline v0::detail
