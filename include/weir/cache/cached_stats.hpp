// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace weir::inline v0 {

struct cached_stats {
    std::uint64_t hits = 0;          ///< calls answered with a value that was kept
    std::uint64_t negative_hits = 0; ///< calls answered with "there is none" that was kept
    std::uint64_t misses = 0;        ///< calls for which nothing was kept; each then was spared, loaded or joined
    std::uint64_t spared = 0;        ///< answered "there is none" by the guard
    std::uint64_t loads = 0;         ///< went on to what stands behind the cache, refreshes among them
    std::uint64_t joined = 0;        ///< waited for another call's load
    std::uint64_t penetrations = 0;  ///< loads of keys that turned out not to exist
    std::uint64_t uncached = 0;      ///< calls without a key, which passed
    std::uint64_t refreshes = 0;     ///< loads of what was there, meanwhile
    std::uint64_t failed_loads = 0;  ///< loads that gave neither a value nor "there is none"
    std::uint64_t stale_answers = 0; ///< calls answered with what is out of date
    std::uint64_t invalid = 0;       ///< values found and not given, as a tag says that they do not hold any more
    std::uint64_t outdated = 0;      ///< values loaded and not kept, as they were erased or invalidated meanwhile
    std::uint64_t ended_loads = 0;   ///< loads that have ended and were not cancelled
    duration load_time{};            ///< of these, together
    std::size_t values = 0;          ///< values kept now
    std::size_t population = 0;      ///< keys that are known to exist; 0 if nobody knows

    [[nodiscard]] constexpr std::uint64_t look_ups() const noexcept { return hits + negative_hits + misses; }
    /// How long a load took on average; those that were cancelled do not count.
    [[nodiscard]] constexpr duration mean_load_time() const noexcept
    {
        return ended_loads == 0 ? duration::zero() : load_time / static_cast<duration::rep>(ended_loads);
    }
    /// The part of the look-ups that found an answer, in [0, 1].
    [[nodiscard]] constexpr double hit_rate() const noexcept { return ratio(hits + negative_hits, look_ups()); }
    /// The part of the look-ups that reached what stands behind the cache for nothing, in [0, 1].
    [[nodiscard]] constexpr double penetration_rate() const noexcept { return ratio(penetrations, look_ups()); }
    /// The part of the keys that exist whose values are kept, in [0, 1]; 0 if nobody knows how many exist.
    [[nodiscard]] constexpr double fill_rate() const noexcept { return ratio(values, population); }

    void each(auto&& field) const
    {
        field("hits_total", hits);
        field("negative_hits_total", negative_hits);
        field("misses_total", misses);
        field("spared_total", spared);
        field("loads_total", loads);
        field("joined_total", joined);
        field("penetrations_total", penetrations);
        field("uncached_total", uncached);
        field("refreshes_total", refreshes);
        field("failed_loads_total", failed_loads);
        field("stale_answers_total", stale_answers);
        field("invalid_total", invalid);
        field("outdated_total", outdated);
        field("ended_loads_total", ended_loads);
        field("load_seconds_total", std::chrono::duration<double>(load_time).count());
        field("values", static_cast<std::uint64_t>(values));
        field("hit_rate", hit_rate());
        field("penetration_rate", penetration_rate());
        field("fill_rate", fill_rate());
    }

private:
    static constexpr double ratio(std::uint64_t part, std::uint64_t whole) noexcept
    {
        return whole == 0 ? 0 : part < whole ? static_cast<double>(part) / static_cast<double>(whole) : 1;
    }
};

} // namespace weir::inline v0
