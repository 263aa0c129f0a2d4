// SPDX-License-Identifier: BSL-1.0
// What a limiter is measured against: the loop that it is made of.
#pragma once

#include <weir/core/threading.hpp>

#include <algorithm>
#include <atomic>
#include <cstdint>

/// The theoretical arrival time and nothing else: no other cost than one, no settings that change, no care at the ends of the type.
template<class Word>
class bare;

template<>
class bare<weir::shared> {
public:
    bare(std::int64_t interval, std::int64_t tolerance) : interval_(interval), tolerance_(tolerance) {}
    bool try_acquire(std::int64_t now) noexcept
    {
        std::int64_t arrival = arrival_.load(std::memory_order_relaxed);
        for (;;) {
            std::int64_t const next = std::max(arrival, now) + interval_;
            if (next - now > tolerance_) return false;
            if (arrival_.compare_exchange_weak(arrival, next, std::memory_order_relaxed)) return true;
        }
    }

private:
    std::atomic<std::int64_t> arrival_{0};
    std::int64_t interval_;
    std::int64_t tolerance_;
};

template<>
class bare<weir::confined> {
public:
    bare(std::int64_t interval, std::int64_t tolerance) : interval_(interval), tolerance_(tolerance) {}
    bool try_acquire(std::int64_t now) noexcept
    {
        std::int64_t const next = std::max(arrival_, now) + interval_;
        if (next - now > tolerance_) return false;
        arrival_ = next;
        return true;
    }

private:
    std::int64_t arrival_ = 0;
    std::int64_t interval_;
    std::int64_t tolerance_;
};
