// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/awaitable.hpp>
#include <weir/core/contracts.hpp>
#include <weir/core/stack.hpp>
#include <weir/core/striped.hpp>
#include <weir/resilience/degraded.hpp>
#include <weir/resilience/retry_when.hpp>

#include <concepts>
#include <cstdint>
#include <functional>
#include <string_view>
#include <type_traits>
#include <utility>

namespace weir::inline v0 {

namespace detail {
template<class T>
constexpr bool is_pipeline = false;
template<template<class, class> class Pipeline, class... Elements, class Handler>
constexpr bool is_pipeline<Pipeline<stack<Elements...>, Handler>> = true;
} // namespace detail

/// What `fallback` answers for unless it is told otherwise: failures (by the pipeline's classifier), open circuits, full bulkheads and shed
/// load.
struct when_in_trouble {
    template<class Call, class Outcome>
    constexpr bool operator()(Call& call, Outcome const& outcome) const
    {
        if (!outcome.has_error()) [[likely]]
            return call.failed(outcome);
        errc const e = outcome.error().kind();
        return is_fault(e) || e == errc::circuit_open || e == errc::bulkhead_full;
    }
};

/// Answers a call whose handler failed, or was not asked because it is in trouble, with a value or a function:
/// `fallback{quote{}}`, `fallback{[](quote_request const& r, error e) -> result<quote> { ... }}`, or with another pipeline:
/// `fallback{std::ref(yesterdays_quotes)}`. The answer is reported as `degraded`. In an asynchronous pipeline the function may return an
/// awaitable, and the other pipeline be asynchronous, too; it is not within this one's time limits and has its own.
///
/// What it answers for, says `When`, a predicate of the outcome, or of the call and the outcome:
/// `fallback{quote{}, on_errors<errc::circuit_open>}`. By default what is the caller's own fault, a limit or a cancelled call comes out as
/// it is. It stands outside of breakers and retries, which have to see the failure; the compiler says so. Thread-safe if the value or
/// function is.
template<class Answer, class When = when_in_trouble>
class fallback {
public:
    using role = source;
    using traits = weir::traits<hides_failures>;
    using reports = facets<degraded>;
    static constexpr std::string_view name = "fallback";
    struct stats_type {
        std::uint64_t used = 0;
        void each(auto&& field) const { field("used_total", used); }
    };

    explicit fallback(Answer answer, When when = {}) : answer_(std::move(answer)), when_(std::move(when)) {}

    template<class Call, class Outcome>
    [[gnu::always_inline]] auto learn(Call& call, pass&, Outcome& outcome)
    {
        if constexpr (awaits<Call>) {
            if (!wanted(call, outcome)) [[likely]]
                return settlement::at_once;
            take_over(call);
            return settlement::later;
        } else {
            if (!wanted(call, outcome)) [[likely]]
                return;
            take_over(call);
            outcome = Outcome(answer(call, error_of(outcome)));
        }
    }
    template<class Call, class Outcome>
    auto learn_later(Call& call, pass&,
                     Outcome& outcome) requires awaitable<std::remove_cvref_t<decltype(std::declval<fallback&>().answer(call, error()))>>
    {
        return answer(call, error_of(outcome));
    }

    [[nodiscard]] stats_type stats(time_point = {}) const { return {used_.sum()}; }
    void describe(auto&&) const {}

    /// What it answers to this call; for the machine.
    decltype(auto) answer(auto& call, [[maybe_unused]] error e)
    {
        if constexpr (detail::is_pipeline<detail::policy_t<Answer>>)
            return detail::unwrapped<Answer>::of(answer_)(call.request());
        else if constexpr (std::invocable<Answer&, decltype(call.request()), error>)
            return std::invoke(answer_, call.request(), e);
        else if constexpr (std::invocable<Answer&, error>)
            return std::invoke(answer_, e);
        else if constexpr (std::invocable<Answer&>)
            return std::invoke(answer_);
        else
            return std::as_const(answer_);
    }

private:
    template<class Call>
    static constexpr bool awaits =
        awaitable<std::remove_cvref_t<decltype(std::declval<fallback&>().answer(std::declval<Call&>(), error()))>>;

    [[gnu::always_inline]] bool wanted(auto& call, auto const& outcome)
    {
        if constexpr (std::predicate<When&, decltype(call), decltype(outcome)>)
            return when_(call, outcome);
        else
            return when_(outcome);
    }
    void take_over(auto& call)
    {
        used_.add();
        call.report(degraded{name});
    }
    static error error_of(auto const& outcome) noexcept { return outcome.has_error() ? outcome.error() : error(); }

    [[no_unique_address]] Answer answer_;
    [[no_unique_address]] When when_;
    detail::counter<shared> used_;
};
template<class Answer>
fallback(Answer) -> fallback<Answer>;
template<class Answer, class When>
fallback(Answer, When) -> fallback<Answer, When>;

} // namespace weir::inline v0
