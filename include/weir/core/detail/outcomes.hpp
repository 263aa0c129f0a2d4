// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/admission.hpp>
#include <weir/core/detail/room.hpp>
#include <weir/core/policy.hpp>
#include <weir/core/result.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace weir::inline v0::detail {

/// The outcomes of a call: one a segment, the last is the handler's. Each is there once it was put in, and ends with the call; which of
/// them are there is a bit each, if they end at all.
template<class Plan, class Segments = std::make_index_sequence<Plan::last + 1>>
class outcomes;

template<class Plan, std::size_t... S>
class outcomes<Plan, std::index_sequence<S...>> : leaf<S, slot_room<typename Plan::template outcome_at<S>>>... {
    template<std::size_t Segment>
    using outcome_at = typename Plan::template outcome_at<Segment>;

    static_assert(sizeof...(S) <= 8, "a pipeline has at most 7 codecs: which outcomes are there is a bit each");

public:
    outcomes() noexcept = default;
    outcomes(outcomes const&) = delete;
    outcomes& operator=(outcomes const&) = delete;
    ~outcomes() { (end<S>(), ...); }

    template<std::size_t Segment>
    [[nodiscard]] outcome_at<Segment>& at() noexcept
    {
        return static_cast<leaf<Segment, slot_room<outcome_at<Segment>>>&>(*this).value.held;
    }
    /// The outcome of the segment is what `make` gives.
    template<std::size_t Segment, class Make>
    [[gnu::always_inline]] void put(Make&& make)
    {
        end<Segment>();
        ::new (place<Segment>()) outcome_at<Segment>(make());
        begin<Segment>();
    }
    template<std::size_t Segment>
    void fail(error e) noexcept
    {
        end<Segment>();
        ::new (place<Segment>()) outcome_at<Segment>(e);
        begin<Segment>();
    }
    void fail_all(error e) noexcept { (fail<S>(e), ...); }
    /// The handler's outcome, from what it returned.
    template<class... Returned>
    void keep(Returned&&... returned) // no closure here: in a coroutine g++ would keep it in the frame
    {
        end<Plan::last>();
        if constexpr ((std::is_same_v<std::remove_cvref_t<Returned>, outcome_at<Plan::last>> && ...))
            ::new (place<Plan::last>()) outcome_at<Plan::last>(std::forward<Returned>(returned)...);
        else
            ::new (place<Plan::last>()) outcome_at<Plan::last>(boost::system::in_place_value, std::forward<Returned>(returned)...);
        begin<Plan::last>();
    }

private:
    template<std::size_t Segment>
    static constexpr bool ends = !std::is_trivially_destructible_v<outcome_at<Segment>>;

    template<std::size_t Segment>
    void* place() noexcept
    {
        return &at<Segment>();
    }
    template<std::size_t Segment>
    void begin() noexcept
    {
        if constexpr (ends<Segment>) there_ = static_cast<std::uint8_t>(there_ | 1u << Segment);
    }
    template<std::size_t Segment>
    void end() noexcept
    {
        if constexpr (ends<Segment>)
            if ((there_ & 1u << Segment) != 0) {
                there_ = static_cast<std::uint8_t>(there_ & ~(1u << Segment));
                std::destroy_at(&at<Segment>());
            }
    }

    [[no_unique_address]] std::conditional_t<(ends<S> || ...), std::uint8_t, pass> there_{};
};

} // namespace weir::inline v0::detail
