// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/core/options.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace weir::inline v0 {

/// What of a `store` may change while it runs. A change holds for what is written from then on.
struct store_settings {
    duration ttl;          ///< how long a value is good for, at most; above zero
    double jitter;         ///< the part of a time to live that chance takes off, a ratio in [0, 1]
    duration negative_ttl; ///< how long "there is no such thing" is good for, at most; zero: such answers are not kept
    duration keep_stale;   ///< how much longer `find_stale` finds what is out of date, if its place is not needed

    friend bool operator==(store_settings const&, store_settings const&) = default;
};

struct store_options {
    required<std::size_t> capacity;         ///< values it holds at most, in [1, 2^31]
    duration ttl = std::chrono::minutes{1}; ///< as in `store_settings`
    double jitter = 0.1;                    ///< as in `store_settings`
    duration negative_ttl{};                ///< as in `store_settings`
    duration keep_stale{};                  ///< as in `store_settings`
    std::optional<std::uint64_t> seed = {}; ///< of hashing and of jitter; nobody knows it if it is left out
};

struct store_stats {
    std::uint64_t hits;           ///< look-ups that found a value
    std::uint64_t stale_hits;     ///< answers, values or negative, that `find_stale` found out of date
    std::uint64_t negative_hits;  ///< look-ups that found a negative answer
    std::uint64_t misses;         ///< look-ups that found nothing
    std::uint64_t writes;         ///< values and negative answers written
    std::uint64_t evicted;        ///< entries dropped while still good, to make room
    std::uint64_t expired;        ///< entries dropped because their time was up
    std::size_t values;           ///< values held now
    std::size_t negative_answers; ///< negative answers held now

    [[nodiscard]] double hit_ratio() const noexcept
    {
        std::uint64_t const all = hits + negative_hits + misses;
        return all == 0 ? 0 : static_cast<double>(hits + negative_hits) / static_cast<double>(all);
    }
};

/// Throws `std::invalid_argument` that names the member.
inline void check(store_settings const& s)
{
    expect(s.ttl > duration::zero(), "store.ttl", "a duration above zero");
    expect_ratio(s.jitter, "store.jitter");
    expect(s.negative_ttl >= duration::zero(), "store.negative_ttl", "a duration, or zero to keep no negative answers");
    expect(s.keep_stale >= duration::zero(), "store.keep_stale", "a duration, or zero to keep nothing that is out of date");
}

} // namespace weir::inline v0
