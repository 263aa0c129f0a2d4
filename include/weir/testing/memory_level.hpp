// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/cache/level.hpp>
#include <weir/core/clock.hpp>
#include <weir/core/options.hpp>
#include <weir/core/result.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

namespace weir::inline v0 {

struct memory_level_options {
    required<std::size_t> capacity;                ///< answers and leases it holds at most; the oldest goes first. At least 1
    duration lease_time = std::chrono::seconds{1}; ///< after which a lease that was not used goes to who asks next; above zero
};

/// A second level in the memory of this process: for tests of several instances, and the model by which others are judged
/// (`second_level_of`). It answers at once; `slow_level` puts time between. What can go wrong goes wrong when it is told to: `down`,
/// `loses`.
///
/// Bounded by `capacity`. Thread-safe: one lock. Listeners are called by who publishes, after the lock was let go.
template<class Key, class Value>
class memory_level {
public:
    using key_type = Key;
    using value_type = Value;
    using options = memory_level_options;
    using listener = std::function<void(invalidation<Key> const&)>;

    /// Throws `std::invalid_argument` that names the member.
    explicit memory_level(options const& o) : options_(o)
    {
        expect(*o.capacity >= 1, "memory_level.capacity", "at least 1");
        expect(o.lease_time.count() > 0, "memory_level.lease_time", "a duration above zero");
    }

    result<level_finding<Value>> look_up(Key const& key, time_point now)
    {
        std::scoped_lock const lock(mutex_);
        ++asked_;
        if (down_) return errc::unavailable;
        record& of = at(key);
        if (of.is_there && of.until > now) return level_finding<Value>{of.value, !of.value.has_value(), {}};
        of.is_there = false;
        if (of.lease && of.lease_until > now) return level_finding<Value>{};
        return level_finding<Value>{{}, false, give_lease(of, now)};
    }
    result<std::uint64_t> put(Key const& key, level_entry<Value> const& entry, level_lease lease, time_point now)
    {
        std::scoped_lock const lock(mutex_);
        ++asked_;
        if (down_) return errc::unavailable;
        auto const found = records_.find(key);
        if (!lease || found == records_.end() || !(found->second.lease == lease)) return 0u;
        record& of = found->second;
        of.value = entry.value;
        of.is_there = true;
        of.until = after(now, entry.ttl);
        of.lease = {};
        return 1u;
    }
    result<level_lease> lease(Key const& key, time_point now)
    {
        std::scoped_lock const lock(mutex_);
        ++asked_;
        if (down_) return errc::unavailable;
        return give_lease(at(key), now);
    }
    result<std::uint64_t> erase(Key const& key, time_point)
    {
        std::scoped_lock const lock(mutex_);
        ++asked_;
        if (down_) return errc::unavailable;
        record& of = at(key);
        of.lease = {};
        return std::exchange(of.is_there, false) ? 1u : 0u;
    }
    result<std::uint64_t> publish(Key const& key)
    {
        std::unique_lock lock(mutex_);
        ++asked_;
        if (down_) return errc::unavailable;
        invalidation<Key> const told{++told_, key};
        if (loses_ > 0) {
            --loses_;
            return told.number;
        }
        std::vector<listener> const listeners = listeners_;
        lock.unlock();
        for (listener const& each : listeners) each(told);
        return told.number;
    }
    /// From now on `f(message)` is called for each message, by who publishes. It may use the level.
    void listen(listener f)
    {
        std::scoped_lock const lock(mutex_);
        listeners_.push_back(std::move(f));
    }

    /// While it is down every operation fails with `errc::unavailable`, and does nothing.
    void down(bool is_down)
    {
        std::scoped_lock const lock(mutex_);
        down_ = is_down;
    }
    /// The next so many messages reach nobody, though who publishes them hears of no error.
    void loses(std::size_t messages)
    {
        std::scoped_lock const lock(mutex_);
        loses_ = messages;
    }
    /// Operations that were asked for.
    [[nodiscard]] std::uint64_t asked() const
    {
        std::scoped_lock const lock(mutex_);
        return asked_;
    }
    /// Keys of which it knows something.
    [[nodiscard]] std::size_t size() const
    {
        std::scoped_lock const lock(mutex_);
        return records_.size();
    }

private:
    struct record {
        std::optional<Value> value{};
        bool is_there = false;
        time_point until{};
        level_lease lease{};
        time_point lease_until{};
    };
    record& at(Key const& key)
    {
        if (auto const found = records_.find(key); found != records_.end()) return found->second;
        if (records_.size() == *options_.capacity) {
            records_.erase(order_.front());
            order_.pop_front();
        }
        order_.push_back(key);
        return records_[key];
    }
    level_lease give_lease(record& of, time_point now)
    {
        of.lease = {++leases_};
        of.lease_until = after(now, options_.lease_time);
        return of.lease;
    }

    options options_;
    mutable std::mutex mutex_;
    std::map<Key, record> records_;
    std::list<Key> order_; // in which they came
    std::vector<listener> listeners_;
    std::uint64_t leases_ = 0;
    std::uint64_t told_ = 0;
    std::uint64_t asked_ = 0;
    std::size_t loses_ = 0;
    bool down_ = false;
};

static_assert(second_level_of<memory_level<int, int>, int, int>);

} // namespace weir::inline v0
