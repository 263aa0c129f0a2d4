// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/detail/slice.hpp>
#include <weir/core/laws.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace weir::inline v0 {

namespace detail {

/// A number for a type, from its name (FNV-1a): addresses of variables would do, but g++ compares none in a constant expression when it
/// compiles for the undefined behaviour sanitizer.
template<class T>
constexpr facet_number number_of()
{
    std::uint64_t hash = 14695981039346656037u;
    for (char const c : std::string_view(__PRETTY_FUNCTION__)) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
    return hash;
}

template<class List>
struct facet_ids;
template<class... Facets>
struct facet_ids<facets<Facets...>> {
    static constexpr std::array<facet_number, sizeof...(Facets)> value{number_of<Facets>()...};
};

template<class P>
constexpr policy_facts facts_of()
{
    policy_facts f;
    f.name = P::name;
    f.repeats = has_trait<P, repeats_the_call>;
    f.makes_repeats_safe = has_trait<P, weir::makes_repeats_safe>;
    f.names_repeats = has_trait<P, weir::names_repeats>;
    f.races_attempts = has_trait<P, weir::races_attempts>;
    f.answers_alone = has_trait<P, may_answer_alone>;
    f.keyed_by_identity = has_trait<P, weir::keyed_by_identity>;
    f.hides_failures = has_trait<P, weir::hides_failures>;
    f.counts_failures = has_trait<P, weir::counts_failures>;
    f.identifies = has_trait<P, establishes_identity>;
    f.passes_once = has_trait<P, weir::passes_once>;
    f.binds_to_the_request = has_trait<P, weir::binds_to_the_request>;
    f.reads_body = has_trait<P, weir::reads_body>;
    f.rewrites_body = has_trait<P, weir::rewrites_body>;
    f.limits_time = has_trait<P, weir::limits_time>;
    f.limits_the_call = has_trait<P, weir::limits_the_call>;
    f.limits_an_attempt = has_trait<P, weir::limits_an_attempt>;
    if constexpr (states_attempts<P>) f.max_attempts = P::max_attempts;
    if constexpr (states_time_limit<P>) f.time_limit_ns = P::time_limit_ns;
    f.needs = facet_ids<typename needs_of<P>::type>::value;
    f.provides = facet_ids<typename provides_of<P>::type>::value;
    return f;
}

template<class... P>
struct facts_table {
    static constexpr std::array<policy_facts, sizeof...(P)> value{facts_of<P>()...};
};

/// The first policy that reads a facet which nobody further out provides; `inner` is the policy further in that does, if there is one.
constexpr breach missing_facet(slice<policy_facts> policies, slice<facet_number> from_outside)
{
    auto const has = [](slice<facet_number> ids, facet_number id) {
        for (facet_number const each : ids)
            if (each == id) return true;
        return false;
    };
    for (std::size_t i = 0; i < policies.size(); ++i)
        for (std::size_t f = 0; f < policies[i].needs.size(); ++f) {
            facet_number const id = policies[i].needs[f];
            bool provided = has(from_outside, id);
            for (std::size_t j = 0; j < i && !provided; ++j) provided = has(policies[j].provides, id);
            if (provided) continue;
            for (std::size_t j = i + 1; j < policies.size(); ++j)
                if (has(policies[j].provides, id)) return {i, j, f};
            return {i, breach::npos, f};
        }
    return {};
}

template<class List, std::size_t Index>
struct facet_at;
template<class... Facets, std::size_t Index>
struct facet_at<facets<Facets...>, Index> {
    using type = std::tuple_element_t<Index, std::tuple<Facets...>>;
};

template<class Handler>
constexpr bool is_idempotent = false;
template<class Handler>
requires requires
{
    typename Handler::weir_wraps;
}
constexpr bool is_idempotent<Handler> = is_idempotent<typename Handler::weir_wraps>;
template<class Handler>
constexpr bool is_idempotent<idempotent<Handler>> = true;

template<class E>
concept lifts_a_law = requires
{
    typename E::lifts;
};
template<class E, class Law>
constexpr bool lifts = false;
template<lifts_a_law E, class Law>
constexpr bool lifts<E, Law> = std::is_same_v<typename E::lifts, Law>;

/// Whether the composition obeys the law, if it is not lifted; `Claimant` is the policy that demands it, void for the laws that hold
/// everywhere.
template<class Law, class Claimant, class Handler, class... P>
constexpr bool obeys()
{
    if constexpr (names_a_law<Law>() && !(lifts<P, Law> || ...)) {
        constexpr breach found = [] {
            if constexpr (looks_at_types<Law>)
                return Law::template find_among<P...>();
            else
                return Law::find(composition{facts_table<P...>::value, is_idempotent<Handler>});
        }();
        if constexpr (found) {
            using all = std::tuple<P..., Handler>;
            using outer = std::tuple_element_t<found.outer, all>;
            using inner = std::tuple_element_t<found.inner, all>;
            if constexpr (looks_at_types<Law>)
                static_cast<void>(sizeof(typename Law::template sentence<Claimant, outer, inner>));
            else
                static_cast<void>(sizeof(typename Law::template sentence<outer, inner>));
            return false;
        }
    }
    return true;
}

/// The laws that hold in every pipeline.
using shipped_laws =
    demands<laws::no_cached_answer_outside_identity, laws::one_repeat_at_a_time, laws::repeats_only_what_is_idempotent,
            laws::failures_reach_who_counts_them, laws::nothing_is_repeated_that_passes_once, laws::bodies_are_checked_as_they_came,
            laws::nothing_is_kept_that_is_bound_to_its_request, laws::attempts_fit_into_the_time, laws::all_attempts_carry_one_key,
            laws::the_whole_call_is_limited_outside_of_repeats, laws::attempts_are_limited_inside_of_repeats>;

template<class Handler, class... P, class... Laws>
constexpr bool obeys_each(demands<Laws...> const*)
{
    return (obeys<Laws, void, Handler, P...>() && ...);
}

template<class Handler, class... P>
constexpr bool obeys_shipped_laws()
{
    constexpr breach missing = missing_facet(facts_table<P...>::value, facet_ids<facets<deadline>>::value);
    if constexpr (missing) {
        using all = std::tuple<P...>;
        using reader = std::tuple_element_t<missing.outer, all>;
        using facet = typename facet_at<typename needs_of<reader>::type, missing.facet>::type;
        if constexpr (missing.inner != breach::npos)
            static_cast<void>(sizeof(
                typename advice::move<std::tuple_element_t<missing.inner, all>>::template outward_of<reader>::template which_reads<facet>));
        else
            static_cast<void>(sizeof(typename advice::add_a_policy_that_provides<facet>::template outward_of<reader>));
        return false;
    } else
        return obeys_each<Handler, P...>(static_cast<shipped_laws const*>(nullptr));
}

template<class P>
concept states_demands = requires
{
    typename P::demands;
};
template<class Handler, class... P>
struct composed_of_all {
    template<class Claimant, class... Laws>
    static constexpr bool obeys_all(demands<Laws...> const*)
    {
        return (obeys<Laws, Claimant, Handler, P...>() && ...);
    }
    template<class Claimant>
    static constexpr bool obeys_demands_of()
    {
        if constexpr (states_demands<Claimant>)
            return obeys_all<Claimant>(static_cast<typename Claimant::demands const*>(nullptr));
        else
            return true;
    }
};
/// Whether the composition obeys what its policies demand, each in turn.
template<class Handler, class... P>
constexpr bool obeys_demands()
{
    using all = composed_of_all<Handler, P...>;
    return (all::template obeys_demands_of<P>() && ...);
}

} // namespace detail

} // namespace weir::inline v0
