// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/layer.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <utility>

namespace weir::inline v0::detail {

/// What a driver has to do next.
enum class act : std::uint8_t {
    call,   ///< call the handler, then `ascend`
    sleep,  ///< sleep for `delay()`, then `descend_on`
    park,   ///< wait for `parked()` until `until()`, then `woken`
    unwind, ///< `ascend_on`
    done,   ///< `take` the outcome
};

/// Room for a slot that begins and ends by itself.
template<class Slot>
union slot_room {
    slot_room() noexcept {}
    ~slot_room() {}
    [[no_unique_address]] Slot held;
};
template<class Slot>
requires(std::is_empty_v<Slot>) union slot_room<Slot> {
    slot_room() noexcept : held() {}
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
    static constexpr std::size_t size = sizeof...(I);
    static constexpr bool may_sleep = (is_role<typename Policies::template policy_at<I>, loop> || ...);
    static constexpr bool may_park = (layer<typename Policies::template policy_at<I>, Call, Outcome>::parks || ...);

    template<class... CallArguments>
    explicit machine(Policies& policies, CallArguments&&... arguments)
        : Call(std::forward<CallArguments>(arguments)...), policies_(policies)
    {
    }
    ~machine()
    {
        if (depth_ != 0) [[unlikely]]
            drop_all();
    }

    act descend() { return (enter<I>() && ...) ? act::call : next_; }
    act ascend()
    {
        this->turn();
        return (leave<size - 1 - I>() && ...) ? act::done : next_;
    }
    /// Down again after what the policy at `at()` wanted: from the one further in.
    act descend_on()
    {
        this->turn();
        unsigned const from = at_;
        return ((I <= from || enter<I>()) && ...) ? act::call : next_;
    }
    /// Up from the policy further out than `at()`.
    act ascend_on()
    {
        this->turn();
        unsigned const from = at_;
        return ((size - 1 - I >= from || leave<size - 1 - I>()) && ...) ? act::done : next_;
    }
    /// Up again, after the handler was called again.
    act ascend_again()
    {
        at_ = size;
        return ascend_on();
    }
    /// The call was woken, or has waited in vain: what the policy that parked it says now.
    act woken(bool in_time)
    {
        this->turn();
        act next = act::unwind;
        unsigned const from = at_;
        static_cast<void>(((I == from && (next = resume<I>(in_time), true)) || ...));
        return next == act::call ? descend_on() : next;
    }
    /// A driver is about to leave the machine alone, while the handler runs or the call waits: if the machine is destroyed
    /// meanwhile, this is how far down it was.
    void leave_alone(act why) noexcept { depth_ = why == act::call ? size : at_ + 1u; }
    void back() noexcept { depth_ = 0; }
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
    [[nodiscard]] Outcome& outcome() noexcept { return outcome_; }
    /// The policy that answered or refused by itself; `error::no_policy` if the handler answered.
    [[nodiscard]] std::uint8_t answered_by() const noexcept { return answered_by_; }

    /// Runs the handler and keeps what it returns or throws.
    template<class Invoke>
    void outcome_of(Invoke&& invoke)
    {
        std::destroy_at(&outcome_);
        try {
            if constexpr (std::is_same_v<decltype(invoke()), Outcome>)
                ::new (static_cast<void*>(&outcome_)) Outcome(invoke());
            else if constexpr (std::is_void_v<decltype(invoke())>) {
                invoke();
                ::new (static_cast<void*>(&outcome_)) Outcome();
            } else
                ::new (static_cast<void*>(&outcome_)) Outcome(boost::system::in_place_value, invoke());
        } catch (...) {
            ::new (static_cast<void*>(&outcome_)) Outcome(error(errc::handler_threw));
            exception_ = std::current_exception();
        }
        answered_by_ = error::no_policy;
    }
    /// Keeps what the handler returned.
    void keep()
    {
        outcome_ = Outcome();
        answered_by_ = error::no_policy;
    }
    template<class Returned>
    void keep(Returned&& returned)
    {
        if constexpr (std::is_same_v<std::remove_cvref_t<Returned>, Outcome>)
            outcome_ = std::forward<Returned>(returned);
        else
            outcome_ = Outcome(boost::system::in_place_value, std::forward<Returned>(returned));
        answered_by_ = error::no_policy;
    }
    void fails(error e) noexcept
    {
        outcome_ = e;
        exception_ = nullptr;
    }
    void threw(std::exception_ptr exception) noexcept
    {
        outcome_ = error(errc::handler_threw);
        exception_ = std::move(exception);
    }

    /// The outcome. An exception of the handler that nobody answered is thrown on.
    [[nodiscard]] Outcome take()
    {
        if (outcome_.has_error() && outcome_.error() == errc::handler_threw && exception_ != nullptr) [[unlikely]]
            rethrow();
        return std::move(outcome_);
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
        if (next_ == act::unwind) std::destroy_at(&slot<Index>());
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
        std::destroy_at(&slot<Index>());
        return true;
    }
    template<std::size_t Index>
    act resume([[maybe_unused]] bool in_time)
    {
        if constexpr (layer_at<Index>::parks) {
            if (layer_at<Index>::resume(policies_.template get<Index>(), slot<Index>(), as_call(), stop<Index>(), in_time))
                return act::call;
            if (next_ == act::unwind) std::destroy_at(&slot<Index>());
            return next_;
        } else
            return act::unwind;
    }
    /// A policy threw: those further out are dropped when the machine is destroyed.
    template<std::size_t Index>
    [[gnu::cold]] void thrown_at() noexcept
    {
        std::destroy_at(&slot<Index>());
        depth_ = Index;
    }
    template<std::size_t Index>
    void drop() noexcept
    {
        if (Index >= depth_) return;
        layer_at<Index>::drop(policies_.template get<Index>(), slot<Index>());
        std::destroy_at(&slot<Index>());
    }
    [[gnu::noinline, gnu::cold]] void drop_all() noexcept
    {
        (drop<size - 1 - I>(), ...);
        depth_ = 0;
    }
    [[noreturn]] void rethrow() { std::rethrow_exception(std::exchange(exception_, nullptr)); }

    /// What a layer can do besides going on: each returns false, "stop here".
    template<std::size_t Index>
    class stopper {
    public:
        explicit stopper(machine& m) noexcept : machine_(m) {}
        [[nodiscard]] Outcome& outcome() const noexcept { return machine_.outcome_; }
        bool refuse(error e) const noexcept
        {
            machine_.outcome_ = e.policy() == error::no_policy ? e.by(Index) : e;
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
    Outcome outcome_{error(errc::cancelled)};
    std::exception_ptr exception_;
    duration delay_{};
    time_point until_{};
    waiter* waiter_ = nullptr;
    std::size_t depth_ = 0;
    std::uint8_t at_ = 0;
    std::uint8_t answered_by_ = error::no_policy;
    act next_ = act::done;
};

} // namespace weir::inline v0::detail
