// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/options.hpp>
#include <weir/resilience/breaker_transition.hpp>
#include <weir/resilience/exponential_backoff.hpp>

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <string_view>

namespace weir::inline v0 {

/// The windows of a breaker, by which it judges: see `breaker_window.hpp`.
struct time_window;
struct count_window;
struct failures_in_a_row;

/// The settings of a breaker that judges by the rates in a window, of time or of calls.
template<class Window, class Length>
struct breaker_rates {
    /// Opens when at least this part of the calls in the window failed; in (0, 1].
    double failure_rate = 0.5;
    /// The length of the window. In time: from 1 ms to 24 h; in calls: from 1 to 100,000.
    Length window = Window::usual_length();
    /// Never opens on fewer calls than these in the window; at least 1, and at most the window if that is in calls.
    std::uint32_t minimum_calls = 20;
    /// A call that takes at least this long, to 256 ns, is slow; 0: calls are not timed. Timing reads the clock on the way down, too.
    duration slow_call{0};
    /// Opens when at least this part of the calls in the window was slow; in (0, 1].
    double slow_call_rate = 1;
    /// How long it stays open before it lets probes through; above 0.
    duration open_for = std::chrono::seconds(5);
    /// The open time doubles each time the probes fail, up to this; 0: it does not grow. It starts anew when the breaker has closed.
    duration max_open_for{0};
    /// The open time is drawn evenly from this part below the full one up to it, so that breakers do not probe in step; in [0, 1].
    double jitter = 0;
    /// How many calls are let through half-open, all of which have to succeed; at least 1.
    std::uint32_t probes = 3;
    /// How long probes may be out at a stretch; then they are taken back as failed, and the breaker opens again. Above 0.
    duration probe_limit = std::chrono::seconds(10);
    /// How the breaker is called in what it tells; up to 31 characters. Empty: as `named` calls it.
    breaker_name name{};
    /// Where the jitter starts; 0: anywhere. Read once, at construction.
    std::uint64_t seed = 0;
};

/// The settings of a breaker that opens after so many failures in a row: `circuit_breaker{row_breaker_options{.failures = 5}}`.
struct row_breaker_options {
    /// Opens on so many failures without a success between them; at least 1.
    std::uint32_t failures = 5;
    /// A call that takes at least this long counts as a failure; 0: calls are not timed.
    duration slow_call{0};
    /// As of `breaker_rates`, all that follow.
    duration open_for = std::chrono::seconds(5);
    duration max_open_for{0};
    double jitter = 0;
    std::uint32_t probes = 3;
    duration probe_limit = std::chrono::seconds(10);
    breaker_name name{};
    std::uint64_t seed = 0;
};

/// `circuit_breaker{{.failure_rate = 0.5, .window = 10s}}`
using circuit_breaker_options = breaker_rates<time_window, duration>;
/// `circuit_breaker{count_breaker_options{.failure_rate = 0.5, .window = 100}}`
using count_breaker_options = breaker_rates<count_window, std::uint32_t>;

namespace detail {

/// Refuses bad settings; the window looks at its own besides.
template<class Options>
void expect_breaker(Options const& o)
{
    expect(o.slow_call.count() >= 0, "circuit_breaker.slow_call", "0 or more");
    expect(o.open_for.count() > 0, "circuit_breaker.open_for", "more than 0");
    expect(o.max_open_for.count() == 0 || o.max_open_for >= o.open_for, "circuit_breaker.max_open_for", "0, or at least open_for");
    expect_ratio(o.jitter, "circuit_breaker.jitter");
    expect(o.probes >= 1, "circuit_breaker.probes", "at least 1");
    expect(o.probe_limit.count() > 0, "circuit_breaker.probe_limit", "more than 0");
    if constexpr (requires { o.failures; })
        expect(o.failures >= 1, "circuit_breaker.failures", "at least 1");
    else {
        expect(o.failure_rate > 0 && o.failure_rate <= 1, "circuit_breaker.failure_rate", "a ratio above 0 and at most 1");
        expect(o.slow_call_rate > 0 && o.slow_call_rate <= 1, "circuit_breaker.slow_call_rate", "a ratio above 0 and at most 1");
        expect(o.minimum_calls >= 1, "circuit_breaker.minimum_calls", "at least 1");
        if constexpr (std::integral<decltype(o.window)>) {
            expect(o.window >= 1 && o.window <= 100'000, "circuit_breaker.window", "1 to 100,000 calls");
            expect(o.minimum_calls <= o.window, "circuit_breaker.minimum_calls", "at most the window, or it never opens");
        } else
            expect(o.window >= std::chrono::milliseconds(1) && o.window <= std::chrono::hours(24), "circuit_breaker.window",
                   "1 ms to 24 h");
    }
}

/// The open time after so many turns of probes that failed, `random` being any evenly spread word.
template<class Options>
[[nodiscard]] duration open_time(Options const& o, std::uint32_t failed_turns, std::uint64_t random) noexcept
{
    duration const cap = o.max_open_for.count() == 0 ? o.open_for : o.max_open_for;
    duration const full = exponential_backoff{o.open_for, cap}.bound(failed_turns + 1);
    double const less = static_cast<double>(full.count()) * o.jitter * (static_cast<double>(random >> 11) * 0x1p-53);
    return std::max(full - duration{static_cast<std::int64_t>(less)}, duration{1});
}

void describe_breaker(auto const& o, auto&& field)
{
    if constexpr (requires { o.failures; })
        field("failures", o.failures);
    else {
        field("failure_rate", o.failure_rate);
        field("window", o.window);
        field("minimum_calls", o.minimum_calls);
    }
    field("slow_call", o.slow_call);
    if constexpr (requires { o.slow_call_rate; }) field("slow_call_rate", o.slow_call_rate);
    field("open_for", o.open_for);
    field("max_open_for", o.max_open_for);
    field("jitter", o.jitter);
    field("probes", o.probes);
    field("probe_limit", o.probe_limit);
    field("name", o.name.view());
}

} // namespace detail

} // namespace weir::inline v0
