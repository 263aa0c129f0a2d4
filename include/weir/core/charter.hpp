// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/laws.hpp>
#include <weir/core/policy.hpp>

#include <array>
#include <cstddef>
#include <string_view>
#include <type_traits>

namespace weir::inline v0 {

/// Which policies a rule speaks of: a policy's type stands for itself; `made_from<rate_limit>` for all that are made from a template of
/// types, `made_from_values<timeout>` of a template of values, `stating<limits_time>` for all that state a trait.
template<template<class...> class Template>
struct made_from;
template<template<auto...> class Template>
struct made_from_values;
template<class Trait>
struct stating;

namespace detail {

template<class Which, class P>
constexpr bool designates = std::is_same_v<Which, P>;
template<template<class...> class Template, class P>
constexpr bool designates<made_from<Template>, P> = is_made_from<Template, P>;
template<template<auto...> class Template, class P>
constexpr bool designates<made_from_values<Template>, P> = is_made_from_values<Template, P>;
template<class Trait, class P>
constexpr bool designates<stating<Trait>, P> = has_trait<P, Trait>;

template<class... P>
constexpr std::array<bool, sizeof...(P)> takes_part{!is_role<P, directive>...};

} // namespace detail

/// The sentences of a charter. `Claimant` is the charter, or the policy that demands it.
namespace advice {
template<class Claimant>
struct demanded_by {
    template<class Which>
    struct add_a_policy {
        template<class Handler>
        struct around;
    };
    template<class Policy>
    struct take_out;
    template<class Policy>
    struct move {
        template<class Inner>
        struct outward_of;
    };
    template<class Which>
    struct the_outermost_is {
        template<class Policy>
        struct and_not;
    };
    template<class Which>
    struct the_innermost_is {
        template<class Policy>
        struct and_not;
    };
};
} // namespace advice

/// The pipeline has one of these policies.
template<class Which>
struct requires_policy {
    template<class... P>
    static constexpr breach find_among()
    {
        constexpr std::size_t size = sizeof...(P);
        return (detail::designates<Which, P> || ...) ? breach{} : breach{size, size};
    }
    template<class Claimant, class, class Handler>
    using sentence = typename advice::demanded_by<Claimant>::template add_a_policy<Which>::template around<Handler>;
};

/// The pipeline has none of these policies.
template<class Which>
struct forbids_policy {
    template<class... P>
    static constexpr breach find_among()
    {
        constexpr std::size_t at = detail::place_of(std::array<bool, sizeof...(P)>{detail::designates<Which, P>...});
        return at < sizeof...(P) ? breach{at, at} : breach{};
    }
    template<class Claimant, class Policy, class>
    using sentence = typename advice::demanded_by<Claimant>::template take_out<Policy>;
};

/// Where both stand, each of the first is outward of each of the second:
/// `requires_order<made_from<rate_limit>, stating<repeats_the_call>>`.
template<class Outer, class Inner>
struct requires_order {
    template<class... P>
    static constexpr breach find_among()
    {
        constexpr std::array<bool, sizeof...(P)> outer{detail::designates<Outer, P>...}, inner{detail::designates<Inner, P>...};
        for (std::size_t i = 0; i < sizeof...(P); ++i)
            for (std::size_t j = i + 1; j < sizeof...(P); ++j)
                if (inner[i] && outer[j]) return {i, j};
        return {};
    }
    template<class Claimant, class Wrong, class Policy>
    using sentence = typename advice::demanded_by<Claimant>::template move<Policy>::template outward_of<Wrong>;
};

/// The outermost policy is one of these. Directives, such as the charter itself, do not count.
template<class Which>
struct requires_outermost {
    template<class... P>
    static constexpr breach find_among()
    {
        constexpr std::array<bool, sizeof...(P)> fits{detail::designates<Which, P>...};
        constexpr std::size_t first = detail::place_of(detail::takes_part<P...>);
        return first < sizeof...(P) && fits[first] ? breach{} : breach{first, first};
    }
    template<class Claimant, class Policy, class>
    using sentence = typename advice::demanded_by<Claimant>::template the_outermost_is<Which>::template and_not<Policy>;
};

/// The policy next to the handler is one of these. Directives do not count.
template<class Which>
struct requires_innermost {
    template<class... P>
    static constexpr breach find_among()
    {
        constexpr std::array<bool, sizeof...(P)> fits{detail::designates<Which, P>...};
        std::size_t last = sizeof...(P);
        for (std::size_t i = 0; i < sizeof...(P); ++i)
            if (detail::takes_part<P...>[i]) last = i;
        return last < sizeof...(P) && fits[last] ? breach{} : breach{last, last};
    }
    template<class Claimant, class Policy, class>
    using sentence = typename advice::demanded_by<Claimant>::template the_innermost_is<Which>::template and_not<Policy>;
};

/// A company's own laws. A pipeline claims to obey them by a charter among its policies, and is refused when it is compiled if it does not:
/// ```cpp
/// struct bank : weir::charter<weir::requires_policy<weir::correlate>,
///                             weir::requires_policy<weir::made_from_values<weir::timeout>>,
///                             weir::requires_order<weir::stating<weir::establishes_identity>, weir::made_from<weir::rate_limit>>,
///                             amounts_are_checked_inside_identity> {
/// };
/// weir::pipeline svc{bank{}, weir::correlate{}, ..., handler};
/// ```
/// The first line of the error names the charter, what it demands and what to do: a `struct` as above keeps that line short where an alias
/// would show all that stands in it. `weir::allow<weir::requires_policy<weir::correlate>, "reason">` lifts one law of it in one pipeline.
/// Several charters may be claimed; a stack that holds one hands it on. Costs nothing at run time.
///
/// A law of one's own looks at what the policies state about themselves, and declares its sentence without defining it:
/// ```cpp
/// struct amounts_are_checked_inside_identity {
///     static constexpr weir::breach find(weir::composition const& c)
///     {
///         return c.first_pair([](weir::policy_facts const& outer, weir::policy_facts const& inner) {
///             return outer.name == "max_amount" && inner.identifies;
///         });
///     }
///     template<class Outer, class Inner>
///     struct move_it_inward_of;
///     template<class Outer, class Inner>
///     using sentence = move_it_inward_of<Outer, Inner>;
/// };
/// ```
/// A policy that wants a law wherever it stands demands it by itself: `using demands = weir::demands<that_law>;`.
template<class... Laws>
struct charter {
    using role = directive;
    using demands = weir::demands<Laws...>;
    static constexpr std::string_view name = "charter";
};

} // namespace weir::inline v0
