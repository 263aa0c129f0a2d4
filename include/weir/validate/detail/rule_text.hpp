// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/validate/json_form.hpp>

#include <boost/describe/enumerators.hpp>
#include <boost/mp11/algorithm.hpp>

#include <charconv>
#include <chrono>
#include <concepts>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace weir::inline v0::detail {

template<class T>
constexpr bool is_span_of_time = false;
template<class Rep, class Period>
constexpr bool is_span_of_time<std::chrono::duration<Rep, Period>> = true;

template<class T>
concept plain_number = std::is_arithmetic_v<T> && !std::same_as<T, bool>;
/// Two numbers, or two spans of time.
template<class V, class Number>
concept comparable_number = (plain_number<V> && plain_number<Number>) || (is_span_of_time<V> && is_span_of_time<Number>);

/// Whether a <= b, whatever their signs.
template<class A, class B>
constexpr bool not_above(A const& a, B const& b) noexcept
{
    if constexpr (std::integral<A> && std::integral<B>) {
        if constexpr (std::is_signed_v<A> == std::is_signed_v<B>)
            return a <= b;
        else if constexpr (std::is_signed_v<A>)
            return a < 0 || static_cast<std::make_unsigned_t<A>>(a) <= b;
        else
            return b >= 0 && a <= static_cast<std::make_unsigned_t<B>>(b);
    } else if constexpr (plain_number<A>)
        return static_cast<long double>(a) <= static_cast<long double>(b);
    else
        return a <= b;
}

/// A value as a rule's sentence has it.
template<class T>
[[nodiscard]] std::string rule_text(T const& value)
{
    if constexpr (is_span_of_time<T>)
        return rule_text(value.count());
    else if constexpr (plain_number<T>) {
        char digits[40];
        return {digits, std::to_chars(digits, digits + sizeof digits, value).ptr};
    } else if constexpr (std::is_same_v<T, bool>)
        return value ? "true" : "false";
    else if constexpr (std::is_enum_v<T>) {
        std::string name = "another";
        if constexpr (boost::describe::has_describe_enumerators<T>::value)
            boost::mp11::mp_for_each<boost::describe::describe_enumerators<T>>([&]<class D>(D) {
                if (D::value == value) name = D::name;
            });
        return name;
    } else
        return std::string(std::string_view(value));
}

/// The unit of a span of time, with a space before it.
template<class Number>
[[nodiscard]] std::string rule_unit()
{
    if constexpr (is_span_of_time<Number>)
        return ' ' + unit_of<typename Number::period>();
    else
        return {};
}

} // namespace weir::inline v0::detail
