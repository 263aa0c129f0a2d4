// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/call.hpp>
#include <weir/core/policy.hpp>

#include <array>
#include <cstddef>
#include <type_traits>
#include <utility>

namespace weir::inline v0 {

namespace advice {
template<class Policy>
struct codec {
    struct has_to_state_its_inner_request;
    template<class Value>
    struct has_to_state_its_outer_value_for;
};
} // namespace advice

namespace detail {

template<class P>
struct inner_request_of {
    static_assert(sizeof(typename advice::codec<P>::has_to_state_its_inner_request) != 0);
};
template<class P>
requires requires
{
    typename P::inner_request;
}
struct inner_request_of<P> {
    using type = typename P::inner_request;
};

/// A codec parts a pipeline in two: what stands further out has its request and its outcome, what stands further in has others. Such a
/// stretch is a segment; this says where they begin. The codec itself belongs to the outer one.
template<class Policies, class Indices = std::make_index_sequence<Policies::size>>
struct borders;
template<class Policies, std::size_t... I>
struct borders<Policies, std::index_sequence<I...>> {
    static constexpr std::size_t count = (std::size_t{0} + ... + (is_role<typename Policies::template policy_at<I>, codec> ? 1 : 0));
    static constexpr std::array<std::size_t, count> places = [] {
        std::array<std::size_t, count> found{};
        std::size_t next = 0;
        ((is_role<typename Policies::template policy_at<I>, codec> ? static_cast<void>(found[next++] = I) : void()), ...);
        return found;
    }();
    static constexpr std::size_t segment_of(std::size_t index) noexcept
    {
        std::size_t segment = 0;
        while (segment < count && places[segment] < index) ++segment;
        return segment;
    }
    template<std::size_t Segment>
    using codec_into = typename Policies::template policy_at<places[Segment - 1]>;
    /// Whether a policy of the segment writes to its request.
    static constexpr bool rewrites(std::size_t segment) noexcept
    {
        return ((has_trait<typename Policies::template policy_at<I>, rewrites_request> && segment_of(I) == segment) || ...);
    }
};

/// The request that the policies of a segment are handed.
template<class Borders, class Request, std::size_t Segment>
struct request_of_segment {
    using plain = typename inner_request_of<typename Borders::template codec_into<Segment>>::type;
    using type = std::conditional_t<Borders::rewrites(Segment), plain, plain const>;
};
template<class Borders, class Request>
struct request_of_segment<Borders, Request, 0> {
    using type = std::conditional_t<Borders::rewrites(0), Request, Request const>;
};

template<class Codec, class Value>
struct encoded_value {
    static_assert(sizeof(typename advice::codec<Codec>::template has_to_state_its_outer_value_for<Value>) != 0);
};
template<class Codec, class Value>
requires requires
{
    typename Codec::template outer_value<Value>;
}
struct encoded_value<Codec, Value> {
    using type = typename Codec::template outer_value<Value>;
};

/// The outcome of a segment, from that of the handler.
template<class Borders, class Outcome, std::size_t Segment>
struct outcome_of_segment {
    using inner = typename outcome_of_segment<Borders, Outcome, Segment + 1>::type;
    using type = result<typename encoded_value<typename Borders::template codec_into<Segment + 1>, typename inner::value_type>::type>;
};
template<class Borders, class Outcome, std::size_t Segment>
requires(Segment == Borders::count) struct outcome_of_segment<Borders, Outcome, Segment> {
    using type = Outcome;
};

/// What a machine works on: calls and outcomes by segment, the call's state, whether the pipeline can fork, and whether a call blocks its
/// thread.
template<class Borders, class Request, class State, class Outcome, bool CanFork, bool Blocks>
struct call_plan {
    using borders = Borders;
    using state_type = State;
    using call_type = call<typename request_of_segment<Borders, Request, 0>::type, State>;
    static constexpr bool can_fork = CanFork;
    static constexpr bool blocks = Blocks;
    static constexpr std::size_t last = Borders::count;

    template<std::size_t Segment>
    struct find_call {
        using type = inner_call<typename request_of_segment<Borders, Request, Segment>::type, State>;
    };
    template<std::size_t Segment>
    requires(Segment == 0) struct find_call<Segment> {
        using type = call_type;
    };
    template<std::size_t Segment>
    using call_at = typename find_call<Segment>::type;
    template<std::size_t Segment>
    using outcome_at = typename outcome_of_segment<Borders, Outcome, Segment>::type;
};

} // namespace detail

} // namespace weir::inline v0
