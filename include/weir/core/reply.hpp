// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/facets.hpp>
#include <weir/core/result.hpp>

#include <cstdint>
#include <exception>
#include <optional>
#include <utility>

namespace weir::inline v0 {

/// What `svc.call(request)` gives: the result, the facts that policies reported on the way up, and which policy answered.
template<class T, class Reports>
class reply {
public:
    reply(boost::system::result<T, error> outcome, detail::facet_frame<typename detail::reported<Reports>::type> facts,
          std::uint8_t answered_by, std::exception_ptr thrown)
        : outcome_(std::move(outcome)), facts_(std::move(facts)), thrown_(std::move(thrown)), answered_by_(answered_by)
    {
    }

    [[nodiscard]] boost::system::result<T, error>& result() & noexcept { return outcome_; }
    [[nodiscard]] boost::system::result<T, error> const& result() const& noexcept { return outcome_; }
    [[nodiscard]] boost::system::result<T, error>&& result() && noexcept { return std::move(outcome_); }
    [[nodiscard]] bool has_value() const noexcept { return outcome_.has_value(); }

    /// A fact that a policy of the pipeline reports, if there was anything to report in this call.
    template<class F>
    [[nodiscard]] std::optional<F> const& reported() const noexcept
    {
        return facts_.template at<std::optional<F>>();
    }
    /// Whether any policy of the pipeline may report this fact.
    template<class F>
    static constexpr bool may_report = Reports::template contains<F>;

    /// The place of the policy that answered or refused by itself; `error::no_policy` if the handler's outcome came through.
    [[nodiscard]] std::uint8_t answered_by() const noexcept { return answered_by_; }

    /// What the handler threw, if the result is `errc::handler_threw`; `svc(request)` would have thrown it on.
    [[nodiscard]] std::exception_ptr const& thrown() const noexcept { return thrown_; }

private:
    boost::system::result<T, error> outcome_;
    [[no_unique_address]] detail::facet_frame<typename detail::reported<Reports>::type> facts_;
    std::exception_ptr thrown_;
    std::uint8_t answered_by_;
};

/// A reply where it lies, in the call: what the function of `svc.call(request, f)` sees. It reads like a `reply`, and what it refers to
/// is valid until the call gives its answer.
template<class Outcome, class Call>
class reply_view {
public:
    reply_view(Outcome& outcome, Call const& call, std::uint8_t answered_by) noexcept
        : outcome_(outcome), call_(call), answered_by_(answered_by)
    {
    }

    [[nodiscard]] Outcome& result() const noexcept { return outcome_; }
    [[nodiscard]] bool has_value() const noexcept { return outcome_.has_value(); }
    template<class F>
    [[nodiscard]] std::optional<F> const& reported() const noexcept
    {
        return call_.template reported<F>();
    }
    template<class F>
    static constexpr bool may_report = Call::reported_facets::template contains<F>;
    [[nodiscard]] std::uint8_t answered_by() const noexcept { return answered_by_; }
    [[nodiscard]] std::exception_ptr thrown() const noexcept
    {
        return outcome_.has_error() && outcome_.error() == errc::handler_threw ? call_.thrown() : nullptr;
    }

private:
    Outcome& outcome_;
    Call const& call_;
    std::uint8_t answered_by_;
};

} // namespace weir::inline v0
