// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/detail/detour.hpp>
#include <weir/core/detail/layer.hpp>
#include <weir/core/detail/outcomes.hpp>
#include <weir/core/detail/room.hpp>
#include <weir/core/detail/segments.hpp>
#include <weir/core/detail/stage.hpp>
#include <weir/core/detail/stop.hpp>
#include <weir/core/events.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

namespace weir::inline v0::detail {

/// One call on its way through the policies: its facets, one slot a policy, its outcomes. Two moves: down, asking each policy
/// in turn, and up, settling them in reverse. Both come twice: straight through, for the common way, and from any policy on, for what
/// follows a refusal, a sleep or a wait. A driver carries out what lies between the moves; it is the only one who waits. What each policy
/// does in a move is its `stage`'s matter.
///
/// A machine that is destroyed before its outcome was taken drops its permits unsettled, innermost first: the call was cancelled.
///
/// `Policies` holds the policies: `Policies::policy_at<I>` is the type of one, `policies.template get<I>()` the policy; `Plan` is a
/// `call_plan`.
template<class Policies, class Plan, class Indices = std::make_index_sequence<Policies::size>,
         class Segments = std::make_index_sequence<Plan::last + 1>>
class machine;

template<class Policies, class Plan, std::size_t... I, std::size_t... S>
class machine<Policies, Plan, std::index_sequence<I...>, std::index_sequence<S...>>
    : public Plan::call_type,
      private leaf<Policies::size + S, view_room<S, typename Plan::template call_at<S>>>...,
      private leaf<I,
                   slot_room<slot_t<typename Policies::template policy_at<I>, typename Plan::template call_at<Plan::borders::segment_of(I)>,
                                    typename Plan::template outcome_at<Plan::borders::segment_of(I)>>>>... {
    static constexpr std::size_t segment_of(std::size_t index) noexcept { return Plan::borders::segment_of(index); }
    template<std::size_t Index>
    using policy_at = typename Policies::template policy_at<Index>;
    template<std::size_t Index>
    using layer_at =
        layer<policy_at<Index>, typename Plan::template call_at<segment_of(Index)>, typename Plan::template outcome_at<segment_of(Index)>>;
    template<std::size_t Index>
    using stage_at = stage<machine, Index>;
    template<class, std::size_t>
    friend class stage;
    template<class, std::size_t, std::size_t>
    friend class stopper;

    template<bool... Flags>
    static constexpr auto places_where() noexcept
    {
        return typename decltype((places<>() + ... + std::conditional_t<Flags, places<I>, places<>>()))::sequence();
    }

public:
    using call_type = typename Plan::call_type;
    using outcome_type = typename Plan::template outcome_at<0>;
    using handler_outcome = typename Plan::template outcome_at<Plan::last>;
    static constexpr std::size_t size = sizeof...(I);
    static constexpr std::size_t first = Policies::first;
    static constexpr bool can_fork = Plan::can_fork;
    static constexpr bool blocks = Plan::blocks;
    static_assert(first + size < error::no_policy, "a pipeline has at most 254 policies: an error names its policy in a byte");
    static constexpr bool may_sleep = (is_role<policy_at<I>, loop> || ...);
    /// A source writes the outcome before there is one.
    static constexpr bool may_answer = (layer_at<I>::answers || ...);
    static constexpr bool may_park = (layer_at<I>::parks || ...);
    /// The places of the policies that ask elsewhere, that tell elsewhere, that fork, and that run the inside elsewhere.
    using deciding = decltype(places_where<layer_at<I>::pends...>());
    using finishing = decltype(places_where<layer_at<I>::finishes_later...>());
    using splitting = decltype(places_where<(Plan::can_fork && layer_at<I>::splits)...>());
    using sending = decltype(places_where<is_role<policy_at<I>, detour>...>());
    /// Those of the policies that report.
    using reporting = decltype(places_where<!std::is_same_v<typename reports_of<policy_at<I>>::type, facets<>>...>());
    static constexpr std::size_t first_deciding = place_of(std::array<bool, size>{layer_at<I>::pends...});
    template<std::size_t Index>
    using outcome_of = typename Plan::template outcome_at<segment_of(Index)>;
    /// What a source has of a call.
    template<std::size_t Index>
    using token_at = typename layer_at<Index>::slot;

    template<class Request, class... More>
    explicit machine(Policies& policies, Request& request, More&... more) : call_type(request, more...), policies_(policies)
    {
        (begin_view<S>(), ...);
        if constexpr (may_answer) outcomes_.fail_all(errc::cancelled);
    }
    [[gnu::always_inline]] ~machine()
    {
        if (std::bit_cast<std::uint32_t>(this->left_) != 0) [[unlikely]] {
            drop_all();
            this->forget_exception();
        }
    }

    act descend() { return (stage_at<I>::enter(*this) && ...) ? act::call : next_; }
    [[gnu::always_inline]] act ascend()
    {
        this->turn();
        return (stage_at<size - 1 - I>::leave(*this) && ...) ? act::done : next_;
    }
    /// Down again after what the policy at `at()` wanted: from the one further in.
    [[gnu::always_inline]] act descend_on()
    {
        this->turn();
        answered_by_ = error::no_policy;
        unsigned const from = at_;
        return ((I <= from || stage_at<I>::enter(*this)) && ...) ? act::call : next_;
    }
    /// Up from the policy further out than `at()`.
    [[gnu::always_inline]] act ascend_on()
    {
        this->turn();
        unsigned const from = at_;
        return ((size - 1 - I >= from || stage_at<size - 1 - I>::leave(*this)) && ...) ? act::done : next_;
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
        static_cast<void>(((I == from && (next = stage_at<I>::resume(*this, in_time), true)) || ...));
        return next == act::call ? act::again : next;
    }
    /// The decision of the policy at `Index`, to be awaited, and what it is.
    template<std::size_t Index>
    auto decide()
    {
        this->turn();
        return stage_at<Index>::decide(*this);
    }
    template<std::size_t Index, class Decision>
    act decided(Decision const& decision)
    {
        this->turn();
        return stage_at<Index>::decided(*this, decision);
    }
    /// The decision cannot come any more.
    act refused(error e)
    {
        at_place(deciding(), at_, [&](auto index) { stage_at<index>::refused(*this, e); });
        return next_;
    }
    /// What the policy at `Index` has to tell elsewhere, to be awaited, and that it was told.
    template<std::size_t Index>
    auto finish()
    {
        return stage_at<Index>::finish(*this);
    }
    /// What it told, if that is the outcome now.
    template<std::size_t Index, class Other>
    void finished_with(Other&& other)
    {
        stage_at<Index>::finished_with(*this, std::forward<Other>(other));
    }
    act finished()
    {
        at_place(finishing(), at_, [&](auto index) { stage_at<index>::left(*this); });
        return act::unwind;
    }
    /// For a fork: the call as the policy at `Index` sees it.
    template<std::size_t Index>
    [[nodiscard, gnu::always_inline]] auto& call_of() noexcept
    {
        return view_of<segment_of(Index)>();
    }
    /// The policy at `Index` hands over to its fork, and what the call does then.
    template<std::size_t Index, class Token>
    void fork_into(Token& other)
    {
        policies_.template get<Index>().fork(slot<Index>(), other);
    }
    template<std::size_t Index>
    act forked()
    {
        return stage_at<Index>::forked(*this);
    }
    /// There is no fork: the call loads for itself, or goes up with what it has.
    template<std::size_t Index>
    act not_forked()
    {
        return stage_at<Index>::not_forked(*this);
    }

    /// The inside of the policy at `Index` goes to another thread, if the policy takes it.
    template<std::size_t Index, class Errand>
    act sent(Errand& errand)
    {
        return stage_at<Index>::sent(*this, errand);
    }

    /// A driver is about to leave the machine alone, while the handler runs or the call waits: if the machine is destroyed
    /// meanwhile, this is how far down it was.
    void leave_alone(act why) noexcept { this->depth_is(why == act::call ? size : at_ + 1u); }
    void back() noexcept { this->depth_is(0); }
    /// The caller gave up while the machine was left alone: every permit is dropped, innermost first.
    void cancel() noexcept
    {
        drop_all();
        outcomes_.template fail<0>(errc::cancelled);
    }

    [[nodiscard]] unsigned at() const noexcept { return at_; }
    [[nodiscard]] duration delay() const noexcept { return delay_; }
    [[nodiscard]] time_point until() const noexcept { return std::min(until_, this->deadline().at); }
    [[nodiscard]] waiter& parked() const noexcept { return *waiter_; }
    [[nodiscard]] outcome_type& outcome() noexcept { return outcomes_.template at<0>(); }
    /// The policy that answered or refused by itself; `error::no_policy` if the handler answered.
    [[nodiscard]] std::uint8_t answered_by() const noexcept { return answered_by_; }

    /// The call as the handler sees it, and what came of it.
    [[nodiscard, gnu::always_inline]] auto& handlers_call() noexcept { return view_of<Plan::last>(); }
    [[nodiscard]] handler_outcome& handlers_outcome() noexcept { return outcomes_.template at<Plan::last>(); }

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
            outcomes_.template put<Plan::last>([&]() -> handler_outcome {
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
    /// The handler is called, by the driver, and has returned; the call is over: for the observer.
    void calls() { this->tell(event::called{}); }
    void has_returned() { this->tell(event::returned{handlers_outcome().has_error()}); }
    void ends() { this->tell(event::ended{answered_by_, outcome().has_error()}); }
    /// What the handler returned, the error in its place, or what it threw.
    template<class... Returned>
    void keep(Returned&&... returned)
    {
        outcomes_.keep(std::forward<Returned>(returned)...);
    }
    void fails(error e) noexcept { outcomes_.template fail<Plan::last>(e); }
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
    static constexpr std::string_view name_at() noexcept
    {
        return Policies::template name_at<Index>();
    }
    template<std::size_t Index>
    [[gnu::always_inline]] auto& slot() noexcept
    {
        return static_cast<leaf<Index, slot_room<typename layer_at<Index>::slot>>&>(*this).value.held;
    }
    /// The call as the policies of a segment see it.
    template<std::size_t Segment>
    [[gnu::always_inline]] auto& view_of() noexcept
    {
        if constexpr (Segment == 0)
            return static_cast<call_type&>(*this);
        else
            return static_cast<leaf<size + Segment, view_room<Segment, typename Plan::template call_at<Segment>>>&>(*this).value.room.held;
    }
    template<std::size_t Segment>
    void begin_view() noexcept
    {
        if constexpr (Segment != 0) std::construct_at(&view_of<Segment>(), slot<Plan::borders::places[Segment - 1]>(), *this);
    }

    template<std::size_t Loop, std::size_t... Reporting>
    void forget_reports_inside(std::index_sequence<Reporting...>) noexcept
    {
        (forget_reports<Loop, Reporting>(), ...);
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
    // Inlined although it is cold: a call would let the machine escape, and every call of a policy would then reload it.
    [[gnu::always_inline]] void drop_all() noexcept
    {
        (stage_at<size - 1 - I>::drop(*this), ...);
        this->depth_is(0);
    }
    [[nodiscard]] bool is_unanswered()
    {
        return outcome().has_error() && outcome().error() == errc::handler_threw && this->left_.exceptions != 0;
    }
    [[noreturn]] void rethrow() { std::rethrow_exception(this->thrown()); }

    Policies& policies_;
    outcomes<Plan> outcomes_;
    duration delay_; // these four are set with the step that needs them
    time_point until_;
    waiter* waiter_;
    split split_;
    // Four bytes in a row: a compiler sets them with one store.
    std::uint16_t at_ = 0;
    std::uint8_t answered_by_ = error::no_policy;
    act next_ = act::done;
};

} // namespace weir::inline v0::detail
