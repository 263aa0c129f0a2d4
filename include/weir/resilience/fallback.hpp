// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/contracts.hpp>
#include <weir/core/striped.hpp>

#include <concepts>
#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>

namespace weir::inline v0 {

/// Reported when a call was answered by something less than the handler's own answer.
struct degraded {
    std::string_view by;
};

/// Answers a call whose handler failed, or was not asked because it is in trouble, with a value or a function:
/// `fallback{quote{}}`, `fallback{[](quote_request const& r, error e) -> result<quote> { ... }}`. The answer is reported as `degraded`.
///
/// It answers for failures (by the pipeline's classifier), open circuits, full bulkheads and shed load; what is the caller's own
/// fault, a limit or a cancelled call comes out as it is. It stands outside of breakers and retries, which have to see the failure; the
/// compiler says so. Thread-safe if the value or function is.
template<class Answer>
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

    explicit fallback(Answer answer) : answer_(std::move(answer)) {}

    [[gnu::always_inline]] void learn(auto& call, pass&, auto& outcome)
    {
        if (!outcome.has_error()) [[likely]] {
            if (!call.failed(outcome)) return;
        } else if (!is_trouble(outcome.error().kind()))
            return;
        used_.add();
        answer(call, outcome);
        call.report(degraded{name});
    }

    [[nodiscard]] stats_type stats(time_point = {}) const { return {used_.sum()}; }
    void describe(auto&&) const {}

private:
    static constexpr bool is_trouble(errc e) noexcept { return is_fault(e) || e == errc::circuit_open || e == errc::bulkhead_full; }
    void answer(auto& call, auto& outcome)
    {
        using outcome_type = std::remove_reference_t<decltype(outcome)>;
        error const e = outcome.has_error() ? outcome.error() : error();
        if constexpr (std::invocable<Answer&, decltype(call.request()), error>)
            outcome = outcome_type(answer_(call.request(), e));
        else if constexpr (std::invocable<Answer&, error>)
            outcome = outcome_type(answer_(e));
        else if constexpr (std::invocable<Answer&>)
            outcome = outcome_type(answer_());
        else
            outcome = outcome_type(std::as_const(answer_));
    }

    [[no_unique_address]] Answer answer_;
    detail::counter<shared> used_;
};

} // namespace weir::inline v0
