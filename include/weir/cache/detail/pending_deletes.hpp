// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/detail/hash.hpp>
#include <weir/core/threading.hpp>

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

namespace weir::inline v0::detail {

/// Keys that are to be deleted in a second level that did not answer: a queue, each key in it once, of so many at most. A key is in it
/// until its delete is done, also while that is tried. Thread-safe; to ask an empty one costs a load.
template<class Key, threading_model Threading>
class pending_deletes {
public:
    explicit pending_deletes(std::size_t most) : most_(most), waiting_(0, seeded_hash(random_seed())) {}

    /// False: there is no room. A key that is being tried is tried once more.
    bool add(Key const& key)
    {
        std::scoped_lock const lock(mutex_);
        auto const [at, is_new] = waiting_.try_emplace(key, 1u);
        if (!is_new) {
            at->second = 2;
            return true;
        }
        if (waiting_.size() > most_) {
            waiting_.erase(at);
            return false;
        }
        queue_.push_back(key);
        size_.store(waiting_.size(), std::memory_order_release);
        return true;
    }
    [[nodiscard]] bool contains(Key const& key)
    {
        if (size() == 0) return false;
        std::scoped_lock const lock(mutex_);
        return waiting_.contains(key);
    }
    /// The next to be tried; `end` has to be called with it.
    std::optional<Key> begin()
    {
        std::scoped_lock const lock(mutex_);
        if (queue_.empty()) return {};
        std::optional<Key> next(std::move(queue_[first_]));
        if (++first_ * 2 >= queue_.size()) { // what was taken is cleared away before it is more than what waits
            queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(first_));
            first_ = 0;
        }
        waiting_[*next] = 1;
        return next;
    }
    void end(Key const& key, bool is_done)
    {
        std::scoped_lock const lock(mutex_);
        auto const at = waiting_.find(key);
        if (is_done && at->second == 1)
            waiting_.erase(at);
        else
            queue_.push_back(key);
        size_.store(waiting_.size(), std::memory_order_release);
    }
    [[nodiscard]] std::size_t size() const noexcept { return size_.load(std::memory_order_acquire); }

private:
    std::size_t most_;
    typename Threading::mutex mutex_;
    boost::unordered_flat_map<Key, unsigned, seeded_hash> waiting_; // 2: asked for again while it is tried
    std::vector<Key> queue_; // from `first_`
    std::size_t first_ = 0;
    typename Threading::template cell<std::size_t> size_;
};

} // namespace weir::inline v0::detail
