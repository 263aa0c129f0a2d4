// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>

#include <concepts>
#include <cstdint>
#include <string_view>

namespace weir::inline v0 {

/// What an algorithm that finds the right number of calls at a time is told: the calls of a short time, summed up.
struct load_window {
    /// How long it lasted; above 0.
    duration length{0};
    /// Calls that began in it and were served, and how long they took on average; 0 if there are none.
    std::uint64_t served = 0;
    duration rtt{0};
    /// All that were served, those among them that began before.
    std::uint64_t ended = 0;
    /// Calls that were dropped: they ran out of time, or were refused by whom they were sent to; and how long they took on average.
    std::uint64_t dropped = 0;
    duration dropped_rtt{0};
    /// The most calls inside at a time.
    std::uint32_t inflight = 0;

    /// The part of the calls that was dropped, in [0, 1].
    [[nodiscard]] double drop_ratio() const noexcept
    {
        return served + dropped == 0 ? 0 : static_cast<double>(dropped) / static_cast<double>(served + dropped);
    }
    /// Whether the limit was felt: a limit that half the places would have been enough for says nothing about a greater one.
    [[nodiscard]] bool is_used(double limit) const noexcept { return 2.0 * inflight >= limit; }
    /// Calls that were served a second.
    [[nodiscard]] double rate() const noexcept
    {
        return length.count() <= 0 ? 0 : static_cast<double>(ended) * 1e9 / static_cast<double>(length.count());
    }
};

/// An algorithm that finds the right number of calls at a time, for `adaptive_limit`: `aimd`, `vegas`, `gradient2`, `brpc_auto`. A plain
/// class without a clock or a lock; the policy sees to the bounds. `next(window, limit)` says the limit after a window, as a number that
/// is not rounded. One that wants to know how long a call takes when there is no load has `probed(window)`: told the windows in which the
/// policy had let few calls inside; without it there are no probes.
template<class T>
concept limit_algorithm = requires(T& algorithm, T const& seen, load_window const& window, typename T::options const& o)
{
    requires std::constructible_from<T, typename T::options const&>;
    {
        T::name
        } -> std::convertible_to<std::string_view>;
    {
        algorithm.next(window, double{})
        } -> std::same_as<double>;
    {
        seen.settings()
        } -> std::same_as<typename T::options>;
    algorithm.reconfigure(o);
};

namespace advice {
template<class T>
struct algorithm {
    struct lacks_what_limit_algorithm_asks__see_weir_limit_load_window;
};
} // namespace advice

namespace detail {
template<class T>
constexpr bool is_limit_algorithm()
{
    if constexpr (!limit_algorithm<T>)
        static_cast<void>(sizeof(typename advice::algorithm<T>::lacks_what_limit_algorithm_asks__see_weir_limit_load_window));
    return true;
}
} // namespace detail

} // namespace weir::inline v0
