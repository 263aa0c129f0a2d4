// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace weir::inline v0 {

/// A member of an options aggregate that has no default: leaving it out does not compile.
/// `struct options { required<int> permits; };` takes `{.permits = 3}` and refuses `{}`.
template<class T>
class required {
public:
    template<std::convertible_to<T> U>
    constexpr required(U&& value) : value_(std::forward<U>(value)) // NOLINT: implicit, so that options read like plain values
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
