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
    : public Call, private leaf<I, slot_t<typename Policies::template policy_at<I>, Call, Outcome>>... {
public:
    static constexpr std::size_t size = sizeof...(I);
    static constexpr bool may_sleep = (is_role<typename Policies::template policy_at<I>, loop> || ...);
    static constexpr bool may_park = (layer<typename Policies::template policy_at<I>, Call, Outcome>::parks || ...);

    template<class... CallArguments>
    explicit constexpr machine(Policies& policies, CallArguments&&... arguments)
        : Call(std::forward<CallArguments>(arguments)...), policies_(policies)
    {
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
    /// The caller gave up: every permit is dropped, innermost first.
    void cancel() noexcept
    {
        (drop<size - 1 - I>(), ...);
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
        if (exception_ != nullptr) [[unlikely]]
            rethrow();
        return std::move(outcome_);
    }
    [[nodiscard]] std::exception_ptr const& exception() const noexcept { return exception_; }
    using Call::reports;

private:
    template<std::size_t Index>
    using policy_at = typename Policies::template policy_at<Index>;
    template<std::size_t Index>
    using layer_at = layer<policy_at<Index>, Call, Outcome>;
    template<std::size_t Index>
    auto& slot() noexcept
    {
        return static_cast<leaf<Index, slot_t<policy_at<Index>, Call, Outcome>>&>(*this).value;
    }
    Call& as_call() noexcept { return *this; }

    template<std::size_t Index>
    bool enter()
    {
        return layer_at<Index>::enter(policies_.template get<Index>(), slot<Index>(), as_call(), stop<Index>());
    }
    template<std::size_t Index>
    bool leave()
    {
        return layer_at<Index>::leave(policies_.template get<Index>(), slot<Index>(), as_call(), stop<Index>());
    }
    template<std::size_t Index>
    act resume(bool in_time)
    {
        if constexpr (layer_at<Index>::parks)
            return layer_at<Index>::resume(policies_.template get<Index>(), slot<Index>(), as_call(), stop<Index>(), in_time) ? act::call
                                                                                                                              : next_;
        else
            return act::unwind;
    }
    template<std::size_t Index>
    void drop() noexcept
    {
        using slot_type = slot_t<policy_at<Index>, Call, Outcome>;
        if constexpr (!std::is_trivially_destructible_v<slot_type>) {
            std::destroy_at(&slot<Index>());
            std::construct_at(&slot<Index>());
        }
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
            machine_.exception_ = nullptr;
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
        /// The outcome may have been replaced: an exception that was answered is forgotten.
        void mended() const noexcept
        {
            if (machine_.exception_ != nullptr && !(machine_.outcome_.has_error() && machine_.outcome_.error() == errc::handler_threw))
                [[unlikely]] {
                machine_.exception_ = nullptr;
                machine_.answered_by_ = Index;
            }
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
    std::uint8_t at_ = 0;
    std::uint8_t answered_by_ = error::no_policy;
    act next_ = act::done;
};

} // namespace weir::inline v0::detail
