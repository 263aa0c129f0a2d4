// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/detail/row.hpp>
#include <weir/core/policy.hpp>

#include <array>
#include <cstddef>
#include <type_traits>
#include <utility>

namespace weir::inline v0 {

namespace detail {

template<class E>
constexpr bool is_stack = false;

/// What an element comes to when it is taken apart: itself, or what lies in a stack, which has a `size`, and `piece<I>` and `at<I>() &&`.
template<class E>
struct taken_apart {
    static constexpr std::size_t size = 1;
    template<std::size_t>
    using piece = E;
};
template<class E>
requires is_stack<E>
struct taken_apart<E> {
    static constexpr std::size_t size = E::size;
    template<std::size_t Index>
    using piece = typename E::template piece<Index>;
};

/// Where in a list of elements the pieces lie.
template<class... E>
struct piece_table {
    struct origin {
        std::size_t element;
        std::size_t place;
    };
    static constexpr std::size_t size = (std::size_t{0} + ... + taken_apart<E>::size);
    static constexpr std::array<origin, size> origins = [] {
        std::array<origin, size> all{};
        std::size_t element = 0;
        std::size_t next = 0;
        for (std::size_t const pieces : {taken_apart<E>::size..., std::size_t{0}}) {
            for (std::size_t place = 0; place < pieces; ++place) all[next++] = {element, place};
            ++element;
        }
        return all;
    }();
    template<std::size_t Index>
    using type = typename taken_apart<type_at_place<row_of<E...>, origins[Index].element>>::template piece<origins[Index].place>;

    /// Moves, or copies, from the row of elements, which may be references.
    template<std::size_t Index, class Row>
    [[nodiscard]] static constexpr auto&& take(Row& elements) noexcept
    {
        using element = type_at_place<Row, origins[Index].element>;
        auto&& whole = static_cast<element&&>(at_place<origins[Index].element>(elements));
        if constexpr (is_stack<std::remove_cvref_t<element>>)
            return static_cast<element&&>(whole).template at<origins[Index].place>();
        else
            return static_cast<element&&>(whole);
    }
};

} // namespace detail

/// Several policies in order, outermost first; itself a policy: `a | b`, or `stack{a, b}`. A pipeline takes it apart again, so a
/// stack costs nothing. A company's baseline is a function that returns one. (`|` is found where one of the two is weir's; two of your own
/// are `stack{a, b}`.)
template<class... Elements>
class stack {
    using table = detail::piece_table<Elements...>;

public:
    /// The policies in it and in the stacks in it, and each of them, to move it out.
    static constexpr std::size_t size = table::size;
    template<std::size_t Index>
    using piece = typename table::template type<Index>;
    template<std::size_t Index>
    [[nodiscard]] constexpr piece<Index>&& at() && noexcept
    {
        return table::template take<Index>(elements_);
    }

    template<class... E>
    requires(sizeof...(E) == sizeof...(Elements)) constexpr explicit stack(E&&... elements) : elements_(std::forward<E>(elements)...) {}

private:
    [[no_unique_address]] detail::row_of<Elements...> elements_;
};
template<class... E>
stack(E&&...) -> stack<std::remove_cvref_t<E>...>;

namespace detail {

template<class... Elements>
constexpr bool is_stack<stack<Elements...>> = true;

/// References to the elements of the stacks among these, and to the others: what a pipeline is built from.
template<class... E>
class pieces {
    using table = piece_table<std::decay_t<E>...>;

public:
    static constexpr std::size_t size = table::size;
    template<std::size_t Index>
    using type = typename table::template type<Index>;

    constexpr explicit pieces(E&&... elements) noexcept : elements_(static_cast<E&&>(elements)...) {}
    template<std::size_t Index>
    [[nodiscard]] constexpr auto&& take() noexcept
    {
        return table::template take<Index>(elements_);
    }

private:
    row_of<E&&...> elements_;
};

/// A stack of some of the pieces.
template<std::size_t... I, class Pieces>
[[nodiscard]] constexpr auto stack_of(std::index_sequence<I...>, [[maybe_unused]] Pieces from)
{
    return stack<typename Pieces::template type<I>...>(from.template take<I>()...);
}

} // namespace detail

template<class A, class B>
requires(policy<std::remove_cvref_t<A>> || detail::is_stack<std::remove_cvref_t<A>>) &&
    (policy<std::remove_cvref_t<B>> || detail::is_stack<std::remove_cvref_t<B>>) [[nodiscard]] constexpr auto operator|(A&& outer,
                                                                                                                        B&& inner)
{
    using both = detail::pieces<A, B>;
    return detail::stack_of(std::make_index_sequence<both::size>(), both(std::forward<A>(outer), std::forward<B>(inner)));
}

} // namespace weir::inline v0
