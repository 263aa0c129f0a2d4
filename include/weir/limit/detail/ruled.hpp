// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/core/threading.hpp>
#include <weir/limit/detail/locked_rule.hpp>
#include <weir/limit/detail/word_rule.hpp>
#include <weir/limit/limiter.hpp>

#include <cstdint>
#include <type_traits>

namespace weir::inline v0::detail {

/// A limiter made of a `limiting_rule`: all of `limiter`, with the state of the rule in one word and changed by compare-and-swap if the
/// rule says how to pack it (`word_rule`), under a lock otherwise. What is left to say for an algorithm is its rule and its options.
/// `Limiter` is what derives from this: the name that a debug build tells when it finds one that is confined used by two threads.
template<class Limiter, limiting_rule Rule, class Options, threading_model Threading>
class ruled {
    using home = typename std::conditional_t<word_rule<Rule>, in_a_word, under_a_lock>::template home<Limiter, Rule, Options, Threading>;

public:
    using options = Options;
    using threading = Threading;
    /// The algorithm alone.
    using rule_type = Rule;

    /// Takes `cost` permits if they are there at `now`.
    [[nodiscard, gnu::always_inline]] decision try_acquire(time_point now, std::uint64_t cost = 1) noexcept
    {
        return home_.try_acquire(now, cost);
    }

    /// Takes `cost` permits, also when they come later, if that is `max_wait` after `now` at the latest.
    [[nodiscard]] reservation reserve(time_point now, std::uint64_t cost, duration max_wait) noexcept
    {
        return home_.update(now, [&](Rule const& r, auto& s) { return r.reserve(s, now, cost, max_wait); });
    }

    /// Takes the permits that are there at `now`, `most` of them, and says how many they were.
    [[nodiscard]] std::uint64_t drain(time_point now, std::uint64_t most) noexcept
    {
        return home_.update(now, [&](Rule const& r, auto& s) { return detail::drain(r, s, now, most); });
    }

    /// Gives back permits that were taken and not used.
    void refund(std::uint64_t cost) noexcept { home_.refund(cost); }

    [[nodiscard]] std::uint64_t available(time_point now) const noexcept
    {
        return home_.read(now, [&](Rule const& r, auto const& s) { return r.available(s, now); });
    }
    [[nodiscard]] bool is_full(time_point now) const noexcept
    {
        return home_.read(now, [&](Rule const& r, auto const& s) { return r.is_full(s, now); });
    }
    [[nodiscard]] quota quota_at(time_point now) const noexcept
    {
        Options const o = settings();
        return home_.read(now, [&](Rule const& r, auto const& s) { return detail::quota_of(r, o, s, now); });
    }

    /// What `try_acquire` would answer; takes nothing.
    [[nodiscard]] decision peek(time_point now,
                                std::uint64_t cost = 1) const noexcept requires std::is_trivially_copyable_v<typename Rule::state>
    {
        return home_.read(now, [&](Rule const& r, auto const& s) {
            auto copy = s;
            return r.try_acquire(copy, now, cost);
        });
    }

    [[nodiscard]] Options settings() const noexcept { return home_.settings(); }

    /// Changes the settings while others call. Permits in use, or reserved, at the next call stay so.
    /// Throws `std::invalid_argument` for bad options, and then changes nothing.
    void reconfigure(Options const& o) { home_.reconfigure(o, Rule(o)); }

    /// The settings as the arithmetic uses them.
    [[nodiscard]] Rule rule() const noexcept { return home_.rule(); }

protected:
    explicit ruled(Options const& o) : home_(o, Rule(o)) {}

private:
    home home_;
};

} // namespace weir::inline v0::detail
