// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <ratio>
#include <string>
#include <string_view>

namespace weir::inline v0 {

/// What a type of yours is in JSON, where it is no struct to be described: specialise it for a strong type, a decimal, a date.
/// ```cpp
/// template<>
/// struct weir::json_form<symbol> {
///     using type = std::string;                                              // what stands in the text
///     static constexpr std::string_view expected = "a symbol of at most 8 capital letters";
///     static bool read(std::string const& text, symbol& into);              // false: it is none
///     static std::string const& write(symbol const& s);                      // what is written: a value of `type`, or a view of one
/// };
/// ```
/// `type` is `bool`, a number, `std::string` or a described enumeration; that it is one, in its range, is checked before `read` is called. `expected` completes
/// "expected ..." in the violation and says nothing of what was sent.
template<class T>
struct json_form;

namespace detail {
/// The plural of a unit: `"milliseconds"`, or `"times 1/3 s"` for one without a name.
template<class Period>
[[nodiscard]] std::string unit_of()
{
    if constexpr (std::ratio_equal_v<Period, std::nano>)
        return "nanoseconds";
    else if constexpr (std::ratio_equal_v<Period, std::micro>)
        return "microseconds";
    else if constexpr (std::ratio_equal_v<Period, std::milli>)
        return "milliseconds";
    else if constexpr (std::ratio_equal_v<Period, std::ratio<1>>)
        return "seconds";
    else if constexpr (std::ratio_equal_v<Period, std::ratio<60>>)
        return "minutes";
    else if constexpr (std::ratio_equal_v<Period, std::ratio<3600>>)
        return "hours";
    else if constexpr (std::ratio_equal_v<Period, std::ratio<86400>>)
        return "days";
    else
        return "times " + std::to_string(Period::num) + '/' + std::to_string(Period::den) + " s";
}
} // namespace detail

/// A span of time is its count: `std::chrono::milliseconds` is a whole number of milliseconds. Name the unit in the member, as in
/// `timeout_ms`, or specialise for a type of your own.
template<class Rep, class Period>
struct json_form<std::chrono::duration<Rep, Period>> {
    using type = Rep;
    static std::string expected() { return "a number of " + detail::unit_of<Period>(); }
    static bool read(Rep count, std::chrono::duration<Rep, Period>& into) noexcept
    {
        into = std::chrono::duration<Rep, Period>(count);
        return true;
    }
    static Rep write(std::chrono::duration<Rep, Period> span) noexcept { return span.count(); }
};

} // namespace weir::inline v0
