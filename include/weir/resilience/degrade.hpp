// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/contracts.hpp>
#include <weir/core/priority.hpp>
#include <weir/core/striped.hpp>
#include <weir/resilience/fallback.hpp>
#include <weir/resilience/switchboard.hpp>

#include <concepts>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

namespace weir::inline v0 {

/// The static answer of a service that has none.
struct no_answer {};

/// Does what the switchboard says of a service: `degrade{board, "quotes"}`, `degrade{board, "quotes", by<priority>}`,
/// `degrade{board, "quotes", by<priority>, quote{}}`. The board outlives the pipeline.
///
/// - `normal`: all pass.
/// - `shed_minor`: a call whose priority is below `normal` is refused with `errc::overloaded`.
/// - `stale`: every call that comes so far is refused with `errc::unavailable`. Put it inside of `cached` and `fallback`: hits are answered as ever, and
///   the fallback answers the rest with what is out of date (`store.find_stale`), or with less.
/// - `fixed`: the static answer, a value or a function of the request, reported as `degraded`; without one as `stale`.
///
/// What it refuses says nothing of the service: it stands outside of breakers and retries, and the compiler says so. Thread-safe; a call
/// costs a load.
template<class PriorityOf = same_priority, class Answer = no_answer>
class degrade {
    static constexpr bool has_answer = !std::is_same_v<Answer, no_answer>;

public:
    using role = source;
    using traits = weir::traits<hides_failures>;
    using needs = typename detail::needs_of<PriorityOf>::type;
    using reads = typename detail::reads_of<PriorityOf>::type;
    using reports = facets<degraded>;
    static constexpr std::string_view name = "degrade";
    struct stats_type {
        std::uint64_t level = 0; ///< as `service_level`
        std::uint64_t shed = 0;  ///< minor calls refused
        std::uint64_t held = 0;  ///< calls refused as the service is not to be asked
        std::uint64_t fixed = 0; ///< static answers
        void each(auto&& field) const
        {
            field("level", level);
            field("shed_total", shed);
            field("held_total", held);
            field("fixed_total", fixed);
        }
    };

    /// Throws `std::invalid_argument` that names the service if the board has no such one.
    degrade(switchboard const& board, std::string_view service, PriorityOf priority_of = {}, Answer answer = {})
        : dial_(&board.at(service)), priority_of_(std::move(priority_of)), answer_(std::move(answer))
    {
    }

    template<class Outcome>
    [[gnu::always_inline]] lookup look_up(auto& call, pass&, Outcome& outcome)
    {
        service_level const level = dial_->level();
        if (level == service_level::normal) [[likely]]
            return lookup::missed;
        if (level == service_level::shed_minor) {
            if (static_cast<priority::level>(priority_of_(call)) <= priority::level::normal) return lookup::missed;
            shed_.add();
            outcome = error(errc::overloaded);
            return lookup::answered;
        }
        if constexpr (has_answer)
            if (level == service_level::fixed) {
                fixed_.add();
                answer(call, outcome);
                call.report(degraded{name});
                return lookup::answered;
            }
        held_.add();
        outcome = error(errc::unavailable);
        return lookup::answered;
    }

    [[nodiscard]] stats_type stats(time_point = {}) const
    {
        return {static_cast<std::uint64_t>(dial_->level()), shed_.sum(), held_.sum(), fixed_.sum()};
    }
    [[nodiscard]] service_level settings() const noexcept { return dial_->level(); }
    void describe(auto&& field) const
    {
        field("service", std::string_view(dial_->service()));
        field("level", to_string(dial_->level()));
    }

private:
    template<class Outcome>
    void answer(auto& call, Outcome& outcome)
    {
        if constexpr (std::invocable<Answer&, decltype(call.request())>)
            outcome = Outcome(answer_(call.request()));
        else if constexpr (std::invocable<Answer&>)
            outcome = Outcome(answer_());
        else
            outcome = Outcome(std::as_const(answer_));
    }

    switchboard::dial const* dial_;
    [[no_unique_address]] PriorityOf priority_of_;
    [[no_unique_address]] Answer answer_;
    detail::counter<shared> shed_, held_, fixed_;
};

} // namespace weir::inline v0
