// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/detail/layer.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <utility>

namespace weir::inline v0::detail {

/// What a driver has to do next.
enum class act : std::uint8_t {
    call,   ///< call the handler, then `ascend`
    again,  ///< `descend_on`
    sleep,  ///< sleep for `delay()`, then `again`
    park,   ///< wait for `parked()` until `until()`, then `woken`
    unwind, ///< `ascend_on`
    done,   ///< give the outcome
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

/// One call on its way through the policies: its facets, one slot a policy, its outcome. Two moves: down, asking each policy
/// in turn, and up, settling them in reverse. Both come twice: straight through, for the common way, and from any policy on, for what
/// follows a refusal, a sleep or a wait. A driver carries out what lies between the moves; it is the only one who waits.
///
/// A machine that is destroyed before its outcome was taken drops its permits unsettled, innermost first: the call was cancelled.
///
/// `Policies` holds the policies: `Policies::policy_at<I>` is the type of one, `policies.template get<I>()` the policy.
template<class Policies, class Call, class Outcome, class Indices = std::make_index_sequence<Policies::size>>
class machine;

template<class Policies, class Call, class Outcome, std::size_t... I>
class machine<Policies, Call, Outcome, std::index_sequence<I...>>
    : public Call, private leaf<I, slot_room<slot_t<typename Policies::template policy_at<I>, Call, Outcome>>>... {
public:
    using call_type = Call;
    static constexpr std::size_t size = sizeof...(I);
    static_assert(size < error::no_policy, "a pipeline has at most 254 policies: an error names its policy in a byte");
    static constexpr bool may_sleep = (is_role<typename Policies::template policy_at<I>, loop> || ...);
    /// A source writes the outcome before there is one.
    static constexpr bool may_answer = (layer<typename Policies::template policy_at<I>, Call, Outcome>::answers || ...);
    static constexpr bool may_park = (layer<typename Policies::template policy_at<I>, Call, Outcome>::parks || ...);

    template<class... CallArguments>
    explicit machine(Policies& policies, CallArguments&&... arguments)
        : Call(std::forward<CallArguments>(arguments)...), policies_(policies)
    {
        if constexpr (may_answer) fails(errc::cancelled);
    }
    [[gnu::always_inline]] ~machine()
    {
        if (std::bit_cast<std::uint32_t>(this->left_) != 0) [[unlikely]] {
            drop_all();
            this->forget_exception();
        }
        end_outcome();
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
    /// A driver is about to leave the machine alone, while the handler runs or the call waits: if the machine is destroyed
    /// meanwhile, this is how far down it was.
    void leave_alone(act why) noexcept { this->depth_is(why == act::call ? size : at_ + 1u); }
    void back() noexcept { this->depth_is(0); }
    /// The caller gave up while the machine was left alone: every permit is dropped, innermost first.
    void cancel() noexcept
    {
        drop_all();
        fails(errc::cancelled);
    }

    [[nodiscard]] unsigned at() const noexcept { return at_; }
    [[nodiscard]] duration delay() const noexcept { return delay_; }
    [[nodiscard]] time_point until() const noexcept { return std::min(until_, this->deadline().at); }
    [[nodiscard]] waiter& parked() const noexcept { return *waiter_; }
    [[nodiscard]] Outcome& outcome() noexcept { return outcome_.held; }
    /// The policy that answered or refused by itself; `error::no_policy` if the handler answered.
    [[nodiscard]] std::uint8_t answered_by() const noexcept { return answered_by_; }

    /// Runs the handler and keeps what it returns or throws.
    template<class Invoke>
    [[gnu::always_inline]] void outcome_of(Invoke&& invoke)
    {
        using returned = decltype(invoke());
        end_outcome();
        try {
            if constexpr (std::is_same_v<returned, Outcome>)
                ::new (room_of_outcome()) Outcome(invoke());
            else if constexpr (std::is_void_v<returned>) {
                invoke();
                ::new (room_of_outcome()) Outcome();
            } else
                ::new (room_of_outcome()) Outcome(boost::system::in_place_value, invoke());
            begin_outcome();
        } catch (...) {
            threw(std::current_exception());
        }
    }
    /// Keeps what the handler returned.
    template<class... Returned>
    void keep(Returned&&... returned)
    {
        end_outcome();
        if constexpr ((std::is_same_v<std::remove_cvref_t<Returned>, Outcome> && ...))
            ::new (room_of_outcome()) Outcome(std::forward<Returned>(returned)...);
        else
            ::new (room_of_outcome()) Outcome(boost::system::in_place_value, std::forward<Returned>(returned)...);
        begin_outcome();
    }
    void fails(error e) noexcept
    {
        end_outcome();
        ::new (room_of_outcome()) Outcome(e);
        begin_outcome();
    }
    void threw(std::exception_ptr exception) noexcept
    {
        fails(errc::handler_threw);
        this->thrown(std::move(exception));
    }

    /// An exception of the handler that nobody answered is thrown on.
    void rethrow_if_unanswered()
    {
        if (outcome().has_error() && outcome().error() == errc::handler_threw && this->left_.exceptions != 0) [[unlikely]]
            rethrow();
    }
    using Call::reports;

private:
    template<std::size_t Index>
    using policy_at = typename Policies::template policy_at<Index>;
    template<std::size_t Index>
    using layer_at = layer<policy_at<Index>, Call, Outcome>;
    template<std::size_t Index>
    using slot_at = slot_t<policy_at<Index>, Call, Outcome>;
    template<std::size_t Index>
    auto& slot() noexcept
    {
        return static_cast<leaf<Index, slot_room<slot_at<Index>>>&>(*this).value.held;
    }
    Call& as_call() noexcept { return *this; }

    template<std::size_t Index>
    [[gnu::always_inline]] bool enter()
    {
        if constexpr (!std::is_trivially_default_constructible_v<slot_at<Index>>) std::construct_at(&slot<Index>());
        try {
            if (layer_at<Index>::enter(policies_.template get<Index>(), slot<Index>(), as_call(), stop<Index>())) return true;
        } catch (...) {
            thrown_at<Index>();
            throw;
        }
        if (next_ == act::unwind) end_slot<Index>();
        return false;
    }
    template<std::size_t Index>
    [[gnu::always_inline]] bool leave()
    {
        try {
            if (!layer_at<Index>::leave(policies_.template get<Index>(), slot<Index>(), as_call(), stop<Index>())) return false;
        } catch (...) {
            thrown_at<Index>();
            throw;
        }
        end_slot<Index>();
        return true;
    }
    template<std::size_t Index>
    [[gnu::always_inline]] act resume([[maybe_unused]] bool in_time)
    {
        if constexpr (layer_at<Index>::parks) {
            try {
                if (layer_at<Index>::resume(policies_.template get<Index>(), slot<Index>(), as_call(), stop<Index>(), in_time))
                    return act::call;
            } catch (...) {
                thrown_at<Index>();
                throw;
            }
            if (next_ == act::unwind) end_slot<Index>();
            return next_;
        } else
            return act::unwind;
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
    }
    // Inlined although it is cold: a call would let the machine escape, and every call of a policy would then reload it.
    [[gnu::always_inline]] void drop_all() noexcept
    {
        (drop<size - 1 - I>(), ...);
        this->depth_is(0);
    }
    void* room_of_outcome() noexcept { return &outcome_; }
    static constexpr bool outcome_ends = !std::is_trivially_destructible_v<Outcome>;
    void begin_outcome() noexcept
    {
        if constexpr (outcome_ends) has_outcome_ = true;
    }
    void end_outcome() noexcept
    {
        if constexpr (outcome_ends)
            if (std::exchange(has_outcome_, false)) std::destroy_at(&outcome_.held);
    }
    [[noreturn]] void rethrow() { std::rethrow_exception(this->thrown()); }

    /// What a layer can do besides going on: each returns false, "stop here".
    template<std::size_t Index>
    class stopper {
    public:
        explicit stopper(machine& m) noexcept : machine_(m) {}
        [[nodiscard]] Outcome& outcome() const noexcept { return machine_.outcome(); }
        bool refuse(error e) const noexcept
        {
            machine_.fails(e.policy() == error::no_policy ? e.by(Index) : e);
            return answered();
        }
        bool answered() const noexcept
        {
            machine_.answered_by_ = Index;
            return stop(act::unwind);
        }
        bool sleep(duration d) const noexcept
        {
            machine_.delay_ = d;
            return stop(act::sleep);
        }
        bool park(waiter& w, time_point until) const noexcept
        {
            machine_.waiter_ = &w;
            machine_.until_ = until;
            return stop(act::park);
        }
        void deadline_is_mine() const noexcept { machine_.deadline_is_of(Index); }

    private:
        bool stop(act next) const noexcept
        {
            machine_.at_ = Index;
            machine_.next_ = next;
            return false;
        }
        machine& machine_;
    };
    template<std::size_t Index>
    stopper<Index> stop() noexcept
    {
        return stopper<Index>(*this);
    }

    Policies& policies_;
    slot_room<Outcome> outcome_;
    duration delay_; // these three are set with the step that needs them
    time_point until_;
    waiter* waiter_;
    // Eight bytes in a row: a compiler sets them with one store.
    std::uint8_t at_ = 0;
    std::uint8_t answered_by_ = error::no_policy;
    bool has_outcome_ = false;
    act next_ = act::done;
};

} // namespace weir::inline v0::detail
