// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/cache/finding.hpp>
#include <weir/cache/parts.hpp>
#include <weir/core/clock.hpp>
#include <weir/core/detail/hash.hpp>
#include <weir/core/policy.hpp>
#include <weir/core/result.hpp>

#include <concepts>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace weir::inline v0 {

namespace advice {
template<class Value>
struct store_of {
    template<class Returned>
    struct cannot_keep_what_the_handler_returns;
};
} // namespace advice

namespace detail {

/// How a cache of `Value` reads and writes the outcome of a call: a handler returns a `Value`, with `errc::not_found` for "there is none",
/// or an `std::optional<Value>` that may be empty.
template<class Value, class Outcome>
struct kept_answer {
    using returned = typename Outcome::value_type;
    static constexpr bool may_be_empty = is_made_from<std::optional, returned>;
    static constexpr bool fits = std::is_same_v<returned, Value> || std::is_same_v<returned, std::optional<Value>>;

    static constexpr bool check()
    {
        if constexpr (!fits)
            static_cast<void>(sizeof(typename advice::store_of<Value>::template cannot_keep_what_the_handler_returns<returned>));
        return fits;
    }
    static_assert(check());

    static bool says_absent(Outcome const& o) noexcept
    {
        if (o.has_error()) return o.error() == errc::not_found;
        if constexpr (may_be_empty)
            return !o->has_value();
        else
            return false;
    }
    static Value const& value(Outcome const& o) noexcept
    {
        if constexpr (std::is_same_v<returned, Value>)
            return *o;
        else
            return **o;
    }
    static void say_absent(Outcome& o)
    {
        if constexpr (may_be_empty)
            o.emplace();
        else
            o = error(errc::not_found);
    }
    template<class Like>
    static void say(Outcome& o, Like&& value)
    {
        o.emplace(std::forward<Like>(value));
    }
    /// False if nothing was found.
    [[gnu::always_inline]] static bool say(Outcome& o, finding<Value>&& found)
    {
        if (found.hit())
            say(o, *std::move(found));
        else if (found.negative())
            say_absent(o);
        else
            return false;
        return true;
    }
};

/// What the leader of a flight hands to those who joined it, whatever the type of their outcome.
template<class Value>
struct loaded {
    result<Value> outcome;
    std::exception_ptr thrown{};
    time_point began{};          ///< when the load did
    std::optional<stale> fact{}; ///< if the outcome is out of date

    template<class Outcome>
    static result<Value> from(Outcome const& o)
    {
        using answer = kept_answer<Value, Outcome>;
        if (answer::says_absent(o)) return error(errc::not_found);
        if (o.has_error()) return o.error();
        return result<Value>(boost::system::in_place_value, answer::value(o));
    }
    template<class Outcome>
    void copy_to(Outcome& o) const
    {
        using answer = kept_answer<Value, Outcome>;
        if (outcome.has_value())
            answer::say(o, *outcome);
        else if (outcome.error() == errc::not_found)
            answer::say_absent(o);
        else
            o = outcome.error();
    }
};

/// A key may be missing: an empty string, an empty optional.
template<class Key>
constexpr bool is_missing(Key const& key) noexcept
{
    if constexpr (is_made_from<std::optional, Key>) {
        return !key.has_value() || is_missing(*key);
    } else if constexpr (string_like<Key>) {
        return std::string_view(key).empty();
    } else
        return false;
}
template<class Key>
constexpr decltype(auto) present(Key const& key) noexcept
{
    if constexpr (is_made_from<std::optional, Key>)
        return (*key);
    else
        return (key);
}

} // namespace detail

} // namespace weir::inline v0
