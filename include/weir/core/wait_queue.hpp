// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/core/park.hpp>

#include <concepts>
#include <cstdint>
#include <string_view>

namespace weir::inline v0 {

/// Bounds of those that wait for a place.
struct wait_bounds {
    /// How long a call may wait; 0 means not at all.
    duration max_wait{0};
    /// How many calls may wait at a time.
    std::uint32_t max_waiting = 1'000;
};

/// In which order those go on that wait for a place: `fifo`, `lifo`, `codel`, `adaptive_lifo`, `by_priority`, `fair_by`. The policy that
/// holds it calls it under its lock, all but `mark`.
///
/// - `mark(call, waiter)`, if it is there, notes in `waiter.note` what the queue wants to know of the call.
/// - `push(waiter, now, max_wait)` takes one in and says how long it may wait, `max_wait` at most.
/// - `pop(now, refuse)` takes out who goes on, null if nobody does. Those who are not to be served any more it takes out, too, and hands
///   each to `refuse(waiter)`.
/// - `remove(waiter)` takes out one that gave up; false if it was not in.
/// - `make_room(waiter, max_waiting)`, when the queue is full, takes one out who has to go for this one; null: this one has to.
/// - `reads_time` says whether `pop` has to know the time.
template<class T>
concept wait_queue = requires(T& queue, T const& seen, waiter& w, time_point const& now, duration const& wait,
                              void (*refuse)(waiter&) noexcept)
{
    {
        T::name
        } -> std::convertible_to<std::string_view>;
    {
        T::reads_time
        } -> std::convertible_to<bool>;
    {
        queue.push(w, now, wait)
    }
    noexcept->std::same_as<duration>;
    {
        queue.pop(now, refuse)
    }
    noexcept->std::same_as<waiter*>;
    {
        queue.remove(w)
    }
    noexcept->std::same_as<bool>;
    {
        queue.make_room(w, std::uint32_t{})
    }
    noexcept->std::same_as<waiter*>;
    {
        seen.empty()
    }
    noexcept->std::same_as<bool>;
};

/// First come, first served; full, it takes nobody in. Each waits a fair time, and in a long overload that is the longest time for all:
/// take `codel` or `adaptive_lifo` where callers give up.
class fifo {
public:
    static constexpr std::string_view name = "fifo";
    static constexpr bool reads_time = false;

    duration push(waiter& w, time_point, duration max_wait) noexcept
    {
        line_.push_back(w);
        return max_wait;
    }
    waiter* pop(time_point, auto&&) noexcept { return line_.pop_front(); }
    bool remove(waiter& w) noexcept { return line_.remove(w); }
    waiter* make_room(waiter&, std::uint32_t) noexcept { return nullptr; }
    [[nodiscard]] bool empty() const noexcept { return line_.empty(); }
    void describe(auto&&) const {}

private:
    waiter_list line_;
};

namespace advice {
template<class T>
struct queue {
    struct lacks_what_wait_queue_asks__see_weir_core_wait_queue;
};
} // namespace advice

namespace detail {
template<class T>
constexpr bool is_wait_queue()
{
    if constexpr (!wait_queue<T>)
        static_cast<void>(sizeof(typename advice::queue<T>::lacks_what_wait_queue_asks__see_weir_core_wait_queue));
    return true;
}
} // namespace detail

} // namespace weir::inline v0
