// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/core/options.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weir::inline v0 {

enum class breaker_state : std::uint8_t {
    closed,
    open,
    half_open,
    forced_open,  ///< by hand: refuses every call until it is told otherwise
    disabled,     ///< by hand: lets every call pass, and counts none
    metrics_only, ///< by hand: lets every call pass and counts it, and never opens
};

[[nodiscard]] constexpr std::string_view to_string(breaker_state s) noexcept
{
    constexpr std::string_view names[] = {"closed", "open", "half_open", "forced_open", "disabled", "metrics_only"};
    return names[static_cast<std::size_t>(s)];
}

/// Why a breaker changed its state.
enum class breaker_reason : std::uint8_t {
    too_many_failures,   ///< closed: the failure rate was reached
    too_many_slow_calls, ///< closed: the rate of slow calls was reached
    failures_in_a_row,   ///< closed: so many, without a success between them
    open_long_enough,    ///< open: probes may come
    probe_failed,        ///< half-open
    probes_too_slow,     ///< half-open: `probe_limit` was over
    probes_succeeded,    ///< half-open: all of them
    by_hand,             ///< somebody called `force_open`, `disable`, `metrics_only` or `reset`
};

[[nodiscard]] constexpr std::string_view to_string(breaker_reason r) noexcept
{
    constexpr std::string_view names[] = {"too_many_failures", "too_many_slow_calls", "failures_in_a_row", "open_long_enough",
                                          "probe_failed",      "probes_too_slow",     "probes_succeeded",  "by_hand"};
    return names[static_cast<std::size_t>(r)];
}

/// How a breaker is called in what it tells: up to 31 characters, kept in place, so that settings and events stay plain values.
class breaker_name {
public:
    constexpr breaker_name() noexcept = default;
    /// Throws `std::invalid_argument` if it is longer.
    template<std::convertible_to<std::string_view> Text>
    constexpr breaker_name(Text const& text) // NOLINT: implicit, options read like plain values
    {
        std::string_view const name = text;
        expect(name.size() < text_.size(), "circuit_breaker.name", "at most 31 characters");
        for (char const c : name) text_[size_++] = c;
    }
    [[nodiscard]] constexpr std::string_view view() const noexcept { return {text_.data(), size_}; }
    constexpr operator std::string_view() const noexcept { return view(); } // NOLINT: implicit, it is a text
    friend constexpr bool operator==(breaker_name const& a, breaker_name const& b) noexcept { return a.view() == b.view(); }

private:
    std::array<char, 32> text_{};
    std::uint8_t size_ = 0;
};

namespace detail {
[[nodiscard]] constexpr breaker_name name_within_bounds(std::string_view text) { return text.substr(0, 31); }
} // namespace detail

/// A change of a breaker's state. Its listeners are told each of them once and in order; the observer of a pipeline (`observed`) those that
/// the calls of this pipeline brought about, each by its call.
struct breaker_transition {
    breaker_name name{}; ///< of the breaker, by its options, or else its label
    breaker_state from = breaker_state::closed;
    breaker_state to = breaker_state::closed;
    breaker_reason why = breaker_reason::by_hand;
    time_point when{};
    std::uint64_t number = 0; ///< counts this breaker's changes from 1
};

/// The same, of the breaker of one key.
template<class Key>
struct keyed_breaker_transition : breaker_transition {
    Key key;
};

} // namespace weir::inline v0
