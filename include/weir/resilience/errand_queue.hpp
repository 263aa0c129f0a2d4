// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/errand.hpp>
#include <weir/core/options.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace weir::inline v0 {

struct worker_pool_options {
    /// Threads: so many errands run at a time. In [1, 1'024].
    required<std::uint32_t> core_size;
    /// Errands that may wait for a thread; 0: an errand that finds no idle thread is refused. At most 2^20.
    std::uint32_t max_queue = 0;
    /// Refuses from so many waiting errands on although the queue has room for more (Hystrix' `queueSizeRejectionThreshold`).
    std::uint32_t queue_size_rejection_threshold = ~std::uint32_t{0};
};

/// Which errands run, which wait, first come first served, and which are refused: what a `worker_pool` decides by. No lock and no thread of
/// its own.
class errand_queue {
public:
    using options = worker_pool_options;

    /// Throws `std::invalid_argument` that names the member.
    explicit errand_queue(options const& o) : options_(checked(o)) {}

    /// Whether another errand would be taken.
    [[nodiscard]] bool has_room() const noexcept
    {
        std::uint32_t const idle = *options_.core_size - std::min(active_, *options_.core_size);
        return queued_ < std::size_t{idle} + std::min(options_.max_queue, options_.queue_size_rejection_threshold);
    }
    /// Takes an errand in; false if there is no room.
    [[nodiscard]] bool push(errand& e) noexcept
    {
        if (!has_room()) return false;
        waiting_.push_back(e);
        ++queued_;
        return true;
    }
    /// The one that runs next, from now on; null if none waits, or no more may run.
    [[nodiscard]] errand* begin() noexcept
    {
        if (active_ >= *options_.core_size) return nullptr;
        errand* const e = waiting_.pop_front();
        if (e == nullptr) return nullptr;
        --queued_;
        running_.push_back(*e);
        largest_ = std::max(largest_, ++active_);
        largest_queued_ = std::max(largest_queued_, queued_);
        return e;
    }
    /// It is done, and another may begin; its call is about to be told.
    void free() noexcept { --active_; }
    /// Its call was told.
    void end(errand& e) noexcept { running_.remove(e); }
    /// Takes one that waits out; false if it did not wait.
    bool recall(errand& e) noexcept
    {
        if (!waiting_.remove(e)) return false;
        --queued_;
        return true;
    }
    /// Takes the one out that waits longest; null if none does.
    [[nodiscard]] errand* recall_any() noexcept
    {
        errand* const e = waiting_.pop_front();
        if (e != nullptr) --queued_;
        return e;
    }

    [[nodiscard]] options const& settings() const noexcept { return options_; }
    /// Throws `std::invalid_argument` and changes nothing if the options are bad. Who runs and who waits stays.
    void reconfigure(options const& o) { options_ = checked(o); }

    [[nodiscard]] std::uint32_t active() const noexcept { return active_; }
    [[nodiscard]] std::uint32_t queued() const noexcept { return queued_; }
    /// The most that ever ran at a time, and that were left waiting when one began.
    [[nodiscard]] std::uint32_t largest() const noexcept { return largest_; }
    [[nodiscard]] std::uint32_t largest_queued() const noexcept { return largest_queued_; }
    /// Whether all that was taken in is over, and told.
    [[nodiscard]] bool is_empty() const noexcept { return waiting_.empty() && running_.empty(); }
    template<class F>
    void for_each_running(F f)
    {
        running_.for_each(f);
    }

private:
    static options const& checked(options const& o)
    {
        expect(*o.core_size >= 1 && *o.core_size <= 1'024, "worker_pool.core_size", "a number in [1, 1024]");
        expect(o.max_queue <= std::uint32_t{1} << 20, "worker_pool.max_queue", "at most 2^20");
        return o;
    }

    options options_;
    errand_list waiting_;
    errand_list running_; // and those whose calls are about to be told
    std::uint32_t active_ = 0;
    std::uint32_t queued_ = 0;
    std::uint32_t largest_ = 0;
    std::uint32_t largest_queued_ = 0;
};

} // namespace weir::inline v0
