// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/contracts.hpp>
#include <weir/core/key.hpp>
#include <weir/core/striped.hpp>
#include <weir/limit/limiter.hpp>

#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

namespace weir::inline v0 {

namespace detail {

template<class Limiter>
concept keyed_limiter = requires(Limiter const& l)
{
    l.key_of();
};

template<class Limiter>
struct key_needs {
    using needs = facets<>;
    using reads = reads_request<>;
};
template<keyed_limiter Limiter>
struct key_needs<Limiter> {
    using key_of = std::remove_cvref_t<decltype(std::declval<Limiter const&>().key_of())>;
    using needs = typename needs_of<key_of>::type;
    using reads = typename reads_of<key_of>::type;
};

/// The rate of a limiter, for `describe`.
void describe_rate(auto const& o, auto&& field)
{
    if constexpr (requires {
                      o.permits;
                      o.per;
                      o.burst;
                  }) {
        field("permits", *o.permits);
        field("per", o.per);
        field("burst", o.burst);
    }
}

} // namespace detail

/// Where the limit that refused a call stands; the HTTP edge writes it into the `RateLimit` fields.
struct limit_facts {
    std::string_view name;
    quota state{};
};

/// Lets calls pass as a limiter allows, and refuses the others at once with `errc::rate_limited` and the time to come back:
/// `rate_limit{gcra{{.permits = 100, .per = 1s}}}`, or one limit a key, `rate_limit{keyed{gcra{...}, by<principal>, {.capacity = 10'000}}}`.
///
/// It takes the permit when the call comes and keeps it, whatever the outcome. A refusal writes nothing but its count. To let calls
/// wait for their turn take `throttle`; to limit calls at the same time, `bulkhead`. Thread-safe as the limiter is.
template<class Limiter>
class rate_limit {
    using keys = detail::key_needs<Limiter>;

public:
    using role = gate;
    using needs = typename keys::needs;
    using reads = typename keys::reads;
    using reports = facets<limit_facts>;
    static constexpr std::string_view name = "rate_limit";
    struct stats_type {
        std::uint64_t admitted = 0;
        std::uint64_t refused = 0;
        void each(auto&& field) const
        {
            field("admitted_total", admitted);
            field("refused_total", refused);
        }
    };

    explicit rate_limit(Limiter limiter) : limiter_(std::move(limiter)) {}

    [[gnu::always_inline]] admission<> admit(auto& call)
    {
        decision const d = ask(call);
        if (d) [[likely]] {
            admitted_.add();
            return admitted;
        }
        call.report(facts(call));
        return refuse(d);
    }

    [[nodiscard]] stats_type stats(time_point = {}) const { return {admitted_.sum(), refused_.sum()}; }
    [[nodiscard]] auto settings() const { return limiter_.settings(); }
    void reconfigure(typename Limiter::options const& o) { limiter_.reconfigure(o); }
    [[nodiscard]] Limiter const& algorithm() const noexcept { return limiter_; }
    void describe(auto&& field) const { detail::describe_rate(limiter_.settings(), field); }

private:
    [[gnu::noinline, gnu::cold]] error refuse(decision d)
    {
        refused_.add();
        return error(errc::rate_limited, d.retry_after());
    }
    [[nodiscard, gnu::always_inline]] limit_facts facts(auto& call)
    {
        if constexpr (detail::keyed_limiter<Limiter>)
            return {name, limiter_.quota_at(limiter_.key_of()(call), call.now())};
        else
            return {name, quota_of(call.now())};
    }
    [[gnu::noinline, gnu::cold]] quota quota_of(time_point now) const { return limiter_.quota_at(now); }
    [[gnu::always_inline]] decision ask(auto& call)
    {
        if constexpr (detail::keyed_limiter<Limiter>)
            return limiter_.try_acquire(limiter_.key_of()(call), call.now());
        else
            return limiter_.try_acquire(call.now());
    }

    Limiter limiter_;
    detail::counter<typename Limiter::threading> admitted_;
    detail::counter<typename Limiter::threading> refused_;
};

} // namespace weir::inline v0
