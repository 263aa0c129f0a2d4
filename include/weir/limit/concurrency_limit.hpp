// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/detail/gate_of_places.hpp>
#include <weir/core/options.hpp>
#include <weir/core/wait_queue.hpp>

#include <cstdint>
#include <utility>

namespace weir::inline v0 {

struct concurrency_limit_options {
    /// How many calls may be inside at a time; at least 1.
    required<std::uint32_t> max_concurrent;
    /// How long a call may wait for a place; 0 means not at all.
    duration max_wait{0};
    /// How many calls may wait at a time.
    std::uint32_t max_waiting = 1'000;
};

namespace detail {

/// What a queue asks of the calls that wait in it: nothing, or what its key asks.
template<class Queue>
struct queue_asks {
    using needs = typename needs_of<Queue>::type;
    using reads = typename reads_of<Queue>::type;
};

/// The bounds of a queue, for `describe`.
void describe_queue(auto const& places, wait_bounds const& bounds, auto&& field)
{
    places.with_queue([&](auto const& queue) {
        field("queue", queue.name);
        field("max_wait", bounds.max_wait);
        field("max_waiting", bounds.max_waiting);
        queue.describe(field);
    });
}

} // namespace detail

/// Lets so many calls inside at a time, and says in which order those go on that wait for a place:
/// `concurrency_limit{{.max_concurrent = 50, .max_wait = 1s}, fair_by{by<principal>}}`. A call that finds no place and may not wait, waits
/// in vain or is given up by the queue is refused with `errc::bulkhead_full`.
///
/// Queues are `fifo` (the default; then it is a `bulkhead`), `lifo`, `codel`, `adaptive_lifo`, `by_priority` and `fair_by`. While nobody
/// waits no queue is asked and a call costs two atomic operations; a place that comes free is handed to whom the queue names under a lock,
/// without ever being free. Memory: what waits lies in the frames of the calls. Where nobody knows the right number of places take
/// `adaptive_limit`. Thread-safe if `shared`.
template<class Queue = fifo, threading_model Threading = shared>
class concurrency_limit : public detail::gate_of_places<"concurrency_limit", concurrency_limit_options, Queue, Threading> {
    static_assert(detail::is_wait_queue<Queue>());
    using base = detail::gate_of_places<"concurrency_limit", concurrency_limit_options, Queue, Threading>;

public:
    using needs = typename detail::queue_asks<Queue>::needs;
    using reads = typename detail::queue_asks<Queue>::reads;
    struct stats_type {
        std::uint64_t limit = 0;
        std::uint64_t inside = 0;
        std::uint64_t waiting = 0;
        std::uint64_t refused = 0;
        void each(auto&& field) const
        {
            field("limit", limit);
            field("inside", inside);
            field("waiting", waiting);
            field("refused_total", refused);
        }
    };

    /// Throws `std::invalid_argument` if the options are bad.
    explicit concurrency_limit(concurrency_limit_options const& o, Queue queue = Queue()) : base(o, std::move(queue)) {}

    [[nodiscard]] stats_type stats(time_point = {}) const
    {
        auto const& p = this->places();
        return {p.count(), p.inside(), p.waiting(), p.refused()};
    }
    /// The settings of the queue, where it has any.
    template<class Q = Queue>
    [[nodiscard]] typename Q::options queue_settings() const
    {
        return this->places().with_queue([](Q const& queue) { return queue.settings(); });
    }
    /// Other settings of the queue from now on; the same holds for those that wait.
    template<class Q = Queue>
    void reconfigure_queue(typename Q::options const& o)
    {
        this->places().with_queue([&](Q& queue) { queue.reconfigure(o); });
    }
    void describe(auto&& field) const
    {
        auto const [count, bounds] = this->places().settings();
        field("max_concurrent", count);
        detail::describe_queue(this->places(), bounds, field);
    }
};
concurrency_limit(concurrency_limit_options)->concurrency_limit<>;
template<class Queue>
concurrency_limit(concurrency_limit_options, Queue) -> concurrency_limit<Queue>;

} // namespace weir::inline v0
