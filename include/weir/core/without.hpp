// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/charter.hpp>
#include <weir/core/detail/room.hpp>
#include <weir/core/laws.hpp>
#include <weir/core/policy.hpp>
#include <weir/core/stack.hpp>

#include <cstddef>
#include <string_view>
#include <type_traits>
#include <utility>

namespace weir::inline v0 {

namespace advice {
template<class... Which>
struct without {
    struct takes_policies_out_of_a_stack__write_the_stack_then_a_bar_then_without;
    template<class Stack>
    struct takes_nothing_out_of;
};
} // namespace advice

namespace detail {

/// Broken wherever it is demanded: `without` stands in a pipeline, where it would do nothing.
template<class... Which>
struct stands_behind_a_stack {
    template<class...>
    static constexpr breach find_among()
    {
        return {0, 0};
    }
    template<class, class, class>
    using sentence = typename advice::without<Which...>::takes_policies_out_of_a_stack__write_the_stack_then_a_bar_then_without;
};

} // namespace detail

/// Takes policies out of a stack: what one route opts out of, said as a type where the route is composed.
/// ```cpp
/// auto baseline() { return weir::stack{weir::correlate{}, weir::content_type<"application/json">{}, weir::paging{}}; }
///
/// weir::pipeline orders{baseline(), list_orders};
/// weir::pipeline dump{baseline() | weir::without<weir::paging>{}, dump_orders};                             // all of them at once
/// weir::pipeline blobs{baseline() | weir::without<weir::made_from_values<weir::content_type>>{}, take_blob};
/// ```
/// `Which` is a policy's type, or `made_from`, `made_from_values`, `stating`, as in a charter; all that fit go. What fits none of the
/// stack's does not compile: an opt-out of something that is not there any more is a mistake. Opting in is composing:
/// `baseline() | paging{}`. Where a charter demands the policy, the route says
/// `weir::allow<weir::requires_policy<weir::paging>, "reason">`, too. Costs nothing at run time.
template<class... Which>
struct without {
    static_assert(sizeof...(Which) > 0, "weir::without wants the policies that go");
    using role = directive;
    using demands = weir::demands<detail::stands_behind_a_stack<Which...>>;
    static constexpr std::string_view name = "without";
};

namespace detail {

template<class P, class... Which>
constexpr bool is_taken_out = (designates<Which, P> || ...);

/// The place of a piece, unless it is taken out.
template<class Piece, std::size_t Place, class... Which>
using place_if_it_stays = std::conditional_t<is_taken_out<policy_t<Piece>, Which...>, places<>, places<Place>>;
template<class... Which, class Stack, std::size_t... I>
constexpr auto take_out(Stack&& all, std::index_sequence<I...>)
{
    auto const staying = (places<>() + ... + place_if_it_stays<typename Stack::template piece<I>, I, Which...>());
    return stack_of(typename decltype(staying)::sequence(), pieces<Stack>(std::move(all)));
}

/// Whether one of the stack's elements is designated.
template<class Which, class Stack>
constexpr bool takes_something_out_of = false;
template<class Which, class... Elements>
constexpr bool takes_something_out_of<Which, stack<Elements...>> = (designates<Which, policy_t<Elements>> || ...);

} // namespace detail

template<class... Elements, class... Which>
[[nodiscard]] constexpr auto operator|(stack<Elements...>&& all, without<Which...>)
{
    auto const check = []<class One>(std::type_identity<One>) {
        if constexpr (!detail::takes_something_out_of<One, stack<Elements...>>)
            static_cast<void>(sizeof(typename advice::without<One>::template takes_nothing_out_of<stack<Elements...>>));
    };
    (check(std::type_identity<Which>{}), ...);
    return detail::take_out<Which...>(std::move(all), std::make_index_sequence<stack<Elements...>::size>());
}

} // namespace weir::inline v0
