// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/contracts.hpp>
#include <weir/core/detail/announcer.hpp>
#include <weir/core/detail/random_seed.hpp>
#include <weir/core/detail/splitmix64.hpp>
#include <weir/core/live.hpp>
#include <weir/core/striped.hpp>
#include <weir/resilience/breaker_transition.hpp>
#include <weir/resilience/breaker_window.hpp>
#include <weir/resilience/detail/breaker_core.hpp>
#include <weir/resilience/verdict.hpp>

#include <concepts>
#include <cstdint>
#include <mutex>
#include <string_view>
#include <type_traits>
#include <utility>

namespace weir::inline v0 {

/// What a breaker counts.
struct breaker_stats {
    breaker_state now = breaker_state::closed;
    std::uint64_t calls = 0; ///< in the window, as the two that follow; of `failures_in_a_row` the row
    std::uint64_t failures = 0;
    std::uint64_t slow = 0;
    std::uint64_t probes_out = 0; ///< probes that have not come back
    std::uint64_t refused = 0;    ///< since the start, as the following
    std::uint64_t opened = 0;     ///< by itself
    std::uint64_t late = 0;       ///< results that arrived after their state had ended
    std::uint64_t untold = 0;     ///< transitions that found 64 others waiting for a listener
    void each(auto&& field) const
    {
        field("state", static_cast<std::uint64_t>(now));
        field("window_calls", calls);
        field("window_failures", failures);
        field("window_slow", slow);
        field("probes_out", probes_out);
        field("refused_total", refused);
        field("opened_total", opened);
        field("late_total", late);
        field("untold_total", untold);
    }
};

/// Keeps calls away from a handler that fails: closed, it counts outcomes; open, it refuses with `errc::circuit_open` and the time until
/// probes start; half-open, it lets a few probes through and closes when all of them succeed (M. Nygard, "Release It!", 2007).
///
/// How it judges is a type, chosen by the options: the rates in a window of time, `circuit_breaker{{.failure_rate = 0.5, .window = 10s}}`;
/// in the last so many calls, `circuit_breaker{count_breaker_options{.failure_rate = 0.5, .window = 100}}`; or
/// `circuit_breaker{row_breaker_options{.failures = 5}}`. With `.slow_call` it judges by slow calls, too. One a key: `keyed_breaker`.
///
/// What is a failure the `Classifier` says (see `pipeline_verdict`): by default a fault or an exception. The caller's own mistakes,
/// refusals further in and cancelled calls do not count, and as probes give their places back; nor do results that arrive after the state
/// in which their call began. The rates are looked at when a call fails or is slow, and at others while only the minimum of calls is
/// missing.
///
/// It cannot stay half-open: see `detail::breaker_core` for the ways out. By hand it is forced open, disabled, or set to count only, until
/// `reset`. Listeners hear of each transition once and in order; a pipeline's observer of those that its calls bring about.
///
/// Closed, a call costs a load and, with its outcome, a count in words of its own thread. Thread-safe if `shared`. To limit the calls at
/// the same time take `bulkhead`; to shed load by the failure rate without a cliff, `adaptive_throttle`.
template<breaker_window Window = time_window, threading_model Threading = shared, class Classifier = pipeline_verdict>
class circuit_breaker {
    using core = detail::breaker_core<Window, Threading>;
    using word = detail::breaker_word;

public:
    using role = gate;
    using traits = weir::traits<counts_failures>;
    using options = typename Window::options;
    using state = breaker_state;
    using stats_type = breaker_stats;
    using permit_type = std::uint64_t;
    static constexpr std::string_view name = "circuit_breaker";

    explicit circuit_breaker(options o = {}, Classifier classifier = {})
        : settings_(checked(o)), core_(o), classifier_(std::move(classifier)), random_(o.seed != 0 ? o.seed : detail::random_seed())
    {
    }

    [[gnu::always_inline]] auto admit(auto& call) -> admission<permit_type>
    {
        std::uint64_t const seen = core_.word();
        if (word::is_plainly_closed(seen)) [[likely]]
            return seen;
        return admit_otherwise(seen, call.now(), detail::teller_of(call));
    }
    [[gnu::always_inline]] void settle(permit_type permit, auto const& outcome, auto& call)
    {
        verdict const v = detail::verdict_of(classifier_, outcome, call);
        if (word::is_plainly_closed(permit) && core_.word() == permit) [[likely]] {
            if (v == verdict::ignored) [[unlikely]]
                return;
            bool const failed = v == verdict::failure;
            if constexpr (Window::needs_time)
                core_.counts().count(call.now(), failed);
            else
                core_.counts().count({}, failed);
            if (failed) [[unlikely]]
                judge(permit, call.now(), detail::teller_of(call));
        } else
            settle_otherwise(permit, v, call.now(), detail::teller_of(call));
    }
    void cancel(permit_type permit) noexcept
    {
        if (word::state(permit) == state::half_open) [[unlikely]]
            give_place_back(permit);
    }

    /// Tells `f` of each transition from now on, once and in order, after the change and without a lock: it may use the breaker. It runs
    /// on the thread of a call, not always of the one that brought the change about; it must not block, lives as long as the
    /// breaker, and what it throws is dropped.
    template<std::invocable<breaker_transition const&> Listener>
    void listen(Listener f)
    {
        std::lock_guard const lock(changing_);
        listeners_.add(std::move(f));
    }

    /// By hand: refuses every call from now on.
    void force_open(time_point now) { set(state::forced_open, now); }
    /// By hand: lets every call pass and counts none.
    void disable(time_point now) { set(state::disabled, now); }
    /// By hand: lets every call pass and counts them.
    void metrics_only(time_point now) { set(state::metrics_only, now); }
    /// Back to itself: closed, with an empty window, whatever it was.
    void reset(time_point now) { set(state::closed, now); }

    /// `named` tells it so; what it tells has that name if the options have none.
    void labelled(std::string_view label) noexcept { label_ = detail::name_within_bounds(label); }

    [[nodiscard]] stats_type stats(time_point now) const
    {
        auto const window = core_.counts().sum(now);
        std::lock_guard const lock(changing_);
        return {core_.now(),    window.calls, window.failures, window.slow,        core_.probes_out(),
                refused_.sum(), opened_,      late_.sum(),     listeners_.untold()};
    }
    [[nodiscard]] options settings() const noexcept { return settings_.load(); }
    /// Other settings from the next decision on; the state stays, a window of another length begins anew. Throws `std::invalid_argument`
    /// and changes nothing if they are bad.
    void reconfigure(options const& o)
    {
        checked(o);
        std::lock_guard const lock(changing_);
        core_.adopt(o, settings_.load());
        settings_.store(o);
    }
    void describe(auto&& field) const { detail::describe_breaker(settings(), field); }

private:
    static options const& checked(options const& o)
    {
        detail::expect_breaker(o);
        return o;
    }
    [[nodiscard]] breaker_transition event(detail::breaker_change const& c, options const& o, time_point now) const noexcept
    {
        return {o.name.view().empty() ? label_ : o.name, c.from, c.to, c.why, now, c.number};
    }
    /// After a change: the lock is given up before anybody is told.
    template<class Tell>
    void announce(std::unique_lock<typename Threading::mutex>& lock, detail::breaker_change const& c, options const& o, time_point now,
                  Tell tell)
    {
        if (!c) return lock.unlock();
        if (c.to == state::open) ++opened_;
        breaker_transition const told = event(c, o, now);
        listeners_.put(breaker_transition(told));
        listeners_.tell(lock);
        tell(told);
    }
    void set(state to, time_point now)
    {
        std::unique_lock lock(changing_);
        auto const c = core_.set(to);
        announce(lock, c, settings_.load(), now, detail::tells_nobody{});
    }

    template<class Tell>
    [[gnu::noinline]] auto admit_otherwise(std::uint64_t seen, time_point now, Tell tell) -> admission<permit_type>
    {
        if (state const s = word::state(seen); s == state::closed || s == state::disabled || s == state::metrics_only)
            return word::permit(seen, now);
        options const o = settings_.load();
        permit_type permit = 0;
        std::unique_lock lock(changing_);
        auto const answer = core_.enter(o, now, detail::splitmix64(random_), permit);
        announce(lock, answer.change, o, now, tell);
        if (answer.passes) return permit;
        refused_.add();
        return error(errc::circuit_open, answer.retry_after);
    }
    template<class Tell>
    [[gnu::noinline]] void settle_otherwise(permit_type permit, verdict v, time_point now, Tell tell)
    {
        state const s = word::state(permit);
        if (s == state::disabled) return;
        if (word::is_late(permit, core_.word())) return late_.add();
        if (v == verdict::ignored) return cancel(permit);
        bool const failed = v == verdict::failure;
        bool const slow = core_.is_slow(permit, now);
        if (s == state::half_open) {
            options const o = settings_.load();
            std::unique_lock lock(changing_);
            auto const c = core_.settle_probe(permit, failed || slow, o, now, detail::splitmix64(random_));
            return announce(lock, c, o, now, tell);
        }
        core_.counts().count_timed(now, failed, slow);
        if (s == state::closed && (failed || slow || core_.is_near())) judge(permit, now, tell);
    }
    [[gnu::noinline, gnu::cold]] void give_place_back(permit_type permit) noexcept
    {
        std::lock_guard const lock(changing_);
        core_.drop(permit);
    }
    template<class Tell>
    [[gnu::noinline, gnu::cold]] void judge(permit_type permit, time_point now, Tell tell)
    {
        options const o = settings_.load();
        auto const opinion = core_.counts().opinion(core_.counts().sum(now), o);
        if (!opinion.too_many && !core_.is_near()) return;
        std::unique_lock lock(changing_);
        auto const c = core_.judge(permit, opinion, o, now, detail::splitmix64(random_));
        announce(lock, c, o, now, tell);
    }

    live<options> settings_;
    core core_;
    [[no_unique_address]] Classifier classifier_;
    detail::counter<Threading> refused_;
    detail::counter<Threading> late_;
    mutable typename Threading::mutex changing_; ///< guards what follows, and every change of the core
    detail::announcer<breaker_transition> listeners_;
    breaker_name label_{};
    std::uint64_t opened_ = 0;
    std::uint64_t random_;
};
// Braces without a type are the options of a window of time; the others are named.
circuit_breaker(circuit_breaker_options)->circuit_breaker<>;
template<class Window, class Length>
circuit_breaker(breaker_rates<Window, Length>) -> circuit_breaker<Window>;
template<std::same_as<row_breaker_options> Options>
circuit_breaker(Options) -> circuit_breaker<failures_in_a_row>;
template<class Classifier>
circuit_breaker(circuit_breaker_options, Classifier) -> circuit_breaker<time_window, shared, Classifier>;
template<class Window, class Length, class Classifier>
circuit_breaker(breaker_rates<Window, Length>, Classifier) -> circuit_breaker<Window, shared, Classifier>;
template<std::same_as<row_breaker_options> Options, class Classifier>
circuit_breaker(Options, Classifier) -> circuit_breaker<failures_in_a_row, shared, Classifier>;

} // namespace weir::inline v0
