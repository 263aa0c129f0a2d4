// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/resilience/breaker_options.hpp>
#include <weir/resilience/call_window.hpp>
#include <weir/resilience/detail/count_ring.hpp>

#include <concepts>
#include <cstdint>

namespace weir::inline v0 {

namespace detail {

/// What a window thinks of its calls: whether a limit is reached, and whether it has seen enough of them.
struct breaker_opinion {
    bool too_many = false;
    bool enough = false;
    breaker_reason why = breaker_reason::too_many_failures;
};

/// By the rates. Slow calls are counted among the same calls.
template<class Options>
[[nodiscard]] breaker_opinion opinion_by_rates(breaker_totals const& t, Options const& o) noexcept
{
    auto const reaches = [](std::uint64_t part, double rate, std::uint64_t calls) {
        return part > 0 && static_cast<double>(part) >= rate * static_cast<double>(calls);
    };
    bool const failed = reaches(t.failures, o.failure_rate, t.calls);
    bool const slow = o.slow_call.count() > 0 && reaches(t.slow, o.slow_call_rate, t.calls);
    return {failed || slow, t.calls >= o.minimum_calls, failed ? breaker_reason::too_many_failures : breaker_reason::too_many_slow_calls};
}

} // namespace detail

/// Judges by the calls of the last so many seconds, to a slice of an 8th of them (see `call_window`). Counting costs a load and a store.
struct time_window {
    using options = circuit_breaker_options;
    static constexpr duration usual_length() noexcept { return std::chrono::seconds(10); }
    static constexpr bool needs_time = true;

    template<threading_model Threading>
    class counts {
    public:
        explicit counts(options const& o) : calls_(o.window), slow_(o.window) {}
        [[gnu::always_inline]] void count(time_point now, bool failed) { calls_.count(now, failed); }
        void count_timed(time_point now, bool failed, bool slow)
        {
            calls_.count(now, failed);
            slow_.count(now, slow);
        }
        [[nodiscard]] detail::breaker_totals sum(time_point now) const
        {
            auto const all = calls_.sum(now);
            return {all.calls, all.marked, slow_.sum(now).marked};
        }
        [[nodiscard]] static detail::breaker_opinion opinion(detail::breaker_totals const& t, options const& o) noexcept
        {
            return detail::opinion_by_rates(t, o);
        }
        void forget() noexcept
        {
            calls_.forget();
            slow_.forget();
        }
        void adopt(options const& o, options const& before)
        {
            if (o.window == before.window) return;
            calls_.resize(o.window);
            slow_.resize(o.window);
        }

    private:
        call_window<Threading> calls_;
        call_window<Threading> slow_;
    };
};

/// Judges by the last so many calls. Exact in one thread; with several each may displace a sixteenth of the window, at most seven calls
/// (see `detail::count_ring`). Memory: a byte a call of the window.
struct count_window {
    using options = count_breaker_options;
    static constexpr std::uint32_t usual_length() noexcept { return 100; }
    static constexpr bool needs_time = false;

    template<threading_model Threading>
    class counts {
    public:
        explicit counts(options const& o) : ring_(o.window) {}
        [[gnu::always_inline]] void count(time_point, bool failed) { ring_.count(failed, false); }
        void count_timed(time_point, bool failed, bool slow) { ring_.count(failed, slow); }
        [[nodiscard]] detail::breaker_totals sum(time_point) const { return ring_.sum(); }
        [[nodiscard]] static detail::breaker_opinion opinion(detail::breaker_totals const& t, options const& o) noexcept
        {
            return detail::opinion_by_rates(t, o);
        }
        void forget() noexcept { ring_.forget(); }
        void adopt(options const& o, options const& before)
        {
            if (o.window != before.window) ring_.resize(o.window);
        }

    private:
        detail::count_ring<Threading> ring_;
    };
};

/// Opens on so many failures without a success between them. A success writes nothing while there are none.
struct failures_in_a_row {
    using options = row_breaker_options;
    static constexpr bool needs_time = false;

    template<threading_model Threading>
    class counts {
    public:
        explicit counts(options const&) {}
        [[gnu::always_inline]] void count(time_point, bool failed)
        {
            if (failed) [[unlikely]]
                row_.add(1);
            else if (row_.load() != 0)
                row_.store(0);
        }
        void count_timed(time_point now, bool failed, bool slow) { count(now, failed || slow); }
        [[nodiscard]] detail::breaker_totals sum(time_point) const { return {row_.load(), row_.load(), 0}; }
        [[nodiscard]] static detail::breaker_opinion opinion(detail::breaker_totals const& t, options const& o) noexcept
        {
            return {t.failures >= o.failures, true, breaker_reason::failures_in_a_row};
        }
        void forget() noexcept { row_.store(0); }
        void adopt(options const&, options const&) noexcept {}

    private:
        typename Threading::template cell<std::uint64_t> row_;
    };
};

/// One of these, or one of your own: options with the members of a breaker, and counts of outcomes.
template<class T>
concept breaker_window = requires(typename T::options const& o, typename T::template counts<shared>& counts, time_point now)
{
    {
        T::needs_time
        } -> std::convertible_to<bool>;
    counts.count(now, true);
    counts.count_timed(now, true, true);
    {
        counts.opinion(counts.sum(now), o)
        } -> std::same_as<detail::breaker_opinion>;
    counts.forget();
    counts.adopt(o, o);
};

} // namespace weir::inline v0
