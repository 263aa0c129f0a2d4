// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>
#include <string_view>

namespace weir::inline v0 {

/// The facet that tells who makes the call, proved by a signature or a token. Only policies that verify one provide it.
struct principal {
    std::string name;

    [[nodiscard]] std::string_view key() const noexcept { return name; }
};

} // namespace weir::inline v0
