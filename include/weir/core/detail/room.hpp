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

/// What a segment needs: room for its outcome, and the call as its policies see it; the outermost has the machine itself.
template<std::size_t Segment, class Outcome, class Call>
struct segment_room {
    slot_room<Outcome> outcome;
    slot_room<Call> call;
};
template<class Outcome, class Call>
struct segment_room<0, Outcome, Call> {
    slot_room<Outcome> outcome;
};

} // namespace weir::inline v0::detail
