// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

namespace weir::inline v0::detail {

/// A member that takes no room when its type is empty. The index makes the same type at two places two types.
template<std::size_t Index, class T>
struct leaf {
    [[no_unique_address]] T value;
};

/// One value a place, side by side, trivially copyable if they are. A `std::tuple` of twenty policies, moved once, is five hundred
/// functions to a compiler.
template<class Indices, class... Values>
struct row;
template<std::size_t... I, class... Values>
struct row<std::index_sequence<I...>, Values...> : leaf<I, Values>... {
    row() = default;
    template<class... From>
    requires(sizeof...(From) == sizeof...(Values) && sizeof...(From) != 0 && !(std::is_same_v<std::remove_cvref_t<From>, row> || ...)) //
        constexpr explicit row(From&&... values)
        : leaf<I, Values>{std::forward<From>(values)}...
    {
    }
};
template<class... Values>
using row_of = row<std::index_sequence_for<Values...>, Values...>;

template<std::size_t Index, class T>
[[nodiscard]] constexpr T& at_place(leaf<Index, T>& l) noexcept
{
    return l.value;
}
template<std::size_t Index, class T>
[[nodiscard]] constexpr T const& at_place(leaf<Index, T> const& l) noexcept
{
    return l.value;
}

template<std::size_t Index, class T>
std::type_identity<T> type_in(leaf<Index, T> const&);
/// The type at a place of a row.
template<class Row, std::size_t Index>
using type_at_place = typename decltype(type_in<Index>(std::declval<Row const&>()))::type;

} // namespace weir::inline v0::detail
