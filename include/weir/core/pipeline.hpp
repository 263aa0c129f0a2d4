// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/detail/driver.hpp>
#include <weir/core/detail/lawful.hpp>
#include <weir/core/detail/machine.hpp>
#include <weir/core/directives.hpp>
#include <weir/core/handler.hpp>
#include <weir/core/reply.hpp>
#include <weir/core/stack.hpp>

#include <cstddef>
#include <string_view>
#include <type_traits>
#include <utility>

namespace weir::inline v0 {

namespace detail {

/// The policies of a pipeline, side by side; those that are empty take no room.
template<class... Elements>
class shelf : row_of<Elements...> {
public:
    static constexpr std::size_t size = sizeof...(Elements);
    static constexpr std::size_t first = 0;
    template<std::size_t Index>
    using element_at = type_at_place<row_of<Elements...>, Index>;
    template<std::size_t Index>
    using policy_at = policy_t<element_at<Index>>;

    /// The label that the policy was given, or its own name.
    template<std::size_t Index>
    static constexpr std::string_view name_at() noexcept
    {
        constexpr std::string_view label = unwrapped<element_at<Index>>::label;
        return label.empty() ? std::string_view(policy_at<Index>::name) : label;
    }

    /// From the first of the pieces.
    template<class Pieces, std::size_t... I>
    constexpr shelf([[maybe_unused]] Pieces& from, std::index_sequence<I...>) : row_of<Elements...>(from.template take<I>()...)
    {
    }
    template<std::size_t Index>
    constexpr policy_at<Index>& get() noexcept
    {
        return unwrapped<element_at<Index>>::of(at_place<Index>(*this));
    }
};

/// What the pieces of a pipeline come to: the handler is the last, the policies are the rest.
template<class Pieces, class Indices = std::make_index_sequence<Pieces::size - 1>>
struct composed;
template<class Pieces, std::size_t... I>
struct composed<Pieces, std::index_sequence<I...>> {
    using handler = typename Pieces::template type<sizeof...(I)>;
    using policies = stack<typename Pieces::template type<I>...>;
};

} // namespace detail

/// Policies around a handler: `pipeline svc{policy, policy, ..., handler};`, the outermost first.
///
/// `svc(request)` gives the outcome, `result<T>`; `svc.call(request)` a `reply<T>` that also tells what policies reported. Both
/// return an awaitable of it if the handler does. An exception of the handler that no policy answers is thrown on by `svc(request)`, and
/// lies in the reply of `svc.call(request)`.
///
/// The pipeline neither moves nor copies, and outlives its calls. It may be called by several threads at once unless one of its
/// policies is `confined`. A call allocates nothing; its state lies on the stack, or in one coroutine frame.
template<class Policies, class Handler>
class pipeline;

template<class... Elements, class Handler>
class pipeline<stack<Elements...>, Handler> {
    using shelf = detail::shelf<Elements...>;
    static_assert(detail::obeys_shipped_laws<Handler, detail::policy_t<Elements>...>());
    static_assert(detail::obeys_demands<Handler, detail::policy_t<Elements>...>());

public:
    static constexpr std::size_t size = sizeof...(Elements);
    /// The most often that the handler runs for one call: what the retries of all levels allow together.
    static constexpr std::uint64_t max_attempts = [] {
        std::uint64_t product = 1;
        for (policy_facts const& facts : detail::facts_table<detail::policy_t<Elements>...>::value) product *= facts.max_attempts;
        return product;
    }();

    template<class... E>
    requires(!(std::is_same_v<std::remove_cvref_t<E>, pipeline> || ...)) explicit pipeline(E&&... elements)
        : pipeline(std::in_place, detail::pieces<E...>(std::forward<E>(elements)...))
    {
    }
    pipeline(pipeline const&) = delete;
    pipeline& operator=(pipeline const&) = delete;
    /// Waits for what its detours have left under way; see `isolate`.
    ~pipeline() { detail::close_all(policies_, std::index_sequence_for<Elements...>()); }

    /// Calls the handler through the policies.
    template<class Request>
    decltype(auto) operator()(Request&& request)
    {
        return detail::drive(*this, std::forward<Request>(request), detail::give_outcome{});
    }
    /// The same, and what the policies have to tell of it.
    template<class Request>
    decltype(auto) call(Request&& request)
    {
        return detail::drive(*this, std::forward<Request>(request), detail::give_reply{});
    }
    /// The same, and what `make` makes of the reply: `make(view)` runs in the call's own frame and sees a `reply_view`, so that an edge
    /// needs no frame and no copy of its own. A reference that it returns is moved from.
    template<class Request, class Make>
    decltype(auto) call(Request&& request, Make make)
    {
        return detail::drive(*this, std::forward<Request>(request), detail::give_what<Make>{std::move(make)});
    }

    /// The first policy made from a template, `svc.get<rate_limit>()`, of a type, or with a name, `svc.get<"per tenant">()`.
    template<template<class...> class Template>
    [[nodiscard]] auto& get() noexcept
    {
        return find<std::array<bool, size>{detail::is_made_from<Template, detail::policy_t<Elements>>...}>();
    }
    template<template<auto...> class Template>
    [[nodiscard]] auto& get() noexcept
    {
        return find<std::array<bool, size>{detail::is_made_from_values<Template, detail::policy_t<Elements>>...}>();
    }
    template<class Policy>
    [[nodiscard]] auto& get() noexcept
    {
        return find<std::array<bool, size>{std::is_same_v<Policy, detail::policy_t<Elements>>...}>();
    }
    template<fixed_string Name>
    [[nodiscard]] auto& get() noexcept
    {
        return find<std::array<bool, size>{(detail::unwrapped<Elements>::label == Name.view())...}>();
    }

    /// Calls `f(policy, label)` for each policy, outermost first; the label is the name it was given, or empty.
    template<class F>
    void for_each(F&& f)
    {
        [&]<std::size_t... I>(std::index_sequence<I...>)
        {
            (f(policies_.template get<I>(), detail::unwrapped<Elements>::label), ...);
        }
        (std::index_sequence_for<Elements...>());
    }

private:
    friend struct detail::access<pipeline>;

    template<class Pieces>
    pipeline(std::in_place_t, Pieces from) : policies_(from, std::index_sequence_for<Elements...>()), handler_{from.template take<size>()}
    {
    }
    template<std::array<bool, size> Flags>
    auto& find() noexcept
    {
        constexpr std::size_t place = detail::place_of(Flags);
        static_assert(place < size, "weir: the pipeline has no such policy");
        return policies_.template get<place>();
    }

    [[no_unique_address]] shelf policies_;
    [[no_unique_address]] detail::leaf<size, Handler> handler_;
};

template<class... E>
pipeline(E&&...)
    -> pipeline<typename detail::composed<detail::pieces<E...>>::policies, typename detail::composed<detail::pieces<E...>>::handler>;

/// The same pipeline, checked against its request when it is composed and not at its first call:
/// `auto svc = weir::pipeline_for<quote_request>(policy, ..., handler);`.
template<class Request, class... E>
[[nodiscard]] auto pipeline_for(E&&... elements)
{
    static_cast<void>(sizeof(detail::shape<decltype(pipeline(std::forward<E>(elements)...)), Request>));
    return pipeline(std::forward<E>(elements)...);
}

/// The most often that the handler of a pipeline runs for one call.
template<class Pipeline>
inline constexpr std::uint64_t max_attempts = Pipeline::max_attempts;

} // namespace weir::inline v0
