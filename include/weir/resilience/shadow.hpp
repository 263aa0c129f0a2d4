// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/contracts.hpp>
#include <weir/core/detail/layer.hpp>
#include <weir/core/striped.hpp>

#include <cstdint>
#include <exception>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

namespace weir::inline v0 {

namespace advice {
template<class Gate>
struct shadow_of {
    struct asks_elsewhere__its_decision_cannot_be_tried_without_waiting;
    struct provides_a_facet__what_it_did_not_enforce_nobody_may_rely_on;
};
} // namespace advice

namespace detail {

/// What is left of a call when its stream ends has no request.
template<class Call>
struct request_of_muted {
};
template<class Call>
requires requires
{
    typename Call::request_type;
}
struct request_of_muted<Call> {
    using request_type = typename Call::request_type;
};

/// A call as a shadowed gate sees it: what it reports, nobody hears.
template<class Call>
class muted_call : public request_of_muted<Call> {
public:
    explicit muted_call(Call& call) noexcept : call_(call) {}
    [[nodiscard]] auto& request() const noexcept { return call_.request(); }
    [[nodiscard]] time_point now() const { return call_.now(); }
    [[nodiscard]] weir::deadline const& deadline() const noexcept { return call_.deadline(); }
    template<class F>
    [[nodiscard]] F const& get() const noexcept
    {
        return call_.template get<F>();
    }
    void report(auto&&) const noexcept {}
    template<class F>
    [[nodiscard]] std::optional<F> const& reported() const noexcept
    {
        static std::optional<F> const none{};
        return none;
    }
    void tell(auto const& event) const { call_.tell(event); }
    template<class Outcome>
    [[nodiscard]] bool failed(Outcome const& outcome) const
    {
        return call_.failed(outcome);
    }
    [[nodiscard]] std::exception_ptr thrown() const noexcept { return call_.thrown(); }
    [[nodiscard]] auto& clock() const noexcept { return call_.clock(); }

private:
    Call& call_;
};

} // namespace detail

/// Lets a gate decide and count, and never enforces what it says: `shadow{rate_limit{...}}`, to see what a new limit would do before it
/// does. A call that the gate would refuse, or keep waiting, goes on; one that it lets in holds its permit and settles it. So a breaker,
/// say, sees each outcome that it would have seen, and a bulkhead counts who is inside: those beyond its bound have no place.
///
/// `stats()` has what would have been refused and what would have waited; `policy()` is the gate, to be reconfigured. What it reports does
/// not reach the caller. A gate that provides a facet, or that asks elsewhere, cannot be shadowed. Thread-safe as the gate is.
template<class Gate>
class shadow {
    using gate_type = detail::policy_t<Gate>;
    static constexpr bool check()
    {
        constexpr bool provides = detail::provides_of<gate_type>::type::size != 0 || detail::has_trait<gate_type, establishes_identity>;
        if constexpr (provides)
            static_cast<void>(sizeof(typename advice::shadow_of<gate_type>::provides_a_facet__what_it_did_not_enforce_nobody_may_rely_on));
        return !provides;
    }
    static_assert(check());
    static_assert(detail::is_role<gate_type, gate>, "weir::shadow wants a gate");

    template<class Call>
    using muted = detail::muted_call<Call>;
    template<class Call>
    static constexpr bool waits_for = detail::admits_with_waiter<gate_type, muted<Call>>;
    template<class Call>
    static auto ask(gate_type& g, muted<Call>& call, [[maybe_unused]] waiter& w)
    {
        static_assert(asks_here<Call>());
        if constexpr (waits_for<Call>)
            return g.admit(call, w);
        else
            return g.admit(call);
    }
    template<class Call>
    static constexpr bool asks_here()
    {
        constexpr bool elsewhere = requires(gate_type & g, muted<Call> & c)
        {
            g.admit_later(c);
        };
        if constexpr (elsewhere)
            static_cast<void>(sizeof(typename advice::shadow_of<gate_type>::asks_elsewhere__its_decision_cannot_be_tried_without_waiting));
        return !elsewhere;
    }
    template<class Call>
    using inner_permit =
        typename decltype(ask<Call>(std::declval<gate_type&>(), std::declval<muted<Call>&>(), std::declval<waiter&>()))::permit_type;

public:
    using role = gate;
    using needs = typename detail::needs_of<gate_type>::type;
    using reads = typename detail::reads_of<gate_type>::type;
    static constexpr std::string_view name = "shadow";
    template<class Permit>
    struct permit {
        bool held = false;
        [[no_unique_address]] Permit inner{};
    };
    struct stats_type {
        std::uint64_t admitted = 0;
        std::uint64_t would_refuse = 0;
        std::uint64_t would_wait = 0;
        void each(auto&& field) const
        {
            field("admitted_total", admitted);
            field("would_refuse_total", would_refuse);
            field("would_wait_total", would_wait);
        }
    };

    explicit shadow(Gate g) : gate_(std::move(g)) {}

    template<class Call>
    auto admit(Call& call) -> admission<permit<inner_permit<Call>>>
    {
        using permit_type = permit<inner_permit<Call>>;
        muted<Call> quiet(call);
        waiter w;
        auto asked = ask<Call>(policy(), quiet, w);
        if constexpr (waits_for<Call>)
            if (asked.is_parked()) {
                if (policy().abandon(w)) {
                    would_wait_.add();
                    return permit_type{};
                }
                asked = policy().resume(quiet, w); // its turn came just now
                if (asked.is_parked()) {
                    if (!policy().abandon(w)) policy().decline(w);
                    would_wait_.add();
                    return permit_type{};
                }
            }
        if (!asked) {
            would_refuse_.add();
            return permit_type{};
        }
        admitted_.add();
        return permit_type{true, asked.permit()};
    }
    template<class Permit, class Call>
    void settle(permit<Permit> p, auto const& outcome, Call& call)
    {
        if constexpr (requires(gate_type & g, muted<Call> & c) { g.settle(p.inner, outcome, c); })
            if (p.held) {
                muted<Call> quiet(call);
                policy().settle(p.inner, outcome, quiet);
            }
    }
    template<class Permit>
    void cancel(permit<Permit> p) noexcept
    {
        if constexpr (detail::cancels<gate_type, Permit>)
            if (p.held) policy().cancel(p.inner);
    }

    /// The gate itself.
    [[nodiscard]] gate_type& policy() noexcept { return detail::unwrapped<Gate>::of(gate_); }
    [[nodiscard]] stats_type stats(time_point = {}) const { return {admitted_.sum(), would_refuse_.sum(), would_wait_.sum()}; }
    void describe(auto&& field) const
    {
        field("of", gate_type::name);
        auto const& g = detail::unwrapped<Gate>::of(const_cast<Gate&>(gate_));
        if constexpr (requires { g.describe(field); }) g.describe(field);
    }

private:
    Gate gate_;
    detail::counter<shared> admitted_, would_refuse_, would_wait_;
};

} // namespace weir::inline v0
