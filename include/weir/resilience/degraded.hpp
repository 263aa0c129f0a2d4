// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string_view>

namespace weir::inline v0 {

/// Reported when a call was answered by something less than the handler's own answer.
struct degraded {
    std::string_view by;
};

} // namespace weir::inline v0
