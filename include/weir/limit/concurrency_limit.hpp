// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/contracts.hpp>
#include <weir/core/detail/turnstile.hpp>
#include <weir/core/options.hpp>
#include <weir/core/wait_queue.hpp>

#include <cstdint>
#include <string_view>
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
/// `concurrency_limit{{.max_concurrent = 50, .max_wait = 1s}, fair_by{by<principal>}}`. A call that finds no place and may not wait, waits in
/// vain or is given up by the queue is refused with `errc::bulkhead_full`.
///
/// Queues are `fifo` (the default; then it is a `bulkhead`), `lifo`, `codel`, `adaptive_lifo`, `by_priority` and `fair_by`. While nobody
/// waits no queue is asked and a call costs two atomic operations; a place that comes free is handed to whom the queue names under a lock,
/// without ever being free. Memory: what waits lies in the frames of the calls. Where nobody knows the right number of places take
/// `adaptive_limit`. Thread-safe if `shared`.
template<class Queue = fifo, threading_model Threading = shared>
class concurrency_limit {
    static_assert(detail::is_wait_queue<Queue>());

public:
    using role = gate;
    using traits = weir::traits<waits>;
    using needs = typename detail::queue_asks<Queue>::needs;
    using reads = typename detail::queue_asks<Queue>::reads;
    using options = concurrency_limit_options;
    static constexpr std::string_view name = "concurrency_limit";
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
    explicit concurrency_limit(options const& o, Queue queue = Queue())
        : places_(*checked(o).max_concurrent, {o.max_wait, o.max_waiting}, std::move(queue))
    {
    }

    [[gnu::always_inline]] auto admit(auto& call, waiter& w) -> admission<> { return places_.admit(call, w); }
    auto resume(auto&, waiter& w) noexcept -> admission<> { return places_.resume(w); }
    bool abandon(waiter& w) noexcept { return places_.abandon(w); }
    void decline(waiter& w) noexcept { places_.decline(w); }
    error gave_up() noexcept { return places_.gave_up(); }
    [[gnu::always_inline]] void settle(pass, auto const&, [[maybe_unused]] auto& call) noexcept
    {
        if constexpr (Queue::reads_time)
            places_.leave(call);
        else
            places_.leave();
    }
    void cancel(pass) noexcept { places_.leave(); }

    [[nodiscard]] stats_type stats(time_point = {}) const
    {
        return {places_.count(), places_.inside(), places_.waiting(), places_.refused()};
    }
    [[nodiscard]] options settings() const noexcept
    {
        auto const [count, bounds] = places_.settings();
        return {.max_concurrent = count, .max_wait = bounds.max_wait, .max_waiting = bounds.max_waiting};
    }
    /// Other bounds from now on; those that wait keep their place in the queue and their time. Fewer places than there are calls inside: they
    /// leave, nobody is thrown out. Throws `std::invalid_argument` and changes nothing if the options are bad.
    void reconfigure(options const& o)
    {
        checked(o);
        places_.reconfigure(*o.max_concurrent, {o.max_wait, o.max_waiting});
    }
    /// The same for the queue's own settings, where it has any.
    template<class Q = Queue>
    [[nodiscard]] typename Q::options queue_settings() const
    {
        return places_.with_queue([](Q const& queue) { return queue.settings(); });
    }
    template<class Q = Queue>
    void reconfigure_queue(typename Q::options const& o)
    {
        places_.with_queue([&](Q& queue) { queue.reconfigure(o); });
    }
    void describe(auto&& field) const
    {
        auto const [count, bounds] = places_.settings();
        field("max_concurrent", count);
        detail::describe_queue(places_, bounds, field);
    }

private:
    static options const& checked(options const& o)
    {
        expect(*o.max_concurrent >= 1, "concurrency_limit.max_concurrent", "at least 1");
        expect(o.max_wait >= duration::zero(), "concurrency_limit.max_wait", "0 or more");
        return o;
    }

    detail::turnstile<Queue, Threading> places_;
};
concurrency_limit(concurrency_limit_options)->concurrency_limit<>;
template<class Queue>
concurrency_limit(concurrency_limit_options, Queue) -> concurrency_limit<Queue>;

} // namespace weir::inline v0
