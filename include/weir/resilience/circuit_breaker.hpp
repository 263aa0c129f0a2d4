// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/contracts.hpp>
#include <weir/core/live.hpp>
#include <weir/core/options.hpp>
#include <weir/core/striped.hpp>
#include <weir/resilience/call_window.hpp>

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string_view>

namespace weir::inline v0 {

enum class breaker_state : std::uint8_t { closed, open, half_open };

[[nodiscard]] constexpr std::string_view to_string(breaker_state s) noexcept
{
    return s == breaker_state::closed ? "closed" : s == breaker_state::open ? "open" : "half_open";
}

/// Why a breaker changed its state.
enum class breaker_reason : std::uint8_t {
    too_many_failures, ///< closed: the failure rate was reached
    open_long_enough,  ///< open: probes may come
    probe_failed,      ///< half-open
    probes_too_slow,   ///< half-open: `probe_limit` was over
    probes_succeeded,  ///< half-open: all of them
};

[[nodiscard]] constexpr std::string_view to_string(breaker_reason r) noexcept
{
    constexpr std::string_view names[] = {"too_many_failures", "open_long_enough", "probe_failed", "probes_too_slow", "probes_succeeded"};
    return names[static_cast<std::size_t>(r)];
}

/// The event that a breaker tells the observer of the call that changed its state. A change that no call brings about, by
/// `reconfigure` or at the end of a stream, is not told.
struct breaker_transition {
    breaker_state from;
    breaker_state to;
    breaker_reason why;
};

struct circuit_breaker_options {
    /// Opens when at least this part of the calls in the window failed; in (0, 1].
    double failure_rate = 0.5;
    /// The length of the window; from 1 ms to 24 h.
    duration window = std::chrono::seconds(10);
    /// Never opens on fewer calls than these in the window; at least 1.
    std::uint32_t minimum_calls = 20;
    /// How long it stays open before it lets probes through; above 0.
    duration open_for = std::chrono::seconds(5);
    /// How many calls are let through half-open, all of which have to succeed; at least 1.
    std::uint32_t probes = 3;
    /// How long the probes may take together; when it is over the breaker opens again. Above 0.
    duration probe_limit = std::chrono::seconds(10);
};

/// Keeps calls away from a handler that fails: closed, it counts outcomes; open, it refuses with `errc::circuit_open` and the time left;
/// half-open, it lets a few probes through and closes when all of them succeed (M. Nygard, "Release It!", 2007).
///
/// A failure is what the pipeline's classifier says: a fault or an exception, by default not the caller's own mistakes. Cancelled calls do
/// not count, nor do results that arrive after the state in which their call began. The rate is checked at every failure, and at
/// successes while only the minimum of calls is missing. Closed, a call costs a load and, with its outcome, a count in
/// words of its own thread. An observer is told each `breaker_transition`. To limit the calls at the same time take `bulkhead`; to shed load by the failure rate without a
/// cliff, `adaptive_throttle`.
template<threading_model Threading = shared>
class circuit_breaker {
public:
    using role = gate;
    using traits = weir::traits<counts_failures>;
    using options = circuit_breaker_options;
    static constexpr std::string_view name = "circuit_breaker";

    using state = breaker_state;

    struct stats_type {
        state now = state::closed;
        std::uint64_t calls = 0;    ///< in the window
        std::uint64_t failures = 0; ///< in the window
        std::uint64_t refused = 0;  ///< since the start, as the following
        std::uint64_t opened = 0;
        std::uint64_t late = 0; ///< results that arrived after their state had ended
        void each(auto&& field) const
        {
            field("state", static_cast<std::uint64_t>(now));
            field("window_calls", calls);
            field("window_failures", failures);
            field("refused_total", refused);
            field("opened_total", opened);
            field("late_total", late);
        }
    };

    explicit circuit_breaker(options o = {}) : settings_(checked(o)), window_(o.window) {}

    [[gnu::always_inline]] auto admit(auto& call) -> admission<std::uint64_t>
    {
        std::uint64_t const word = word_.load(std::memory_order_acquire);
        if (state_of(word) == state::closed) [[likely]]
            return word;
        return admit_when_not_closed(call.now(), detail::teller_of(call));
    }
    [[gnu::always_inline]] void settle(std::uint64_t permit, auto const& outcome, auto& call)
    {
        bool const failed = call.failed(outcome);
        if (word_.load() != permit) [[unlikely]]
            late_.add();
        else if (state_of(permit) == state::closed) [[likely]] {
            window_.count(call.now(), failed);
            if (failed || near_.load()) [[unlikely]]
                judge(permit, call.now(), detail::teller_of(call));
        } else
            judge_probe(permit, failed, call.now(), detail::teller_of(call));
    }
    void cancel(std::uint64_t permit) noexcept
    {
        std::lock_guard lock(changing_);
        if (state_of(permit) == state::half_open && word_.load() == permit) --probes_out_;
    }

    [[nodiscard]] stats_type stats(time_point now) const
    {
        auto const window = window_.sum(now);
        return {state_of(word_.load()), window.calls, window.marked, refused_.sum(), opened_.load(), late_.sum()};
    }
    [[nodiscard]] options settings() const noexcept { return settings_.load(); }
    /// Other settings from the next decision on; the state stays, a window of another length begins anew. Throws `std::invalid_argument` and
    /// changes nothing if they are bad.
    void reconfigure(options const& o)
    {
        checked(o);
        std::lock_guard lock(changing_);
        bool const resized = o.window != settings_.load().window;
        settings_.store(o);
        if (resized) window_.resize(o.window);
        if (state_of(word_.load()) == state::half_open && probes_good_ >= o.probes) close();
    }
    void describe(auto&& field) const
    {
        options const o = settings();
        field("failure_rate", o.failure_rate);
        field("window", o.window);
        field("minimum_calls", o.minimum_calls);
        field("open_for", o.open_for);
        field("probes", o.probes);
        field("probe_limit", o.probe_limit);
    }

private:
    /// The state in the low two bits, above them a number that grows with each change: a permit remembers the word, and a result
    /// whose word is not the present one is late.
    static constexpr state state_of(std::uint64_t word) noexcept { return static_cast<state>(word & 3); }

    static options const& checked(options const& o)
    {
        expect(o.failure_rate > 0 && o.failure_rate <= 1, "circuit_breaker.failure_rate", "a ratio above 0 and at most 1");
        expect(o.window >= std::chrono::milliseconds(1) && o.window <= std::chrono::hours(24), "circuit_breaker.window", "1 ms to 24 h");
        expect(o.minimum_calls >= 1, "circuit_breaker.minimum_calls", "at least 1");
        expect(o.open_for > duration::zero(), "circuit_breaker.open_for", "more than 0");
        expect(o.probes >= 1, "circuit_breaker.probes", "at least 1");
        expect(o.probe_limit > duration::zero(), "circuit_breaker.probe_limit", "more than 0");
        return o;
    }

    void change(state to, time_point until) noexcept
    {
        until_ = until;
        probes_out_ = probes_good_ = 0;
        near_.store(false);
        word_.store(((word_.load() >> 2) + 1) << 2 | static_cast<std::uint64_t>(to), std::memory_order_release);
    }
    void open(time_point now) noexcept
    {
        opened_.add(1);
        change(state::open, after(now, settings_.load().open_for));
    }

    void close() noexcept
    {
        window_.forget();
        change(state::closed, never);
    }
    // Events are told when the lock is free again: an observer may ask for the state.
    template<class Tell>
    [[gnu::noinline, gnu::cold]] auto admit_when_not_closed(time_point now, Tell tell) -> admission<std::uint64_t>
    {
        std::unique_lock lock(changing_);
        breaker_transition const due{state_of(word_.load()), state_of(word_.load()) == state::half_open ? state::open : state::half_open,
                                     state_of(word_.load()) == state::half_open ? breaker_reason::probes_too_slow
                                                                                : breaker_reason::open_long_enough};
        bool const changes = due.from != state::closed && now >= until_;
        if (changes && due.to == state::open) open(now);
        if (changes && due.to == state::half_open) change(state::half_open, after(now, settings_.load().probe_limit));

        std::uint64_t const word = word_.load();
        bool const passes =
            state_of(word) == state::closed || (state_of(word) == state::half_open && probes_out_ + probes_good_ < settings_.load().probes);
        if (state_of(word) == state::half_open && passes) ++probes_out_;
        duration const left = until_ - now;
        lock.unlock();
        if (changes) tell(due);
        if (passes) return word;
        refused_.add();
        return error(errc::circuit_open, left);
    }
    template<class Tell>
    [[gnu::noinline, gnu::cold]] void judge(std::uint64_t permit, time_point now, Tell tell)
    {
        options const o = settings_.load();
        auto const window = window_.sum(now);
        bool const too_many = static_cast<double>(window.marked) >= o.failure_rate * static_cast<double>(window.calls) && window.marked > 0;
        std::unique_lock lock(changing_);
        if (word_.load() != permit) return;
        if (!too_many || window.calls < o.minimum_calls) return near_.store(too_many);
        open(now);
        lock.unlock();
        tell(breaker_transition{state::closed, state::open, breaker_reason::too_many_failures});
    }
    template<class Tell>
    [[gnu::noinline, gnu::cold]] void judge_probe(std::uint64_t permit, bool failed, time_point now, Tell tell)
    {
        std::unique_lock lock(changing_);
        if (word_.load() != permit) return;
        if (failed) {
            open(now);
            lock.unlock();
            return tell(breaker_transition{state::half_open, state::open, breaker_reason::probe_failed});
        }
        --probes_out_;
        if (++probes_good_ < settings_.load().probes) return;
        close();
        lock.unlock();
        tell(breaker_transition{state::half_open, state::closed, breaker_reason::probes_succeeded});
    }

    typename Threading::template cell<std::uint64_t> word_;
    typename Threading::template cell<bool> near_; ///< the rate is too high already, only the minimum of calls is missing
    live<options> settings_;
    call_window<Threading> window_;
    detail::counter<Threading> refused_;
    detail::counter<Threading> late_;
    typename Threading::template cell<std::uint64_t> opened_;
    typename Threading::mutex changing_; ///< guards what follows, and every change of the word
    time_point until_ = never;
    std::uint32_t probes_out_ = 0;
    std::uint32_t probes_good_ = 0;
};
circuit_breaker(circuit_breaker_options)->circuit_breaker<>;

} // namespace weir::inline v0
