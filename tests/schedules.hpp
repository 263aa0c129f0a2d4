// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>

namespace weir_test {

/// How many random schedules a test of a policy against its model runs: 100,000, or what the environment's `WEIR_SCHEDULES` says; a
/// twentieth under a sanitizer.
inline std::uint64_t schedules()
{
    if (char const* const wanted = std::getenv("WEIR_SCHEDULES"); wanted != nullptr) return std::stoull(wanted);
#if defined(WEIR_SANITIZED)
    return 5'000;
#else
    return 100'000;
#endif
}

/// The seed of the first schedule: 1, or what the environment's `WEIR_SCHEDULES_SEED` says; schedule i has this plus i.
inline std::uint64_t first_seed()
{
    char const* const wanted = std::getenv("WEIR_SCHEDULES_SEED");
    return wanted != nullptr ? std::stoull(wanted) : 1;
}

} // namespace weir_test
