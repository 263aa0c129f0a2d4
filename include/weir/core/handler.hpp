// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/awaitable.hpp>
#include <weir/core/call.hpp>
#include <weir/core/facets.hpp>
#include <weir/core/laws.hpp>
#include <weir/core/result.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <functional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace weir::inline v0 {

/// The facet of a handler that can be cancelled by itself, defined in `weir/asio.hpp`. A handler that takes a `view<cancellation>`
/// binds its slot to all its operations, and spares a timeout the cost of doing so from outside.
struct cancellation;

namespace detail {

template<class H>
concept wraps_handler = requires
{
    typename H::weir_wraps;
};

/// The user's callable, out of `idempotent` and its like.
template<class H>
constexpr auto& callable(H& handler) noexcept
{
    if constexpr (wraps_handler<H>)
        return callable(handler.handler);
    else
        return handler;
}

/// Whether a handler could read these facets; stands for any `view<...>` of them.
template<class Provided>
struct view_probe {
    template<class... Facets>
    requires((Provided::template contains<Facets> || std::is_same_v<Facets, deadline>)&&...)
    operator view<Facets...>() const noexcept; // NOLINT: implicit, the handler's parameter chooses the facets
    template<class F>
    F const& get() const noexcept // never called; defined, as clang wants it where the facet's type has no linkage
    {
        __builtin_unreachable();
    }
};

/// The same for a call: what a handler that reads facets is given.
template<class State>
class any_view {
public:
    explicit any_view(State const& call) noexcept : call_(call) {}
    template<class... Facets>
    operator view<Facets...>() const noexcept // NOLINT: as above
    {
        return view<Facets...>(call_);
    }
    template<class F>
    [[nodiscard]] F const& get() const noexcept
    {
        return call_.template get<F>();
    }

private:
    State const& call_;
};

template<class H, class Request>
concept takes_request = std::invocable<H&, Request&>;
template<class H, class Request, class Provided>
concept takes_view = std::invocable<H&, Request&, view_probe<Provided>>;

/// The facets of the `view` that a handler takes, if its signature says so: it is a function, or an object with one `operator()`.
template<class Second>
struct facets_of_view {
    using type = facets<>;
};
template<class... Facets>
struct facets_of_view<view<Facets...>> {
    using type = facets<Facets...>;
};
template<class R, class Request, class Second>
facets_of_view<std::remove_cvref_t<Second>> second_parameter(R (*)(Request, Second));
template<class R, class H, class Request, class Second>
facets_of_view<std::remove_cvref_t<Second>> second_parameter(R (H::*)(Request, Second));
template<class R, class H, class Request, class Second>
facets_of_view<std::remove_cvref_t<Second>> second_parameter(R (H::*)(Request, Second) const);

template<class H>
struct facets_read {
    using type = facets<>;
};
template<class H>
requires requires(H& h)
{
    second_parameter(+h);
} // a function, or a lambda without captures
struct facets_read<H> : decltype(second_parameter(+std::declval<H&>())) {};
template<class H>
requires(!requires(H & h) { second_parameter(+h); }) && requires
{
    second_parameter(&H::operator());
}
struct facets_read<H> : decltype(second_parameter(&H::operator())) {};

/// Whether the handler would take this request if only the facets of its view were there; the compiler then names the first that is not.
template<class H, class Request, class Provided, class... Facets>
constexpr bool reads_unprovided(facets<Facets...> const*)
{
    using missing = std::tuple<Facets..., void>;
    constexpr std::size_t first = place_of(std::array<bool, sizeof...(Facets)>{
        !Provided::template contains<Facets> && !std::is_same_v<Facets, deadline> && !std::is_same_v<Facets, cancellation>...});
    if constexpr (first < sizeof...(Facets) && std::invocable<H&, Request&, view<Facets...>>) {
        static_cast<void>(
            sizeof(typename advice::add_a_policy_that_provides<std::tuple_element_t<first, missing>>::template outward_of<H>));
        return true;
    } else
        return false;
}
template<class H, class Request, class Provided>
constexpr bool reads_unprovided_facet()
{
    return reads_unprovided<H, Request, Provided>(static_cast<typename facets_read<H>::type const*>(nullptr));
}

/// Calls the handler with the request, and with a view of the facets if it takes one.
template<class Handler, class Call>
decltype(auto) invoke_handler(Handler& handler, Call&& call)
{
    auto& f = callable(handler);
    if constexpr (takes_request<std::remove_reference_t<decltype(f)>, typename std::remove_cvref_t<Call>::handed_request>)
        return std::invoke(f, call.request());
    else
        return std::invoke(f, call.request(), any_view<typename std::remove_cvref_t<Call>::state_type>(call.state()));
}

/// What comes back up: `result<T>` of a handler that returns T, `result<T>`, or an awaitable of either.
template<class T>
struct outcome_of_value {
    using type = result<T>;
};
template<class T>
struct outcome_of_value<result<T>> {
    using type = result<T>;
};

} // namespace detail

} // namespace weir::inline v0
