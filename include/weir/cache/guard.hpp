// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/policy.hpp>

#include <concepts>
#include <cstddef>
#include <tuple>
#include <utility>

namespace weir::inline v0 {

/// Knows of a key whether it may exist at all: a `key_rule`, a `bloom_guard`, a `full_table`, or several of them as `guards`. Third
/// argument of `cached`, and what `known_keys` asks. The smallest one:
/// ```cpp
/// struct even { bool may_exist(int key) const { return key % 2 == 0; } };
/// ```
template<class G, class Key>
concept guard_of = requires(G const& guard, Key const& key)
{
    {
        guard.may_exist(key)
        } -> std::convertible_to<bool>;
};

namespace detail {
template<class G>
concept knows_its_population = requires(G const& guard)
{
    {
        guard.population()
        } -> std::convertible_to<std::size_t>;
};
template<class G>
concept guard_with_stats = requires(G const& guard)
{
    guard.stats().each([](auto const&, auto const&) {});
};
template<class G>
concept guard_that_describes_itself = requires(G const& guard)
{
    guard.describe([](auto const&, auto const&) {});
};
} // namespace detail

/// Several guards as one: a key may exist if each of them says so. They are asked from left to right, the cheap ones first:
/// `guards{key_rule{text_shape{.max_length = 8, .characters = "A-Z"}}, std::ref(known_symbols)}`.
/// Each may be given as `std::ref` or as a `shared_ptr`. Thread-safe as they are; costs what they cost.
template<class... Guards>
class guards {
    static_assert(sizeof...(Guards) >= 1, "weir::guards wants one guard at least");

public:
    explicit guards(Guards... all) : guards_(std::move(all)...) {}

    template<class Key>
    requires(guard_of<detail::policy_t<Guards>, Key>&&...) [[nodiscard]] bool may_exist(Key const& key) const
    {
        return std::apply([&](auto const&... each) { return (guard_in(each).may_exist(key) && ...); }, guards_);
    }
    /// Keys that exist, as the first guard says that knows it.
    [[nodiscard]] std::size_t population() const requires(detail::knows_its_population<detail::policy_t<Guards>> || ...)
    {
        return first_population<0>();
    }
    /// What those of the guards tell that have something to tell.
    [[nodiscard]] auto stats() const
    {
        return std::apply([](auto const&... each) { return all_stats{std::tuple_cat(stats_of(guard_in(each))...)}; }, guards_);
    }
    void describe(auto&& field) const
    {
        std::apply([&](auto const&... each) { (describe_one(guard_in(each), field), ...); }, guards_);
    }
    /// The guard at a place, to tell it of new keys: `guard.get<1>().add(key)`.
    template<std::size_t Place>
    [[nodiscard]] auto& get() noexcept
    {
        using element = std::tuple_element_t<Place, std::tuple<Guards...>>;
        return detail::unwrapped<element>::of(std::get<Place>(guards_));
    }

private:
    template<class... Stats>
    struct all_stats {
        std::tuple<Stats...> of_guards;
        void each(auto&& field) const
        {
            std::apply([&](auto const&... one) { (one.each(field), ...); }, of_guards);
        }
    };
    template<class... Stats>
    all_stats(std::tuple<Stats...>) -> all_stats<Stats...>;

    template<class G>
    static auto stats_of([[maybe_unused]] G const& guard)
    {
        if constexpr (detail::guard_with_stats<G>)
            return std::tuple(guard.stats());
        else
            return std::tuple<>();
    }
    template<class G>
    static void describe_one([[maybe_unused]] G const& guard, [[maybe_unused]] auto&& field)
    {
        if constexpr (detail::guard_that_describes_itself<G>) guard.describe(field);
    }
    template<class Element>
    static auto const& guard_in(Element const& element) noexcept
    {
        return detail::unwrapped<Element>::of(const_cast<Element&>(element));
    }
    template<std::size_t Place>
    std::size_t first_population() const
    {
        using element = std::tuple_element_t<Place, std::tuple<Guards...>>;
        if constexpr (detail::knows_its_population<detail::policy_t<element>>)
            return guard_in(std::get<Place>(guards_)).population();
        else
            return first_population<Place + 1>();
    }

    std::tuple<Guards...> guards_;
};

} // namespace weir::inline v0
