// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/core/facets.hpp>
#include <weir/core/result.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace weir::inline v0 {

/// The facet that every call has: when its time is up. `view<deadline>` reads it.
struct deadline {
    time_point at = never;
    /// The place of the policy that set it; `error::no_policy` if nobody did.
    std::uint8_t policy = error::no_policy;
    /// How much time is left at `now`; never negative.
    [[nodiscard]] constexpr duration left(time_point now) const noexcept
    {
        return at <= now ? duration::zero() : at == never ? duration::max() : at - now;
    }
};

/// An error that tells of a failing service, not of the caller's own mistake, of its giving up, or of a negative answer.
[[nodiscard]] constexpr bool is_fault(errc e) noexcept
{
    switch (e) {
    case errc::deadline_exceeded:
    case errc::handler_threw:
    case errc::upstream_failed:
    case errc::unavailable:
    case errc::overloaded:
    case errc::foreign: return true;
    default: return false;
    }
}

namespace detail {
template<class T>
concept tells_failure = requires(T const& t)
{
    {
        t.has_error()
        } -> std::convertible_to<bool>;
};
} // namespace detail

/// The default opinion of what counts as a failure: a fault (see `is_fault`), or a handler's own `result` that holds an error.
struct default_classifier {
    template<class Outcome>
    constexpr bool operator()(Outcome const& outcome) const noexcept
    {
        if (outcome.has_error()) return is_fault(outcome.error().kind());
        if constexpr (detail::tells_failure<typename Outcome::value_type>)
            return outcome->has_error();
        else
            return false;
    }
};

/// The observer of a pipeline that has none: nothing is told, and no code is made for it.
struct no_observer {};

namespace detail {

template<class T>
using reference_unless_empty = std::conditional_t<std::is_empty_v<T>, T, T&>;

/// What a call is besides its request: the time, the deadline, the facets, what is left to clean up. Used by one thread at a time.
template<class Clock, class Classifier, class Provided, class Reported, class Observer = no_observer>
class call_state {
public:
    using reported_facets = Reported;
    using provided_facets = Provided;
    using clock_type = Clock;
    using classifier_type = Classifier;
    using observer_type = Observer;
    static constexpr bool is_observed = !std::is_same_v<Observer, no_observer>;

    constexpr call_state(Clock& clock, Classifier& classifier, Observer& observer) noexcept
        : clock_(clock), classifier_(classifier), observer_(observer)
    {
    }
    call_state(call_state const&) = delete;
    call_state& operator=(call_state const&) = delete;

    /// The time, as of the first question on this way.
    [[nodiscard]] time_point now()
    {
        if (!read_) {
            now_ = clock_.now();
            read_ = true;
        }
        return now_;
    }

    [[nodiscard]] weir::deadline const& deadline() const noexcept { return deadline_; }

    /// A fact that a policy further out has provided.
    template<class F>
    [[nodiscard]] F const& get() const noexcept
    {
        if constexpr (std::is_same_v<F, weir::deadline>)
            return deadline_;
        else
            return provided_.template at<F>();
    }
    /// Provides a fact for what is further in; the policy states it in `provides`.
    template<class F>
    void set(F&& fact)
    {
        provided_.template at<std::remove_cvref_t<F>>() = std::forward<F>(fact);
    }
    /// Tells the caller a fact; the policy states it in `reports`. The outermost report wins.
    template<class F>
    void report(F&& fact)
    {
        reported_.template at<std::optional<std::remove_cvref_t<F>>>() = std::forward<F>(fact);
    }
    /// The fact to be told, to add to it: the one that was reported, or a new one.
    template<class F>
    [[nodiscard]] F& reporting()
    {
        auto& fact = reported_.template at<std::optional<F>>();
        return fact ? *fact : fact.emplace();
    }
    /// What was reported, if anything was.
    template<class F>
    [[nodiscard]] std::optional<F> const& reported() const noexcept
    {
        return reported_.template at<std::optional<F>>();
    }
    /// Tells the pipeline's observer, if it has one and if it takes such an event. Costs nothing else.
    template<class Event>
    void tell([[maybe_unused]] Event const& event)
    {
        if constexpr (std::is_invocable_v<Observer&, Event const&>) observer_(event);
    }

    /// Whether the outcome counts as a failure, by the pipeline's classifier.
    template<class Outcome>
    [[nodiscard]] bool failed(Outcome const& outcome) const
    {
        return classifier_(outcome);
    }

    /// What the handler threw, if the outcome is `errc::handler_threw`; null if nothing was kept.
    [[nodiscard]] std::exception_ptr thrown() const noexcept { return left_.exceptions != 0 ? exception_ : nullptr; }
    /// For who brings the outcome of another call: the exception that belongs to `errc::handler_threw`.
    void thrown(std::exception_ptr exception) noexcept
    {
        forget_exception();
        std::construct_at(&exception_, std::move(exception));
        left_.exceptions = 1;
    }

    /// For the loops that limit time: the call has to end by then. Returns the deadline that was in force, to be put back later.
    weir::deadline limit(time_point at) noexcept
    {
        weir::deadline const before = deadline_;
        if (at < before.at) deadline_.at = at;
        return before;
    }
    void put_back(weir::deadline before) noexcept { deadline_ = before; }
    /// For the machine: the policy at `index` has set the deadline.
    void deadline_is_of(std::size_t index) noexcept { deadline_.policy = static_cast<std::uint8_t>(index); }

    /// For drivers: time has passed, the next question reads the clock again.
    void turn() noexcept { read_ = false; }
    [[nodiscard]] Clock& clock() noexcept { return clock_; }
    [[nodiscard]] Classifier& classifier() noexcept { return classifier_; }
    [[nodiscard]] auto& provided() noexcept { return provided_; }
    [[nodiscard]] auto& reports() noexcept { return reported_; }

protected:
    ~call_state() {} // the machine cleans up
    void depth_is(std::size_t policies) noexcept { left_.policies = static_cast<std::uint16_t>(policies); }
    void forget_exception() noexcept
    {
        if (std::exchange(left_.exceptions, std::uint16_t{0}) != 0) std::destroy_at(&exception_);
    }
    struct {
        std::uint16_t policies = 0;   // to be dropped
        std::uint16_t exceptions = 0; // kept, one or none
    } left_;                          // when the call ends
    template<class F>
    void forget_report() noexcept
    {
        reported_.template at<std::optional<F>>().reset();
    }

private:
    [[no_unique_address]] reference_unless_empty<Clock> clock_;
    [[no_unique_address]] reference_unless_empty<Classifier> classifier_;
    [[no_unique_address]] reference_unless_empty<Observer> observer_;
    time_point now_; // if it was read
    [[no_unique_address]] weir::deadline deadline_{};
    bool read_ = false;
    union {
        std::exception_ptr exception_; // if one is kept
    };
    [[no_unique_address]] facet_frame<Provided> provided_{};
    [[no_unique_address]] facet_frame<typename detail::reported<Reported>::type> reported_{};
};

inline constinit no_observer nobody{};

template<class Call>
concept observed_call = requires
{
    requires Call::is_observed;
};
struct tells_nobody {
    constexpr void operator()(auto const&) const noexcept {}
};
/// What a policy hands to a function of its own that is not inlined, for it to tell events by: nothing, unless the call is observed. The
/// call itself would escape.
template<class Call>
[[nodiscard]] auto teller_of([[maybe_unused]] Call& call) noexcept
{
    if constexpr (observed_call<Call>)
        return [&call](auto const& event) { call.tell(event); };
    else
        return tells_nobody{};
}

} // namespace detail

/// One call, as its policies see it: the request, the time, the deadline and the facets.
///
/// All policies on the way down see the same `now()`, all on the way up another: a clock is read at most twice a turn, and not at
/// all when nobody asks. Used by one thread at a time.
template<class Request, class State>
class call : public State {
public:
    using state_type = State;
    using request_type = std::remove_const_t<Request>;
    /// What policies and the handler are handed: constant, unless a policy rewrites the request.
    using handed_request = Request;

    template<class... More>
    constexpr explicit call(Request& request, More&... more) noexcept : State(more...), request_(request)
    {
    }
    [[nodiscard]] Request& request() const noexcept { return request_; }
    [[nodiscard]] State const& state() const noexcept { return *this; }

private:
    Request& request_;
};

/// The same call, as the policies behind a codec see it: with the request that the codec has made. It reads like a `call`, and refers to
/// it.
template<class Request, class State>
class inner_call {
public:
    using state_type = State;
    using request_type = std::remove_const_t<Request>;
    using handed_request = Request;
    using reported_facets = typename State::reported_facets;
    static constexpr bool is_observed = State::is_observed;

    inner_call(Request& request, State& state) noexcept : request_(request), state_(state) {}

    [[nodiscard]] Request& request() const noexcept { return request_; }
    [[nodiscard]] time_point now() { return state_.now(); }
    [[nodiscard]] weir::deadline const& deadline() const noexcept { return state_.deadline(); }
    template<class F>
    [[nodiscard]] F const& get() const noexcept
    {
        return state_.template get<F>();
    }
    template<class F>
    void set(F&& fact)
    {
        state_.set(std::forward<F>(fact));
    }
    template<class F>
    void report(F&& fact)
    {
        state_.report(std::forward<F>(fact));
    }
    template<class F>
    [[nodiscard]] F& reporting()
    {
        return state_.template reporting<F>();
    }
    template<class F>
    [[nodiscard]] std::optional<F> const& reported() const noexcept
    {
        return state_.template reported<F>();
    }
    template<class Event>
    void tell(Event const& event)
    {
        state_.tell(event);
    }
    template<class Outcome>
    [[nodiscard]] bool failed(Outcome const& outcome) const
    {
        return state_.failed(outcome);
    }
    [[nodiscard]] std::exception_ptr thrown() const noexcept { return state_.thrown(); }
    void thrown(std::exception_ptr exception) noexcept { state_.thrown(std::move(exception)); }
    weir::deadline limit(time_point at) noexcept { return state_.limit(at); }
    void put_back(weir::deadline before) noexcept { state_.put_back(before); }
    [[nodiscard]] auto& clock() noexcept { return state_.clock(); }
    [[nodiscard]] auto& classifier() noexcept { return state_.classifier(); }
    [[nodiscard]] auto& reports() noexcept { return state_.reports(); }
    [[nodiscard]] State const& state() const noexcept { return state_; }

private:
    Request& request_;
    State& state_;
};

} // namespace weir::inline v0
