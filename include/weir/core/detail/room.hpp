// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

namespace weir::inline v0::detail {

/// The places whose flag is set.
template<std::size_t... Places>
struct places {
    template<std::size_t... More>
    constexpr places<Places..., More...> operator+(places<More...>) const noexcept
    {
        return {};
    }
    using sequence = std::index_sequence<Places...>;
};

/// Calls `f` with the one of the places that is `at`, as a constant.
template<std::size_t... Places, class F>
constexpr void at_place(std::index_sequence<Places...>, std::size_t at, F f)
{
    static_cast<void>(((at == Places && (f(std::integral_constant<std::size_t, Places>()), true)) || ...));
}

/// Room for a slot that begins and ends by itself.
template<class Slot>
union slot_room {
    slot_room() noexcept {}
    ~slot_room() {}
    [[no_unique_address]] Slot held;
};
template<class Slot>
requires(std::is_trivially_copyable_v<Slot>&& std::is_default_constructible_v<Slot> && sizeof(Slot) <= 16) union slot_room<Slot> {
    slot_room() noexcept : held() {} // a store or two, so that no compiler warns of what it cannot follow
    Slot held;
};

/// Room for the call as the policies of a segment see it; those of the outermost see the machine itself.
template<std::size_t Segment, class Call>
struct view_room {
    slot_room<Call> room;
};
template<class Call>
struct view_room<0, Call> {
};

} // namespace weir::inline v0::detail
