// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/resilience/breaker_options.hpp>
#include <weir/resilience/breaker_transition.hpp>
#include <weir/resilience/breaker_window.hpp>
#include <weir/resilience/verdict.hpp>

#include <cstdint>

namespace weir::inline v0::detail {

/// The state of a breaker in one word: the state in the low three bits, above them whether calls are timed, above that a number that grows
/// with each change. A permit remembers the word, and a result whose word is not the present one is late.
struct breaker_word {
    static constexpr unsigned number_at = 4;
    static constexpr std::uint64_t timed_bit = 8;
    /// Closed, and calls are not timed: the common way.
    [[nodiscard]] static constexpr bool is_plainly_closed(std::uint64_t word) noexcept { return (word & 15) == 0; }
    [[nodiscard]] static constexpr breaker_state state(std::uint64_t word) noexcept { return static_cast<breaker_state>(word & 7); }
    [[nodiscard]] static constexpr bool is_timed(std::uint64_t word) noexcept { return (word & timed_bit) != 0; }
};
static_assert(static_cast<unsigned>(breaker_state::closed) == 0);

/// What a call that a breaker let through has to know when it is settled.
struct breaker_permit {
    std::uint64_t word = 0;
    time_point started{}; ///< if calls are timed
};

/// A change of state that has just come about; `from == to` if there was none.
struct breaker_change {
    breaker_state from = breaker_state::closed;
    breaker_state to = breaker_state::closed;
    breaker_reason why = breaker_reason::by_hand;
    std::uint64_t number = 0;
    [[nodiscard]] explicit operator bool() const noexcept { return number != 0; }
};

/// The states of one breaker and the ways between them, without lock, listeners and settings of its own. What changes the state is called by
/// one thread at a time, its owner's lock sees to that; the word and the counts are read and counted by all.
///
/// The ways out: open leads to half-open at the first call after the open time; half-open to closed with the last of the probes, to open
/// with the first that fails, or at the first call after probes were out for `probe_limit`; probes that are cancelled, or say nothing, give
/// their places back.
template<breaker_window Window, threading_model Threading>
class breaker_core {
public:
    using options = typename Window::options;
    using state = breaker_state;

    explicit breaker_core(options const& o)
        : word_(o.slow_call > duration::zero() ? breaker_word::timed_bit : 0), slow_call_(o.slow_call.count()), counts_(o)
    {
    }

    [[nodiscard]] std::uint64_t word() const noexcept { return word_.load(std::memory_order_acquire); }
    [[nodiscard]] state now() const noexcept { return breaker_word::state(word_.load()); }
    [[nodiscard]] auto& counts() noexcept { return counts_; }
    [[nodiscard]] auto const& counts() const noexcept { return counts_; }
    /// The rate is too high already, only the minimum of calls is missing.
    [[nodiscard]] bool is_near() const noexcept { return near_.load(); }

    // What follows is called under the owner's lock.

    struct answer {
        bool passes;
        duration retry_after; ///< if not
        breaker_change change{};
    };
    /// A call comes, and it is not plainly closed.
    [[nodiscard]] answer enter(options const& o, time_point now, std::uint64_t random, breaker_permit& permit) noexcept
    {
        answer a{true, duration::zero()};
        state s = this->now();
        if (s == state::half_open && good_ >= o.probes) // there were more to come when they succeeded
            a.change = close(breaker_reason::probes_succeeded);
        else if (s == state::half_open && now >= until_)
            a.change = reopen(o, now, random, breaker_reason::probes_too_slow);
        else if (s == state::open && now >= until_) {
            a.change = change(state::half_open, breaker_reason::open_long_enough);
            until_ = never;
        }
        s = this->now();
        if (s == state::half_open && out_ + good_ < o.probes) {
            if (out_++ == 0) until_ = after(now, o.probe_limit);
        } else if (s == state::open || s == state::half_open)
            a = {false, until_ - now, a.change};
        else if (s == state::forced_open)
            a.passes = false; // who knows how long
        permit = {word_.load(), now};
        return a;
    }
    /// A probe has ended.
    [[nodiscard]] breaker_change settle_probe(breaker_permit const& permit, bool failed, options const& o, time_point now,
                                              std::uint64_t random) noexcept
    {
        if (word_.load() != permit.word) return {};
        if (failed) return reopen(o, now, random, breaker_reason::probe_failed);
        take_back();
        return ++good_ < o.probes ? breaker_change{} : close(breaker_reason::probes_succeeded);
    }
    /// A call says nothing: a probe gives its place back.
    void drop(breaker_permit const& permit) noexcept
    {
        if (breaker_word::state(permit.word) == state::half_open && word_.load() == permit.word) take_back();
    }
    /// Closed: the window has an opinion.
    [[nodiscard]] breaker_change judge(breaker_permit const& permit, breaker_opinion const& opinion, options const& o, time_point now,
                                       std::uint64_t random) noexcept
    {
        if (word_.load() != permit.word) return {};
        near_.store(opinion.too_many && !opinion.enough);
        if (!opinion.too_many || !opinion.enough) return {};
        failed_turns_ = 0;
        return open(o, now, random, opinion.why);
    }
    /// A call of any state has ended: all of the above, for who holds the lock anyway. `late` says that its state had ended before.
    [[nodiscard]] breaker_change settle(breaker_permit const& permit, verdict v, options const& o, time_point now, std::uint64_t random,
                                        bool& late)
    {
        state const s = breaker_word::state(permit.word);
        late = s != state::disabled && word_.load() != permit.word;
        if (late || s == state::disabled) return {};
        if (v == verdict::ignored) {
            drop(permit);
            return {};
        }
        bool const failed = v == verdict::failure;
        bool const slow = is_slow(permit, now);
        if (s == state::half_open) return settle_probe(permit, failed || slow, o, now, random);
        if (breaker_word::is_timed(permit.word))
            counts_.count_timed(now, failed, slow);
        else
            counts_.count(now, failed);
        if (s != state::closed || !(failed || slow || near_.load())) return {};
        auto const opinion = counts_.opinion(counts_.sum(now), o);
        return opinion.too_many || near_.load() ? judge(permit, opinion, o, now, random) : breaker_change{};
    }
    /// By everybody, without the lock.
    [[nodiscard]] bool is_slow(breaker_permit const& permit, time_point now) const noexcept
    {
        std::int64_t const limit = slow_call_.load();
        return limit != 0 && now - permit.started >= duration{limit};
    }
    /// By hand.
    [[nodiscard]] breaker_change set(state to) noexcept
    {
        if (to == state::closed) return reset();
        if (this->now() == to) return {};
        if (to == state::metrics_only) counts_.forget();
        return change(to, breaker_reason::by_hand);
    }
    /// Settings have changed from `before`; `word` moves on if calls are timed from now on, or are not any more.
    void adopt(options const& o, options const& before)
    {
        counts_.adopt(o, before);
        if ((o.slow_call > duration::zero()) != (before.slow_call > duration::zero()) && now() != state::half_open)
            word_.store(next_word(now(), o.slow_call > duration::zero()), std::memory_order_release);
        slow_call_.store(o.slow_call.count());
    }
    [[nodiscard]] std::uint32_t probes_out() const noexcept { return now() == state::half_open ? out_ : 0; }
    /// It keeps nobody away and nobody's hand is on it.
    [[nodiscard]] bool may_be_forgotten(time_point now) const noexcept
    {
        state const s = this->now();
        return s == state::closed || (s == state::half_open && out_ == 0) || ((s == state::open || s == state::half_open) && now >= until_);
    }

private:
    [[nodiscard]] std::uint64_t next_word(state to, bool timed) const noexcept
    {
        return ((word_.load() >> breaker_word::number_at) + 1) << breaker_word::number_at | (timed ? breaker_word::timed_bit : 0) |
               static_cast<std::uint64_t>(to);
    }
    breaker_change change(state to, breaker_reason why) noexcept
    {
        breaker_change const c{now(), to, why, ++changes_};
        out_ = good_ = 0;
        near_.store(false);
        word_.store(next_word(to, slow_call_.load() != 0), std::memory_order_release);
        return c;
    }
    breaker_change open(options const& o, time_point now, std::uint64_t random, breaker_reason why) noexcept
    {
        until_ = after(now, open_time(o, failed_turns_, random));
        return change(state::open, why);
    }
    breaker_change reopen(options const& o, time_point now, std::uint64_t random, breaker_reason why) noexcept
    {
        ++failed_turns_;
        return open(o, now, random, why);
    }
    breaker_change close(breaker_reason why) noexcept
    {
        counts_.forget();
        until_ = never;
        return change(state::closed, why);
    }
    breaker_change reset() noexcept
    {
        if (now() != state::closed) return close(breaker_reason::by_hand);
        counts_.forget();
        near_.store(false);
        return {};
    }
    void take_back() noexcept
    {
        if (--out_ == 0) until_ = never;
    }

    typename Threading::template cell<std::uint64_t> word_;
    typename Threading::template cell<bool> near_;
    typename Threading::template cell<std::int64_t> slow_call_; // of the settings; 0: calls are not timed
    typename Window::template counts<Threading> counts_;
    std::uint32_t out_ = 0;          // half-open: probes that have not come back
    std::uint32_t good_ = 0;         // half-open: probes that succeeded
    std::uint32_t failed_turns_ = 0; // since it was closed
    std::uint64_t changes_ = 0;
    time_point until_ = never;
};

} // namespace weir::inline v0::detail
