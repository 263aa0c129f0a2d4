// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/core/threading.hpp>
#include <weir/limit/gcra.hpp>
#include <weir/limit/limiter.hpp>
#include <weir/limit/pace.hpp>

#include <cstdint>

namespace weir::inline v0 {

/// A bucket that holds `burst` tokens and is filled steadily with `permits` of them each `per`; a call takes what it costs, or is
/// refused if that is not there. Full from the beginning. (Turner, "New directions in communications", 1986; RFC 2697.)
///
/// Tokens come continuously: a half of one is kept. It admits exactly what `gcra` admits. The two are one algorithm seen from
/// two sides (ITU-T I.371, annex A): the level of the bucket is the time since it was last empty. So the state is the
/// instant at which it was, one word, and not a level with a time beside it, which no single compare-and-swap could replace.
///
/// Exactness, thread-safety, cost and memory are those of `gcra`. Choose it where the rest of a service speaks of tokens.
template<threading_model Threading = shared>
class token_bucket {
public:
    using options = rate;
    using threading = Threading;
    using rule_type = pace;

    /// Throws `std::invalid_argument` for bad options.
    explicit token_bucket(rate const& r) : empty_at_(r) {}

    /// Takes `cost` tokens if they are there at `now`.
    [[nodiscard]] decision try_acquire(time_point now, std::uint64_t cost = 1) noexcept { return empty_at_.try_acquire(now, cost); }
    /// Takes `cost` tokens, also when they come later, if that is `max_wait` after `now` at the latest.
    [[nodiscard]] reservation reserve(time_point now, std::uint64_t cost, duration max_wait) noexcept
    {
        return empty_at_.reserve(now, cost, max_wait);
    }
    /// Puts tokens back; what does not fit runs over.
    void refund(std::uint64_t cost) noexcept { empty_at_.refund(cost); }

    /// The whole tokens in the bucket.
    [[nodiscard]] std::uint64_t available(time_point now) const noexcept { return empty_at_.available(now); }
    [[nodiscard]] bool is_full(time_point now) const noexcept { return empty_at_.is_full(now); }
    [[nodiscard]] quota quota_at(time_point now) const noexcept { return empty_at_.quota_at(now); }

    [[nodiscard]] rate settings() const noexcept { return empty_at_.settings(); }
    /// Changes rate and size while others call; tokens that were taken stay taken, and come back at the new rate.
    void reconfigure(rate const& r) { empty_at_.reconfigure(r); }
    [[nodiscard]] pace rule() const noexcept { return empty_at_.rule(); }

private:
    gcra<Threading> empty_at_;
};

static_assert(limiter<token_bucket<shared>> && limiter<token_bucket<confined>>);

} // namespace weir::inline v0
