// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/admission.hpp>
#include <weir/core/awaitable.hpp>
#include <weir/core/call.hpp>
#include <weir/core/errand.hpp>
#include <weir/core/park.hpp>
#include <weir/core/policy.hpp>

#include <concepts>
#include <type_traits>

namespace weir::inline v0 {

namespace detail {

template<class T>
constexpr bool is_admission = false;
template<class Permit>
constexpr bool is_admission<admission<Permit>> = true;

template<class P, class Call>
concept admits = requires(P& p, Call& c)
{
    requires is_admission<decltype(p.admit(c))>;
};
template<class P, class Call>
concept admits_with_waiter = requires(P& p, Call& c, waiter& w)
{
    requires is_admission<decltype(p.admit(c, w))>;
    requires is_admission<decltype(p.resume(c, w))>;
    {
        p.abandon(w)
    }
    noexcept->std::same_as<bool>;
    {
        p.decline(w)
    }
    noexcept;
    {
        p.gave_up()
        } -> std::convertible_to<error>;
};
template<class P, class Permit, class Outcome, class Call>
concept settles = requires(P& p, Permit permit, Outcome const& o, Call& c)
{
    p.settle(permit, o, c);
};
template<class P, class Permit>
concept cancels = requires(P& p, Permit permit)
{
    {
        p.cancel(permit)
    }
    noexcept;
};

/// What an awaitable gives.
template<class Awaitable>
using awaited_t = typename awaitable_traits<std::remove_cvref_t<Awaitable>>::value_type;

template<class P, class Call>
concept admits_later = requires(P& p, Call& c)
{
    requires is_admission<awaited_t<decltype(p.admit_later(c))>>;
};
template<class P, class Permit, class Outcome, class Call>
concept settles_later = requires(P& p, Permit permit, Outcome const& o, Call& c)
{
    {
        p.settle(permit, o, c)
        } -> std::same_as<settlement>;
    requires awaitable<std::remove_cvref_t<decltype(p.settle_later(permit, o, c))>>;
};

template<class P, class Outcome>
struct token_of {
    using type = pass;
};
template<class P, class Outcome>
requires requires
{
    typename P::template token<Outcome>;
}
struct token_of<P, Outcome> {
    using type = typename P::template token<Outcome>;
};
template<class P, class Outcome>
requires requires
{
    typename P::token;
}
struct token_of<P, Outcome> {
    using type = typename P::token;
};
template<class P, class Outcome>
using token_t = typename token_of<P, Outcome>::type;

template<class P, class Call, class Outcome>
concept looks_up = requires(P& p, Call& c, token_t<P, Outcome>& t, Outcome& o)
{
    {
        p.look_up(c, t, o)
        } -> std::same_as<lookup>;
};
template<class P, class Call, class Outcome>
concept learns = requires(P& p, Call& c, token_t<P, Outcome>& t, Outcome& o)
{
    p.learn(c, t, o);
};
template<class P, class Call, class Outcome>
concept learns_later = requires(P& p, Call& c, token_t<P, Outcome>& t, Outcome& o)
{
    {
        p.learn(c, t, o)
        } -> std::same_as<settlement>;
    requires awaitable<std::remove_cvref_t<decltype(p.learn_later(c, t, o))>>;
};
template<class P, class Call, class Outcome>
concept resumes_look_up = requires(P& p, Call& c, token_t<P, Outcome>& t, Outcome& o)
{
    {
        p.look_up_again(c, t, o)
        } -> std::same_as<lookup>;
    {
        t.waiting()
        } -> std::same_as<waiter&>;
    {
        t.abandon()
    }
    noexcept->std::same_as<bool>;
};

template<class P, class Call, class Outcome>
concept looks_up_later = requires(P& p, Call& c, token_t<P, Outcome>& t, Outcome& o)
{
    requires std::same_as<awaited_t<decltype(p.look_up_later(c, t, o))>, lookup>;
};
template<class P, class Outcome>
concept splits = requires(P& p, token_t<P, Outcome>& t, token_t<P, Outcome>& other)
{
    {
        p.splits(t)
        } -> std::same_as<split>;
    p.fork(t, other);
};

template<class Token>
concept waits_until = requires(Token& t)
{
    {
        t.until()
        } -> std::convertible_to<time_point>;
};
template<class Token>
concept knows_its_work = requires(Token& t, work& inside)
{
    t.runs_as(inside);
};
template<class Token>
concept waits_for_work = requires(Token& t)
{
    {
        t.waits_for()
    }
    noexcept->std::convertible_to<work const*>;
};

template<class P, class Call>
concept goes_down = requires(P& p, Call& c)
{
    {
        p.down(c)
        } -> std::convertible_to<admission<>>;
};
template<class P, class Call>
concept goes_down_later = requires(P& p, Call& c)
{
    requires std::same_as<awaited_t<decltype(p.down_later(c))>, admission<>>;
};
template<class P, class Call, class Outcome>
concept comes_up = requires(P& p, Call& c, Outcome& o)
{
    p.up(c, o);
};

template<class Token>
concept passes_answer_on = requires(Token& t)
{
    {
        t.answered_by()
        } -> std::convertible_to<std::uint8_t>;
    t.answered_by(std::uint8_t{});
};

} // namespace detail

/// A gate lets a call pass or refuses it. The smallest one:
/// ```cpp
/// struct closed_on_sundays {
///     using role = weir::gate;
///     static constexpr std::string_view name = "closed_on_sundays";
///     weir::admission<> admit(auto& call) { if (sunday(call.now())) return weir::errc::unavailable; return weir::admitted; }
/// };
/// ```
/// A gate that wants to know how the call went has `settle(permit, outcome, call)`, which runs once with the outcome, innermost first, and
/// `cancel(permit)`, which runs instead when the caller gave up. `admit` then may return `admission<Permit>`: what it wants to know again.
/// A gate that waits has `admit(call, waiter)`, which may link the waiter in and return `park_until`; `resume(call, waiter)`, called when
/// it was woken; `abandon(waiter)`, which takes it out and tells whether it was still in; `decline(waiter)`, for one that was woken but
/// does not come any more; and `gave_up()`, the error of one who waited in vain.
///
/// A gate that has to ask elsewhere, another machine say, has an `admit` that may return `pending`, and `admit_later(call)`, which returns
/// an awaitable of the admission: the driver awaits it. One whose `settle` has to tell elsewhere returns `settlement::later` and has
/// `settle_later(permit, outcome, call)`. Both are cancelled with the call; `call.deadline()` says how long they may take. A pipeline that
/// cannot await refuses such a gate: its handler is asynchronous, or `weir::asynchronous(f)`.
template<class P, class Call>
concept gate_for = detail::is_role<P, gate> &&(detail::admits<P, Call> || detail::admits_with_waiter<P, Call>);

/// A source may answer a call by itself, or mend its outcome. It has one or both of
/// `lookup look_up(call, token, outcome)`, which may write the outcome and say `answered`, and `void learn(call, token, outcome)`, told
/// the outcome, which it may replace. `using token = ...;` (or `template<class Outcome> struct token`) is what it needs for this call.
/// ```cpp
/// struct default_price {
///     using role = weir::source;
///     static constexpr std::string_view name = "default_price";
///     void learn(auto& call, weir::pass&, auto& outcome) { if (call.failed(outcome)) outcome = price{0}; }
/// };
/// ```
/// One whose `look_up` may say `parked` has `look_up_again`, and a token with `waiting()`, the waiter, and `abandon()`, which takes it out
/// and tells whether it was still in; with `until()` the call waits no longer than that, and is asked again. One whose `look_up` may say
/// `later` has `look_up_later(call, token, outcome)`, an awaitable of what it found. One whose `learn` may return `settlement::later` has
/// `learn_later(call, token, outcome)`, an awaitable of another outcome, or of its value.
///
/// In a synchronous pipeline a token with `runs_as(work)` is told when its call goes on: the work is the thread. One with `waits_for()`
/// says whose work it is parked for, null if nobody's: a call is refused, by `std::errc::resource_deadlock_would_occur`, rather than made
/// to wait for its own thread.
///
/// **Forks.** A source that wants the inside to run on its own has `splits(token)`, asked when `look_up` said `missed` or `answered` in an
/// asynchronous pipeline that stands `within` a scope, and `fork(token, other)`, which hands to `other` what the fork has to know. The fork
/// has a copy of the request and of the facets, no deadline, and a frame of its own; when it ends, `learn(call, other, outcome)` is called,
/// or, if it was cancelled, `other` is destroyed. `other.runs_as(work)`, if it is there, is told how to cancel it. With
/// `static constexpr bool forks_keep_the_deadline = true` a fork has the deadline of its call. A token with `answered_by(place)` is told
/// who answered in there, and one whose `answered_by()` says it again makes that known as who answered the call.
template<class P, class Call, class Outcome>
concept source_for = detail::is_role<P, source> &&(detail::looks_up<P, Call, Outcome> || detail::learns<P, Call, Outcome>);

/// A loop decides about attempts and time: `admission<> begin(call, plan)` when the call reaches it (it may refuse, or `sleep_for`), and
/// `next_step after(call, plan, outcome)` when it is told an outcome: `done`, or `again(delay)`. `using plan = ...;` is what it
/// keeps for this call, default-constructed when the call begins.
template<class P, class Call, class Outcome>
concept loop_for = detail::is_role<P, loop> && requires(P& p, Call& c, typename P::plan& plan, Outcome& o)
{
    {
        p.begin(c, plan)
        } -> std::same_as<admission<>>;
    {
        p.after(c, plan, o)
        } -> std::same_as<next_step>;
};

/// A codec changes both types: what stands further in sees another request, and its outcome is made into another. It has
/// `using inner_request = ...;`, which begins by default in the call's frame, `admission<> decode(call, inner_request& into)`, which fills
/// it or refuses, `template<class Value> using outer_value = ...;`, and `result<outer_value<Value>> encode(call, Value&&)`, called with
/// what came back from inside; an error passes as it is. `call.request()` is the outer request in both.
template<class P, class Call>
concept codec_for = detail::is_role<P, codec> && requires(P& p, Call& c, typename P::inner_request& into)
{
    {
        p.decode(c, into)
        } -> std::same_as<admission<>>;
};

/// A detour runs what is inside on a thread of its own choosing, and its call waits meanwhile: blocked, if the pipeline is synchronous,
/// parked if it is not. It has `admission<> admit(call)`, asked first, so that a refusal costs little; `admission<> launch(errand&)`, which
/// takes the errand and sees that it is run, or refuses it; and `recall(errand&)`, told when a call leaves before its errand is done: one
/// that has not begun is taken out and released.
///
/// The errand has a copy of the request and of the facets, and the deadline of the call. A call whose deadline passes, or that is
/// cancelled, leaves at once, whatever the errand does; a coroutine is cancelled, a function runs to its end, and what comes of it is
/// dropped. So a `timeout` may stand around a synchronous handler that has a detour between. Policies further in run on the other thread.
template<class P, class Call>
concept detour_for = detail::is_role<P, detour> && requires(P& p, Call& c, errand& e)
{
    {
        p.admit(c)
        } -> std::same_as<admission<>>;
    {
        p.launch(e)
        } -> std::same_as<admission<>>;
    {
        p.recall(e)
    }
    noexcept;
};

/// A transform rewrites the request going down and the outcome coming up: it has one or both of `admission<> down(call)` and
/// `void up(call, outcome)`. A `down` that returns `pending` has `down_later(call)`, an awaitable of its admission. One that writes to
/// `call.request()` states the trait `rewrites_request`.
template<class P, class Call, class Outcome>
concept transform_for = detail::is_role<P, transform> &&(detail::goes_down<P, Call> || detail::comes_up<P, Call, Outcome>);

} // namespace weir::inline v0
