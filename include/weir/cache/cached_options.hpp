// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

namespace weir::inline v0 {

/// The event that a cache tells the observer of a call for which it kept nothing; a hit is `event::answered`.
struct cache_missed {
    enum class next : std::uint8_t {
        spared, ///< the guard knows that there is nothing
        joined, ///< it waits for another call's load
        loads,  ///< it goes on to what stands behind the cache, also one that has waited and leads now
    };
    next then;
};

/// The event of a value that was found and is loaded anew.
struct cache_refreshes {};

struct cached_options {
    /// Loads at a time that other calls may join; a call beyond loads by itself. In [1, 2^24], eight bytes each.
    std::size_t max_flights = 4'096;
    std::optional<std::uint64_t> seed = {}; ///< of what the parts draw; nobody knows it if it is left out
};

} // namespace weir::inline v0
