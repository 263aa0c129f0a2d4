// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/cache/detail/pausing_part.hpp>
#include <weir/cache/parts.hpp>
#include <weir/core/options.hpp>
#include <weir/core/policy.hpp>
#include <weir/core/threading.hpp>

#include <cstdint>
#include <type_traits>
#include <utility>

namespace weir::inline v0 {

namespace advice {
template<class Budget>
struct budget_of_refreshes {
    struct lacks_borrow_or_give_back__see_refresh_budget_in_weir_cache_parts;
};
} // namespace advice

namespace detail {

template<class Budget>
constexpr bool is_refresh_budget()
{
    if constexpr (!refresh_budget<Budget>)
        static_cast<void>(
            sizeof(typename advice::budget_of_refreshes<Budget>::lacks_borrow_or_give_back__see_refresh_budget_in_weir_cache_parts));
    return true;
}

struct refreshing_stats {
    std::uint64_t over_budget = 0; ///< refreshes that the budget did not allow
    void each(auto&& field) const { field("refreshes_over_budget_total", over_budget); }
};

/// A part of a `cached` that wants values loaded anew, within a budget if it is given one.
template<class Options, threading_model Threading, class Budget>
class refreshing_part : public pausing_part<Options, Threading> {
    using base = pausing_part<Options, Threading>;
    static constexpr bool has_budget = !std::is_same_v<Budget, unbudgeted>;
    static_assert(is_refresh_budget<policy_t<Budget>>());

public:
    using stats_type = refreshing_stats;

    /// For `cached`. A key that gets no load from the budget pauses as long as after a first failure.
    [[nodiscard]] bool may_refresh(load_ahead const& ahead) requires has_budget
    {
        if (budget().borrow(ahead.now)) return true;
        over_budget_.add(1);
        static_cast<void>(this->pauses().claim(ahead.key, ahead.now, this->settings().backoff.retry_after));
        return false;
    }
    /// For `cached`.
    void load_ended(load_report const& report)
    {
        if constexpr (has_budget)
            if (report.refresh && !report.failed) budget().give_back(report.now - report.took, report.now);
        base::load_ended(report);
    }
    [[nodiscard]] stats_type stats(time_point = {}) const requires has_budget { return {over_budget_.load()}; }

protected:
    refreshing_part(Options const& o, Budget budget) : base(o), budget_(std::move(budget))
    {
        if constexpr (requires { budget_ == nullptr; }) expect(budget_ != nullptr, "budget", "a budget, not null");
    }

    [[nodiscard]] auto& budget() noexcept { return unwrapped<Budget>::of(budget_); }
    [[nodiscard]] auto& budget() const noexcept { return const_cast<refreshing_part&>(*this).budget(); }
    void describe_budget(auto&& field) const
    {
        if constexpr (requires { budget().settings().ratio; }) {
            auto const o = budget().settings();
            field("refresh_budget_ratio", o.ratio);
            field("refresh_budget_floor_per_second", o.floor_per_second);
        }
    }

private:
    struct nothing {
        static void add(int) noexcept {}
    };
    using counter = std::conditional_t<has_budget, typename Threading::template cell<std::uint64_t>, nothing>;

    [[no_unique_address]] Budget budget_;
    [[no_unique_address]] counter over_budget_{};
};

} // namespace detail

} // namespace weir::inline v0
