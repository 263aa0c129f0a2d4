// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/sign/claims.hpp>
#include <weir/sign/timestamp.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace weir::inline v0::detail {

/// A token that was found good, and for how long.
struct accepted_token {
    claims said{};
    std::string_view principal{}; // in `said`
    wall_time from = wall_time::min(), until = wall_time::max();
    std::size_t version = 0; // of the keys
    std::string text{};      // the whole token, if it is to be remembered
};
using accepted = std::shared_ptr<accepted_token const>;

} // namespace weir::inline v0::detail
