// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>

#include <bit>
#include <cstdint>

namespace weir::inline v0::detail {

/// A span of time in two bytes, rounded down by less than a thousandth; exact below two microseconds. A floating-point number of
/// nanoseconds: six bits of exponent, ten of mantissa, no sign. What is below zero is kept as zero.
class short_span {
public:
    constexpr short_span() noexcept = default;
    constexpr explicit short_span(duration d) noexcept
    {
        if (d.count() <= 0) return;
        auto const whole = static_cast<std::uint64_t>(d.count());
        if (whole < unit) {
            bits_ = static_cast<std::uint16_t>(whole);
            return;
        }
        auto const shift = static_cast<unsigned>(std::bit_width(whole)) - mantissa - 1;
        bits_ = static_cast<std::uint16_t>((shift + 1) << mantissa | (whole >> shift & (unit - 1)));
    }

    [[nodiscard]] constexpr duration value() const noexcept
    {
        unsigned const exponent = bits_ >> mantissa;
        std::uint64_t const fraction = bits_ & (unit - 1);
        return duration(static_cast<duration::rep>(exponent == 0 ? fraction : (unit | fraction) << (exponent - 1)));
    }

private:
    static constexpr unsigned mantissa = 10;
    static constexpr std::uint64_t unit = std::uint64_t{1} << mantissa;

    std::uint16_t bits_ = 0;
};

/// What a cache notes of an answer's times when it is written.
struct written_spans {
    short_span ttl{};
    short_span took{};
};

} // namespace weir::inline v0::detail
