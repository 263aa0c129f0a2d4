// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/policy.hpp>
#include <weir/limit/limit_facts.hpp>
#include <weir/limit/limiter.hpp>

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <limits>
#include <string_view>
#include <type_traits>
#include <utility>

namespace weir::inline v0::detail {

/// A limiter that has to be told the key of a call.
template<class Limiter>
concept keyed_limiter = requires(Limiter const& l)
{
    l.key_of();
};
/// A limiter made of several, which asks each of them for the call by itself.
template<class Limiter>
concept joint_limiter = requires
{
    typename Limiter::element_needs;
};

template<class... Lists>
struct reads_union;
template<class... Functions>
struct reads_union<reads_request<Functions...>> {
    using type = reads_request<Functions...>;
};
template<>
struct reads_union<> {
    using type = reads_request<>;
};
template<class... A, class... B, class... Rest>
struct reads_union<reads_request<A...>, reads_request<B...>, Rest...> : reads_union<reads_request<A..., B...>, Rest...> {
};

/// What a limiter needs of a call, and reads of its request.
template<class Limiter>
struct key_needs {
    using needs = facets<>;
    using reads = reads_request<>;
};
template<keyed_limiter Limiter>
struct key_needs<Limiter> {
    using key_of = std::remove_cvref_t<decltype(std::declval<Limiter const&>().key_of())>;
    using needs = typename needs_of<key_of>::type;
    using reads = typename reads_of<key_of>::type;
};
template<joint_limiter Limiter>
struct key_needs<Limiter> {
    using needs = typename Limiter::element_needs;
    using reads = typename Limiter::element_reads;
};

/// The decision about a call that costs so much, by a limiter of any of the three kinds.
template<class Limiter, class Call>
[[gnu::always_inline]] inline decision acquire_for(Limiter& limiter, Call& call, std::uint64_t cost)
{
    if constexpr (joint_limiter<Limiter>)
        return limiter.try_acquire_for(call, cost);
    else if constexpr (keyed_limiter<Limiter>)
        return limiter.try_acquire(limiter.key_of()(call), call.now(), cost);
    else
        return limiter.try_acquire(call.now(), cost);
}
template<class Limiter, class Call>
reservation reserve_for(Limiter& limiter, Call& call, std::uint64_t cost, duration max_wait)
{
    if constexpr (joint_limiter<Limiter>)
        return limiter.reserve_for(call, cost, max_wait);
    else if constexpr (keyed_limiter<Limiter>)
        return limiter.reserve(limiter.key_of()(call), call.now(), cost, max_wait);
    else
        return limiter.reserve(call.now(), cost, max_wait);
}
template<class Limiter, class Call>
void refund_for(Limiter& limiter, Call& call, std::uint64_t cost)
{
    if constexpr (joint_limiter<Limiter>)
        limiter.refund_for(call, cost);
    else if constexpr (keyed_limiter<Limiter>)
        limiter.refund(limiter.key_of()(call), cost);
    else
        limiter.refund(cost);
}
/// What `acquire_for` would decide. A limiter that cannot be asked without taking is asked, and given back what it gave.
template<class Limiter, class Call>
decision peek_for(Limiter& limiter, Call& call, std::uint64_t cost)
{
    if constexpr (joint_limiter<Limiter>) {
        return limiter.peek_for(call, cost);
    } else if constexpr (keyed_limiter<Limiter>) {
        if constexpr (requires { limiter.peek(limiter.key_of()(call), call.now(), cost); })
            return limiter.peek(limiter.key_of()(call), call.now(), cost);
    } else if constexpr (requires { limiter.peek(call.now(), cost); }) {
        return limiter.peek(call.now(), cost);
    }
    decision const d = acquire_for(limiter, call, cost);
    if (d) refund_for(limiter, call, cost);
    return d;
}

/// Adds where a limiter stands for a call.
template<bool TellsKey, class Limiter, class Call>
void tell_for(Limiter& limiter, Call& call, std::string_view name, limit_facts& facts)
{
    if constexpr (joint_limiter<Limiter>) {
        limiter.template tell_for<TellsKey>(call, name, facts);
    } else if constexpr (keyed_limiter<Limiter>) {
        decltype(auto) key = limiter.key_of()(call);
        limit_fact const fact{name, limiter.quota_at(key, call.now())};
        if constexpr (TellsKey)
            facts.add(fact, partition_key(key));
        else
            facts.add(fact);
    } else {
        facts.add({name, limiter.quota_at(call.now())});
    }
}

/// The name under which an element of a policy or of `all_of` is told: its own, if it was given one.
template<class Element>
[[nodiscard]] constexpr std::string_view name_of(std::string_view otherwise) noexcept
{
    return unwrapped<Element>::label.empty() ? otherwise : unwrapped<Element>::label;
}

/// The rate of a limiter, for `describe`: those of the usual options that it has.
void describe_rate(auto const& o, auto&& field)
{
    if constexpr (requires { o.permits; }) field("permits", *o.permits);
    if constexpr (requires { o.per; }) field("per", o.per);
    if constexpr (requires { o.burst; }) field("burst", o.burst);
    if constexpr (requires { o.queue; }) field("queue", *o.queue);
    if constexpr (requires { o.warm_up; }) field("warm_up", *o.warm_up);
    if constexpr (requires { o.cold_factor; }) field("cold_factor", o.cold_factor);
}
template<class Limiter>
void describe_limiter(Limiter const& limiter, auto&& field)
{
    if constexpr (requires { limiter.describe(field); })
        limiter.describe(field);
    else
        describe_rate(limiter.settings(), field);
}

/// What a limiter counts itself, if it does, besides what its policy counts.
template<class Limiter>
struct figures_of {
    void each(auto&&) const {}
    explicit figures_of(Limiter const&) {}
    figures_of() = default;
};
template<class Limiter>
requires requires(Limiter const& l)
{
    l.stats();
}
struct figures_of<Limiter> {
    decltype(std::declval<Limiter const&>().stats()) counted{};
    figures_of() = default;
    explicit figures_of(Limiter const& l) : counted(l.stats()) {}
    void each(auto&& field) const
    {
        if constexpr (requires { counted.each(field); }) counted.each(field);
    }
};

} // namespace weir::inline v0::detail
