// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/facets.hpp>
#include <weir/core/result.hpp>

#include <functional>
#include <type_traits>
#include <utility>

namespace weir::inline v0 {

/// Whether a type is something to `co_await`, and what that yields. `weir/asio.hpp` says so of `boost::asio::awaitable`.
template<class T>
struct awaitable_traits {
    static constexpr bool is_awaitable = false;
    using value_type = T;
};

template<class T>
concept awaitable = awaitable_traits<T>::is_awaitable;

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

/// Stands for any `view<...>` of a call: what a handler that reads facets is given.
template<class Call>
class any_view {
public:
    explicit any_view(Call const& call) noexcept : call_(call) {}
    template<class... Facets>
    operator view<Facets...>() const noexcept // NOLINT: implicit, the handler's parameter chooses the facets
    {
        return view<Facets...>(call_);
    }
    template<class F>
    [[nodiscard]] F const& get() const noexcept
    {
        return call_.template get<F>();
    }

private:
    Call const& call_;
};

template<class H, class Call>
concept takes_request = std::invocable<H&, typename Call::handed_request&>;
template<class H, class Call>
concept takes_view = std::invocable<H&, typename Call::handed_request&, any_view<Call>>;

/// Calls the handler with the request, and with a view of the facets if it takes one.
template<class Handler, class Call>
decltype(auto) invoke_handler(Handler& handler, Call& call)
{
    auto& f = callable(handler);
    using callable_type = std::remove_reference_t<decltype(f)>;
    if constexpr (takes_request<callable_type, Call>)
        return std::invoke(f, call.request());
    else
        return std::invoke(f, call.request(), any_view<Call>(call));
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
