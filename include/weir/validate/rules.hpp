// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/validate/detail/rule_text.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace weir::inline v0 {

/// A number, or a span of time, from `lowest` to `highest`: `range{1, 1'000'000}`, `range{0.5, 2.0}`. Signs and widths may differ from the member's;
/// what is not a number (NaN) is in no range.
template<class Number>
struct range {
    constexpr range(Number from, Number to) : lowest(from), highest(to)
    {
        if (!(from <= to)) throw std::invalid_argument("weir::range: expected the lowest value first");
    }
    template<detail::comparable_number<Number> V>
    [[nodiscard]] constexpr bool operator()(V const& v) const noexcept
    {
        return detail::not_above(lowest, v) && detail::not_above(v, highest);
    }
    [[nodiscard]] std::string expected() const
    {
        return "a number from " + detail::rule_text(lowest) + " to " + detail::rule_text(highest) + detail::rule_unit<Number>();
    }
    Number lowest, highest;
};
template<class A, class B>
range(A, B) -> range<std::common_type_t<A, B>>;

/// A number, or a span of time, not below `lowest`.
template<class Number>
struct at_least {
    template<detail::comparable_number<Number> V>
    [[nodiscard]] constexpr bool operator()(V const& v) const noexcept
    {
        return detail::not_above(lowest, v);
    }
    [[nodiscard]] std::string expected() const { return "at least " + detail::rule_text(lowest) + detail::rule_unit<Number>(); }
    Number lowest;
};
template<class Number>
at_least(Number) -> at_least<Number>;

/// A number, or a span of time, not above `highest`.
template<class Number>
struct at_most {
    template<detail::comparable_number<Number> V>
    [[nodiscard]] constexpr bool operator()(V const& v) const noexcept
    {
        return detail::not_above(v, highest);
    }
    [[nodiscard]] std::string expected() const { return "at most " + detail::rule_text(highest) + detail::rule_unit<Number>(); }
    Number highest;
};
template<class Number>
at_most(Number) -> at_most<Number>;

/// How long a text is in characters (code points of UTF-8), or how many elements a vector, array or map has: `length{1, 8}`; `length{1}` has no upper end.
struct length {
    constexpr length(std::size_t from, std::size_t to = std::size_t(-1)) : least(from), most(to)
    {
        if (from > to) throw std::invalid_argument("weir::length: expected the least first");
    }
    template<class V>
    requires requires(V const& v) { v.size(); }
    [[nodiscard]] constexpr bool operator()(V const& v) const noexcept
    {
        std::size_t n = v.size();
        if constexpr (std::convertible_to<V const&, std::string_view>) {
            if (n < least) return false; // a character has a byte at least
            n = 0;
            for (char const c : std::string_view(v)) n += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
        }
        return n >= least && n <= most;
    }
    template<class V>
    [[nodiscard]] std::string expected_of() const
    {
        std::string const what = std::convertible_to<V const&, std::string_view> ? " characters" : " elements";
        if (most == std::size_t(-1)) return "at least " + std::to_string(least) + what;
        if (least == 0) return "at most " + std::to_string(most) + what;
        return "from " + std::to_string(least) + " to " + std::to_string(most) + what;
    }
    std::size_t least, most;
};

/// One of these values: `one_of{"EUR", "USD"}`, `one_of{1, 2, 5}`, `one_of{side::buy, side::sell}`.
template<class Value, std::size_t Count>
struct one_of {
    template<class... V>
    requires(sizeof...(V) == Count) constexpr explicit one_of(V... v) : values{Value(v)...} {}
    template<class V>
    requires requires(V const& v, Value const& w)
    {
        {
            v == w
            } -> std::convertible_to<bool>;
    }
    [[nodiscard]] constexpr bool operator()(V const& v) const noexcept
    {
        for (Value const& each : values)
            if (v == each) return true;
        return false;
    }
    [[nodiscard]] std::string expected() const
    {
        std::string names = "one of ";
        for (std::size_t i = 0; i < Count; ++i) (names += i == 0 ? "" : ", ") += detail::rule_text(values[i]);
        return names;
    }
    std::array<Value, Count> values;
};
template<class First, class... Rest>
one_of(First, Rest...)
    -> one_of<std::conditional_t<std::convertible_to<First, std::string_view>, std::string_view, First>, 1 + sizeof...(Rest)>;

/// What a type allows to be left out or empty has to be there: an optional with a value; a text, vector or map that is not empty.
struct required_rule {
    using judges_presence = void;
    template<class V>
    requires requires(V const& v) { v.has_value(); }
    [[nodiscard]] constexpr bool operator()(V const& v) const noexcept { return v.has_value(); }
    template<class V>
    requires requires(V const& v) { v.empty(); }
    [[nodiscard]] constexpr bool operator()(V const& v) const noexcept { return !v.empty(); }
    [[nodiscard]] static std::string expected() { return "a value"; }
};
inline constexpr required_rule present{};

/// Rules for each element of a vector or array, or each value of a map: `each{length{1, 12}, pattern<"[A-Z]+">}`.
template<class... Rules>
struct each {
    constexpr explicit each(Rules... r) : all(r...) {}
    std::tuple<Rules...> all;
};
template<class... Rules>
each(Rules...) -> each<Rules...>;

/// Rules of one member; what `rule<&order::symbol>(...)` makes.
template<auto Member, class... Rules>
struct member_rules {
    std::tuple<Rules...> all;
};
/// Rules for a member: `rule<&order::symbol>(length{1, 8}, pattern<"[A-Z]+">)`. If it is an optional, they are about its value, where it has
/// one; `present` says that it has to.
///
/// A rule of your own is a function object with `expected`, a text or a function that returns one, which completes "expected ...":
/// ```cpp
/// struct even {
///     static constexpr std::string_view expected = "an even number";
///     constexpr bool operator()(std::integral auto n) const { return n % 2 == 0; }
/// };
/// ```
template<auto Member, class... Rules>
[[nodiscard]] constexpr member_rules<Member, Rules...> rule(Rules... r)
{
    static_assert(sizeof...(Rules) > 0, "weir::rule wants rules");
    return {{r...}};
}

/// A rule about several members; what `together<&order::from, &order::to>(...)` makes.
template<class Predicate, auto... Members>
struct joint_rule {
    std::string_view expected;
    Predicate holds;
};
/// A rule about several members of one struct: `together<&order::from, &order::to>("a time before the end", std::less_equal{})`. The function takes
/// the members in that order; the violation is told of the first. It is not asked where one of them could not be read.
template<auto... Members, class Predicate>
[[nodiscard]] constexpr joint_rule<Predicate, Members...> together(std::string_view expected, Predicate holds)
{
    static_assert(sizeof...(Members) > 1, "weir::together wants two members at least");
    return {expected, holds};
}

/// What a struct demands of its members, beside their types: a constant, found by its function `weir_rules`.
/// ```cpp
/// struct order {
///     std::string symbol;
///     std::uint32_t quantity;
///     std::optional<double> limit;
///     std::vector<leg> legs;
///
///     friend constexpr auto weir_rules(order const*)
///     {
///         return weir::rules{weir::rule<&order::symbol>(weir::length{1, 8}, weir::pattern<"[A-Z]+">),
///                            weir::rule<&order::quantity>(weir::range{1, 1'000'000}),
///                            weir::rule<&order::legs>(weir::length{1, 10}),
///                            weir::together<&order::limit, &order::quantity>("a limit where 1000 are bought or more",
///                                [](auto const& set, auto bought) { return set || bought < 1'000; })};
///     }
/// };
/// BOOST_DESCRIBE_STRUCT(order, (), (symbol, quantity, limit, legs))
/// ```
/// `read_json`, `read_query`, `json_body` and `parameters` enforce them and tell all faults at once; `check_rules` does for what came another way. The rules
/// of structs in members, vectors, arrays, optionals and maps are enforced with them. A struct without rules, and a member without, costs nothing.
template<class... Parts>
struct rules {
    constexpr explicit rules(Parts... p) : parts(p...) {}
    std::tuple<Parts...> parts;
};
template<class... Parts>
rules(Parts...) -> rules<Parts...>;

} // namespace weir::inline v0
