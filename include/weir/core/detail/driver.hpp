// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/detail/machine.hpp>
#include <weir/core/directives.hpp>
#include <weir/core/handler.hpp>
#include <weir/core/laws.hpp>
#include <weir/core/owned.hpp>
#include <weir/core/reply.hpp>
#include <weir/core/request.hpp>
#include <weir/core/stack.hpp>

#include <type_traits>
#include <utility>

namespace weir::inline v0 {

namespace advice {
template<class Request>
struct request {
    template<class Function>
    struct lacks {
        template<class Policy>
        struct which_is_called_by;
    };
};
template<class Handler>
struct handler {
    template<class Request>
    struct does_not_take;
};
} // namespace advice

/// How a pipeline runs whose handler returns an `Awaitable`; `weir/asio.hpp` has the one for `boost::asio::awaitable`.
template<class Awaitable>
struct driver_for;

namespace detail {

inline constinit steady default_clock{};
inline constinit default_classifier the_default_classifier{};

/// What a driver may see of a pipeline.
template<class Pipeline>
struct access;
template<template<class, class> class Pipeline, class... Elements, class Handler>
struct access<Pipeline<stack<Elements...>, Handler>> {
    using pipeline_type = Pipeline<stack<Elements...>, Handler>;
    using handler_type = Handler;
    using policies_type = typename pipeline_type::shelf;
    using provided = typename facet_union<facets<>, typename provides_of<policy_t<Elements>>::type...>::type;
    using reported = typename facet_union<facets<>, typename reports_of<policy_t<Elements>>::type...>::type;
    static constexpr bool rewrites = (has_trait<policy_t<Elements>, rewrites_request> || ...);
    static constexpr bool limits = (has_trait<policy_t<Elements>, limits_time> || ...);
    static constexpr std::size_t clock_place = place_of(std::array<bool, sizeof...(Elements)>{is_clock_directive<policy_t<Elements>>...});
    static constexpr std::size_t classifier_place =
        place_of(std::array<bool, sizeof...(Elements)>{is_classifier_directive<policy_t<Elements>>...});

    static policies_type& policies(pipeline_type& p) noexcept { return p.policies_; }
    static Handler& handler(pipeline_type& p) noexcept { return p.handler_.value; }
    static auto& clock(pipeline_type& p) noexcept
    {
        if constexpr (clock_place < sizeof...(Elements))
            return p.policies_.template get<clock_place>().clock();
        else
            return default_clock;
    }
    static auto& classifier(pipeline_type& p) noexcept
    {
        if constexpr (classifier_place < sizeof...(Elements))
            return p.policies_.template get<classifier_place>();
        else
            return the_default_classifier;
    }
    using clock_type = std::remove_reference_t<decltype(clock(std::declval<pipeline_type&>()))>;
    using classifier_type = std::remove_reference_t<decltype(classifier(std::declval<pipeline_type&>()))>;

    /// The call of a request; a driver adds the facets of its own.
    template<class Request>
    using handed_request = std::conditional_t<rewrites, Request, Request const>;
    template<class Request, class... More>
    using call_type =
        call<handed_request<Request>, clock_type, classifier_type, typename facet_union<provided, facets<More...>>::type, reported>;

    /// The first policy that has a trait, for a sentence.
    template<template<class> class Has>
    using first_with = std::tuple_element_t<place_of(std::array<bool, sizeof...(Elements)>{Has<policy_t<Elements>>::value...}),
                                            std::tuple<policy_t<Elements>..., void>>;
};

template<class P>
struct does_limit_time : std::bool_constant<has_trait<P, limits_time>> {
};

template<class Request, class Policy, class Function>
constexpr bool offers_function()
{
    if constexpr (!Function::template works_for<Request>)
        static_cast<void>(sizeof(typename advice::request<Request>::template lacks<Function>::template which_is_called_by<Policy>));
    return Function::template works_for<Request>;
}
template<class Request, class Policy, class List>
struct offers_all;
template<class Request, class Policy, class... Functions>
struct offers_all<Request, Policy, reads_request<Functions...>>
    : std::bool_constant<(offers_function<Request, Policy, Functions>() && ...)> {
};
/// Whether the request has what the policy calls.
template<class Request, class Policy>
constexpr bool offers()
{
    return offers_all<Request, Policy, typename reads_of<Policy>::type>::value;
}

template<class Request, class Shelf, std::size_t... I>
constexpr bool offers_every(std::index_sequence<I...>)
{
    return (offers<Request, typename Shelf::template policy_at<I>>() && ...);
}

/// What is known of a pipeline once its request is known.
template<class Pipeline, class Request>
struct shape {
    using pipeline_access = access<Pipeline>;
    using handler_type = typename pipeline_access::handler_type;
    using callable_type = std::remove_reference_t<decltype(callable(std::declval<handler_type&>()))>;
    using handed_request = typename pipeline_access::template handed_request<Request>;

    static_assert(
        offers_every<Request, typename pipeline_access::policies_type>(std::make_index_sequence<pipeline_access::policies_type::size>()));

    static constexpr bool is_plain =
        takes_request<callable_type, handed_request> || takes_view<callable_type, handed_request, typename pipeline_access::provided>;
    /// The handler binds the call's cancellation slot to its own operations.
    static constexpr bool binds_cancellation =
        !is_plain &&
        takes_view<callable_type, handed_request, typename facet_union<typename pipeline_access::provided, facets<cancellation>>::type>;

    static constexpr auto find_call()
    {
        if constexpr (binds_cancellation)
            return std::type_identity<typename pipeline_access::template call_type<Request, cancellation>>();
        else
            return std::type_identity<typename pipeline_access::template call_type<Request>>();
    }
    using call_type = typename decltype(find_call())::type;
    static constexpr auto find_returned()
    {
        if constexpr (is_plain || binds_cancellation)
            return std::type_identity<decltype(invoke_handler(std::declval<handler_type&>(), std::declval<call_type&>()))>();
        else if constexpr (!reads_unprovided_facet<callable_type, handed_request, typename pipeline_access::provided>())
            static_cast<void>(sizeof(typename advice::handler<callable_type>::template does_not_take<Request>));
    }
    using returned = std::remove_cvref_t<typename decltype(find_returned())::type>;
    using outcome = typename outcome_of_value<typename awaitable_traits<returned>::value_type>::type;
};

/// How a call ends, `svc(request)`: with its outcome, moved from where it lies.
struct give_outcome {
    template<class Shape, class>
    using type = typename Shape::outcome;
    template<class, class Machine>
    auto&& operator()(Machine& m)
    {
        m.rethrow_if_unanswered();
        return std::move(m.outcome());
    }
};
/// `svc.call(request)`: with a reply.
struct give_reply {
    template<class Shape, class Reported>
    using type = reply<typename Shape::outcome::value_type, Reported>;
    template<class Type, class Machine>
    Type operator()(Machine& m)
    {
        return Type(std::move(m.outcome()), std::move(m.reports()), m.answered_by(), m.thrown());
    }
};
/// `svc.call(request, f)`: with what the function makes of the reply, which it sees where it lies.
template<class F>
struct give_what {
    F make;
    template<class Shape, class>
    using type = std::decay_t<std::invoke_result_t<F&, reply_view<typename Shape::outcome, typename Shape::call_type>&>>;
    template<class, class Machine>
    decltype(auto) operator()(Machine& m)
    {
        reply_view<std::remove_reference_t<decltype(m.outcome())>, typename Machine::call_type> view(m.outcome(), m, m.answered_by());
        return make(view);
    }
};

/// What a call gives, by how it ends.
template<class Give, class Pipeline, class Request>
using answer_of = typename Give::template type<shape<Pipeline, Request>, typename access<Pipeline>::reported>;

/// The blocking driver: one call on the thread that called.
template<class Shape, class Give, class Pipeline, class Request>
auto drive_blocking(Pipeline& p, Request& request, Give give) -> answer_of<Give, Pipeline, std::remove_const_t<Request>>
{
    using see = access<Pipeline>;
    using machine_type = machine<typename see::policies_type, typename Shape::call_type, typename Shape::outcome>;
    machine_type m(see::policies(p), request, see::clock(p), see::classifier(p));
    auto const handle = [&]() -> decltype(auto) { return invoke_handler(see::handler(p), static_cast<typename Shape::call_type&>(m)); };

    act next = m.descend();
    if (next == act::call) [[likely]] {
        m.outcome_of(handle);
        next = m.ascend();
    }
    while (next != act::done) [[unlikely]]
        {
            if (next == act::call) {
                m.outcome_of(handle);
                next = m.returned();
            }
            if constexpr (machine_type::may_sleep) {
                if (next == act::sleep) {
                    m.clock().sleep_until(after(m.clock().now(), m.delay()));
                    next = act::again;
                }
            }
            if constexpr (machine_type::may_park) {
                if (next == act::park) {
                    thread_notifier self;
                    next = m.woken(self.wait(m.parked(), m.until() == never ? never : after(steady::now(), m.until() - m.clock().now())));
                    if (next == act::park) continue;
                }
            }
            next = next == act::again ? m.descend_on() : m.ascend_on();
        }
    return give.template operator()<answer_of<Give, Pipeline, std::remove_const_t<Request>>>(m);
}

template<class Request>
struct unwrapped_request {
    using type = Request;
};
template<class Request>
struct unwrapped_request<owned<Request>> {
    using type = Request;
};
template<class Request>
using plain_request = typename unwrapped_request<Request>::type;

template<class Give, class Pipeline, class Request>
decltype(auto) drive(Pipeline& p, Request&& request, Give give)
{
    using plain = plain_request<std::remove_cvref_t<Request>>;
    using shape_type = shape<Pipeline, plain>;
    using see = access<Pipeline>;
    if constexpr (awaitable<typename shape_type::returned>)
        return driver_for<typename shape_type::returned>::drive(p, std::forward<Request>(request), std::move(give));
    else if constexpr (is_owned<std::remove_cvref_t<Request>>)
        return drive(p, std::move(request).release(), std::move(give));
    else {
        if constexpr (see::limits)
            static_cast<void>(sizeof(
                typename advice::cannot_interrupt<typename see::template first_with<does_limit_time>>::
                    template which_is_synchronous__read_the_deadline_in_the_handler_or_make_it_asynchronous<typename see::handler_type>));
        if constexpr (see::rewrites) {
            plain own(std::forward<Request>(request));
            return drive_blocking<shape_type>(p, own, std::move(give));
        } else
            return drive_blocking<shape_type>(p, std::as_const(request), std::move(give));
    }
}

} // namespace detail

} // namespace weir::inline v0
