// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/detail/machine.hpp>
#include <weir/core/detail/segments.hpp>
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
    template<class Policy>
    struct can_be_sent_once_only__it_cannot_be_repeated_by;
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
    static constexpr bool rewrites = borders<policies_type>::rewrites(0);
    static constexpr bool limits = (has_trait<policy_t<Elements>, limits_time> || ...);
    static constexpr std::size_t clock_place = place_of(std::array<bool, sizeof...(Elements)>{is_clock_directive<policy_t<Elements>>...});
    static constexpr std::size_t classifier_place =
        place_of(std::array<bool, sizeof...(Elements)>{is_classifier_directive<policy_t<Elements>>...});

    /// The last policy that limits time, unless a detour between it and the handler lets the call leave in time.
    static constexpr std::size_t limit_without_detour = [] {
        constexpr std::array<bool, sizeof...(Elements) + 1> limiting{has_trait<policy_t<Elements>, limits_time>...};
        constexpr std::array<bool, sizeof...(Elements) + 1> leaving{is_role<policy_t<Elements>, detour>...};
        for (std::size_t i = sizeof...(Elements); i-- > 0 && !leaving[i];)
            if (limiting[i]) return i;
        return sizeof...(Elements);
    }();

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

    using observer_type = no_observer;
    static observer_type& observer(pipeline_type&) noexcept { return nobody; }

    static constexpr std::size_t scope_place = place_of(std::array<bool, sizeof...(Elements)>{is_scope_directive<policy_t<Elements>>...});
    static constexpr bool has_scope = scope_place < sizeof...(Elements);
    static auto& scope(pipeline_type& p) noexcept { return p.policies_.template get<scope_place>().scope(); }
};

template<class P>
concept has_to_close = requires(P& p)
{
    {
        p.close()
    }
    noexcept;
};
/// Ends what the policies have left under way, before anything of the pipeline is gone.
template<class Shelf, std::size_t... I>
void close_all([[maybe_unused]] Shelf& policies, std::index_sequence<I...>) noexcept
{
    static_cast<void>((
        [&]<class P>(P& policy) {
            if constexpr (has_to_close<P>) policy.close();
        }(policies.template get<I>()),
        ...));
}

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
/// Whether the request has what the policy calls, and can be sent again if the policy does that.
template<class Request, class Policy>
constexpr bool offers()
{
    if constexpr (has_trait<Policy, repeats_the_call> && !can_be_repeated<Request>)
        static_cast<void>(sizeof(typename advice::request<Request>::template can_be_sent_once_only__it_cannot_be_repeated_by<Policy>));
    return offers_all<Request, Policy, typename reads_of<Policy>::type>::value;
}

template<class Request, class Shelf, std::size_t... I>
constexpr bool offers_every(std::index_sequence<I...>)
{
    using limits = borders<Shelf>;
    return (offers<std::remove_const_t<typename request_of_segment<limits, Request, limits::segment_of(I)>::type>,
                   typename Shelf::template policy_at<I>>() &&
            ...);
}

template<class H>
concept states_awaitable = requires
{
    typename H::weir_awaits;
};
/// The awaitable that `weir::asynchronous` gives a handler; void without.
template<class H>
struct awaits_by {
    using type = void;
};
template<wraps_handler H>
requires(!states_awaitable<H>) struct awaits_by<H> : awaits_by<typename H::weir_wraps> {
};
template<states_awaitable H>
struct awaits_by<H> {
    using type = typename H::weir_awaits;
};

/// Whether all policies let a stream pass.
template<class P>
constexpr bool lets_stream_pass()
{
    constexpr bool passes = !has_trait<P, repeats_the_call> && !has_trait<P, may_answer_alone> && !has_trait<P, wants_whole_outcome>;
    if constexpr (!passes)
        static_cast<void>(
            sizeof(typename advice::policy<P>::repeats_or_keeps_what_comes_back__it_cannot_stand_around_a_handler_of_weir_held));
    return passes;
}
template<class Shelf, std::size_t... I>
constexpr bool all_let_stream_pass(std::index_sequence<I...>)
{
    return (lets_stream_pass<typename Shelf::template policy_at<I>>() && ...);
}
/// What is known of a pipeline once its request is known.
template<class Pipeline, class Request>
struct shape {
    using pipeline_access = access<Pipeline>;
    using policies_type = typename pipeline_access::policies_type;
    using indices = std::make_index_sequence<policies_type::size>;
    using limits = borders<policies_type>;
    using handler_type = typename pipeline_access::handler_type;
    using callable_type = std::remove_reference_t<decltype(callable(std::declval<handler_type&>()))>;
    /// The request as the handler sees it: that of the innermost segment.
    using handed_request = typename request_of_segment<limits, Request, limits::count>::type;

    static_assert(offers_every<Request, policies_type>(indices()));

    static constexpr bool is_plain =
        takes_request<callable_type, handed_request> || takes_view<callable_type, handed_request, typename pipeline_access::provided>;
    /// The handler binds the call's cancellation slot to its own operations.
    static constexpr bool binds_cancellation =
        !is_plain &&
        takes_view<callable_type, handed_request, typename facet_union<typename pipeline_access::provided, facets<cancellation>>::type>;
    using provided = typename facet_union<typename pipeline_access::provided,
                                          std::conditional_t<binds_cancellation, facets<cancellation>, facets<>>>::type;
    using state_type = call_state<typename pipeline_access::clock_type, typename pipeline_access::classifier_type, provided,
                                  typename pipeline_access::reported, typename pipeline_access::observer_type>;

    static constexpr auto find_returned()
    {
        using handlers_call = inner_call<handed_request, state_type>;
        if constexpr (is_plain || binds_cancellation)
            return std::type_identity<decltype(invoke_handler(std::declval<handler_type&>(), std::declval<handlers_call&>()))>();
        else if constexpr (!reads_unprovided_facet<callable_type, handed_request, typename pipeline_access::provided>())
            static_cast<void>(sizeof(typename advice::handler<callable_type>::template does_not_take<std::remove_const_t<handed_request>>));
    }
    using returned = std::remove_cvref_t<typename decltype(find_returned())::type>;
    /// The awaitable by which the pipeline runs; void if it is synchronous.
    using awaitable_type = std::conditional_t<awaitable<returned>, returned, typename awaits_by<handler_type>::type>;
    static constexpr bool is_asynchronous = !std::is_void_v<awaitable_type>;

    using plan = call_plan<limits, Request, state_type, typename outcome_of_value<typename awaitable_traits<returned>::value_type>::type,
                           is_asynchronous && pipeline_access::has_scope, !is_asynchronous>;
    using call_type = typename plan::call_type;
    using machine_type = machine<policies_type, plan>;
    using outcome = typename plan::template outcome_at<0>;

    static constexpr bool check_stream()
    {
        if constexpr (streams<typename plan::template outcome_at<plan::last>>) return all_let_stream_pass<policies_type>(indices());
        return true;
    }
    static_assert(check_stream());
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
        return Type(std::move(m.outcome()), std::move(m.reports()), m.answered_by(), m.unanswered_exception());
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
        reply_view<typename Machine::outcome_type, typename Machine::call_type> view(m.outcome(), m, m.answered_by());
        return make(view);
    }
};

/// What a call gives, by how it ends.
template<class Give, class Pipeline, class Request>
using answer_of = typename Give::template type<shape<Pipeline, Request>, typename access<Pipeline>::reported>;

/// The blocking driver: carries a machine to its end on the thread that called.
template<class Shape, class Pipeline>
[[gnu::always_inline]] inline void run_blocking(Pipeline& p, typename Shape::machine_type& m)
{
    using see = access<Pipeline>;
    using machine_type = typename Shape::machine_type;
    // Behind a detour an errand calls it, not this machine.
    constexpr bool calls_the_handler = machine_type::sending::size() == 0;
    [[maybe_unused]] auto const handle = [&]() -> decltype(auto) { return invoke_handler(see::handler(p), m.handlers_call()); };

    act next = m.descend();
    if constexpr (calls_the_handler) {
        if (next == act::call) [[likely]] {
            m.handle(handle);
            next = m.ascend();
        }
    }
    while (next != act::done) [[unlikely]]
        {
            if (next == act::unwind) [[likely]] { // answered or refused by a policy
                next = m.ascend_on();
                continue;
            }
            if constexpr (calls_the_handler) {
                if (next == act::call) {
                    m.handle(handle);
                    next = m.returned();
                    continue;
                }
            } else if (next == act::send) {
                m.leave_alone(next); // what goes along is copied, and may throw
                next = send_any(p, m);
                m.back();
                continue;
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
                }
            }
            if (next == act::again) next = m.descend_on();
        }
}

template<class Shape, class Give, class Pipeline, class Request>
auto drive_blocking(Pipeline& p, Request& request, Give give) -> answer_of<Give, Pipeline, std::remove_const_t<Request>>
{
    using see = access<Pipeline>;
    typename Shape::machine_type m(see::policies(p), request, see::clock(p), see::classifier(p), see::observer(p));
    run_blocking<Shape>(p, m);
    m.ends();
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
    if constexpr (shape_type::is_asynchronous)
        return driver_for<typename shape_type::awaitable_type>::drive(p, std::forward<Request>(request), std::move(give));
    else if constexpr (is_owned<std::remove_cvref_t<Request>>)
        return drive(p, std::move(request).release(), std::move(give));
    else {
        static_assert(shape_type::machine_type::awaits_nothing());
        if constexpr (see::limit_without_detour < see::policies_type::size)
            static_cast<void>(
                sizeof(typename advice::cannot_interrupt<typename see::policies_type::template policy_at<see::limit_without_detour>>::
                           template which_is_synchronous__put_weir_isolate_between_or_make_it_asynchronous<typename see::handler_type>));
        if constexpr (see::rewrites) {
            plain own(std::forward<Request>(request));
            return drive_blocking<shape_type>(p, own, std::move(give));
        } else
            return drive_blocking<shape_type>(p, std::as_const(request), std::move(give));
    }
}

} // namespace detail

} // namespace weir::inline v0

#include <weir/core/detail/send.hpp>
