// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/policy.hpp>

#include <concepts>
#include <cstddef>
#include <tuple>
#include <utility>

namespace weir::inline v0 {

/// Knows of a key whether it may exist at all: a `key_rule`, a `bloom_guard`, a `full_table`, or several of them as `guards`. Third argument
/// of `cached`, and what `known_keys` asks. The smallest one:
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
    /// The guard at a place, to tell it of new keys: `guard.get<1>().add(key)`.
    template<std::size_t Place>
    [[nodiscard]] auto& get() noexcept
    {
        using element = std::tuple_element_t<Place, std::tuple<Guards...>>;
        return detail::unwrapped<element>::of(std::get<Place>(guards_));
    }

private:
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
