// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/detail/row.hpp>
#include <weir/core/facets.hpp>
#include <weir/core/fixed_string.hpp>
#include <weir/core/request.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

namespace weir::inline v0 {

/// What a policy is, said by `using role = weir::gate;`. The concepts `gate_for`, `source_for`, `loop_for`, `transform_for` and
/// `detour_for` (in `contracts.hpp`) say what each has to have.
struct gate {};      ///< lets a call pass or refuses it
struct source {};    ///< may answer a call by itself, or mend its outcome
struct loop {};      ///< decides about attempts and time
struct transform {}; ///< rewrites the request going down and the outcome coming up
struct detour {};    ///< runs what is inside on another thread
struct codec {};     ///< changes the types: the policies further in see another request, and give another outcome
struct directive {}; ///< takes part in no call: it tells the pipeline something when it is composed

/// Traits that laws ask for, stated by `using traits = weir::traits<repeats_the_call, waits>;`.
template<class... Traits>
struct traits {
    template<class T>
    static constexpr bool contains = (std::is_same_v<T, Traits> || ...);
};
struct repeats_the_call {};   ///< what is inside may run more than once
struct makes_repeats_safe {}; ///< what is inside runs once, however often it is asked: a store of answers by idempotency key
struct names_repeats {};      ///< all attempts further in carry the same name, by which who answers them tells a repeat: an idempotency key
struct races_attempts {};     ///< its attempts run beside each other, not in turn
struct runs_beside {};        ///< its attempts are forks: it wants an asynchronous pipeline
struct may_answer_alone {};   ///< a call may be answered without the policies further in
struct keyed_by_identity {};  ///< what it answers by itself is kept under all by which the caller proves who it is
struct hides_failures {};     ///< a failure further in may come out as a value
struct counts_failures {};    ///< has to see the failures further in
struct establishes_identity {}; ///< lets nobody pass who has not proved an identity
struct passes_once {};          ///< lets the same request pass once only: repeated, it is a replay
struct binds_to_the_request {}; ///< its answer is good for this very request: kept, it would be wrong for the next
struct reads_body {};           ///< its verdict depends on the body's exact bytes
struct rewrites_body {};        ///< policies further in see another body
struct rewrites_request {};     ///< changes the request on its way down: the call works on a copy of its own
struct limits_time {};          ///< gives the call a deadline
struct limits_the_call {};      ///< the deadline is that of the whole call, with all its attempts
struct limits_an_attempt {};    ///< the deadline is that of one attempt
struct wants_whole_outcome {};  ///< keeps or rewrites the outcome: one that streams cannot pass
struct waits {};                ///< may hold a call back: it sleeps or parks it

namespace detail {

/// The policy inside an element of a pipeline: `std::ref(p)`, a `shared_ptr`, `named<"...">(p)` and p itself are the same policy.
template<class E>
struct unwrapped {
    using type = E;
    static constexpr std::string_view label{};
    static constexpr E& of(E& element) noexcept { return element; }
};
template<class P>
struct unwrapped<std::reference_wrapper<P>> {
    using type = P;
    static constexpr std::string_view label{};
    static constexpr P& of(std::reference_wrapper<P> element) noexcept { return element.get(); }
};
template<class P>
struct unwrapped<std::shared_ptr<P>> {
    using type = P;
    static constexpr std::string_view label{};
    static constexpr P& of(std::shared_ptr<P> const& element) noexcept { return *element; }
};

template<class E>
using policy_t = typename unwrapped<E>::type;

template<class P>
concept states_role = requires
{
    typename P::role;
};
template<class P>
concept states_traits = requires
{
    typename P::traits;
};
template<class P>
concept states_needs = requires
{
    typename P::needs;
};
template<class P>
concept states_provides = requires
{
    typename P::provides;
};
template<class P>
concept states_reports = requires
{
    typename P::reports;
};
template<class P>
concept states_attempts = requires
{
    {
        P::max_attempts
        } -> std::convertible_to<std::uint32_t>;
};
template<class P>
concept states_time_limit = requires
{
    {
        P::time_limit_ns
        } -> std::convertible_to<std::int64_t>;
};

template<class P>
struct role_of {
    using type = void;
};
template<states_role P>
struct role_of<P> {
    using type = typename P::role;
};
template<class P, class Trait>
constexpr bool has_trait = false;
template<states_traits P, class Trait>
constexpr bool has_trait<P, Trait> = P::traits::template contains<Trait>;

template<class P>
struct needs_of {
    using type = facets<>;
};
template<states_needs P>
struct needs_of<P> {
    using type = typename P::needs;
};
template<class P>
struct provides_of {
    using type = facets<>;
};
template<states_provides P>
struct provides_of<P> {
    using type = typename P::provides;
};
template<class P>
struct reports_of {
    using type = facets<>;
};
template<states_reports P>
struct reports_of<P> {
    using type = typename P::reports;
};

template<class P>
concept states_reads = requires
{
    typename P::reads;
};
template<class P>
struct reads_of {
    using type = reads_request<>;
};
template<states_reads P>
struct reads_of<P> {
    using type = typename P::reads;
};

template<class P, class Role>
constexpr bool is_role = std::is_same_v<typename role_of<P>::type, Role>;

template<class Role>
constexpr std::string_view role_name = "directive";
template<>
inline constexpr std::string_view role_name<gate> = "gate";
template<>
inline constexpr std::string_view role_name<source> = "source";
template<>
inline constexpr std::string_view role_name<loop> = "loop";
template<>
inline constexpr std::string_view role_name<transform> = "transform";
template<>
inline constexpr std::string_view role_name<detour> = "detour";
template<>
inline constexpr std::string_view role_name<codec> = "codec";

/// The place of the first element for which the flag is set; the number of elements if there is none.
template<std::size_t Size>
constexpr std::size_t place_of(std::array<bool, Size> const& flags)
{
    std::size_t i = 0;
    while (i < Size && !flags[i]) ++i;
    return i;
}

template<template<class...> class Template, class T>
constexpr bool is_made_from = false;
template<template<class...> class Template, class... Arguments>
constexpr bool is_made_from<Template, Template<Arguments...>> = true;
template<template<auto...> class Template, class T>
constexpr bool is_made_from_values = false;
template<template<auto...> class Template, auto... Arguments>
constexpr bool is_made_from_values<Template, Template<Arguments...>> = true;

} // namespace detail

/// A policy with a name of its own, by which it is found, described and measured: `named<"per tenant">(rate_limit{...})`. A policy that has
/// `labelled(std::string_view)` is told it; the text lives as long as the program.
template<fixed_string Name, class Element>
struct named_element {
    static constexpr std::string_view label = Name.view();
    [[no_unique_address]] Element element;
};

template<fixed_string Name, class Element>
[[nodiscard]] constexpr named_element<Name, std::remove_cvref_t<Element>> named(Element&& element)
{
    named_element<Name, std::remove_cvref_t<Element>> made{std::forward<Element>(element)};
    if constexpr (requires { made.element.labelled(Name.view()); }) made.element.labelled(Name.view());
    return made;
}

namespace detail {
template<fixed_string Name, class Element>
struct unwrapped<named_element<Name, Element>> {
    using type = policy_t<Element>;
    static constexpr std::string_view label = Name.view();
    static constexpr type& of(named_element<Name, Element>& named) noexcept { return unwrapped<Element>::of(named.element); }
};

} // namespace detail

/// Whatever may stand in a pipeline around the handler: it states a role and has a name.
template<class E>
concept policy = detail::states_role<detail::policy_t<E>> && requires
{
    {
        detail::policy_t<E>::name
        } -> std::convertible_to<std::string_view>;
};

} // namespace weir::inline v0
