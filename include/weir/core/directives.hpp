// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/call.hpp>
#include <weir/core/policy.hpp>

#include <functional>
#include <string_view>
#include <type_traits>
#include <utility>

namespace weir::inline v0 {

/// Gives the pipeline another clock than `steady`: `timed_by{std::ref(manual)}`. The clock outlives the pipeline.
template<class Clock>
struct timed_by {
    using role = directive;
    using clock_type = detail::policy_t<Clock>;
    static_assert(clock_source<clock_type>, "weir::timed_by wants a clock: a type with now()");
    static constexpr std::string_view name = "timed_by";

    [[no_unique_address]] Clock element;
    clock_type& clock() noexcept { return detail::unwrapped<Clock>::of(element); }
};
template<class Clock>
timed_by(Clock) -> timed_by<Clock>;

/// Says which values of the handler count as failures: `classify{[](answer const& a) { return a.code >= 500; }}`. Errors are
/// judged by `is_fault`.
template<class Predicate>
struct classify {
    using role = directive;
    static constexpr std::string_view name = "classify";

    [[no_unique_address]] Predicate predicate;
    template<class Outcome>
    bool operator()(Outcome const& outcome) const
    {
        return outcome.has_error() ? is_fault(outcome.error().kind()) : static_cast<bool>(predicate(*outcome));
    }
};
template<class Predicate>
classify(Predicate) -> classify<Predicate>;

class scope;

/// Says where work goes that outlives its call: a load that others still wait for, a refresh. `within{work}`, where `work` is a
/// `weir::scope` that outlives the pipeline and is drained before it. Policies that fork do so only with it, and only in an asynchronous
/// pipeline.
class within {
public:
    using role = directive;
    static constexpr std::string_view name = "within";

    explicit within(weir::scope& work) noexcept : scope_(&work) {}
    [[nodiscard]] weir::scope& scope() const noexcept { return *scope_; }

private:
    weir::scope* scope_;
};

namespace detail {
template<class P>
constexpr bool is_scope_directive = std::is_same_v<P, within>;
template<class P>
constexpr bool is_clock_directive = false;
template<class Clock>
constexpr bool is_clock_directive<timed_by<Clock>> = true;
template<class P>
constexpr bool is_classifier_directive = false;
template<class Predicate>
constexpr bool is_classifier_directive<classify<Predicate>> = true;
} // namespace detail

} // namespace weir::inline v0
