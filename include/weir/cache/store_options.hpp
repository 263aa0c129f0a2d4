// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/core/options.hpp>

#include <algorithm>
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
    required<std::size_t> capacity;         ///< values it holds at most, in [1, 2^30]
    duration ttl = std::chrono::minutes{1}; ///< as in `store_settings`
    double jitter = 0.1;                    ///< as in `store_settings`
    duration negative_ttl{};                ///< as in `store_settings`
    duration keep_stale{};                  ///< as in `store_settings`
    std::optional<std::uint64_t> seed = {}; ///< of hashing and of jitter; nobody knows it if it is left out
    std::uint64_t max_weight = 0; ///< what the values weigh at most, all together, by `store_hooks::weigh`; zero: they are not weighed
    duration idle{};              ///< a value not asked for in so long is out of date, or up to 1/32 earlier; zero: never
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
    std::uint64_t replaced;       ///< answers that another one of their key took the place of
    std::uint64_t erased;         ///< entries dropped by `erase` and `erase_if`
    std::uint64_t cleared;        ///< entries dropped by `clear`
    std::uint64_t refused;        ///< writes refused because their lease was outdated
    std::uint64_t dropped;        ///< values not kept: too heavy, or with no time to live
    std::uint64_t weight;         ///< what the values held now weigh; zero if they are not weighed
    std::size_t capacity;         ///< values it may hold now

    [[nodiscard]] double hit_ratio() const noexcept
    {
        std::uint64_t const all = hits + negative_hits + misses;
        return all == 0 ? 0 : static_cast<double>(hits + negative_hits) / static_cast<double>(all);
    }
    /// How full it is, in [0, 1].
    [[nodiscard]] double fill_ratio() const noexcept
    {
        return capacity == 0 ? 0 : std::min(1.0, static_cast<double>(values) / static_cast<double>(capacity));
    }

    void each(auto&& field) const
    {
        field("hits_total", hits);
        field("stale_hits_total", stale_hits);
        field("negative_hits_total", negative_hits);
        field("misses_total", misses);
        field("writes_total", writes);
        field("refused_total", refused);
        field("dropped_total", dropped);
        field("replaced_total", replaced);
        field("erased_total", erased);
        field("expired_total", expired);
        field("evicted_total", evicted);
        field("cleared_total", cleared);
        field("values", static_cast<std::uint64_t>(values));
        field("negative_answers", static_cast<std::uint64_t>(negative_answers));
        field("weight", weight);
        field("capacity", static_cast<std::uint64_t>(capacity));
        field("hit_ratio", hit_ratio());
        field("fill_ratio", fill_ratio());
    }
};

/// Throws `std::invalid_argument` that names the member.
inline void check(store_settings const& s)
{
    expect(s.ttl.count() > 0, "store.ttl", "a duration above zero");
    expect_ratio(s.jitter, "store.jitter");
    expect(s.negative_ttl.count() >= 0, "store.negative_ttl", "a duration, or zero to keep no negative answers");
    expect(s.keep_stale.count() >= 0, "store.keep_stale", "a duration, or zero to keep nothing that is out of date");
}

} // namespace weir::inline v0
