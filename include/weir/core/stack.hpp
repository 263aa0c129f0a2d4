// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/policy.hpp>

#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

namespace weir::inline v0 {

/// Several policies in order, outermost first; itself a policy: `a | b`, or `stack{a, b}`. A pipeline takes it apart again, so a
/// stack costs nothing. A company's baseline is a function that returns one. (`|` is found where one of the two is weir's; two of your own
/// are `stack{a, b}`.)
template<class... Elements>
class stack {
public:
    template<class... E>
    requires(sizeof...(E) == sizeof...(Elements)) constexpr explicit stack(E&&... elements) : elements_(std::forward<E>(elements)...) {}
    constexpr std::tuple<Elements...>&& release() && noexcept { return std::move(elements_); }

private:
    std::tuple<Elements...> elements_;
};
template<class... E>
stack(E&&...) -> stack<std::remove_cvref_t<E>...>;

namespace detail {

template<class E>
constexpr bool is_stack = false;
template<class... Elements>
constexpr bool is_stack<stack<Elements...>> = true;

/// References to the elements of the stacks among these, and to the others: what a pipeline is built from.
template<class... E>
constexpr auto parts(E&&... elements)
{
    if constexpr (!(is_stack<std::remove_cvref_t<E>> || ...))
        return std::tuple<E&&...>(std::forward<E>(elements)...);
    else if constexpr (sizeof...(E) == 1)
        return std::apply([](auto&&... inner) { return parts(std::move(inner)...); }, (static_cast<E&&>(elements).release(), ...));
    else
        return std::tuple_cat(parts(std::forward<E>(elements))...);
}

} // namespace detail

template<class A, class B>
requires(policy<std::remove_cvref_t<A>> || detail::is_stack<std::remove_cvref_t<A>>) &&
    (policy<std::remove_cvref_t<B>> || detail::is_stack<std::remove_cvref_t<B>>) [[nodiscard]] constexpr auto operator|(A&& outer,
                                                                                                                        B&& inner)
{
    return std::apply([](auto&&... e) { return stack{std::forward<decltype(e)>(e)...}; },
                      detail::parts(std::forward<A>(outer), std::forward<B>(inner)));
}

} // namespace weir::inline v0
