// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/contracts.hpp>
#include <weir/core/held.hpp>

#include <type_traits>
#include <utility>

namespace weir::inline v0 {

namespace advice {
template<class Policy>
struct policy {
    template<class Role>
    struct does_not_meet_the_contract_of_a;
    struct has_to_await__make_the_handler_asynchronous_or_write_weir_asynchronous_around_it;
    struct repeats_or_keeps_what_comes_back__it_cannot_stand_around_a_handler_of_weir_held;
};
} // namespace advice

namespace detail {

/// How a machine deals with a policy of each role: `enter` on the way down, `leave` on the way up. Both return whether to go on; the `stop`
/// they are given says how to stop. `slot` is what the policy needs for this call: it lives from `enter` until `leave`, or until `drop`,
/// when the call is cancelled in between. A layer that `pends` has `decide`, an awaitable, and `decided`, told what came of it; one that
/// `settles_later` has `finish`, an awaitable.
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

template<class P, bool Awaits>
constexpr bool needs_no_await()
{
    if constexpr (Awaits)
        static_cast<void>(
            sizeof(typename advice::policy<P>::has_to_await__make_the_handler_asynchronous_or_write_weir_asynchronous_around_it));
    return !Awaits;
}

struct layer_base {
    using slot = pass;
    static constexpr bool parks = false;
    static constexpr bool pends = false;
    static constexpr bool finishes_later = false;
    static constexpr bool splits = false;
    static constexpr bool answers = false;
    [[gnu::always_inline]] static bool enter(auto&, auto&, auto&, auto) noexcept { return true; }
    [[gnu::always_inline]] static bool leave(auto&, auto&, auto&, auto) noexcept { return true; }
    static void drop(auto&, auto&) noexcept {}
};

template<class Policy, class Call, class Outcome>
requires is_role<Policy, directive>
struct layer<Policy, Call, Outcome> : layer_base {
};

template<class Policy, class Call>
concept is_gate = is_role<Policy, gate> && admits<Policy, Call>;

template<class Policy, class Call, class Outcome>
requires is_gate<Policy, Call>
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
        if constexpr (remembers) {
            if constexpr (streams<Outcome>)
                if (carry(policy, permit, call, stop.outcome())) return true;
            policy.settle(permit, std::as_const(stop.outcome()), call);
        }
        return true;
    }
    static void drop([[maybe_unused]] Policy& policy, [[maybe_unused]] slot& permit) noexcept
    {
        static_assert(!remembers || cancels<Policy, slot>, "a gate that has settle(permit, outcome, call) has cancel(permit) noexcept too");
        if constexpr (remembers) policy.cancel(permit);
    }
};

/// The slot of a gate that asks elsewhere: its permit, once it has one.
template<class Permit>
struct asking_slot {
    bool has_permit = false;
    [[no_unique_address]] Permit permit;
};

template<class Policy, class Call>
using permit_of = typename decltype(std::declval<Policy&>().admit(std::declval<Call&>()))::permit_type;

template<class Policy, class Call, class Outcome>
requires is_gate<Policy, Call> &&
    (admits_later<Policy, Call> || settles_later<Policy, permit_of<Policy, Call>, Outcome, Call>)struct layer<Policy, Call, Outcome>
    : layer_base {
    using slot = asking_slot<permit_of<Policy, Call>>;
    static constexpr bool remembers = settles<Policy, permit_of<Policy, Call>, Outcome, Call>;
    static constexpr bool pends = admits_later<Policy, Call>;
    static constexpr bool finishes_later = settles_later<Policy, permit_of<Policy, Call>, Outcome, Call>;

    [[gnu::always_inline]] static bool enter(Policy& policy, slot& held, Call& call, auto stop)
    {
        return decided(policy, held, call, stop, policy.admit(call));
    }
    static auto decide(Policy& policy, slot&, Call& call, auto) { return policy.admit_later(call); }
    static bool decided(Policy&, slot& held, Call&, auto stop, auto const& admission)
    {
        if (admission) [[likely]] {
            held.permit = admission.permit();
            held.has_permit = true;
            return true;
        }
        return admission.is_pending() ? stop.pend() : stop.refuse(admission.refusal());
    }
    [[gnu::always_inline]] static bool leave(Policy& policy, slot& held, Call& call, auto stop)
    {
        if constexpr (remembers) {
            held.has_permit = false;
            if constexpr (streams<Outcome>)
                if (carry(policy, held.permit, call, stop.outcome())) return true;
            if constexpr (finishes_later) {
                if (policy.settle(held.permit, std::as_const(stop.outcome()), call) == settlement::later) return stop.finish_later();
            } else
                policy.settle(held.permit, std::as_const(stop.outcome()), call);
        }
        return true;
    }
    static auto finish(Policy& policy, slot& held, Call& call, auto stop)
    {
        return policy.settle_later(held.permit, std::as_const(stop.outcome()), call);
    }
    static void drop([[maybe_unused]] Policy& policy, [[maybe_unused]] slot& held) noexcept
    {
        static_assert(!remembers || cancels<Policy, permit_of<Policy, Call>>,
                      "a gate that has settle(permit, outcome, call) has cancel(permit) noexcept too");
        if constexpr (remembers)
            if (held.has_permit) policy.cancel(held.permit);
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
    static constexpr bool remembers = settles<Policy, typename admission_type::permit_type, Outcome, Call>;

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
    [[gnu::always_inline]] static bool leave([[maybe_unused]] Policy& policy, [[maybe_unused]] slot& held, [[maybe_unused]] Call& call,
                                             [[maybe_unused]] auto stop)
    {
        if constexpr (remembers) {
            if constexpr (streams<Outcome>)
                if (carry(policy, held.permit, call, stop.outcome())) return true;
            policy.settle(held.permit, std::as_const(stop.outcome()), call);
        }
        return true;
    }
    static void drop(Policy& policy, slot& held) noexcept
    {
        static_assert(!remembers || cancels<Policy, typename admission_type::permit_type>,
                      "a gate that has settle(permit, outcome, call) has cancel(permit) noexcept too");
        if (!held.is_parked) {
            if constexpr (remembers) policy.cancel(held.permit);
        } else if (!policy.abandon(held.parked))
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
    static constexpr bool pends = looks_up_later<Policy, Call, Outcome>;
    static constexpr bool splits = detail::splits<Policy, Outcome>;
    static constexpr bool answers = looks_up<Policy, Call, Outcome>;
    static constexpr bool finishes_later = learns_later<Policy, Call, Outcome>;

    [[gnu::always_inline]] static bool enter([[maybe_unused]] Policy& policy, [[maybe_unused]] slot& token, [[maybe_unused]] Call& call,
                                             [[maybe_unused]] auto stop)
    {
        if constexpr (looks_up<Policy, Call, Outcome>)
            return decided(policy, token, call, stop, policy.look_up(call, token, stop.outcome()));
        else
            return true;
    }
    static bool resume(Policy& policy, slot& token, Call& call, auto stop, bool in_time)
    {
        bool const in_vain = !in_time && token.abandon();
        token.waiting().detach();
        if (in_vain && !(waits_until<slot> && in_time_left(call))) return stop.refuse(out_of_time(call));
        return decided(policy, token, call, stop, policy.look_up_again(call, token, stop.outcome()));
    }
    static auto decide(Policy& policy, slot& token, Call& call, auto stop) { return policy.look_up_later(call, token, stop.outcome()); }
    [[gnu::always_inline]] static bool decided([[maybe_unused]] Policy& policy, [[maybe_unused]] slot& token, Call&, auto stop,
                                               lookup found)
    {
        if constexpr (splits && decltype(stop)::can_fork) {
            if (found == lookup::missed || found == lookup::answered)
                if (split const how = policy.splits(token); how != split::none) {
                    if (found == lookup::answered) static_cast<void>(stop.answered());
                    return stop.fork(how);
                }
        }
        if (found == lookup::missed) {
            stop.goes_in(token);
            return true;
        }
        if constexpr (parks)
            if (found == lookup::parked) return stop.park(token);
        if constexpr (pends)
            if (found == lookup::later) return stop.pend();
        if constexpr (passes_answer_on<slot>) // what a fork brought: who answered is known there
            return stop.answered(token.answered_by());
        else {
            if (stop.outcome().has_error()) return stop.refuse(stop.outcome().error());
            return stop.answered();
        }
    }
    /// The fork runs: what the call does meanwhile.
    static bool forked([[maybe_unused]] slot& token, auto stop, [[maybe_unused]] split how)
    {
        if constexpr (parks)
            if (how == split::and_wait) return stop.park(token);
        return stop.answered();
    }
    [[gnu::always_inline]] static bool leave([[maybe_unused]] Policy& policy, [[maybe_unused]] slot& token, [[maybe_unused]] Call& call,
                                             [[maybe_unused]] auto stop)
    {
        if constexpr (finishes_later) {
            if (policy.learn(call, token, stop.outcome()) == settlement::later) return stop.finish_later();
        } else if constexpr (learns<Policy, Call, Outcome>)
            policy.learn(call, token, stop.outcome());
        return true;
    }
    static auto finish(Policy& policy, slot& token, Call& call, auto stop) { return policy.learn_later(call, token, stop.outcome()); }
    static void finished(auto stop, auto&& other) { stop.outcome() = Outcome(std::forward<decltype(other)>(other)); }
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
    static constexpr bool pends = goes_down_later<Policy, Call>;

    [[gnu::always_inline]] static bool enter([[maybe_unused]] Policy& policy, [[maybe_unused]] pass& none, [[maybe_unused]] Call& call,
                                             [[maybe_unused]] auto stop)
    {
        if constexpr (goes_down<Policy, Call>)
            return decided(policy, none, call, stop, policy.down(call));
        else
            return true;
    }
    static auto decide(Policy& policy, pass&, Call& call, auto) { return policy.down_later(call); }
    [[gnu::always_inline]] static bool decided(Policy&, pass&, Call&, auto stop, admission<> const& done)
    {
        if (done) [[likely]]
            return true;
        if constexpr (pends)
            if (done.is_pending()) return stop.pend();
        return stop.refuse(done.refusal());
    }
    [[gnu::always_inline]] static bool leave([[maybe_unused]] Policy& policy, pass&, [[maybe_unused]] Call& call,
                                             [[maybe_unused]] auto stop)
    {
        if constexpr (comes_up<Policy, Call, Outcome>) { policy.up(call, stop.outcome()); }
        return true;
    }
};

template<class Policy, class Call, class Outcome>
requires codec_for<Policy, Call>
struct layer<Policy, Call, Outcome> : layer_base {
    using slot = typename Policy::inner_request;

    [[gnu::always_inline]] static bool enter(Policy& policy, slot& request, Call& call, auto stop)
    {
        admission<> const done = policy.decode(call, request);
        if (!done) [[unlikely]]
            return stop.refuse(done.refusal());
        return true;
    }
    [[gnu::always_inline]] static bool leave(Policy& policy, slot&, Call& call, auto stop)
    {
        auto& inside = stop.inner_outcome();
        if (inside.has_value()) [[likely]]
            stop.replace([&]() -> Outcome {
                Outcome made = policy.encode(call, std::move(*inside));
                if (made.has_error()) made = stop.mine(made.error());
                return made;
            });
        else
            stop.replace([&]() -> Outcome { return inside.error(); });
        return true;
    }
};

} // namespace detail

} // namespace weir::inline v0
