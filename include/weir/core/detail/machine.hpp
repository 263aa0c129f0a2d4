// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/detail/layer.hpp>
#include <weir/core/detail/room.hpp>
#include <weir/core/detail/segments.hpp>
#include <weir/core/detail/stop.hpp>
#include <weir/core/events.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <utility>

namespace weir::inline v0::detail {

/// One call on its way through the policies: its facets, one slot a policy, its outcome. Two moves: down, asking each policy
/// in turn, and up, settling them in reverse. Both come twice: straight through, for the common way, and from any policy on, for what
/// follows a refusal, a sleep or a wait. A driver carries out what lies between the moves; it is the only one who waits.
///
/// A machine that is destroyed before its outcome was taken drops its permits unsettled, innermost first: the call was cancelled.
///
/// `Policies` holds the policies: `Policies::policy_at<I>` is the type of one, `policies.template get<I>()` the policy; `Plan` is a `call_plan`.
template<class Policies, class Plan, class Indices = std::make_index_sequence<Policies::size>,
         class Segments = std::make_index_sequence<Plan::last + 1>>
class machine;

template<class Policies, class Plan, std::size_t... I, std::size_t... S>
class machine<Policies, Plan, std::index_sequence<I...>, std::index_sequence<S...>>
    : public Plan::call_type,
      private leaf<Policies::size + S, segment_room<S, typename Plan::template outcome_at<S>, typename Plan::template call_at<S>>>...,
      private leaf<I,
                   slot_room<slot_t<typename Policies::template policy_at<I>, typename Plan::template call_at<Plan::borders::segment_of(I)>,
                                    typename Plan::template outcome_at<Plan::borders::segment_of(I)>>>>... {
    template<std::size_t Index>
    using policy_at = typename Policies::template policy_at<Index>;
    static constexpr std::size_t segment_of(std::size_t index) noexcept { return Plan::borders::segment_of(index); }
    template<std::size_t Index>
    using call_at = typename Plan::template call_at<segment_of(Index)>;
    template<std::size_t Index>
    using outcome_at = typename Plan::template outcome_at<segment_of(Index)>;
    template<std::size_t Index>
    using layer_at = layer<policy_at<Index>, call_at<Index>, outcome_at<Index>>;
    template<std::size_t Index>
    using slot_at = slot_t<policy_at<Index>, call_at<Index>, outcome_at<Index>>;

public:
    using call_type = typename Plan::call_type;
    using outcome_type = typename Plan::template outcome_at<0>;
    using handler_outcome = typename Plan::template outcome_at<Plan::last>;
    static constexpr std::size_t size = sizeof...(I);
    static constexpr std::size_t first = Policies::first;
    static constexpr bool can_fork = Plan::can_fork;
    static_assert(first + size < error::no_policy, "a pipeline has at most 254 policies: an error names its policy in a byte");
    static constexpr bool may_sleep = (is_role<policy_at<I>, loop> || ...);
    /// A source writes the outcome before there is one.
    static constexpr bool may_answer = (layer_at<I>::answers || ...);
    static constexpr bool may_park = (layer_at<I>::parks || ...);
    static constexpr bool may_decide = (layer_at<I>::pends || ...);
    static constexpr bool may_finish = (layer_at<I>::finishes_later || ...);
    static constexpr bool may_fork = Plan::can_fork && (layer_at<I>::splits || ...);

    using deciding = typename decltype((places<>() + ... + std::conditional_t<layer_at<I>::pends, places<I>, places<>>()))::sequence;
    using finishing =
        typename decltype((places<>() + ... + std::conditional_t<layer_at<I>::finishes_later, places<I>, places<>>()))::sequence;
    using splitting = typename decltype((places<>() + ... + std::conditional_t<layer_at<I>::splits, places<I>, places<>>()))::sequence;
    static constexpr std::size_t first_deciding = place_of(std::array<bool, size>{layer_at<I>::pends...});
    /// What a source has of a call.
    template<std::size_t Index>
    using token_at = slot_at<Index>;

    template<class Request, class... More>
    explicit machine(Policies& policies, Request& request, More&... more) : call_type(request, more...), policies_(policies)
    {
        (begin_call<S>(), ...);
        if constexpr (may_answer) (fail<S>(errc::cancelled), ...);
    }
    [[gnu::always_inline]] ~machine()
    {
        if (std::bit_cast<std::uint32_t>(this->left_) != 0) [[unlikely]] {
            drop_all();
            this->forget_exception();
        }
        (end_outcome<S>(), ...);
    }

    act descend() { return (enter<I>() && ...) ? act::call : next_; }
    [[gnu::always_inline]] act ascend()
    {
        this->turn();
        return (leave<size - 1 - I>() && ...) ? act::done : next_;
    }
    /// Down again after what the policy at `at()` wanted: from the one further in.
    [[gnu::always_inline]] act descend_on()
    {
        this->turn();
        answered_by_ = error::no_policy;
        unsigned const from = at_;
        return ((I <= from || enter<I>()) && ...) ? act::call : next_;
    }
    /// Up from the policy further out than `at()`.
    [[gnu::always_inline]] act ascend_on()
    {
        this->turn();
        unsigned const from = at_;
        return ((size - 1 - I >= from || leave<size - 1 - I>()) && ...) ? act::done : next_;
    }
    /// The handler was called again: up from there.
    act returned() noexcept
    {
        at_ = size;
        return act::unwind;
    }
    /// The call was woken, or has waited in vain: what the policy that parked it says now.
    [[gnu::always_inline]] act woken(bool in_time)
    {
        this->turn();
        act next = act::unwind;
        unsigned const from = at_;
        static_cast<void>(((I == from && (next = resume<I>(in_time), true)) || ...));
        return next == act::call ? act::again : next;
    }
    /// The decision of the policy at `Index`, to be awaited, and what it is.
    template<std::size_t Index>
    auto decide()
    {
        this->turn();
        return layer_at<Index>::decide(policies_.template get<Index>(), slot<Index>(), as_call<Index>(), stop<Index>());
    }
    template<std::size_t Index, class Decision>
    act decided(Decision const& decision)
    {
        this->turn();
        return entered<Index>(
                   layer_at<Index>::decided(policies_.template get<Index>(), slot<Index>(), as_call<Index>(), stop<Index>(), decision))
                   ? act::again
                   : next_;
    }
    /// The decision cannot come any more.
    template<std::size_t Index>
    act refused(error e)
    {
        static_cast<void>(stop<Index>().refuse(e));
        static_cast<void>(entered<Index>(false));
        return next_;
    }
    /// What the policy at `Index` has to tell elsewhere, to be awaited, and that it was told.
    template<std::size_t Index>
    auto finish()
    {
        return layer_at<Index>::finish(policies_.template get<Index>(), slot<Index>(), as_call<Index>(), stop<Index>());
    }
    /// What it told, if that is the outcome now.
    template<std::size_t Index, class Other>
    void finished_with(Other&& other)
    {
        layer_at<Index>::finished(stop<Index>(), std::forward<Other>(other));
    }
    act finished()
    {
        unsigned const from = at_;
        static_cast<void>(((I == from && (left<I>(), true)) || ...));
        return act::unwind;
    }
    /// For a fork: the call as the policy at `Index` sees it, and a copy of the facets that every call of the pipeline has.
    template<std::size_t Index>
    [[nodiscard]] auto& call_of() noexcept
    {
        return as_call<Index>();
    }
    template<class... Facets>
    void copy_provided(facet_frame<facets<Facets...>>& into)
    {
        ((into.template at<Facets>() = this->template get<Facets>()), ...);
    }
    /// The policy at `Index` hands over to its fork; what the call does then. A fork that cannot begin leaves it to the call itself.
    template<std::size_t Index, class Token>
    void fork_into(Token& other)
    {
        policies_.template get<Index>().fork(slot<Index>(), other);
    }
    template<std::size_t Index>
    act forked()
    {
        if constexpr (layer_at<Index>::splits) {
            static_cast<void>(layer_at<Index>::forked(slot<Index>(), stop<Index>(), split_));
            static_cast<void>(entered<Index>(false));
        }
        return next_;
    }
    /// There is no fork: the call loads for itself, or goes up with what it has.
    template<std::size_t Index>
    act not_forked()
    {
        if (split_ == split::and_wait) return static_cast<void>(entered<Index>(true)), act::again;
        next_ = act::unwind;
        static_cast<void>(entered<Index>(false));
        return act::unwind;
    }
    /// A driver is about to leave the machine alone, while the handler runs or the call waits: if the machine is destroyed
    /// meanwhile, this is how far down it was.
    void leave_alone(act why) noexcept { this->depth_is(why == act::call ? size : at_ + 1u); }
    void back() noexcept { this->depth_is(0); }
    /// The caller gave up while the machine was left alone: every permit is dropped, innermost first.
    void cancel() noexcept
    {
        drop_all();
        fail<0>(errc::cancelled);
    }

    [[nodiscard]] unsigned at() const noexcept { return at_; }
    [[nodiscard]] duration delay() const noexcept { return delay_; }
    [[nodiscard]] time_point until() const noexcept { return std::min(until_, this->deadline().at); }
    [[nodiscard]] waiter& parked() const noexcept { return *waiter_; }
    [[nodiscard]] outcome_type& outcome() noexcept { return room<0>(); }
    /// The policy that answered or refused by itself; `error::no_policy` if the handler answered.
    [[nodiscard]] std::uint8_t answered_by() const noexcept { return answered_by_; }

    /// The call as the handler sees it, and what came of it.
    [[nodiscard, gnu::always_inline]] auto& handlers_call() noexcept { return call_of_segment<Plan::last>(); }
    [[nodiscard]] handler_outcome& handlers_outcome() noexcept { return room<Plan::last>(); }

    /// Whether a synchronous pipeline can carry all its policies out; else a sentence.
    static constexpr bool awaits_nothing()
    {
        return (needs_no_await < policy_at<I>, layer_at<I>::pends || layer_at<I>::finishes_later || has_trait < policy_at<I>,
                runs_beside >> () && ...);
    }

    /// Runs the handler and keeps what it returns or throws.
    template<class Invoke>
    [[gnu::always_inline]] void handle(Invoke&& invoke)
    {
        calls();
        using returned = decltype(invoke());
        try {
            put<Plan::last>([&]() -> handler_outcome {
                if constexpr (std::is_same_v<returned, handler_outcome>)
                    return invoke();
                else if constexpr (std::is_void_v<returned>) {
                    invoke();
                    return handler_outcome();
                } else
                    return handler_outcome(boost::system::in_place_value, invoke());
            });
        } catch (...) {
            threw(std::current_exception());
        }
        has_returned();
    }
    /// For the observer: the handler is called, it has returned, the call is over.
    void calls() { this->tell(event::called{}); }
    void has_returned() { this->tell(event::returned{handlers_outcome().has_error()}); }
    void ends() { this->tell(event::ended{answered_by_, outcome().has_error()}); }
    /// Keeps what the handler returned.
    template<class... Returned>
    void keep(Returned&&... returned) // no closure here: in a coroutine g++ would keep it in the frame
    {
        end_outcome<Plan::last>();
        if constexpr ((std::is_same_v<std::remove_cvref_t<Returned>, handler_outcome> && ...))
            ::new (place<Plan::last>()) handler_outcome(std::forward<Returned>(returned)...);
        else
            ::new (place<Plan::last>()) handler_outcome(boost::system::in_place_value, std::forward<Returned>(returned)...);
        begin_outcome<Plan::last>();
    }
    void fails(error e) noexcept { fail<Plan::last>(e); }
    void threw(std::exception_ptr exception) noexcept
    {
        fails(errc::handler_threw);
        this->thrown(std::move(exception));
    }

    /// An exception of the handler that nobody answered; it is thrown on.
    [[nodiscard]] std::exception_ptr unanswered_exception() { return is_unanswered() ? this->thrown() : nullptr; }
    void rethrow_if_unanswered()
    {
        if (is_unanswered()) [[unlikely]]
            rethrow();
    }

private:
    template<std::size_t Index>
    auto& slot() noexcept
    {
        return static_cast<leaf<Index, slot_room<slot_at<Index>>>&>(*this).value.held;
    }
    template<std::size_t Segment>
    auto& segment() noexcept
    {
        return static_cast<leaf<
            size + Segment, segment_room<Segment, typename Plan::template outcome_at<Segment>, typename Plan::template call_at<Segment>>>&>(
                   *this)
            .value;
    }
    template<std::size_t Segment>
    auto& room() noexcept
    {
        return segment<Segment>().outcome.held;
    }
    template<std::size_t Segment>
    void begin_call() noexcept
    {
        if constexpr (Segment != 0) std::construct_at(&segment<Segment>().call.held, slot<Plan::borders::places[Segment - 1]>(), *this);
    }
    template<std::size_t Segment>
    [[gnu::always_inline]] auto& call_of_segment() noexcept
    {
        if constexpr (Segment == 0)
            return static_cast<call_type&>(*this);
        else
            return segment<Segment>().call.held;
    }
    template<std::size_t Index>
    [[gnu::always_inline]] auto& as_call() noexcept
    {
        return call_of_segment<segment_of(Index)>();
    }

    template<std::size_t Index>
    [[gnu::always_inline]] bool enter()
    {
        begin_slot<Index>();
        try {
            return entered<Index>(layer_at<Index>::enter(policies_.template get<Index>(), slot<Index>(), as_call<Index>(), stop<Index>()));
        } catch (...) {
            thrown_at<Index>();
            throw;
        }
    }
    template<std::size_t Index>
    [[gnu::always_inline]] bool leave()
    {
        try {
            if (!layer_at<Index>::leave(policies_.template get<Index>(), slot<Index>(), as_call<Index>(), stop<Index>())) {
                if constexpr (is_role<policy_at<Index>, loop>) repeats<Index>();
                return false;
            }
        } catch (...) {
            thrown_at<Index>();
            if constexpr (is_told<Index>) this->tell(event::dropped{where_is<Index>});
            throw;
        }
        left<Index>();
        return true;
    }
    template<std::size_t Index>
    [[gnu::always_inline]] act resume([[maybe_unused]] bool in_time)
    {
        if constexpr (layer_at<Index>::parks) {
            try {
                return entered<Index>(layer_at<Index>::resume(policies_.template get<Index>(), slot<Index>(), as_call<Index>(),
                                                              stop<Index>(), in_time))
                           ? act::call
                           : next_;
            } catch (...) {
                thrown_at<Index>();
                if constexpr (is_told<Index>) this->tell(event::dropped{where_is<Index>});
                throw;
            }
        } else
            return act::unwind;
    }
    /// A policy has said what it wants.
    template<std::size_t Index>
    [[gnu::always_inline]] bool entered(bool goes_on)
    {
        if (goes_on) [[likely]] {
            if constexpr (is_told<Index>) this->tell(event::admitted{where_is<Index>});
            return true;
        }
        if constexpr (is_told<Index>) tell_why<Index>();
        if (next_ == act::unwind) end_slot<Index>();
        return false;
    }
    /// A policy has settled.
    template<std::size_t Index>
    [[gnu::always_inline]] void left()
    {
        end_slot<Index>();
        if constexpr (is_told<Index>) this->tell(event::settled{where_is<Index>, room<segment_of(Index)>().has_error()});
    }
    /// What was reported further in belonged to an attempt that is made again.
    template<std::size_t Index>
    void repeats() noexcept
    {
        if constexpr (is_told<Index>) this->tell(event::repeated{where_is<Index>, delay_});
        (forget_reports<Index, I>(), ...);
    }
    template<std::size_t Loop, std::size_t Index>
    void forget_reports() noexcept
    {
        if constexpr (Index > Loop) forget(typename reports_of<policy_at<Index>>::type{});
    }
    template<class... Facts>
    void forget(facets<Facts...>) noexcept
    {
        (this->template forget_report<Facts>(), ...);
    }
    template<std::size_t Index>
    [[gnu::always_inline]] void begin_slot()
    {
        if constexpr (std::is_trivially_default_constructible_v<slot_at<Index>>)
            return;
        else if constexpr (std::is_nothrow_default_constructible_v<slot_at<Index>>)
            std::construct_at(&slot<Index>());
        else
            try {
                std::construct_at(&slot<Index>());
            } catch (...) {
                this->depth_is(Index);
                throw;
            }
    }
    template<std::size_t Index>
    void end_slot() noexcept
    {
        if constexpr (!std::is_trivially_destructible_v<slot_at<Index>>) std::destroy_at(&slot<Index>());
    }
    /// A policy threw: those further out are dropped when the machine is destroyed.
    template<std::size_t Index>
    [[gnu::always_inline]] void thrown_at() noexcept
    {
        end_slot<Index>();
        this->depth_is(Index);
    }
    template<std::size_t Index>
    [[gnu::always_inline]] void drop() noexcept
    {
        if (Index >= this->left_.policies) return;
        layer_at<Index>::drop(policies_.template get<Index>(), slot<Index>());
        end_slot<Index>();
        if constexpr (is_told<Index>) this->tell(event::dropped{where_is<Index>});
    }
    // Inlined although it is cold: a call would let the machine escape, and every call of a policy would then reload it.
    [[gnu::always_inline]] void drop_all() noexcept
    {
        (drop<size - 1 - I>(), ...);
        this->depth_is(0);
    }

    template<std::size_t Segment>
    static constexpr bool outcome_ends = !std::is_trivially_destructible_v<typename Plan::template outcome_at<Segment>>;
    template<std::size_t Segment>
    void end_outcome() noexcept
    {
        if constexpr (outcome_ends<Segment>)
            if ((outcomes_ & 1u << Segment) != 0) {
                outcomes_ = static_cast<std::uint8_t>(outcomes_ & ~(1u << Segment));
                std::destroy_at(&room<Segment>());
            }
    }
    /// The outcome of a segment is what `make` gives.
    template<std::size_t Segment, class Make>
    [[gnu::always_inline]] void put(Make&& make)
    {
        end_outcome<Segment>();
        ::new (place<Segment>()) typename Plan::template outcome_at<Segment>(make());
        begin_outcome<Segment>();
    }
    template<std::size_t Segment>
    void* place() noexcept
    {
        return &room<Segment>();
    }
    template<std::size_t Segment>
    void begin_outcome() noexcept
    {
        if constexpr (outcome_ends<Segment>) outcomes_ = static_cast<std::uint8_t>(outcomes_ | 1u << Segment);
    }
    template<std::size_t Segment>
    void fail(error e) noexcept
    {
        end_outcome<Segment>();
        ::new (place<Segment>()) typename Plan::template outcome_at<Segment>(e);
        begin_outcome<Segment>();
    }
    [[nodiscard]] bool is_unanswered()
    {
        return outcome().has_error() && outcome().error() == errc::handler_threw && this->left_.exceptions != 0;
    }
    [[noreturn]] void rethrow() { std::rethrow_exception(this->thrown()); }

    template<std::size_t Index>
    static constexpr bool is_told = call_type::is_observed && !is_role<policy_at<Index>, directive>;
    template<std::size_t Index>
    static constexpr event::place where_is{static_cast<std::uint8_t>(Policies::first + Index), Policies::template name_at<Index>()};
    template<std::size_t Index>
    void tell_why()
    {
        switch (next_) {
        case act::sleep:
            this->tell(event::delayed{where_is<Index>, delay_});
            this->tell(event::admitted{where_is<Index>});
            break;
        case act::park: this->tell(event::parked{where_is<Index>, until()}); break;
        case act::decide: this->tell(event::asks{where_is<Index>}); break;
        case act::fork: this->tell(event::forked{where_is<Index>}); break;
        default:
            if (outcome_at<Index> const& o = room<segment_of(Index)>(); o.has_error())
                this->tell(event::refused{where_is<Index>, o.error()});
            else
                this->tell(event::answered{where_is<Index>});
        }
    }

    template<class, std::size_t, std::size_t>
    friend class stopper;
    template<std::size_t Index>
    [[gnu::always_inline]] auto stop() noexcept
    {
        return stopper<machine, Index, segment_of(Index)>(*this);
    }

    Policies& policies_;
    duration delay_; // these four are set with the step that needs them
    time_point until_;
    waiter* waiter_;
    split split_;
    // Four bytes in a row: a compiler sets them with one store.
    std::uint8_t at_ = 0;
    std::uint8_t answered_by_ = error::no_policy;
    std::uint8_t outcomes_ = 0; // a bit for each that is there
    act next_ = act::done;
};

} // namespace weir::inline v0::detail
