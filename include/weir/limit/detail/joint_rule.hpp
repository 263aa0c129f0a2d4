// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/core/detail/row.hpp>
#include <weir/limit/limiter.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>

namespace weir::inline v0 {

/// The options of several limits, in order: `options{{.permits = 100, .per = 1s}, {.permits = 10'000, .per = 24h}}`.
template<class... Options>
class joint_options {
public:
    constexpr explicit(false) joint_options(Options... each) : parts_(std::move(each)...) {}
    template<std::size_t Index>
    [[nodiscard]] constexpr auto const& at() const noexcept
    {
        return detail::at_place<Index>(parts_);
    }

private:
    detail::row_of<Options...> parts_;
};

namespace detail {

/// Several rules as one: all of them admit, or nothing is taken. What `keyed` keeps for each key of an `all_of`.
template<class... Rules>
class joint_rule {
    using indices = std::index_sequence_for<Rules...>;

public:
    using state = row_of<typename Rules::state...>;
    static constexpr state fresh{Rules::fresh...};

    template<class... Options>
    explicit joint_rule(joint_options<Options...> const& o) : joint_rule(o, indices{})
    {
    }
    constexpr explicit joint_rule(Rules... rules) noexcept : rules_(rules...) {}

    [[nodiscard]] decision try_acquire(state& s, time_point now, std::uint64_t cost) const
    {
        state after = s;
        decision latest = decision::admitted();
        each(after, [&](auto const& rule, auto& part) { latest = later(latest, rule.try_acquire(part, now, cost)); });
        if (latest) s = after;
        return latest;
    }
    [[nodiscard]] reservation reserve(state& s, time_point now, std::uint64_t cost, duration max_wait) const
    {
        state after = s;
        decision latest = decision::admitted();
        duration wait = duration::zero();
        each(after, [&](auto const& rule, auto& part) {
            reservation const r = rule.reserve(part, now, cost, max_wait);
            wait = std::max(wait, r.wait());
            if (!r) latest = later(latest, r.is_impossible() ? decision::impossible() : decision::refused(r.retry_after()));
        });
        if (!latest) return reservation::refused(latest);
        s = after;
        return reservation::taken(wait);
    }
    void refund(state& s, std::uint64_t cost) const
    {
        each(s, [&](auto const& rule, auto& part) { rule.refund(part, cost); });
    }
    [[nodiscard]] std::uint64_t available(state const& s, time_point now) const
    {
        std::uint64_t least = std::numeric_limits<std::uint64_t>::max();
        each(s, [&](auto const& rule, auto const& part) { least = std::min(least, rule.available(part, now)); });
        return least;
    }
    [[nodiscard]] duration until_full(state const& s, time_point now) const
    {
        duration longest = duration::zero();
        each(s, [&](auto const& rule, auto const& part) { longest = std::max(longest, rule.until_full(part, now)); });
        return longest;
    }
    [[nodiscard]] bool is_full(state const& s, time_point now) const
    {
        bool full = true;
        each(s, [&](auto const& rule, auto const& part) { full = full && rule.is_full(part, now); });
        return full;
    }
    /// That of the limit which has the fewest permits left.
    template<class... Options>
    [[nodiscard]] quota quota_at(joint_options<Options...> const& o, state const& s, time_point now) const
    {
        return [&]<std::size_t... I>(std::index_sequence<I...>)
        {
            quota const all[] = {quota_of(at_place<I>(rules_), o.template at<I>(), at_place<I>(s), now)...};
            return *std::min_element(std::begin(all), std::end(all),
                                     [](quota const& a, quota const& b) { return a.remaining < b.remaining; });
        }
        (indices{});
    }
    [[nodiscard]] state adopt(state s, joint_rule const& old, time_point now) const
    {
        [&]<std::size_t... I>(std::index_sequence<I...>)
        {
            ((at_place<I>(s) = at_place<I>(rules_).adopt(at_place<I>(s), at_place<I>(old.rules_), now)), ...);
        }
        (indices{});
        return s;
    }
    friend bool operator==(joint_rule const& a, joint_rule const& b) noexcept
    {
        return [&]<std::size_t... I>(std::index_sequence<I...>)
        {
            return ((at_place<I>(a.rules_) == at_place<I>(b.rules_)) && ...);
        }
        (indices{});
    }

private:
    template<class Options, std::size_t... I>
    joint_rule(Options const& o, std::index_sequence<I...>) : rules_(Rules(o.template at<I>())...)
    {
    }
    static constexpr decision later(decision a, decision b) noexcept { return b.retry_after() > a.retry_after() ? b : a; }

    template<class State, class F>
    void each(State& s, F&& f) const
    {
        [&]<std::size_t... I>(std::index_sequence<I...>)
        {
            (f(at_place<I>(rules_), at_place<I>(s)), ...);
        }
        (indices{});
    }
    row_of<Rules...> rules_;
};

/// The rule of an `all_of`, if each of its limits can be had per key.
template<class... Limiters>
struct joint_rule_of {
};
template<keyable_limiter... Limiters>
struct joint_rule_of<Limiters...> {
    using rule_type = joint_rule<typename Limiters::rule_type...>;
};

} // namespace detail

} // namespace weir::inline v0
