// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/charter.hpp>
#include <weir/core/contracts.hpp>
#include <weir/core/directives.hpp>
#include <weir/core/live.hpp>
#include <weir/core/options.hpp>
#include <weir/resilience/attempt.hpp>
#include <weir/resilience/budget.hpp>
#include <weir/resilience/decaying_quantile.hpp>
#include <weir/resilience/detail/race.hpp>
#include <weir/resilience/retry_when.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

namespace weir::inline v0 {

struct hedge_options {
    /// How long an attempt is waited for before the next one begins beside it; with a quantile this holds until enough is known. Above 0.
    required<duration> after;
    /// Waits as long as this part of the attempts took lately, 0.95 say; 0 means always `after`. In [0, 1).
    double quantile = 0;
    /// How many attempts have to have ended before the quantile counts. At most 1,000.
    std::uint32_t minimum_calls = 100;
    /// The bounds of the wait by quantile; `shortest` is above 0 and at most `longest`.
    duration shortest = std::chrono::milliseconds(1);
    duration longest = std::chrono::seconds(10);
    /// Attempts altogether, the first included; 0 means as many as the type allows, and no more than those.
    std::uint32_t max_attempts = 0;
    /// How much extra load the hedges of all calls together may make; not looked at if the policy shares a budget.
    budget_options budget{};
};

/// Begins a second attempt beside one that takes long, and takes what answers first: hedged requests (J. Dean and L. A. Barroso, "The Tail
/// at Scale", CACM 56, 2013). At most `MaxAttempts` run for a call, within a budget that may be shared with retries.
///
/// - **When**: after a fixed time, or after the time in which, say, 95 % of the attempts ended lately (`decaying_quantile`; its error is
///   below 1/16 of the time and a microsecond). Losers count with the time that they had when they were cancelled, so that the quantile is not
///   made of quick ones only.
/// - **What wins**: the first outcome that `When` does not call a failure. A failure lets the next attempt begin at once, unless it says when
///   to come back: then no more begins. If all fail the call gets the latest failure.
/// - **Where it runs**: each attempt is a fork, `within` the pipeline's scope, with a copy of the request and the call's deadline. The losers
///   are cancelled when the call has its answer, and end in the scope, which awaits them when it is drained. The call itself does not wait.
/// - **What comes back**: the winner's outcome, with what it reported and who answered it.
///
/// It wants an asynchronous pipeline with a scope and an `idempotent` handler, and does not compile without. Cost: one allocation for the
/// call and a frame an attempt; on the way of a quick answer, too. Thread-safe.
template<std::uint32_t MaxAttempts = 2, auto When = when_it_failed{}>
class hedge {
    static_assert(MaxAttempts >= 2 && MaxAttempts <= 10, "weir::hedge makes 2 to 10 attempts");

public:
    using role = source;
    using traits = weir::traits<repeats_the_call, races_attempts, runs_beside, waits>;
    using provides = facets<attempt>;
    using demands = weir::demands<requires_policy<within>>;
    using options = hedge_options;
    static constexpr std::string_view name = "hedge";
    static constexpr std::uint32_t max_attempts = MaxAttempts;
    static constexpr bool forks_keep_the_deadline = true;
    template<class Outcome>
    using token = detail::runner<Outcome>;
    struct stats_type {
        std::uint64_t calls = 0;
        std::uint64_t hedges = 0;      ///< attempts beyond the first
        std::uint64_t won = 0;         ///< calls that were answered by one of them
        std::uint64_t exhausted = 0;   ///< calls all whose attempts failed
        std::uint64_t over_budget = 0; ///< hedges that the budget did not allow
        duration after{};              ///< how long an attempt is waited for now
        void each(auto&& field) const
        {
            field("calls_total", calls);
            field("hedges_total", hedges);
            field("won_total", won);
            field("exhausted_total", exhausted);
            field("over_budget_total", over_budget);
            field("after", after);
        }
    };

    explicit hedge(options const& o) : hedge(o, budget_share(weir::budget::checked(o.budget))) {}
    /// With a budget that others take from, too: `std::ref(budget)` or a `std::shared_ptr`.
    hedge(options const& o, budget_share shared) : settings_(checked(o)), budget_(std::move(shared)), after_((*o.after).count()) {}

    template<class Outcome>
    lookup look_up(auto& call, token<Outcome>& t, Outcome&)
    {
        time_point const now = call.now();
        budget_->deposit(now);
        calls_.add(1);
        call.set(attempt{});
        begin_another(t, now);
        return lookup::missed;
    }
    /// An attempt has ended, or it is time for another one.
    template<class Outcome>
    lookup look_up_again(auto& call, token<Outcome>& t, Outcome& outcome)
    {
        auto& race = *t.of();
        time_point const now = call.now();
        bool const failed = std::exchange(race.failed, false);
        bool const is_due = now >= t.next_at || failed;
        if (!race.won && is_due && may_begin_another(t, race.give_up, now)) {
            ++t.attempts;
            call.set(attempt{t.attempts});
            begin_another(t, now);
            return lookup::missed;
        }
        if (!race.won && race.running != nullptr) {
            t.park();
            return lookup::parked;
        }
        take(call, t, outcome);
        return lookup::answered;
    }
    template<class Outcome>
    split splits(token<Outcome>& t) const noexcept
    {
        return t.wants_another ? split::and_wait : split::none;
    }
    template<class Outcome>
    void fork(token<Outcome>& t, token<Outcome>& other)
    {
        t.send(other);
        t.wants_another = false;
        other.attempts = t.attempts;
    }

    template<class Outcome>
    void learn(auto& call, token<Outcome>& t, Outcome& outcome)
    {
        if (t.is_caller()) return; // its scope is closed: it ran by itself, and what came of it stands
        auto& race = *t.of();
        if (outcome.has_value() || outcome.error() != errc::cancelled) {
            times_.record(call.now() - t.began);
            renew_wait();
            if (!race.won) keep(call, t, race, outcome);
        } else if (race.won)
            times_.record(call.now() - t.began);
        t.leave();
    }

    [[nodiscard]] stats_type stats(time_point = {}) const
    {
        return {calls_.load(), hedges_.load(), won_.load(), exhausted_.load(), over_budget_.load(), duration{after_.load()}};
    }
    [[nodiscard]] options settings() const noexcept { return settings_.load(); }
    /// Other settings for calls from now on; a budget that is shared is reconfigured by itself. Throws `std::invalid_argument` and changes
    /// nothing if they are bad.
    void reconfigure(options const& o)
    {
        checked(o);
        if (budget_.is_own()) budget_->reconfigure(o.budget);
        settings_.store(o);
        after_.store(wait_by(o).count());
    }
    [[nodiscard]] weir::budget& budget() noexcept { return *budget_; }
    void describe(auto&& field) const
    {
        options const o = settings();
        field("max_attempts", o.max_attempts == 0 ? MaxAttempts : o.max_attempts);
        field("after", *o.after);
        field("quantile", o.quantile);
        field("budget_ratio", budget_->settings().ratio);
    }

private:
    static options const& checked(options const& o)
    {
        expect((*o.after).count() > 0, "hedge.after", "more than 0");
        expect(o.quantile >= 0 && o.quantile < 1, "hedge.quantile", "a ratio in [0, 1)");
        expect(o.minimum_calls <= 1'000, "hedge.minimum_calls", "at most 1,000");
        expect(o.shortest.count() > 0 && o.shortest <= o.longest, "hedge.shortest", "more than 0, at most longest");
        expect(o.max_attempts <= MaxAttempts, "hedge.max_attempts", "at most the number that the type allows");
        return o;
    }
    /// To ask the histogram costs a walk over it: done for one sample in 16.
    void renew_wait()
    {
        if (samples_.add(1) % 16 != 0) return;
        options const o = settings_.load();
        if (o.quantile > 0) after_.store(wait_by(o).count());
    }
    [[nodiscard]] duration wait_by(options const& o) const
    {
        if (o.quantile <= 0 || times_.samples() < o.minimum_calls) return *o.after;
        return std::clamp(times_.at(o.quantile), o.shortest, o.longest);
    }
    template<class Outcome>
    void begin_another(token<Outcome>& t, time_point now) const
    {
        t.began_last = now;
        t.next_at = t.attempts < MaxAttempts ? weir::after(now, duration{after_.load()}) : never;
        t.wants_another = true;
    }
    template<class Outcome>
    bool may_begin_another(token<Outcome>& t, bool gave_up, time_point now)
    {
        std::uint32_t const limit = settings_.load().max_attempts;
        t.next_at = never; // asked once
        if (gave_up || t.attempts >= (limit == 0 ? MaxAttempts : limit)) return false;
        if (!budget_->withdraw(now)) {
            over_budget_.add(1);
            return false;
        }
        hedges_.add(1);
        return true;
    }

    /// An attempt has an outcome, and nobody has won.
    template<class Outcome>
    void keep(auto& call, token<Outcome>& t, detail::race<Outcome>& race, Outcome& outcome)
    {
        if constexpr (requires { call.failed(outcome); }) race.won = !detail::worth_repeating<When>(call, outcome);
        if (!race.won) {
            race.failed = true;
            race.give_up = race.give_up || (outcome.has_error() && outcome.error().retry_after().count() > 0);
        } else if (t.attempts > 1)
            won_.add(1);
        race.thrown = outcome.has_error() && outcome.error() == errc::handler_threw ? call.thrown() : nullptr;
        race.answered_by = t.answered_by();
        race.reports.reset();
        if constexpr (requires { call.reports(); }) {
            using frame = std::remove_reference_t<decltype(call.reports())>;
            if constexpr (!std::is_empty_v<frame>) race.reports = std::make_shared<frame>(std::move(call.reports()));
        }
        race.best.emplace(std::move(outcome));
    }
    template<class Outcome>
    void take(auto& call, token<Outcome>& t, Outcome& outcome)
    {
        auto& race = *t.of();
        if (!race.won) exhausted_.add(1);
        if (!race.best.has_value()) { // all were cancelled with their scope
            outcome = error(errc::cancelled);
            return;
        }
        outcome = std::move(*race.best);
        t.answered_by(race.answered_by);
        if (race.thrown != nullptr) call.thrown(std::move(race.thrown));
        if (race.reports != nullptr) {
            using frame = std::remove_reference_t<decltype(call.reports())>;
            detail::hand_reports(*static_cast<frame*>(race.reports.get()), call.reports());
        }
    }

    live<options> settings_;
    budget_share budget_;
    decaying_quantile<> times_;
    shared::cell<std::int64_t> after_;
    shared::cell<std::uint64_t> samples_;
    shared::cell<std::uint64_t> calls_;
    shared::cell<std::uint64_t> hedges_;
    shared::cell<std::uint64_t> won_;
    shared::cell<std::uint64_t> exhausted_;
    shared::cell<std::uint64_t> over_budget_;
};
hedge(hedge_options)->hedge<>;
hedge(hedge_options, budget_share)->hedge<>;

} // namespace weir::inline v0
