// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/options.hpp>
#include <weir/limit/rate_limit.hpp>

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>

namespace weir::inline v0 {

namespace detail {

template<class Limiter>
concept bounds_the_wait = requires(typename policy_t<Limiter>::options const& o)
{
    o.max_wait;
};

} // namespace detail

/// Lets calls pass at the pace of a limiter: a call that comes too soon waits for its permit, up to `max_wait`, and is refused at once with
/// `errc::rate_limited` if it would have to wait longer, or past its deadline: `throttle{gcra{{.permits = 10, .per = 1s}}, 200ms}`, or
/// `throttle{leaky_bucket{{.permits = 10, .per = 1s, .queue = 20}}}`.
///
/// The permit is taken when the call comes, so calls go in the order in which they came. One that is cancelled while it waits does not
/// give its permit back: others are placed behind it already. Thread-safe as the limiter is.
///
/// The limiter is one as for `rate_limit`: one limit, one a key, several at once, named or shared. What a call costs stands at the end:
/// `throttle{gcra{...}, 200ms, cost_of{f}}`. A refusal reports `limit_facts`.
template<class Limiter, class Price = detail::costs_one>
class throttle {
    using limiter_type = detail::policy_t<Limiter>;
    using keys = detail::key_needs<limiter_type>;

public:
    using role = loop;
    using traits = weir::traits<waits>;
    using needs = typename detail::facet_union<typename keys::needs, typename detail::needs_of<Price>::type>::type;
    using reads = typename keys::reads;
    using reports = facets<limit_facts>;
    using options = typename limiter_type::options;
    using plan = pass;
    static constexpr std::string_view name = "throttle";
    struct stats_type {
        std::uint64_t at_once = 0;
        std::uint64_t delayed = 0;
        std::uint64_t refused = 0;
        [[no_unique_address]] detail::figures_of<limiter_type> limiter{};
        void each(auto&& field) const
        {
            field("at_once_total", at_once);
            field("delayed_total", delayed);
            field("refused_total", refused);
            limiter.each(field);
        }
    };

    /// A limiter that bounds the wait itself, as `leaky_bucket` does, needs no `max_wait`.
    explicit throttle(Limiter limiter) requires detail::bounds_the_wait<Limiter> : throttle(std::move(limiter), duration::max()) {}
    /// `max_wait` is 0 or more.
    throttle(Limiter limiter, duration max_wait, Price price = {})
        : limiter_(std::move(limiter)), price_(std::move(price)), max_wait_(checked(max_wait).count())
    {
    }

    admission<> begin(auto& call, plan&)
    {
        duration const allowed = std::min(duration{max_wait_.load()}, call.deadline().left(call.now()));
        reservation const r = detail::reserve_for(algorithm(), call, price_(call), allowed);
        if (!r) [[unlikely]] {
            refused_.add();
            tell(call);
            return error(errc::rate_limited, r.retry_after());
        }
        if (r.wait().count() == 0) {
            at_once_.add();
            return admitted;
        }
        delayed_.add();
        return sleep_for{r.wait()};
    }
    next_step after(auto&, plan&, auto&) noexcept { return done; }

    [[nodiscard]] stats_type stats(time_point = {}) const
    {
        return {at_once_.sum(), delayed_.sum(), refused_.sum(), detail::figures_of<limiter_type>(algorithm())};
    }
    [[nodiscard]] auto settings() const { return algorithm().settings(); }
    void reconfigure(options const& o) { algorithm().reconfigure(o); }
    [[nodiscard]] limiter_type& algorithm() noexcept { return detail::unwrapped<Limiter>::of(limiter_); }
    [[nodiscard]] limiter_type const& algorithm() const noexcept { return const_cast<throttle&>(*this).algorithm(); }
    [[nodiscard]] duration max_wait() const noexcept { return duration{max_wait_.load()}; }
    /// Another longest wait; 0 or more.
    void max_wait(duration d) { max_wait_.store(checked(d).count()); }
    void describe(auto&& field) const
    {
        detail::describe_limiter(algorithm(), field);
        duration longest = max_wait();
        if constexpr (detail::bounds_the_wait<Limiter>) longest = std::min(longest, algorithm().settings().max_wait);
        if (longest != duration::max()) field("max_wait", longest);
    }

private:
    static duration checked(duration d)
    {
        expect(d.count() >= 0, "throttle.max_wait", "0 or more");
        return d;
    }
    [[gnu::noinline, gnu::cold]] void tell(auto& call)
    {
        detail::tell_for<false>(algorithm(), call, detail::name_of<Limiter>(name), call.template reporting<limit_facts>());
    }

    [[no_unique_address]] Limiter limiter_;
    [[no_unique_address]] Price price_;
    shared::cell<std::int64_t> max_wait_;
    detail::counter<typename limiter_type::threading> at_once_;
    detail::counter<typename limiter_type::threading> delayed_;
    detail::counter<typename limiter_type::threading> refused_;
};

} // namespace weir::inline v0
