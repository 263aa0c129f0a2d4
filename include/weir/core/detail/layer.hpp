// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/contracts.hpp>

#include <type_traits>
#include <utility>

namespace weir::inline v0 {

namespace advice {
template<class Policy>
struct policy {
    template<class Role>
    struct does_not_meet_the_contract_of_a;
};
} // namespace advice

namespace detail {

/// How a machine deals with a policy of each role: `enter` on the way down, `leave` on the way up. Both return whether to go on; the
/// `stop` they are given says how to stop. `slot` is what the policy needs for this call: it lives from `enter` until `leave`, or
/// until `drop`, when the call is cancelled in between.
template<class Policy, class Call, class Outcome>
struct layer {
    static_assert(sizeof(typename advice::policy<Policy>::template does_not_meet_the_contract_of_a<typename role_of<Policy>::type>) != 0);
};

template<class Policy, class Call, class Outcome>
using slot_t = typename layer<Policy, Call, Outcome>::slot;

[[nodiscard]] bool in_time_left(auto& call)
{
    return call.now() < call.deadline().at;
}
/// The error of a call whose deadline has passed: made by the policy that set the deadline.
[[nodiscard]] error out_of_time(auto& call) noexcept
{
    return error(errc::deadline_exceeded).by(call.deadline().policy);
}

struct layer_base {
    using slot = pass;
    static constexpr bool parks = false;
    static constexpr bool answers = false;
    [[gnu::always_inline]] static bool enter(auto&, auto&, auto&, auto) noexcept { return true; }
    [[gnu::always_inline]] static bool leave(auto&, auto&, auto&, auto) noexcept { return true; }
    static void drop(auto&, auto&) noexcept {}
};

template<class Policy, class Call, class Outcome>
requires is_role<Policy, directive>
struct layer<Policy, Call, Outcome> : layer_base {
};

template<class Policy, class Call, class Outcome>
requires is_role<Policy, gate> && admits<Policy, Call>
struct layer<Policy, Call, Outcome> : layer_base {
    using slot = typename decltype(std::declval<Policy&>().admit(std::declval<Call&>()))::permit_type;
    static constexpr bool remembers = settles<Policy, slot, Outcome, Call>;

    [[gnu::always_inline]] static bool enter(Policy& policy, slot& permit, Call& call, auto stop)
    {
        auto const admission = policy.admit(call);
        if (!admission) [[unlikely]]
            return stop.refuse(admission.refusal());
        permit = admission.permit();
        return true;
    }
    [[gnu::always_inline]] static bool leave([[maybe_unused]] Policy& policy, [[maybe_unused]] slot& permit, [[maybe_unused]] Call& call,
                                             [[maybe_unused]] auto stop)
    {
        if constexpr (remembers) policy.settle(permit, std::as_const(stop.outcome()), call);
        return true;
    }
    static void drop([[maybe_unused]] Policy& policy, [[maybe_unused]] slot& permit) noexcept
    {
        static_assert(!remembers || cancels<Policy, slot>, "a gate that has settle(permit, outcome, call) has cancel(permit) noexcept too");
        if constexpr (remembers) policy.cancel(permit);
    }
};

/// The slot of a gate that waits: its permit, and the waiter while the call is parked.
template<class Permit>
struct waiting_slot {
    [[no_unique_address]] waiter parked;
    bool is_parked = false;
    [[no_unique_address]] Permit permit;
};

template<class Policy, class Call, class Outcome>
requires is_role<Policy, gate> && admits_with_waiter<Policy, Call>
struct layer<Policy, Call, Outcome> : layer_base {
    using admission_type = decltype(std::declval<Policy&>().admit(std::declval<Call&>(), std::declval<waiter&>()));
    using slot = waiting_slot<typename admission_type::permit_type>;
    static constexpr bool parks = true;

    [[gnu::always_inline]] static bool enter(Policy& policy, slot& held, Call& call, auto stop)
    {
        return follow(held, policy.admit(call, held.parked), stop);
    }
    static bool resume(Policy& policy, slot& held, Call& call, auto stop, bool in_time)
    {
        held.is_parked = false;
        bool const in_vain = !in_time && policy.abandon(held.parked);
        held.parked.detach(); // only now: a wake may have come while we gave up
        if (in_vain) return stop.refuse(in_time_left(call) ? policy.gave_up() : out_of_time(call));
        return follow(held, policy.resume(call, held.parked), stop);
    }
    [[gnu::always_inline]] static bool leave(Policy& policy, slot& held, Call& call, auto stop)
    {
        policy.settle(held.permit, std::as_const(stop.outcome()), call);
        return true;
    }
    static void drop(Policy& policy, slot& held) noexcept
    {
        if (!held.is_parked)
            policy.cancel(held.permit);
        else if (!policy.abandon(held.parked))
            policy.decline(held.parked);
    }

private:
    [[gnu::always_inline]] static bool follow(slot& held, admission_type admission, auto stop)
    {
        if (admission) [[likely]] {
            held.permit = admission.permit();
            return true;
        }
        if (!admission.is_parked()) return stop.refuse(admission.refusal());
        held.is_parked = true;
        return stop.park(held.parked, admission.parked_until());
    }
};

template<class Policy, class Call, class Outcome>
requires source_for<Policy, Call, Outcome>
struct layer<Policy, Call, Outcome> : layer_base {
    using slot = token_t<Policy, Outcome>;
    static constexpr bool parks = resumes_look_up<Policy, Call, Outcome>;
    static constexpr bool answers = looks_up<Policy, Call, Outcome>;

    [[gnu::always_inline]] static bool enter([[maybe_unused]] Policy& policy, [[maybe_unused]] slot& token, [[maybe_unused]] Call& call,
                                             [[maybe_unused]] auto stop)
    {
        if constexpr (looks_up<Policy, Call, Outcome>)
            return follow(token, policy.look_up(call, token, stop.outcome()), stop);
        else
            return true;
    }
    static bool resume(Policy& policy, slot& token, Call& call, auto stop, bool in_time)
    {
        bool const in_vain = !in_time && token.abandon();
        token.waiting().detach();
        if (in_vain) return stop.refuse(out_of_time(call));
        return follow(token, policy.look_up_again(call, token, stop.outcome()), stop);
    }
    [[gnu::always_inline]] static bool leave([[maybe_unused]] Policy& policy, [[maybe_unused]] slot& token, [[maybe_unused]] Call& call,
                                             [[maybe_unused]] auto stop)
    {
        if constexpr (learns<Policy, Call, Outcome>) { policy.learn(call, token, stop.outcome()); }
        return true;
    }

private:
    [[gnu::always_inline]] static bool follow([[maybe_unused]] slot& token, lookup found, auto stop)
    {
        if (found == lookup::missed) return true;
        if constexpr (parks) {
            if (found == lookup::parked) return stop.park(token.waiting(), never);
        }
        if (stop.outcome().has_error()) return stop.refuse(stop.outcome().error());
        return stop.answered();
    }
};

template<class Policy, class Call, class Outcome>
requires loop_for<Policy, Call, Outcome>
struct layer<Policy, Call, Outcome> : layer_base {
    using slot = typename Policy::plan;

    [[gnu::always_inline]] static bool enter(Policy& policy, slot& plan, Call& call, auto stop)
    {
        if constexpr (has_trait<Policy, limits_time>) {
            time_point const before = call.deadline().at;
            admission<> const begun = policy.begin(call, plan);
            if (call.deadline().at != before) stop.deadline_is_mine();
            return follow(begun, stop);
        } else
            return follow(policy.begin(call, plan), stop);
    }
    [[gnu::always_inline]] static bool leave(Policy& policy, slot& plan, Call& call, auto stop)
    {
        next_step const next = policy.after(call, plan, stop.outcome());
        if (next.again()) [[unlikely]]
            return stop.sleep(next.delay());
        return true;
    }

private:
    [[gnu::always_inline]] static bool follow(admission<> const& begun, auto stop)
    {
        if (begun) [[likely]]
            return true;
        if (begun.is_asleep()) return stop.sleep(begun.sleep_time());
        return stop.refuse(begun.refusal());
    }
};

template<class Policy, class Call, class Outcome>
requires transform_for<Policy, Call, Outcome>
struct layer<Policy, Call, Outcome> : layer_base {
    [[gnu::always_inline]] static bool enter([[maybe_unused]] Policy& policy, pass&, [[maybe_unused]] Call& call,
                                             [[maybe_unused]] auto stop)
    {
        if constexpr (goes_down<Policy, Call>) {
            admission<> const done = policy.down(call);
            if (!done) [[unlikely]]
                return stop.refuse(done.refusal());
        }
        return true;
    }
    [[gnu::always_inline]] static bool leave([[maybe_unused]] Policy& policy, pass&, [[maybe_unused]] Call& call,
                                             [[maybe_unused]] auto stop)
    {
        if constexpr (comes_up<Policy, Call, Outcome>) { policy.up(call, stop.outcome()); }
        return true;
    }
};

} // namespace detail

} // namespace weir::inline v0
