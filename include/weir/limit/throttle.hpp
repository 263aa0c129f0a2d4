// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/options.hpp>
#include <weir/limit/rate_limit.hpp>

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>

namespace weir::inline v0 {

/// Lets calls pass at the pace of a limiter: a call that comes too soon waits for its permit, up to `max_wait`, and is refused at once with
/// `errc::rate_limited` if it would have to wait longer, or past its deadline: `throttle{gcra{{.permits = 10, .per = 1s}}, 200ms}`.
///
/// The permit is taken when the call comes, so calls go in the order in which they came. One that is cancelled while it waits does not
/// give its permit back: others are placed behind it already. Thread-safe as the limiter is.
template<class Limiter>
class throttle {
    using keys = detail::key_needs<Limiter>;

public:
    using role = loop;
    using traits = weir::traits<waits>;
    using needs = typename keys::needs;
    using reads = typename keys::reads;
    using plan = pass;
    static constexpr std::string_view name = "throttle";
    struct stats_type {
        std::uint64_t at_once = 0;
        std::uint64_t delayed = 0;
        std::uint64_t refused = 0;
        void each(auto&& field) const
        {
            field("at_once_total", at_once);
            field("delayed_total", delayed);
            field("refused_total", refused);
        }
    };

    /// `max_wait` is 0 or more.
    throttle(Limiter limiter, duration max_wait) : limiter_(std::move(limiter)), max_wait_(checked(max_wait).count()) {}

    admission<> begin(auto& call, plan&)
    {
        duration const allowed = std::min(duration{max_wait_.load()}, call.deadline().left(call.now()));
        reservation const r = reserve(call, allowed);
        if (!r) [[unlikely]] {
            refused_.add();
            return error(errc::rate_limited, r.retry_after());
        }
        if (r.wait() == duration::zero()) {
            at_once_.add();
            return admitted;
        }
        delayed_.add();
        return sleep_for{r.wait()};
    }
    next_step after(auto&, plan&, auto&) noexcept { return done; }

    [[nodiscard]] stats_type stats(time_point = {}) const { return {at_once_.sum(), delayed_.sum(), refused_.sum()}; }
    [[nodiscard]] auto settings() const { return limiter_.settings(); }
    void reconfigure(typename Limiter::options const& o) { limiter_.reconfigure(o); }
    [[nodiscard]] duration max_wait() const noexcept { return duration{max_wait_.load()}; }
    /// Another longest wait; 0 or more.
    void max_wait(duration d) { max_wait_.store(checked(d).count()); }
    void describe(auto&& field) const
    {
        detail::describe_rate(limiter_.settings(), field);
        field("max_wait", max_wait());
    }

private:
    static duration checked(duration d)
    {
        expect(d >= duration::zero(), "throttle.max_wait", "0 or more");
        return d;
    }
    reservation reserve(auto& call, duration allowed)
    {
        if constexpr (detail::keyed_limiter<Limiter>)
            return limiter_.reserve(limiter_.key_of()(call), call.now(), 1, allowed);
        else
            return limiter_.reserve(call.now(), 1, allowed);
    }

    Limiter limiter_;
    shared::cell<std::int64_t> max_wait_;
    detail::counter<typename Limiter::threading> at_once_;
    detail::counter<typename Limiter::threading> delayed_;
    detail::counter<typename Limiter::threading> refused_;
};

} // namespace weir::inline v0
