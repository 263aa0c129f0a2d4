// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <system_error>

namespace weir::inline v0 {

/// Why a text is not the number that was asked for.
enum class number_fault : std::uint8_t {
    none,
    empty,       ///< there is no character
    not_decimal, ///< not an optional minus sign and digits: a plus sign, a space, a fraction, a leading zero, minus zero
    too_small,   ///< below the range, however far
    too_large,   ///< above the range, however far
};

/// A number read from a text, or why there is none.
template<std::integral T>
struct parsed_number {
    T value{};
    number_fault fault = number_fault::none;
    explicit constexpr operator bool() const noexcept { return fault == number_fault::none; }
};

/// Reads a decimal number in [lowest, highest]. Strict: the whole text is the number, and each number has one text, so that nobody
/// further in reads `010`, `+10` or `1e1` differently. Costs a few ns, allocates nothing.
template<std::integral T = std::int64_t>
[[nodiscard]] parsed_number<T> parse_number(std::string_view text, T lowest = std::numeric_limits<T>::min(),
                                            T highest = std::numeric_limits<T>::max()) noexcept
{
    if (text.empty()) return {{}, number_fault::empty};
    bool const negative = text.front() == '-';
    std::string_view const digits = text.substr(negative ? 1 : 0);
    bool const leading_zero = digits.starts_with('0') && (negative || digits.size() > 1);
    if (digits.empty() || leading_zero || digits.find_first_not_of("0123456789") != std::string_view::npos)
        return {{}, number_fault::not_decimal};

    T value{};
    bool const fits =
        (std::signed_integral<T> || !negative) && std::from_chars(text.data(), text.data() + text.size(), value).ec == std::errc{};
    if (!fits) return {{}, negative ? number_fault::too_small : number_fault::too_large};
    if (value < lowest) return {value, number_fault::too_small};
    if (value > highest) return {value, number_fault::too_large};
    return {value, number_fault::none};
}

/// What to tell the caller who sent the text: `"limit: expected a number from 1 to 100, got one too large"`.
template<std::integral T>
[[nodiscard]] std::string describe(number_fault fault, std::string_view name, T lowest, T highest)
{
    std::string text(name);
    text += ": expected a number from " + std::to_string(lowest) + " to " + std::to_string(highest);
    switch (fault) {
    case number_fault::none: break;
    case number_fault::empty: return text += ", got nothing";
    case number_fault::not_decimal: return text += ", got something else";
    case number_fault::too_small: return text += ", got one too small";
    case number_fault::too_large: return text += ", got one too large";
    }
    return text;
}

} // namespace weir::inline v0
