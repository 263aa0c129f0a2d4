// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace weir::inline v0 {

struct cached_stats {
    std::uint64_t hits = 0;          ///< calls answered with a value that was kept
    std::uint64_t negative_hits = 0; ///< calls answered with "there is none" that was kept
    std::uint64_t misses = 0;        ///< calls for which nothing was kept; each then was spared, loaded or joined
    std::uint64_t spared = 0;        ///< answered "there is none" by the guard
    std::uint64_t loads = 0;         ///< went on to what stands behind the cache
    std::uint64_t joined = 0;        ///< waited for another call's load
    std::uint64_t penetrations = 0;  ///< loads of keys that turned out not to exist
    std::uint64_t uncached = 0;      ///< calls without a key, which passed
    std::size_t values = 0;          ///< values kept now
    std::size_t population = 0;      ///< keys that are known to exist; 0 if nobody knows

    [[nodiscard]] constexpr std::uint64_t look_ups() const noexcept { return hits + negative_hits + misses; }
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
