// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/contracts.hpp>
#include <weir/core/detail/owner.hpp>
#include <weir/resilience/worker_pool.hpp>

#include <concepts>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

namespace weir::inline v0 {

/// Runs what is inside on threads of its own, as Hystrix' thread isolation does: a handler that blocks takes those threads, and no others.
/// `isolate{{.core_size = 10, .max_queue = 50}}`, or, with a pool that several pipelines share, `isolate{pool}`, where `pool` is a
/// `std::shared_ptr<worker_pool>`. A call that finds no thread and no place in the queue is refused with `errc::bulkhead_full`.
///
/// - **Its call waits**, blocked in a synchronous pipeline, parked in an asynchronous one, until the inside is done, its deadline passes or it
///   is cancelled. So a `timeout` further out releases its caller in time, also from a synchronous handler, which nothing can interrupt:
///   that runs to its end on its thread, and what comes of it is dropped. A coroutine is cancelled. What waits in the queue when its call
///   leaves, or its deadline passes, never runs.
/// - **The context goes along**: the inside has a copy of the request and of the facets, and the deadline; what it reports comes back. Facets
///   must not refer to what dies with the call. Policies further in run on the other thread: none of them is `confined`.
/// - **A blocking handler in an asynchronous service** is `pipeline{timeout{1s}, isolate{...}, asynchronous{f}}`. A coroutine runs on a context
///   of its thread, one at a time.
/// - **The end**: the pipeline's destructor waits for what still runs. So use one `isolate` a pipeline, and share the pool. An execution
///   context is destroyed only when no errand of its calls runs any more: `pool->drain()` first.
///
/// A call costs a piece of memory, a copy of the request and two changes of threads, some microseconds: what a post to a pool costs. Where
/// the handler does not block, and only its number is to be bounded, take `bulkhead`. Thread-safe. (Hystrix' wiki, "How it Works:
/// Isolation"; the options have the names that they have there.)
class isolate {
public:
    using role = detour;
    using traits = weir::traits<waits, wants_whole_outcome>;
    using options = worker_pool_options;
    static constexpr std::string_view name = "isolate";
    struct stats_type {
        std::uint64_t active = 0;         ///< calls that run now, of all that share the pool
        std::uint64_t queued = 0;         ///< calls that wait for a thread, likewise
        std::uint64_t largest = 0;        ///< the most that ran at a time
        std::uint64_t largest_queued = 0; ///< the most that were left waiting
        std::uint64_t returned = 0;       ///< ran, and their callers got what came of it
        std::uint64_t refused = 0;        ///< found no room, or the pool had stopped
        std::uint64_t left_behind = 0;    ///< ran longer than their callers waited
        std::uint64_t expired = 0;        ///< did not run: too late when their turn came
        std::uint64_t abandoned = 0;      ///< did not run: their callers had left
        void each(auto&& field) const
        {
            field("active", active);
            field("queued", queued);
            field("largest", largest);
            field("largest_queued", largest_queued);
            field("returned_total", returned);
            field("refused_total", refused);
            field("left_behind_total", left_behind);
            field("expired_total", expired);
            field("abandoned_total", abandoned);
        }
    };

    /// With a pool of its own. Throws `std::invalid_argument` that names the member, or `std::system_error` if there are no more threads.
    template<std::same_as<options> O = options> // a template, as the pool's constructor is
    explicit isolate(O const& o) : isolate(std::shared_ptr<worker_pool>(new worker_pool(o)))
    {
    }
    /// `pool` is not null.
    explicit isolate(std::shared_ptr<worker_pool> pool)
        : pool_((expect(pool != nullptr, "isolate.pool", "a worker_pool"), std::move(pool))), tally_(new errand_tally)
    {
    }

    [[gnu::always_inline]] admission<> admit(auto&)
    {
        if (pool_->is_full()) [[unlikely]]
            return counted(pool_->why_full());
        return admitted;
    }
    admission<> launch(errand& e)
    {
        admission<> const taken = pool_->launch(e, *tally_);
        return taken ? taken : counted(taken);
    }
    void recall(errand& e) noexcept { pool_->recall(e); }
    void close() noexcept
    {
        if (pool_ != nullptr) pool_->wait_for(*tally_);
    }

    [[nodiscard]] stats_type stats(time_point = {}) const
    {
        auto const p = pool_->stats();
        auto const read = [](std::atomic<std::uint64_t> const& n) { return n.load(std::memory_order_relaxed); };
        return {.active = p.active,
                .queued = p.queued,
                .largest = p.largest,
                .largest_queued = p.largest_queued,
                .returned = read(tally_->returned),
                .refused = read(tally_->refused),
                .left_behind = read(tally_->left_behind),
                .expired = read(tally_->expired),
                .abandoned = read(tally_->abandoned)};
    }
    [[nodiscard]] std::shared_ptr<worker_pool> const& pool() const noexcept { return pool_; }
    [[nodiscard]] options settings() const { return pool_->settings(); }
    /// As `worker_pool::reconfigure`; for all that share the pool.
    template<std::same_as<options> O = options>
    void reconfigure(O const& o)
    {
        pool_->reconfigure(o);
    }
    void describe(auto&& field) const
    {
        options const o = settings();
        field("core_size", *o.core_size);
        field("max_queue", o.max_queue);
        field("queue_size_rejection_threshold", o.queue_size_rejection_threshold);
    }

private:
    admission<> counted(admission<> refusal) noexcept
    {
        tally_->refused.fetch_add(1, std::memory_order_relaxed);
        return refusal;
    }

    std::shared_ptr<worker_pool> pool_;
    detail::owner<errand_tally> tally_;
};

} // namespace weir::inline v0
