// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/cache/hit_rate_watch.hpp>
#include <weir/core/clock.hpp>
#include <weir/core/detail/announcer.hpp>
#include <weir/core/options.hpp>
#include <weir/core/policy.hpp>
#include <weir/core/threading.hpp>

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <mutex>
#include <string_view>
#include <utility>

namespace weir::inline v0 {

/// The listener that tightens a limit of loads while an alarm lasts: `tightens{std::ref(loads), 0.25}`.
template<class Limit>
class tightens {
public:
    /// `to` is the part of the loads that is left, above 0 and below 1. Throws `std::invalid_argument` that names it.
    explicit tightens(Limit limit, double to = 0.25) : limit_(std::move(limit)), to_(to)
    {
        expect(to > 0 && to < 1, "tightens.to", "a ratio above 0 and below 1");
    }
    void operator()(hit_rate_change const& change) noexcept
    {
        auto& limit = detail::unwrapped<Limit>::of(limit_);
        if (change.what == hit_rate_change::kind::dropped)
            limit.tighten(to_, change.when);
        else
            limit.loosen(change.when);
    }

private:
    Limit limit_;
    double to_;
};

struct hit_rate_alarm_stats {
    bool alarmed = false;
    double usual = 0;        ///< the rate that is usual
    double rate = 0;         ///< that of the latest window
    std::uint64_t drops = 0; ///< alarms since the start
    void each(auto&& field) const
    {
        field("alarmed", static_cast<std::uint64_t>(alarmed));
        field("usual_hit_rate", usual);
        field("window_hit_rate", rate);
        field("hit_rate_drops_total", drops);
    }
};

/// Says when the hit rate of a cache drops suddenly, and when it is back, with the figures; a part of a `cached`. What "suddenly" means
/// says `hit_rate_watch`.
/// ```cpp
/// weir::load_limit loads{{.max_loads = 40, .max_wait = 100ms}};
/// weir::pipeline svc{weir::cached{weir::store<std::string, double>{{.capacity = 100'000}}, weir::keyed_by(&query::symbol),
///                                 weir::hit_rate_alarm{{.drop = 0.3}, weir::tightens{std::ref(loads), 0.25}}},
///                    std::ref(loads), fetch_quote};
/// ```
/// Each `hit_rate_change` goes to the listeners, once and in order, and to the pipeline's observer by the call that found it. A hit costs
/// nothing; a miss a load and a comparison, and once a window one of them sums the totals up. For a cache that is no `cached`, and where
/// misses do not come, `look` is called by whoever likes. Thread-safe if `shared`.
template<threading_model Threading = shared>
class hit_rate_alarm {
public:
    using options = hit_rate_options;
    using stats_type = hit_rate_alarm_stats;
    static constexpr std::string_view name = "hit_rate_alarm";

    /// Throws `std::invalid_argument` that names the member.
    explicit hit_rate_alarm(options const& o = {}) : watch_(o) {}
    template<std::invocable<hit_rate_change const&> Listener>
    hit_rate_alarm(options const& o, Listener listener) : hit_rate_alarm(o)
    {
        listen(std::move(listener));
    }

    /// For `cached`.
    void missed(time_point now, auto const& stats, auto const& tell)
    {
        if (now.time_since_epoch().count() >= next_.load()) [[unlikely]]
            look_and_tell(now, stats, tell);
    }
    /// Looks at the totals of a cache now: anything that has `hits`, `negative_hits` and `misses`, such as `store_stats`. Does nothing
    /// while another thread looks.
    void look(time_point now, auto const& totals)
    {
        look_and_tell(
            now, [&]() -> auto const& { return totals; }, [](auto const&) {});
    }

    /// Tells `f` of each change from now on, once and in order, without a lock. It runs on the thread of a call, must not block, and what
    /// it throws is dropped.
    template<std::invocable<hit_rate_change const&> Listener>
    void listen(Listener f)
    {
        std::scoped_lock const lock(looking_);
        listeners_.add(std::move(f));
    }

    [[nodiscard]] stats_type stats(time_point = {}) const
    {
        std::scoped_lock const lock(looking_);
        return {watch_.alarmed(), watch_.usual(), watch_.rate(), drops_};
    }
    [[nodiscard]] options settings() const
    {
        std::scoped_lock const lock(looking_);
        return watch_.settings();
    }
    /// Other settings from now on; what it has learnt stays. Throws `std::invalid_argument` and changes nothing if they are bad.
    void reconfigure(options const& o)
    {
        std::scoped_lock const lock(looking_);
        watch_.reconfigure(o);
        next_.store(at_once);
    }
    void describe(auto&& field) const
    {
        options const o = settings();
        field("window", o.window);
        field("minimum_calls", o.minimum_calls);
        field("drop", o.drop);
        field("recovered", o.recovered);
        field("memory", o.memory);
    }

private:
    static constexpr std::int64_t at_once = time_point::min().time_since_epoch().count();

    [[gnu::noinline, gnu::cold]] void look_and_tell(time_point now, auto const& stats, auto const& tell)
    {
        // One at a time sums up and shows: the totals of two would arrive in any order, and calls be counted twice.
        std::unique_lock summing(summing_, std::try_to_lock);
        if (!summing) return;
        auto const& totals = stats(); // without the other lock: those of a cache ask its parts for theirs, this one among them
        std::unique_lock lock(looking_);
        std::uint64_t const hits = totals.hits + totals.negative_hits;
        auto const change = watch_.observe(hits, hits + totals.misses, now);
        // A window that is prolonged is looked at again soon, not at each miss.
        next_.store(std::max(watch_.next(), after(now, watch_.settings().window / 8)).time_since_epoch().count());
        summing.unlock(); // a listener may look
        if (!change) return;
        if (change->what == hit_rate_change::kind::dropped) ++drops_;
        listeners_.put(hit_rate_change(*change));
        listeners_.tell(lock);
        tell(*change);
    }

    typename Threading::template cell<std::int64_t> next_{at_once};
    typename Threading::mutex summing_;         ///< taken before the other
    mutable typename Threading::mutex looking_; ///< guards what follows
    hit_rate_watch watch_;
    detail::announcer<hit_rate_change> listeners_;
    std::uint64_t drops_ = 0;
};
hit_rate_alarm()->hit_rate_alarm<>;
hit_rate_alarm(hit_rate_options)->hit_rate_alarm<>;
template<class Listener>
hit_rate_alarm(hit_rate_options, Listener) -> hit_rate_alarm<>;

} // namespace weir::inline v0
