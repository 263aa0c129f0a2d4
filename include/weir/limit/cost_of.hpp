// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/facets.hpp>

#include <concepts>
#include <cstdint>
#include <functional>
#include <limits>
#include <type_traits>
#include <utility>

namespace weir::inline v0 {

namespace detail {

/// A negative cost is a mistake that must not let calls pass: it counts as one above every burst.
template<std::integral Number>
[[nodiscard]] constexpr std::uint64_t cost_from(Number n) noexcept
{
    if constexpr (std::signed_integral<Number>)
        if (n < 0) return std::numeric_limits<std::uint64_t>::max();
    return static_cast<std::uint64_t>(n);
}

template<class T>
concept prices_calls = requires
{
    typename T::is_a_price;
};

} // namespace detail

/// What a call costs, as a function of its request: `rate_limit{gcra{...}, cost_of{[](upload const& u) { return u.bytes; }}}`, or a member,
/// `cost_of{&upload::bytes}`. It gives an integer: 0 takes nothing, and one above the burst, or below 0, is refused whenever it comes.
/// Called once a call, before the limiter is asked.
template<class Function>
class cost_of {
public:
    using is_a_price = void;
    constexpr explicit cost_of(Function f) noexcept(std::is_nothrow_move_constructible_v<Function>) : function_(std::move(f)) {}
    [[nodiscard]] constexpr std::uint64_t operator()(auto const& call) const
    {
        return detail::cost_from(std::invoke(function_, call.request()));
    }

private:
    [[no_unique_address]] Function function_;
};

/// What a call costs by a facet that a policy further out provides, `cost_by<tier>([](tier const& t) { return t.price; })`, or by it and
/// the request, if the function takes both.
template<class Facet, class Function>
class facet_cost {
public:
    using is_a_price = void;
    using needs = facets<Facet>;
    constexpr explicit facet_cost(Function f) noexcept(std::is_nothrow_move_constructible_v<Function>) : function_(std::move(f)) {}
    [[nodiscard]] constexpr std::uint64_t operator()(auto const& call) const
    {
        if constexpr (std::is_invocable_v<Function const&, Facet const&, decltype(call.request())>)
            return detail::cost_from(std::invoke(function_, call.template get<Facet>(), call.request()));
        else
            return detail::cost_from(std::invoke(function_, call.template get<Facet>()));
    }

private:
    [[no_unique_address]] Function function_;
};
template<class Facet, class Function>
[[nodiscard]] constexpr auto cost_by(Function f)
{
    return facet_cost<Facet, Function>(std::move(f));
}

} // namespace weir::inline v0
