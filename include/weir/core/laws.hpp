// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/call.hpp>
#include <weir/core/detail/slice.hpp>
#include <weir/core/policy.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace weir::inline v0 {

/// Stands for a facet's type.
using facet_number = std::uint64_t;

/// What a law knows of a policy: its traits as plain values, so that asking about twenty policies instantiates nothing.
struct policy_facts {
    std::string_view name;
    bool repeats = false;
    bool makes_repeats_safe = false;
    bool names_repeats = false;
    bool races_attempts = false;
    bool answers_alone = false;
    bool hides_failures = false;
    bool counts_failures = false;
    bool keyed_by_identity = false;
    bool identifies = false;
    bool passes_once = false;
    bool binds_to_the_request = false;
    bool reads_body = false;
    bool rewrites_body = false;
    bool limits_time = false;
    bool limits_the_call = false;
    bool limits_an_attempt = false;
    /// The most attempts that the policy makes, and the time limit that its type fixes in nanoseconds; 0 if it is known at run time only.
    std::uint32_t max_attempts = 1;
    std::int64_t time_limit_ns = 0;
    detail::slice<facet_number> needs{};
    detail::slice<facet_number> provides{};
};

/// Where a law is broken: the policy further out and the one further in. `npos` stands for "nobody", `handler` for the handler.
struct breach {
    static constexpr std::size_t npos = static_cast<std::size_t>(-1);
    std::size_t outer = npos;
    std::size_t inner = npos;
    std::size_t facet = 0;
    [[nodiscard]] constexpr explicit operator bool() const noexcept { return outer != npos; }
};

/// The composition that a law looks at: the policies from the outermost to the innermost, and whether the handler may be repeated.
struct composition {
    detail::slice<policy_facts> policies;
    bool handler_is_idempotent = false;

    /// The first pair for which `broken(outer, inner)` holds.
    template<class Predicate>
    [[nodiscard]] constexpr breach first_pair(Predicate broken) const
    {
        for (std::size_t i = 0; i < policies.size(); ++i)
            for (std::size_t j = i + 1; j < policies.size(); ++j)
                if (broken(policies[i], policies[j])) return {i, j};
        return {};
    }
};

/// The sentences of the laws. None of them is defined: the compiler's first line names one, with the policies it speaks of.
namespace advice {
template<class Outer>
struct move {
    template<class Inner>
    struct inward_of;
    template<class Inner>
    struct inward_of_it__nothing_is_answered_from_a_cache_before_identity_is_proved_by;
    template<class Inner>
    struct outward_of {
        template<class Facet>
        struct which_reads;
    };
};
template<class Facet>
struct add_a_policy_that_provides {
    template<class Reader>
    struct outward_of;
};
template<class Limit>
struct limits_the_whole_call {
    template<class Loop>
    struct and_stands_inside_what_repeats__move_it_outward_or_write_weir_attempt_timeout;
};
template<class Limit>
struct limits_one_attempt {
    template<class Handler>
    struct and_nothing_outward_of_it_repeats__write_weir_timeout;
};
template<class Loop>
struct repeats {
    template<class Key>
    struct inside_of_which_each_attempt_gets_a_key_of_its_own__move_it_inward_of;
    template<class Handler>
    struct which_is_not_marked__write_weir_idempotent_around_it;
    template<class Inner>
    struct and_so_does__take_one_of_them_out;
    template<class Inner>
    struct which_takes_the_second_attempt_for_a_replay__move_it_outward;
};
template<class Source>
struct hides_failures {
    template<class Outer>
    struct from__move_it_outward_of;
};
template<class Rewriter>
struct rewrites_the_body {
    template<class Reader>
    struct which_is_checked_further_in_by__move_that_outward;
};
template<class Binder>
struct binds_each_answer_to_its_request {
    template<class Keeper>
    struct and_another_request_would_get_it_from__move_it_outward_of;
};
template<class Timeout>
struct ends_the_call_before {
    template<class Loop>
    struct could_make_all_its_attempts__lower_the_attempts_or_their_time_limit;
};
template<class Timeout>
struct cannot_interrupt {
    template<class Handler>
    struct which_is_synchronous__put_weir_isolate_between_or_make_it_asynchronous;
};
template<class Law>
struct names_no_law;
} // namespace advice

/// A law is a `constexpr` predicate over a composition, `find`, and a sentence, `sentence<Outer, Inner>`: a type that is declared and
/// not defined, so that the compiler's first line is that sentence. `weir::allow<law, "reason">` in a pipeline lifts one.
/// These hold in every pipeline; `charter.hpp` says how to write one's own, and where they hold.
namespace laws {

struct no_cached_answer_outside_identity {
    static constexpr breach find(composition const& c)
    {
        return c.first_pair([](policy_facts const& outer, policy_facts const& inner) {
            return outer.answers_alone && !outer.keyed_by_identity && inner.identifies;
        });
    }
    template<class Outer, class Inner>
    using sentence =
        typename advice::move<Outer>::template inward_of_it__nothing_is_answered_from_a_cache_before_identity_is_proved_by<Inner>;
};

struct one_repeat_at_a_time {
    static constexpr breach find(composition const& c)
    {
        return c.first_pair([](policy_facts const& outer, policy_facts const& inner) { return outer.repeats && inner.repeats; });
    }
    template<class Outer, class Inner>
    using sentence = typename advice::repeats<Outer>::template and_so_does__take_one_of_them_out<Inner>;
};

struct repeats_only_what_is_idempotent {
    static constexpr breach find(composition const& c)
    {
        if (c.handler_is_idempotent) return {};
        for (std::size_t i = 0; i < c.policies.size(); ++i) {
            bool safe = !c.policies[i].repeats;
            for (std::size_t j = 0; j < i; ++j) safe = safe || c.policies[j].names_repeats;
            for (std::size_t j = i + 1; j < c.policies.size(); ++j) safe = safe || c.policies[j].makes_repeats_safe;
            if (!safe) return {i, c.policies.size()};
        }
        return {};
    }
    template<class Outer, class Handler>
    using sentence = typename advice::repeats<Outer>::template which_is_not_marked__write_weir_idempotent_around_it<Handler>;
};

/// An idempotency key names the call, not the attempt.
struct all_attempts_carry_one_key {
    static constexpr breach find(composition const& c)
    {
        return c.first_pair([](policy_facts const& outer, policy_facts const& inner) { return outer.repeats && inner.names_repeats; });
    }
    template<class Outer, class Inner>
    using sentence = typename advice::repeats<Outer>::template inside_of_which_each_attempt_gets_a_key_of_its_own__move_it_inward_of<Inner>;
};

/// `timeout` limits the whole call and `attempt_timeout` one attempt: who reads a pipeline knows which one it is.
struct the_whole_call_is_limited_outside_of_repeats {
    static constexpr breach find(composition const& c)
    {
        breach const found =
            c.first_pair([](policy_facts const& outer, policy_facts const& inner) { return outer.repeats && inner.limits_the_call; });
        return found ? breach{found.inner, found.outer} : breach{};
    }
    template<class Limit, class Loop>
    using sentence = typename advice::limits_the_whole_call<
        Limit>::template and_stands_inside_what_repeats__move_it_outward_or_write_weir_attempt_timeout<Loop>;
};
struct attempts_are_limited_inside_of_repeats {
    static constexpr breach find(composition const& c)
    {
        for (std::size_t i = 0; i < c.policies.size(); ++i) {
            bool good = !c.policies[i].limits_an_attempt;
            for (std::size_t j = 0; j < i; ++j) good = good || c.policies[j].repeats;
            if (!good) return {i, c.policies.size()};
        }
        return {};
    }
    template<class Limit, class Handler>
    using sentence = typename advice::limits_one_attempt<Limit>::template and_nothing_outward_of_it_repeats__write_weir_timeout<Handler>;
};

struct nothing_is_repeated_that_passes_once {
    static constexpr breach find(composition const& c)
    {
        return c.first_pair([](policy_facts const& outer, policy_facts const& inner) { return outer.repeats && inner.passes_once; });
    }
    template<class Outer, class Inner>
    using sentence = typename advice::repeats<Outer>::template which_takes_the_second_attempt_for_a_replay__move_it_outward<Inner>;
};

struct failures_reach_who_counts_them {
    static constexpr breach find(composition const& c)
    {
        return c.first_pair([](policy_facts const& outer, policy_facts const& inner) {
            return (outer.counts_failures || outer.repeats) && inner.hides_failures;
        });
    }
    template<class Outer, class Inner>
    using sentence = typename advice::hides_failures<Inner>::template from__move_it_outward_of<Outer>;
};

struct bodies_are_checked_as_they_came {
    static constexpr breach find(composition const& c)
    {
        return c.first_pair([](policy_facts const& outer, policy_facts const& inner) { return outer.rewrites_body && inner.reads_body; });
    }
    template<class Outer, class Inner>
    using sentence = typename advice::rewrites_the_body<Outer>::template which_is_checked_further_in_by__move_that_outward<Inner>;
};

/// What was sealed for one request proves nothing about the next one that a cache gives it to.
struct nothing_is_kept_that_is_bound_to_its_request {
    static constexpr breach find(composition const& c)
    {
        breach const found = c.first_pair(
            [](policy_facts const& outer, policy_facts const& inner) { return outer.answers_alone && inner.binds_to_the_request; });
        return found ? breach{found.inner, found.outer} : breach{};
    }
    template<class Binder, class Keeper>
    using sentence = typename advice::binds_each_answer_to_its_request<
        Binder>::template and_another_request_would_get_it_from__move_it_outward_of<Keeper>;
};

struct attempts_fit_into_the_time {
    static constexpr breach find(composition const& c)
    {
        for (std::size_t i = 0; i < c.policies.size(); ++i) {
            if (c.policies[i].time_limit_ns == 0) continue;
            std::size_t repeating = breach::npos;
            std::int64_t attempts = 1;
            for (std::size_t j = i + 1; j < c.policies.size(); ++j) {
                if (c.policies[j].repeats) {
                    repeating = j;
                    if (!c.policies[j].races_attempts) attempts *= c.policies[j].max_attempts;
                }
                std::int64_t const each = c.policies[j].time_limit_ns;
                if (repeating != breach::npos && each != 0 && each > c.policies[i].time_limit_ns / attempts) return {i, repeating};
            }
        }
        return {};
    }
    template<class Outer, class Inner>
    using sentence =
        typename advice::ends_the_call_before<Outer>::template could_make_all_its_attempts__lower_the_attempts_or_their_time_limit<Inner>;
};

} // namespace laws

namespace detail {

template<class L>
concept looks_at_facts = requires(composition const& c)
{
    requires std::is_same_v<decltype(L::find(c)), breach>;
};
/// A rule of a charter that asks for types: it finds its breach among the policies themselves.
template<class L>
concept looks_at_types = requires
{
    requires std::is_same_v<decltype(L::template find_among<>()), breach>;
};

template<class L>
constexpr bool names_a_law()
{
    if constexpr (!looks_at_facts<L> && !looks_at_types<L>) static_cast<void>(sizeof(advice::names_no_law<L>));
    return true;
}

} // namespace detail

/// Lifts one law in the pipeline in which it stands, and says why:
/// `allow<laws::one_repeat_at_a_time, "the inner one guards a local lock">`.
template<class Law, fixed_string Reason>
struct allow {
    static_assert(Reason.view().size() >= 8, "weir::allow wants a reason that a reviewer can read");
    static_assert(detail::names_a_law<Law>());
    using role = directive;
    using lifts = Law;
    static constexpr std::string_view name = "allow";
};

/// Laws that a policy demands of every pipeline in which it stands, besides those that hold everywhere:
/// `using demands = weir::demands<my_law>;`. A `charter` is a policy that does nothing else.
template<class... Laws>
struct demands {
};

/// Marks a handler as one that may run several times for one call: what it does twice is the same as what it does once.
template<class Handler>
struct idempotent {
    [[no_unique_address]] Handler handler;
    using weir_wraps = Handler;
};
template<class Handler>
idempotent(Handler) -> idempotent<Handler>;

} // namespace weir::inline v0
