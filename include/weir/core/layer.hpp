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

/// How a machine deals with a policy of each role: `enter` on the way down, `leave` on the way up. Both return whether to go on;
/// the `stop` they are given says how to stop. `slot` is what the policy needs for this call; destroying it gives everything back.
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

template<class Role>
struct layer_base {
    using slot = pass;
    static constexpr bool parks = false;
    static bool enter(auto&, auto&, auto&, auto) noexcept { return true; }
    static bool leave(auto&, auto&, auto&, auto) noexcept { return true; }
};

template<class Policy, class Call, class Outcome>
requires is_role<Policy, directive>
struct layer<Policy, Call, Outcome> : layer_base<directive> {
};

template<class Policy, class Call, class Outcome>
requires is_role<Policy, gate> && admits<Policy, Call>
struct layer<Policy, Call, Outcome> : layer_base<gate> {
    using slot = typename decltype(std::declval<Policy&>().admit(std::declval<Call&>()))::permit_type;

    static bool enter(Policy& policy, slot& permit, Call& call, auto stop)
    {
        auto admission = policy.admit(call);
        if (!admission) [[unlikely]]
            return stop.refuse(admission.refusal());
        if constexpr (!std::is_empty_v<slot>) permit = std::move(admission).permit();
        return true;
    }
    static bool leave(Policy&, [[maybe_unused]] slot& permit, [[maybe_unused]] Call& call, auto stop)
    {
        if constexpr (settles<slot, Outcome, Call>)
            permit.settle(std::as_const(stop.outcome()), call);
        else if constexpr (!std::is_empty_v<slot>)
            permit = slot{};
        return true;
    }
};

/// The slot of a gate that waits: its permit, and the waiter while the call is parked.
template<class Policy, class Permit>
struct waiting_slot {
    Permit permit{};
    waiter parked{};
    Policy* parked_at = nullptr;

    ~waiting_slot()
    {
        if (parked_at != nullptr && !parked_at->abandon(parked)) parked_at->decline(parked);
    }
};

template<class Policy, class Call, class Outcome>
requires is_role<Policy, gate> && admits_with_waiter<Policy, Call>
struct layer<Policy, Call, Outcome> : layer_base<gate> {
    using admission_type = decltype(std::declval<Policy&>().admit(std::declval<Call&>(), std::declval<waiter&>()));
    using slot = waiting_slot<Policy, typename admission_type::permit_type>;
    static constexpr bool parks = true;

    static bool enter(Policy& policy, slot& held, Call& call, auto stop)
    {
        return take(policy, held, policy.admit(call, held.parked), stop);
    }
    static bool resume(Policy& policy, slot& held, Call& call, auto stop, bool in_time)
    {
        held.parked_at = nullptr;
        bool const in_vain = !in_time && policy.abandon(held.parked);
        held.parked.detach(); // only now: a wake may have come while we gave up
        if (in_vain) return stop.refuse(in_time_left(call) ? policy.gave_up() : out_of_time(call));
        return take(policy, held, policy.resume(call, held.parked), stop);
    }
    static bool leave(Policy&, slot& held, Call& call, auto stop)
    {
        if constexpr (settles<decltype(held.permit), Outcome, Call>)
            held.permit.settle(std::as_const(stop.outcome()), call);
        else
            held.permit = {};
        return true;
    }

private:
    static bool take(Policy& policy, slot& held, admission_type admission, auto stop)
    {
        if (admission.parked()) {
            held.parked_at = &policy;
            return stop.park(held.parked, admission.parked_until());
        }
        if (!admission) [[unlikely]]
            return stop.refuse(admission.refusal());
        held.permit = std::move(admission).permit();
        return true;
    }
};

template<class Policy, class Call, class Outcome>
requires source_for<Policy, Call, Outcome>
struct layer<Policy, Call, Outcome> : layer_base<source> {
    using slot = token_t<Policy, Outcome>;
    static constexpr bool parks = resumes_look_up<Policy, Call, Outcome>;

    static bool enter([[maybe_unused]] Policy& policy, [[maybe_unused]] slot& token, [[maybe_unused]] Call& call,
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
    static bool leave([[maybe_unused]] Policy& policy, [[maybe_unused]] slot& token, [[maybe_unused]] Call& call,
                      [[maybe_unused]] auto stop)
    {
        if constexpr (learns<Policy, Call, Outcome>) {
            policy.learn(call, token, stop.outcome());
            stop.mended();
        }
        return true;
    }

private:
    static bool follow([[maybe_unused]] slot& token, lookup found, auto stop)
    {
        if (found == lookup::missed) return true;
        if constexpr (parks) {
            if (found == lookup::parked) return stop.park(token.waiting(), never);
        }
        return stop.answered();
    }
};

template<class Policy, class Call, class Outcome>
requires loop_for<Policy, Call, Outcome>
struct layer<Policy, Call, Outcome> : layer_base<loop> {
    using slot = typename Policy::plan;

    static bool enter(Policy& policy, slot& plan, Call& call, auto stop)
    {
        if constexpr (has_trait<Policy, limits_time>) {
            time_point const before = call.deadline().at;
            admission<> const begun = policy.begin(call, plan);
            if (call.deadline().at != before) stop.deadline_is_mine();
            return follow(begun, stop);
        } else
            return follow(policy.begin(call, plan), stop);
    }
    static bool leave(Policy& policy, slot& plan, Call& call, auto stop)
    {
        next_step const next = policy.after(call, plan, stop.outcome());
        stop.mended();
        if (next.again()) [[unlikely]]
            return stop.sleep(next.delay());
        return true;
    }

private:
    static bool follow(admission<> const& begun, auto stop)
    {
        if (begun) [[likely]]
            return true;
        if (begun.asleep()) return stop.sleep(begun.sleep_time());
        return stop.refuse(begun.refusal());
    }
};

template<class Policy, class Call, class Outcome>
requires transform_for<Policy, Call, Outcome>
struct layer<Policy, Call, Outcome> : layer_base<transform> {
    static bool enter([[maybe_unused]] Policy& policy, pass&, [[maybe_unused]] Call& call, [[maybe_unused]] auto stop)
    {
        if constexpr (goes_down<Policy, Call>) {
            admission<> const done = policy.down(call);
            if (!done) [[unlikely]]
                return stop.refuse(done.refusal());
        }
        return true;
    }
    static bool leave([[maybe_unused]] Policy& policy, pass&, [[maybe_unused]] Call& call, [[maybe_unused]] auto stop)
    {
        if constexpr (comes_up<Policy, Call, Outcome>) {
            policy.up(call, stop.outcome());
            stop.mended();
        }
        return true;
    }
};

} // namespace detail

} // namespace weir::inline v0
