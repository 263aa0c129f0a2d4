// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/cache/guard.hpp>
#include <weir/cache/parts.hpp>
#include <weir/core/clock.hpp>
#include <weir/core/policy.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

namespace weir::inline v0 {

namespace advice {
template<class Part>
struct part_of_a_cache {
    struct does_nothing_that_parts_do__see_weir_cache_parts;
};
} // namespace advice

namespace detail {

template<class P>
concept has_stats_to_tell = requires(P const& p)
{
    p.stats().each([](auto const&, auto const&) {});
};
template<class P>
concept describes_itself = requires(P const& p)
{
    p.describe([](auto const&, auto const&) {});
};

/// The stats of a cache, and those of its parts.
template<class Stats, class... Each>
struct stats_with_parts : Stats {
    std::tuple<Each...> of_parts{};
    void each(auto&& field) const
    {
        Stats::each(field);
        std::apply([&](auto const&... part) { (part.each(field), ...); }, of_parts);
    }
};
template<class P>
struct stats_of_part {
    using type = std::tuple<>;
};
template<has_stats_to_tell P>
struct stats_of_part<P> {
    using type = std::tuple<decltype(std::declval<P const&>().stats())>;
};
template<class Stats, class All>
struct stats_joined;
template<class Stats>
struct stats_joined<Stats, std::tuple<>> {
    using type = Stats;
};
template<class Stats, class... Each>
struct stats_joined<Stats, std::tuple<Each...>> {
    using type = stats_with_parts<Stats, Each...>;
};
template<class Stats, class... P>
struct extended_stats : stats_joined<Stats, decltype(std::tuple_cat(std::declval<typename stats_of_part<P>::type>()...))> {
};

/// The parts of a `cached`, asked in the order in which they were given. What none of them does costs nothing.
template<class Key, class Value, class Indices, class... Part>
class part_list;

template<class Key, class Value, std::size_t... I, class... Part>
class part_list<Key, Value, std::index_sequence<I...>, Part...> : leaf<I, Part>... {
    template<class P>
    static constexpr bool is_part()
    {
        constexpr bool fits = guard_of<P, Key> || freshness_strategy<P> || refresh_throttle<P> || validity_rule<P, Key, Value> ||
                              keep_rule<P, Value> || failure_strategy<P> || load_throttle<P> || soft_limit<P> || load_watcher<P> ||
                              miss_watcher<P>;
        if constexpr (!fits)
            static_cast<void>(sizeof(typename advice::part_of_a_cache<P>::does_nothing_that_parts_do__see_weir_cache_parts));
        return fits;
    }
    static_assert((is_part<policy_t<Part>>() && ...));

public:
    static constexpr bool refreshes = (freshness_strategy<policy_t<Part>> || ...);
    static constexpr bool throttles_refreshes = (refresh_throttle<policy_t<Part>> || ...);
    static constexpr bool validates = (validity_rule<policy_t<Part>, Key, Value> || ...);
    static constexpr bool judges_hits = refreshes || validates;
    static constexpr bool rescues = (failure_strategy<policy_t<Part>> || ...);
    static constexpr bool throttles = (load_throttle<policy_t<Part>> || ...);
    static constexpr bool has_patience = (soft_limit<policy_t<Part>> || ...);
    static constexpr bool may_give_stale = rescues || throttles || has_patience;
    static constexpr bool watches_loads = (load_watcher<policy_t<Part>> || ...);
    static constexpr bool watches_misses = (miss_watcher<policy_t<Part>> || ...);
    static constexpr std::size_t first_guard = place_of(std::array<bool, sizeof...(Part) + 1>{guard_of<policy_t<Part>, Key>...});
    static constexpr bool has_guard = first_guard < sizeof...(Part);
    /// The first guard that knows how many keys there are.
    static constexpr std::size_t counting_guard =
        place_of(std::array<bool, sizeof...(Part) + 1>{(guard_of<policy_t<Part>, Key> && knows_its_population<policy_t<Part>>)...});
    static constexpr bool knows_population = counting_guard < sizeof...(Part);

    /// The traits of a cache with these parts: one that answers with what is out of date hides failures.
    template<class... Traits>
    using traits_with = std::conditional_t<rescues, weir::traits<Traits..., hides_failures>, weir::traits<Traits...>>;
    template<class Stats>
    using stats_with = typename extended_stats<Stats, policy_t<Part>...>::type;

    explicit part_list(Part&&... parts) : leaf<I, Part>{std::move(parts)}... {}

    template<std::size_t Place>
    [[nodiscard]] auto& at() noexcept
    {
        using element = std::tuple_element_t<Place, std::tuple<Part...>>;
        return unwrapped<element>::of(static_cast<leaf<Place, element>&>(*this).value);
    }
    template<std::array<bool, sizeof...(Part)> Flags>
    [[nodiscard]] auto& find() noexcept
    {
        static_assert(place_of(Flags) < sizeof...(Part), "weir: the cache has no such part");
        return at<place_of(Flags)>();
    }
    template<class F>
    void each(F&& f)
    {
        (f(at<I>()), ...);
    }

    /// Writes the stats of the parts that have some.
    void fill([[maybe_unused]] auto& stats)
    {
        if constexpr (requires { stats.of_parts; }) stats.of_parts = std::tuple_cat(stats_of(at<I>())...);
    }

    [[nodiscard]] bool may_exist([[maybe_unused]] auto const& key)
    {
        return (ask(
                    at<I>(), true, [&]<class P>(P & part) requires guard_of<P, Key> { return part.may_exist(key); }) &&
                ...);
    }
    [[nodiscard]] bool wants_refresh([[maybe_unused]] hit_facts const& hit)
    {
        return (ask(at<I>(), false, [&]<freshness_strategy P>(P& part) { return static_cast<bool>(part.wants_refresh(hit)); }) || ...);
    }
    [[nodiscard]] bool may_refresh([[maybe_unused]] load_ahead const& ahead)
    {
        return (ask(at<I>(), true, [&]<refresh_throttle P>(P& part) { return static_cast<bool>(part.may_refresh(ahead)); }) && ...);
    }
    [[nodiscard]] bool is_valid([[maybe_unused]] Key const& key, [[maybe_unused]] Value const& seen, [[maybe_unused]] time_point written_at)
    {
        return (ask(
                    at<I>(),
                    true, [&]<class P>(P & part) requires validity_rule<P, Key, Value> { return part.is_valid(key, seen, written_at); }) &&
                ...);
    }
    [[nodiscard]] bool keeps([[maybe_unused]] Value const& seen)
    {
        return (ask(
                    at<I>(), true, [&]<class P>(P & part) requires keep_rule<P, Value> { return part.keeps(seen); }) &&
                ...);
    }
    [[nodiscard]] duration stale_for([[maybe_unused]] load_failure const& failure)
    {
        duration most{};
        each([&]<class P>([[maybe_unused]] P& part) {
            if constexpr (failure_strategy<P>) most = std::max<duration>(most, part.stale_for(failure));
        });
        return most;
    }
    [[nodiscard]] bool spares_load([[maybe_unused]] load_ahead const& ahead)
    {
        return (ask(at<I>(), false, [&]<load_throttle P>(P& part) { return static_cast<bool>(part.spares_load(ahead)); }) || ...);
    }
    [[nodiscard]] duration patience()
    {
        duration least = duration::max();
        each([&]<class P>([[maybe_unused]] P& part) {
            if constexpr (soft_limit<P>) least = std::min<duration>(least, part.patience());
        });
        return least;
    }
    void load_ended([[maybe_unused]] load_report const& report)
    {
        each([&]<class P>([[maybe_unused]] P& part) {
            if constexpr (load_watcher<P>) part.load_ended(report);
        });
    }
    void missed([[maybe_unused]] time_point now, [[maybe_unused]] auto const& stats, [[maybe_unused]] auto const& tell)
    {
        each([&]<class P>([[maybe_unused]] P& part) {
            if constexpr (miss_watcher<P>) part.missed(now, stats, tell);
        });
    }

private:
    template<class P>
    static auto stats_of(P const& part)
    {
        if constexpr (has_stats_to_tell<P>)
            return std::tuple(part.stats());
        else
            return std::tuple<>();
    }
    /// What the part says, if it is one of those that are asked.
    template<class P, class Question>
    [[gnu::always_inline]] static bool ask(P& part, bool otherwise, Question const& question)
    {
        if constexpr (requires { question(part); })
            return question(part);
        else
            return otherwise;
    }
};

} // namespace detail

} // namespace weir::inline v0
