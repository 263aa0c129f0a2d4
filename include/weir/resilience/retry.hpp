// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/contracts.hpp>
#include <weir/core/detail/random_seed.hpp>
#include <weir/core/detail/splitmix64.hpp>
#include <weir/core/live.hpp>
#include <weir/core/options.hpp>
#include <weir/resilience/attempt.hpp>
#include <weir/resilience/budget.hpp>
#include <weir/resilience/decorrelated_jitter.hpp>
#include <weir/resilience/exponential_backoff.hpp>
#include <weir/resilience/fixed_backoff.hpp>
#include <weir/resilience/retry_when.hpp>

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>

namespace weir::inline v0 {

/// How the waits between attempts grow.
enum class backoff : std::uint8_t {
    exponential,  ///< `exponential_backoff`: from nothing to a bound that doubles, full jitter
    decorrelated, ///< `decorrelated_jitter`: from the base to three times the wait before
    fixed,        ///< `fixed_backoff`: always the base, without jitter
};
[[nodiscard]] constexpr std::string_view to_string(backoff b) noexcept
{
    return b == backoff::exponential ? "exponential" : b == backoff::decorrelated ? "decorrelated" : "fixed";
}

struct retry_options {
    /// Attempts altogether, the first included; 0 means as many as the type allows, and no more than those.
    std::uint32_t max_attempts = 0;
    /// Where the waits begin: the bound of the first one, or the shortest. Above 0.
    duration base = std::chrono::milliseconds(50);
    /// The longest wait, also the longest `retry_after` that is waited for; at least `base`.
    duration cap = std::chrono::seconds(2);
    weir::backoff backoff = weir::backoff::exponential;
    /// Whether a `retry_after` above the cap is cut down to it; else it ends the call: who asks for more time is not asked sooner.
    bool clamp_retry_after = false;
    /// No attempt begins with less time than that until the deadline. 0 or more.
    duration min_time_left{0};
    /// How much extra load the retries of all calls together may make; not looked at if the policy shares a budget.
    budget_options budget{};
    /// Where the jitter starts; 0 means anywhere.
    std::uint64_t seed = 0;
};

/// Makes a failed call again, at most `MaxAttempts` times in all, with backoff and jitter, within a budget.
///
/// What is repeated, says `When`, a predicate of the outcome: faults (see `is_fault`, or the pipeline's classifier) and refusals further in
/// by a limit; or `on_errors<errc::unavailable>`, or a function of your own, also of values:
/// `retry<3, [](result<page> const& r) { return r && r->is_half(); }>`. A `retry_after` is waited for, unless it is longer than the cap; no
/// attempt begins that would begin after the deadline. What is not repeated any more keeps its outcome. Several retries and hedges share
/// one budget: `retry<3>{options, std::ref(budget)}`. Policies further in and the handler may read which `attempt` it is.
///
/// The handler has to be marked `idempotent`, or an idempotency key stand in the pipeline. Thread-safe.
template<std::uint32_t MaxAttempts = 3, auto When = when_it_failed{}>
class retry {
    static_assert(MaxAttempts >= 2 && MaxAttempts <= 100, "weir::retry makes 2 to 100 attempts");

public:
    using role = loop;
    using traits = weir::traits<repeats_the_call, waits>;
    using provides = facets<attempt>;
    using options = retry_options;
    static constexpr std::string_view name = "retry";
    static constexpr std::uint32_t max_attempts = MaxAttempts;
    struct plan {
        std::uint32_t attempts = 1;
        duration waited{0}; // before the last attempt; for backoffs that look back
    };
    struct stats_type {
        std::uint64_t retries = 0;
        std::uint64_t exhausted = 0;   ///< calls that failed with their last attempt
        std::uint64_t over_budget = 0; ///< retries that the budget did not allow
        void each(auto&& field) const
        {
            field("retries_total", retries);
            field("exhausted_total", exhausted);
            field("over_budget_total", over_budget);
        }
    };

    explicit retry(options o = {}) : retry(o, budget_share(weir::budget::checked(o.budget))) {}
    /// With a budget that others take from, too: `std::ref(budget)` or a `std::shared_ptr`.
    retry(options o, budget_share shared)
        : settings_(checked(o)), budget_(std::move(shared)), draws_(o.seed != 0 ? o.seed : detail::random_seed())
    {
    }

    admission<> begin(auto& call, plan&) noexcept
    {
        call.set(attempt{});
        return admitted;
    }
    [[gnu::always_inline]] next_step after(auto& call, plan& p, auto& outcome)
    {
        if (p.attempts == 1) budget_->deposit(call.now());
        if (!detail::worth_repeating<When>(call, outcome)) [[likely]]
            return done;
        duration const asked = outcome.has_error() ? outcome.error().retry_after() : duration::zero();
        next_step const next = another(p, call.now(), call.deadline().at, asked);
        if (next.again()) call.set(attempt{p.attempts});
        return next;
    }

    [[nodiscard]] stats_type stats(time_point = {}) const { return {retries_.load(), exhausted_.load(), over_budget_.load()}; }
    [[nodiscard]] options settings() const noexcept { return settings_.load(); }
    /// Other settings, all but the seed, for attempts from now on; a budget that is shared is reconfigured by itself. Throws
    /// `std::invalid_argument` and changes nothing if they are bad.
    void reconfigure(options const& o)
    {
        checked(o);
        if (budget_.is_own()) budget_->reconfigure(o.budget);
        settings_.store(o);
    }
    [[nodiscard]] weir::budget& budget() noexcept { return *budget_; }
    void describe(auto&& field) const
    {
        options const o = settings();
        budget_options const b = budget_->settings();
        field("max_attempts", o.max_attempts == 0 ? MaxAttempts : o.max_attempts);
        field("backoff", to_string(o.backoff));
        field("base", o.base);
        field("cap", o.cap);
        field("budget_ratio", b.ratio);
        field("budget_floor_per_second", b.floor_per_second);
    }

private:
    static options const& checked(options const& o)
    {
        expect(o.max_attempts <= MaxAttempts, "retry.max_attempts", "at most the number that the type allows");
        expect(o.base.count() > 0, "retry.base", "more than 0");
        expect(o.cap >= o.base && o.cap <= std::chrono::hours(24), "retry.cap", "from base to 24 h");
        expect(o.backoff <= weir::backoff::fixed, "retry.backoff", "exponential, decorrelated or fixed");
        expect(o.min_time_left.count() >= 0, "retry.min_time_left", "0 or more");
        return o;
    }
    static duration wait_of(options const& o, plan const& p, std::uint64_t random) noexcept
    {
        switch (o.backoff) {
        case weir::backoff::decorrelated: return decorrelated_jitter{o.base, o.cap}.wait(p.attempts, p.waited, random);
        case weir::backoff::fixed: return fixed_backoff{o.base}.wait(p.attempts, p.waited, random);
        default: return exponential_backoff{o.base, o.cap}.wait(p.attempts, random);
        }
    }
    [[gnu::noinline, gnu::cold]] next_step another(plan& p, time_point now, time_point deadline, duration asked)
    {
        options const o = settings_.load();
        std::uint32_t const allowed = o.max_attempts == 0 ? MaxAttempts : o.max_attempts;
        std::uint64_t state = draws_.add(1);
        duration const drawn = wait_of(o, p, detail::splitmix64(state));
        duration const wait = std::max(drawn, o.clamp_retry_after ? std::min(asked, o.cap) : asked);
        if (p.attempts >= allowed || wait > o.cap || weir::after(weir::after(now, wait), o.min_time_left) >= deadline) {
            exhausted_.add(1);
            return done;
        }
        if (!budget_->withdraw(now)) {
            over_budget_.add(1);
            return done;
        }
        ++p.attempts;
        p.waited = drawn;
        retries_.add(1);
        return again(wait);
    }

    live<options> settings_;
    budget_share budget_;
    shared::cell<std::uint64_t> draws_;
    shared::cell<std::uint64_t> retries_;
    shared::cell<std::uint64_t> exhausted_;
    shared::cell<std::uint64_t> over_budget_;
};
retry(retry_options)->retry<>;
retry(retry_options, budget_share)->retry<>;

} // namespace weir::inline v0
