// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/resilience/breaker_options.hpp>
#include <weir/resilience/breaker_transition.hpp>
#include <weir/resilience/breaker_window.hpp>
#include <weir/resilience/verdict.hpp>

#include <cstdint>

namespace weir::inline v0::detail {

/// The state of a breaker in one word: the state in the low three bits, above them whether calls are timed, and whether the rate is too
/// high already and only the minimum of calls is missing; above that a number that grows with each change. The permit of a call is the word
/// under which it came, and a result whose word has another number or state is late.
///
/// A permit stays as small as that where calls are timed: of the number it then has 19 bits, and above them the time of 40 bits, in units
/// of 256 ns. So it is taken for late unless a multiple of half a million changes came while its call ran, and slowness is told to 256 ns
/// for 39 hours.
struct breaker_word {
    static constexpr unsigned number_at = 5;
    static constexpr std::uint64_t timed_bit = 8;
    static constexpr std::uint64_t near_bit = 16;
    /// Closed, far from opening, and calls are not timed: the common way.
    [[nodiscard]] static constexpr bool is_plainly_closed(std::uint64_t word) noexcept { return (word & 31) == 0; }
    [[nodiscard]] static constexpr breaker_state state(std::uint64_t word) noexcept { return static_cast<breaker_state>(word & 7); }
    [[nodiscard]] static constexpr bool is_timed(std::uint64_t word) noexcept { return (word & timed_bit) != 0; }

    [[nodiscard]] static constexpr std::uint64_t permit(std::uint64_t word, time_point now) noexcept
    {
        return is_timed(word) ? (word & kept) | ticks(now) << time_at : word;
    }
    [[nodiscard]] static constexpr bool is_late(std::uint64_t permit, std::uint64_t word) noexcept
    {
        return ((permit ^ word) & (is_timed(permit) ? kept : ~std::uint64_t{0}) & ~near_bit) != 0;
    }
    /// How long the call of a timed permit has run.
    [[nodiscard]] static constexpr duration age(std::uint64_t permit, time_point now) noexcept
    {
        auto const difference = static_cast<std::int64_t>((ticks(now) - (permit >> time_at)) << time_at) >> time_at;
        return duration{difference * 256};
    }

private:
    static constexpr unsigned time_at = 24;
    static constexpr std::uint64_t kept = (std::uint64_t{1} << time_at) - 1;
    static constexpr std::uint64_t ticks(time_point t) noexcept { return static_cast<std::uint64_t>(t.time_since_epoch().count()) >> 8; }
};
static_assert(static_cast<unsigned>(breaker_state::closed) == 0);

/// A change of state that has just come about; `from == to` if there was none.
struct breaker_change {
    breaker_state from = breaker_state::closed;
    breaker_state to = breaker_state::closed;
    breaker_reason why = breaker_reason::by_hand;
    std::uint64_t number = 0;
    [[nodiscard]] explicit operator bool() const noexcept { return number != 0; }
};

/// The states of one breaker and the ways between them, without lock, listeners and settings of its own. What changes the state is called
/// by one thread at a time, its owner's lock sees to that; the word and the counts are read and counted by all.
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
        : word_(o.slow_call.count() > 0 ? breaker_word::timed_bit : 0), slow_call_(o.slow_call.count()), counts_(o)
    {
    }

    [[nodiscard]] std::uint64_t word() const noexcept { return word_.load(std::memory_order_acquire); }
    [[nodiscard]] state now() const noexcept { return breaker_word::state(word_.load()); }
    [[nodiscard]] auto& counts() noexcept { return counts_; }
    [[nodiscard]] auto const& counts() const noexcept { return counts_; }
    /// The rate is too high already, only the minimum of calls is missing.
    [[nodiscard]] bool is_near() const noexcept { return (word_.load() & breaker_word::near_bit) != 0; }

    // What follows is called under the owner's lock.

    struct answer {
        bool passes;
        duration retry_after; ///< if not
        breaker_change change{};
    };
    /// A call comes, and it is not plainly closed.
    [[nodiscard]] answer enter(options const& o, time_point now, std::uint64_t random, std::uint64_t& permit) noexcept
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
        permit = breaker_word::permit(word_.load(), now);
        return a;
    }
    /// A probe has ended.
    [[nodiscard]] breaker_change settle_probe(std::uint64_t permit, bool failed, options const& o, time_point now,
                                              std::uint64_t random) noexcept
    {
        if (breaker_word::is_late(permit, word_.load())) return {};
        if (failed) return reopen(o, now, random, breaker_reason::probe_failed);
        take_back();
        return ++good_ < o.probes ? breaker_change{} : close(breaker_reason::probes_succeeded);
    }
    /// A call says nothing: a probe gives its place back.
    void drop(std::uint64_t permit) noexcept
    {
        if (breaker_word::state(permit) == state::half_open && !breaker_word::is_late(permit, word_.load())) take_back();
    }
    /// Closed: the window has an opinion.
    [[nodiscard]] breaker_change judge(std::uint64_t permit, breaker_opinion const& opinion, options const& o, time_point now,
                                       std::uint64_t random) noexcept
    {
        if (breaker_word::is_late(permit, word_.load())) return {};
        near(opinion.too_many && !opinion.enough);
        if (!opinion.too_many || !opinion.enough) return {};
        failed_turns_ = 0;
        return open(o, now, random, opinion.why);
    }
    /// A call of any state has ended: all of the above, for who holds the lock anyway. `late` says that its state had ended before.
    [[nodiscard]] breaker_change settle(std::uint64_t permit, verdict v, options const& o, time_point now, std::uint64_t random, bool& late)
    {
        state const s = breaker_word::state(permit);
        late = s != state::disabled && breaker_word::is_late(permit, word_.load());
        if (late || s == state::disabled) return {};
        if (v == verdict::ignored) {
            drop(permit);
            return {};
        }
        bool const failed = v == verdict::failure;
        bool const slow = is_slow(permit, now);
        if (s == state::half_open) return settle_probe(permit, failed || slow, o, now, random);
        if (breaker_word::is_timed(permit))
            counts_.count_timed(now, failed, slow);
        else
            counts_.count(now, failed);
        if (s != state::closed || !(failed || slow || is_near())) return {};
        auto const opinion = counts_.opinion(counts_.sum(now), o);
        return opinion.too_many || is_near() ? judge(permit, opinion, o, now, random) : breaker_change{};
    }
    /// By everybody, without the lock.
    [[nodiscard]] bool is_slow(std::uint64_t permit, time_point now) const noexcept
    {
        std::int64_t const limit = slow_call_.load();
        return limit != 0 && breaker_word::is_timed(permit) && breaker_word::age(permit, now) >= duration{limit};
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
        if ((o.slow_call.count() > 0) != (before.slow_call.count() > 0) && now() != state::half_open)
            word_.store(next_word(now(), o.slow_call.count() > 0) | (word_.load() & breaker_word::near_bit),
                        std::memory_order_release);
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
    void near(bool is) noexcept
    {
        std::uint64_t const w = word_.load();
        word_.store(is ? w | breaker_word::near_bit : w & ~breaker_word::near_bit, std::memory_order_release);
    }
    breaker_change change(state to, breaker_reason why) noexcept
    {
        breaker_change const c{now(), to, why, ++changes_};
        out_ = good_ = 0;
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
        near(false);
        return {};
    }
    void take_back() noexcept
    {
        if (--out_ == 0) until_ = never;
    }

    typename Threading::template cell<std::uint64_t> word_;
    typename Threading::template cell<std::int64_t> slow_call_; // of the settings; 0: calls are not timed
    typename Window::template counts<Threading> counts_;
    std::uint32_t out_ = 0;          // half-open: probes that have not come back
    std::uint32_t good_ = 0;         // half-open: probes that succeeded
    std::uint32_t failed_turns_ = 0; // since it was closed
    std::uint64_t changes_ = 0;
    time_point until_ = never;
};

} // namespace weir::inline v0::detail
