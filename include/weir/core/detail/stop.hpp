// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/admission.hpp>
#include <weir/core/contracts.hpp>
#include <weir/core/detail/blocked_thread.hpp>
#include <weir/core/park.hpp>
#include <weir/core/result.hpp>

#include <cstddef>
#include <cstdint>
#include <new>

namespace weir::inline v0::detail {

/// What a driver has to do next.
enum class act : std::uint8_t {
    call,   ///< call the handler, then `ascend`
    again,  ///< `descend_on`
    sleep,  ///< sleep for `delay()`, then `again`
    park,   ///< wait for `parked()` until `until()`, then `woken`
    decide, ///< await `decide` of the policy at `at()`, then `decided`
    finish, ///< await `finish` of the policy at `at()`, then `finished`
    fork,   ///< run the inside of the policy at `at()` on its own, then `forked`
    send,   ///< let the inside of the policy at `at()` run on another thread, then `sent`
    unwind, ///< `ascend_on`
    done,   ///< give the outcome
};

/// What a layer can do besides going on: each returns false, "stop here". `Index` is the place of its policy, `Segment` that of its
/// outcome. A place that is no argument of the template makes fewer types, but costs every call: g++ 12 then no longer joins the stores
/// (213 instructions for six policies, in place of 198).
template<class Machine, std::size_t Index, std::size_t Segment>
class stopper {
    static constexpr std::size_t place = Machine::first + Index;

public:
    static constexpr bool can_fork = Machine::can_fork;
    explicit stopper(Machine& m) noexcept : machine_(m) {}

    [[nodiscard]] auto& outcome() const noexcept { return machine_.outcomes_.template at<Segment>(); }
    [[nodiscard]] auto& inner_outcome() const noexcept { return machine_.outcomes_.template at<Segment + 1>(); }
    /// For a codec: the outcome that it makes of the inner one, whose value ends. Another attempt finds an error there, as the first did.
    void replace(auto&& make) const
    {
        machine_.outcomes_.template put<Segment>(make);
        machine_.outcomes_.template fail<Segment + 1>(errc::cancelled);
    }
    [[nodiscard]] error mine(error e) const noexcept { return e.policy() == error::no_policy ? e.by(place) : e; }

    [[gnu::always_inline]] bool refuse(error e) const noexcept
    {
        machine_.outcomes_.template fail<Segment>(mine(e));
        return answered();
    }
    [[gnu::always_inline]] bool answered(std::uint8_t by = static_cast<std::uint8_t>(place)) const noexcept
    {
        machine_.answered_by_ = by;
        return stop(act::unwind);
    }
    [[gnu::always_inline]] bool sleep(duration d) const noexcept
    {
        machine_.delay_ = d;
        return stop(act::sleep);
    }
    [[gnu::always_inline]] bool park(waiter& w, time_point until) const noexcept
    {
        machine_.waiter_ = &w;
        machine_.until_ = until;
        return stop(act::park);
    }
    /// The call waits as its token says; on a thread that it blocks not for what this very thread does.
    template<class Token>
    bool park(Token& token) const noexcept
    {
        if constexpr (Machine::blocks && waits_for_work<Token>)
            if (token.waits_for() == &blocked_thread::current()) [[unlikely]] {
                static_cast<void>(token.abandon());
                return refuse(would_wait_for_itself());
            }
        if constexpr (waits_until<Token>)
            return park(token.waiting(), token.until());
        else
            return park(token.waiting(), never);
    }
    /// The inside runs, for this token: here, if the call blocks its thread.
    template<class Token>
    [[gnu::always_inline]] void goes_in([[maybe_unused]] Token& token) const noexcept
    {
        if constexpr (Machine::blocks && knows_its_work<Token>) token.runs_as(blocked_thread::current());
    }
    bool pend() const noexcept { return stop(act::decide); }
    bool finish_later() const noexcept { return stop(act::finish); }
    bool fork(split how) const noexcept
    {
        machine_.split_ = how;
        return stop(act::fork);
    }
    bool send() const noexcept { return stop(act::send); }
    /// The inside ran elsewhere and is back, as if it had run here; `by` has answered.
    bool returned(std::uint8_t by) const noexcept
    {
        machine_.answered_by_ = by;
        return stop(act::unwind);
    }
    [[gnu::always_inline]] void deadline_is_mine() const noexcept { machine_.deadline_is_of(place); }

private:
    [[gnu::always_inline]] bool stop(act next) const noexcept
    {
        machine_.at_ = Index;
        machine_.next_ = next;
        return false;
    }
    Machine& machine_;
};

} // namespace weir::inline v0::detail
