// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

namespace weir::inline v0 {

/// The facet that tells how much a call matters: 0 the most, then less and less. What nobody has set is `normal`. A policy of yours
/// provides it, from a header, a route or a principal; `load_shed` and `degrade` refuse the least first. As a number it fits the keys
/// `by<priority>` of other policies.
struct priority {
    enum class level : std::uint8_t {
        critical, ///< the service is there for it: a payment
        normal,
        minor, ///< nice to have: a recommendation
        batch, ///< nobody waits for it
    };
    static constexpr std::uint8_t levels = 4;

    level of = level::normal;
    [[nodiscard]] level key() const noexcept { return of; }
};

/// The priority of every call, where nobody provides one.
struct same_priority {
    using key_type = priority::level;
    constexpr priority::level operator()(auto const&) const noexcept { return priority::level::normal; }
};

} // namespace weir::inline v0
