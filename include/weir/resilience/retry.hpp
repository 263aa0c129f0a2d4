// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/contracts.hpp>
#include <weir/core/detail/splitmix64.hpp>
#include <weir/core/live.hpp>
#include <weir/core/options.hpp>
#include <weir/resilience/budget.hpp>
#include <weir/resilience/exponential_backoff.hpp>

#include <cstdint>
#include <random>
#include <string_view>

namespace weir::inline v0 {

struct retry_options {
    /// Attempts altogether, the first included; 0 means as many as the type allows, and no more than those.
    std::uint32_t max_attempts = 0;
    /// The bound of the first wait; it doubles with each attempt. Above 0.
    duration base = std::chrono::milliseconds(50);
    /// The longest wait, also the longest `retry_after` that is waited for; at least `base`.
    duration cap = std::chrono::seconds(2);
    /// How much extra load the retries of all calls together may make.
    budget_options budget{};
    /// Where the jitter starts; 0 means anywhere.
    std::uint64_t seed = 0;
};

/// Makes a failed call again, at most `MaxAttempts` times in all, with exponential backoff and full jitter, within a budget.
///
/// What is repeated: faults (see `is_fault`, or the pipeline's classifier), and refusals further in by a limit or for overload. A
/// `retry_after` is waited for, unless it is longer than the cap; no attempt begins that would begin after the deadline. What is not repeated
/// any more keeps its outcome. The handler has to be marked `idempotent`, or an idempotency key stand further in. Thread-safe.
template<std::uint32_t MaxAttempts = 3>
class retry {
    static_assert(MaxAttempts >= 2 && MaxAttempts <= 100, "weir::retry makes 2 to 100 attempts");

public:
    using role = loop;
    using traits = weir::traits<repeats_the_call, waits>;
    using options = retry_options;
    static constexpr std::string_view name = "retry";
    static constexpr std::uint32_t max_attempts = MaxAttempts;
    struct plan {
        std::uint32_t attempts = 1;
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

    explicit retry(options o = {})
        : settings_(checked(o)),
          budget_(o.budget),
          draws_(o.seed != 0 ? o.seed : (std::uint64_t{std::random_device{}()} << 32 | std::random_device{}()))
    {
    }

    admission<> begin(auto&, plan&) noexcept { return admitted; }
    [[gnu::always_inline]] next_step after(auto& call, plan& p, auto& outcome)
    {
        if (p.attempts == 1) budget_.deposit(call.now());
        if (!worth_repeating(call, outcome)) [[likely]]
            return done;
        duration const asked = outcome.has_error() ? outcome.error().retry_after() : duration::zero();
        return another(p, call.now(), call.deadline().at, asked);
    }

    [[nodiscard]] stats_type stats(time_point = {}) const { return {retries_.load(), exhausted_.load(), over_budget_.load()}; }
    [[nodiscard]] options settings() const noexcept { return settings_.load(); }
    /// Other settings, all but the budget and the seed, for attempts from now on. Throws `std::invalid_argument` if they are bad.
    void reconfigure(options const& o) { settings_.store(checked(o)); }
    void describe(auto&& field) const
    {
        options const o = settings();
        field("max_attempts", o.max_attempts == 0 ? MaxAttempts : o.max_attempts);
        field("base", o.base);
        field("cap", o.cap);
        field("budget_ratio", o.budget.ratio);
        field("budget_floor_per_second", o.budget.floor_per_second);
    }

private:
    static options const& checked(options const& o)
    {
        expect(o.max_attempts <= MaxAttempts, "retry.max_attempts", "at most the number that the type allows");
        expect(o.base > duration::zero(), "retry.base", "more than 0");
        expect(o.cap >= o.base && o.cap <= std::chrono::hours(24), "retry.cap", "from base to 24 h");
        return o;
    }
    static bool worth_repeating(auto& call, auto const& outcome)
    {
        if (call.failed(outcome)) [[unlikely]]
            return true;
        return outcome.has_error() && outcome.error().kind() == errc::rate_limited;
    }
    [[gnu::noinline, gnu::cold]] next_step another(plan& p, time_point now, time_point deadline, duration asked)
    {
        options const o = settings_.load();
        std::uint32_t const allowed = o.max_attempts == 0 ? MaxAttempts : o.max_attempts;
        std::uint64_t state = draws_.add(1);
        duration const drawn = exponential_backoff{o.base, o.cap}.wait(p.attempts, detail::splitmix64(state));
        duration const wait = std::max(drawn, asked);
        if (p.attempts >= allowed || asked > o.cap || weir::after(now, wait) >= deadline) {
            exhausted_.add(1);
            return done;
        }
        if (!budget_.withdraw(now)) {
            over_budget_.add(1);
            return done;
        }
        ++p.attempts;
        retries_.add(1);
        return again(wait);
    }

    live<options> settings_;
    weir::budget budget_;
    shared::cell<std::uint64_t> draws_;
    shared::cell<std::uint64_t> retries_;
    shared::cell<std::uint64_t> exhausted_;
    shared::cell<std::uint64_t> over_budget_;
};
retry(retry_options)->retry<>;

} // namespace weir::inline v0
