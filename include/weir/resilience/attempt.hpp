// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

namespace weir::inline v0 {

/// The facet that `retry` and `hedge` provide: which attempt of the call this is. Policies further in state that they need it, a handler
/// takes a `view<attempt>`; to tell an upstream, say, or to log.
struct attempt {
    std::uint32_t number = 1; ///< the first is 1
};

} // namespace weir::inline v0
