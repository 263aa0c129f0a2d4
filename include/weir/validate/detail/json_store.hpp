// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/validate/detail/json_shape.hpp>

#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>

namespace weir::inline v0::detail {

/// What would be right: completes "expected ...".
[[nodiscard]] inline std::string expected_of(json_shape const& s)
{
    switch (s.kind) {
    case json_kind::nothing: break;
    case json_kind::boolean: return "true or false";
    case json_kind::integer: return "a whole number from " + std::to_string(s.lowest) + " to " + std::to_string(s.highest);
    case json_kind::real: return "a number within the range of a floating-point number";
    case json_kind::text: return "a string";
    case json_kind::named: {
        std::string names = "one of ";
        for (std::size_t i = 0; i < s.count; ++i) (names += i == 0 ? "" : ", ") += s.names[i];
        return names;
    }
    case json_kind::formed: return s.expected();
    case json_kind::optional: return expected_of(*s.inner) + ", or null";
    case json_kind::list: return "an array";
    case json_kind::array: return "an array of " + std::to_string(s.highest) + " elements";
    case json_kind::map:
    case json_kind::object: return "an object";
    }
    return {};
}

template<class Value>
void put(void* into, Value value) noexcept
{
    std::memcpy(into, &value, sizeof value);
}

/// A form is given a value of its own type, which is stored into a scratch first.
template<class Store>
bool store_form(json_shape const& s, void* into, Store store)
{
    if (s.kind != json_kind::formed) return false;
    json_scratch own;
    return store(*s.inner, own) && s.take(into, own);
}

/// These store a value of the text into one of a shape; false if it does not fit.
inline bool store_text(json_shape const& s, void* into, std::string_view value)
{
    if (s.kind == json_kind::text) [[likely]]
        return static_cast<std::string*>(into)->assign(value), true;
    if (s.kind == json_kind::named) {
        for (std::size_t i = 0; i < s.count; ++i)
            if (s.names[i] == value) return s.choose(into, i), true;
        return false;
    }
    return store_form(s, into, [&](json_shape const& own, json_scratch& to) {
        return own.kind == json_kind::text ? (to.text.assign(value), true) : store_text(own, to.bytes, value);
    });
}

/// A negative number is `number`, the others are `bits`.
inline bool put_integer(json_shape const& s, void* into, std::int64_t number, std::uint64_t bits, bool negative) noexcept
{
    if (negative ? number < s.lowest : bits > s.highest) return false;
    switch (s.bytes) {
    case 1: put(into, static_cast<std::uint8_t>(bits)); break;
    case 2: put(into, static_cast<std::uint16_t>(bits)); break;
    case 4: put(into, static_cast<std::uint32_t>(bits)); break;
    default: put(into, bits);
    }
    return true;
}
inline bool store_integer(json_shape const& s, void* into, std::int64_t number, std::uint64_t bits, bool negative)
{
    if (s.kind == json_kind::integer) return put_integer(s, into, number, bits, negative);
    if (s.kind == json_kind::real) {
        if (s.bytes == sizeof(float))
            put(into, !negative ? static_cast<float>(bits) : number == 0 ? -0.0f : static_cast<float>(number));
        else
            put(into, !negative ? static_cast<double>(bits) : number == 0 ? -0.0 : static_cast<double>(number));
        return true;
    }
    return store_form(s, into,
                      [&](json_shape const& own, json_scratch& to) { return store_integer(own, to.bytes, number, bits, negative); });
}

/// Reads a decimal that is short enough to be the quotient of two integers which a double holds exactly, so that one division rounds it
/// rightly (W. D. Clinger, "How to read floating point numbers accurately", PLDI 1990). False if it is none.
inline bool read_short(std::string_view digits, void* into) noexcept
{
    static constexpr double tens[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17};
    bool const negative = digits.front() == '-';
    if (digits.size() > 17) return false;
    std::uint64_t whole = 0;
    std::size_t after_point = 0, point = 0;
    for (std::size_t i = negative ? 1 : 0; i < digits.size(); ++i) {
        unsigned const digit = static_cast<unsigned char>(digits[i]) - unsigned{'0'};
        if (digit <= 9) {
            whole = whole * 10 + digit;
            after_point += point;
        } else if (digits[i] == '.')
            point = 1;
        else
            return false;
    }
    if (whole > std::uint64_t{1} << 53) return false;
    double const value = static_cast<double>(whole) / tens[after_point];
    put(into, negative ? -value : value);
    return true;
}

/// Reads the digits once more: what the parser makes of them may be off by the last bit.
template<class Real>
bool read_real(void* into, double near, std::string_view digits)
{
    Real value{};
    if constexpr (std::is_same_v<Real, double>)
        if (read_short(digits, into)) return true;
    if (std::from_chars(digits.data(), digits.data() + digits.size(), value).ec != std::errc{}) {
        if (!(std::abs(near) < 1)) return false; // beyond the largest one; what is nearer to zero than the smallest is zero
        value = digits.front() == '-' ? -Real{} : Real{};
    }
    put(into, value);
    return true;
}
inline bool store_real(json_shape const& s, void* into, double near, std::string_view digits)
{
    if (s.kind == json_kind::real) [[likely]]
        return s.bytes == sizeof(float) ? read_real<float>(into, near, digits) : read_real<double>(into, near, digits);
    return store_form(s, into, [&](json_shape const& own, json_scratch& to) { return store_real(own, to.bytes, near, digits); });
}

inline bool store_bool(json_shape const& s, void* into, bool value)
{
    if (s.kind == json_kind::boolean) [[likely]]
        return *static_cast<bool*>(into) = value, true;
    return store_form(s, into, [&](json_shape const& own, json_scratch& to) { return store_bool(own, to.bytes, value); });
}

} // namespace weir::inline v0::detail
