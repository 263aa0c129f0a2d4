// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/cache/detail/kept_answer.hpp>
#include <weir/cache/full_table.hpp>
#include <weir/core/contracts.hpp>
#include <weir/core/key.hpp>
#include <weir/core/laws.hpp>
#include <weir/core/striped.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace weir::inline v0 {

/// Trait of a policy that lets no call reach what stands further in.
struct answers_every_call {};

namespace advice {
template<class Source>
struct answers_every_call_itself {
    template<class Inner>
    struct so_that_nothing_reaches__move_that_outward_or_take_it_out;
};
} // namespace advice

namespace laws {

/// A policy that no call reaches protects nothing.
struct nothing_stands_inward_of_what_answers_every_call {
    template<class... P>
    static constexpr breach find_among()
    {
        constexpr std::array<bool, sizeof...(P)> answers{detail::has_trait<P, answers_every_call>...};
        constexpr std::array<bool, sizeof...(P)> takes_part{!detail::is_role<P, directive>...};
        for (std::size_t outer = 0; outer < sizeof...(P); ++outer)
            for (std::size_t inner = outer + 1; inner < sizeof...(P); ++inner)
                if (answers[outer] && takes_part[inner]) return {outer, inner};
        return {};
    }
    template<class, class Source, class Inner>
    using sentence =
        typename advice::answers_every_call_itself<Source>::template so_that_nothing_reaches__move_that_outward_or_take_it_out<Inner>;
};

} // namespace laws

struct preloaded_stats {
    std::uint64_t hits = 0;    ///< calls answered with a value
    std::uint64_t unknown = 0; ///< calls whose key does not exist, or that have none
    std::size_t values = 0;    ///< values held now
    void each(auto&& field) const
    {
        field("hits_total", hits);
        field("unknown_total", unknown);
        field("values", static_cast<std::uint64_t>(values));
    }
};

/// Answers every call from a `full_table`, and never asks anybody: `preloaded{std::ref(tariffs), keyed_by(&tariff_request::country)}`. What
/// the table does not hold does not exist: `errc::not_found`, or an empty optional if that is what the handler returns. So made-up keys
/// cost nobody anything, and no key is ever cold; the price is that every value lies in memory, and that somebody keeps the table up to
/// date.
///
/// Its handler, which says what a call returns, is never called: `never_asked<tariff>{}`. A policy further in would never be reached: the
/// compiler says so. It stands inward of what proves identity. It has no settings of its own, so nothing to reconfigure: what changes while
/// calls come are the values, by `table()`. Thread-safe as the table is. Cost: a look into the table.
template<class Table, class KeyOf>
class preloaded {
    using table_type = detail::policy_t<Table>;
    using value_type = typename table_type::value_type;

public:
    using role = source;
    using traits = weir::traits<may_answer_alone, answers_every_call>;
    using demands = weir::demands<laws::nothing_stands_inward_of_what_answers_every_call>;
    using needs = typename detail::needs_of<KeyOf>::type;
    using reads = typename detail::reads_of<KeyOf>::type;
    using stats_type = preloaded_stats;
    static constexpr std::string_view name = "preloaded";

    preloaded(Table table, KeyOf key_of) : table_(std::move(table)), key_of_(std::move(key_of)) {}

    template<class Outcome>
    lookup look_up(auto& call, pass&, Outcome& outcome)
    {
        using answer = detail::kept_answer<value_type, Outcome>;
        decltype(auto) key = key_of_(call);
        if (!detail::is_missing(key)) [[likely]]
            if (auto found = table().find(detail::present(key))) [[likely]] {
                hits_.add();
                answer::say(outcome, *std::move(found));
                return lookup::answered;
            }
        unknown_.add();
        answer::say_absent(outcome);
        return lookup::answered;
    }

    /// The table, to keep it up to date: `svc.get<weir::preloaded>().table().put(country, tariff)`.
    [[nodiscard]] table_type& table() noexcept { return detail::unwrapped<Table>::of(table_); }
    [[nodiscard]] table_type const& table() const noexcept { return const_cast<preloaded&>(*this).table(); }
    [[nodiscard]] stats_type stats(time_point = {}) const { return {hits_.sum(), unknown_.sum(), table().size()}; }
    void describe(auto&& field) const { field("capacity", table().capacity()); }

private:
    Table table_;
    [[no_unique_address]] KeyOf key_of_;
    detail::counter<shared> hits_, unknown_;
};

/// The handler of a pipeline whose calls never reach it: it only says that they return a `Value`.
template<class Value>
struct never_asked {
    result<Value> operator()(auto const&) const { return errc::unavailable; }
};

} // namespace weir::inline v0
