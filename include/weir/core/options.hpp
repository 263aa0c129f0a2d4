// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace weir::inline v0 {

namespace advice {
template<class T>
struct left_out {
    struct an_option_that_has_no_default__give_it_a_value;
};
} // namespace advice

/// A member of an options aggregate that has no default: leaving it out does not compile.
/// `struct options { required<int> permits; };` takes `{.permits = 3}` and refuses `{}`.
template<class T>
class required {
public:
    /// There is no default: it is declared so that the compiler's first line says so.
    template<class Missing = T>
    constexpr required() : value_(advice::left_out<Missing>::an_option_that_has_no_default__give_it_a_value::value)
    {
    }
    constexpr required(T value) noexcept(
        std::is_nothrow_move_constructible_v<T>) // NOLINT: implicit, so that options read like plain values
        : value_(std::move(value))
    {
    }
    /// Whatever converts without loss of its own: `30s` for nanoseconds, a literal for a string.
    template<class U>
    requires(std::is_class_v<U> || std::is_array_v<U>) &&
        (!std::is_same_v<U, required>)&&(!std::is_same_v<U, T>)&&std::is_convertible_v<U const&, T> constexpr required(U const& value)
        : value_(value) // NOLINT: as above
    {
    }
    constexpr operator T const&() const noexcept { return value_; } // NOLINT: as above
    constexpr T const& operator*() const noexcept { return value_; }

private:
    T value_;
};

/// Refuses bad options: throws `std::invalid_argument` that names the policy's member and says what was expected.
/// For constructors and `reconfigure` only; never on a call's way.
inline void expect(bool good, std::string_view member, std::string_view expected)
{
    if (!good) throw std::invalid_argument(std::string(member) + ": expected " + std::string(expected));
}

/// A ratio has to be a number in [0, 1].
inline void expect_ratio(double value, std::string_view member)
{
    expect(value >= 0 && value <= 1, member, "a ratio in [0, 1]");
}

} // namespace weir::inline v0
