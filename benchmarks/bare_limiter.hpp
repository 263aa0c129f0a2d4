// SPDX-License-Identifier: BSL-1.0
// What limiters are measured against: the loops that they are made of.
#pragma once

#include <weir/core/threading.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>

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

/// A count beside the number of its window: 40 bits and 24. The permits and the window's length are read from memory.
template<class Threading>
class bare_fixed_window {
public:
    bare_fixed_window(std::int64_t permits, std::int64_t per) : permits_(permits), per_(per) {}
    bool try_acquire(std::int64_t now) noexcept
    {
        std::int64_t seen = word_.load(std::memory_order_relaxed);
        for (;;) {
            std::int64_t const window = now / per_;
            std::int64_t const used = seen >> 24 == window ? seen & 0xff'ffff : 0;
            if (used >= permits_) return false;
            if (word_.replace(seen, (window << 24) + used + 1)) return true;
        }
    }

private:
    typename Threading::template cell<std::int64_t> word_{0};
    std::int64_t permits_;
    std::int64_t per_;
};

/// Two counts beside the number of their window: 32 bits and twice 16.
template<class Threading>
class bare_sliding_window {
public:
    bare_sliding_window(std::int64_t permits, std::int64_t per) : permits_(permits), per_(per) {}
    bool try_acquire(std::int64_t now) noexcept
    {
        std::int64_t seen = word_.load(std::memory_order_relaxed);
        for (;;) {
            std::int64_t const window = now / per_;
            std::int64_t const last = seen >> 32;
            std::int64_t const previous = last == window ? seen >> 16 & 0xffff : last == window - 1 ? seen & 0xffff : 0;
            std::int64_t const current = last == window ? seen & 0xffff : 0;
            if (previous * (per_ - now % per_) + (current + 1) * per_ > permits_ * per_) return false;
            if (word_.replace(seen, window << 32 | previous << 16 | (current + 1))) return true;
        }
    }

private:
    typename Threading::template cell<std::int64_t> word_{0};
    std::int64_t permits_;
    std::int64_t per_;
};

/// A ring of as many instants as there are permits: the oldest has to be one period ago.
template<std::size_t Permits>
class bare_sliding_log {
public:
    explicit bare_sliding_log(std::int64_t per) : per_(per) { times_.fill(-per); }
    bool try_acquire(std::int64_t now) noexcept
    {
        std::lock_guard const lock(mutex_);
        if (now - times_[oldest_] < per_) return false;
        times_[oldest_] = now;
        oldest_ = (oldest_ + 1) % Permits;
        return true;
    }

private:
    std::mutex mutex_;
    std::array<std::int64_t, Permits> times_;
    std::size_t oldest_ = 0;
    std::int64_t per_;
};

/// Guava's smooth ramp, in doubles under a mutex.
class bare_warm_up {
public:
    bare_warm_up(double stable, double warm_up)
        : stable_(stable), threshold_(0.5 * warm_up / stable), most_(2 * threshold_), slope_(2 * stable / threshold_), stored_(most_)
    {
    }
    bool try_acquire(std::int64_t now) noexcept
    {
        std::lock_guard const lock(mutex_);
        auto const time = static_cast<double>(now);
        if (time < next_) return false;
        stored_ = std::min(most_, stored_ + (time - next_) / stable_);
        double const above = std::max(0.0, stored_ - threshold_);
        next_ = time + stable_ + std::min(above, 1.0) * (above - 0.5) * slope_;
        stored_ = std::max(0.0, stored_ - 1);
        return true;
    }

private:
    std::mutex mutex_;
    double stable_;
    double threshold_;
    double most_;
    double slope_;
    double stored_;
    double next_ = 0;
};
