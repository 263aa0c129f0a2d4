// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/detail/gate_of_places.hpp>
#include <weir/core/options.hpp>
#include <weir/core/wait_queue.hpp>

#include <cstdint>

namespace weir::inline v0 {

struct bulkhead_options {
    /// How many calls may be inside at a time; at least 1.
    required<std::uint32_t> max_concurrent;
    /// How long a call may wait for a place; 0 means not at all.
    duration max_wait{0};
    /// How many calls may wait at a time.
    std::uint32_t max_waiting = 1'000;
};

/// Lets so many calls inside at a time, a semaphore: one slow handler cannot take all the threads and connections of a service. A call
/// that finds no place waits its turn, first come first served, or is refused with `errc::bulkhead_full`.
///
/// A place costs two atomic operations a call; a place that comes free is handed to the one who waits longest, without ever being free. To
/// limit calls by time take `rate_limit`; for another order than first come, first served, priorities or fairness by user,
/// `concurrency_limit`; where nobody knows the right number of places, `adaptive_limit`. Thread-safe if `shared`.
template<threading_model Threading = shared>
class bulkhead : public detail::gate_of_places<"bulkhead", bulkhead_options, fifo, Threading> {
    using base = detail::gate_of_places<"bulkhead", bulkhead_options, fifo, Threading>;

public:
    struct stats_type {
        std::uint64_t inside = 0;
        std::uint64_t waiting = 0;
        std::uint64_t refused = 0;
        void each(auto&& field) const
        {
            field("inside", inside);
            field("waiting", waiting);
            field("refused_total", refused);
        }
    };

    explicit bulkhead(bulkhead_options const& o) : base(o, fifo{}) {}

    [[nodiscard]] stats_type stats(time_point = {}) const
    {
        return {this->places().inside(), this->places().waiting(), this->places().refused()};
    }
    void describe(auto&& field) const
    {
        bulkhead_options const o = this->settings();
        field("max_concurrent", *o.max_concurrent);
        field("max_wait", o.max_wait);
        field("max_waiting", o.max_waiting);
    }
};
bulkhead(bulkhead_options)->bulkhead<>;

} // namespace weir::inline v0
