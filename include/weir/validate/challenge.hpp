// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string_view>

namespace weir::inline v0 {

/// Reported with `errc::unauthenticated`: how to prove who one is. The HTTP edge sends it as `WWW-Authenticate` (RFC 9110 section 11.6.1) in the place of
/// its own.
struct challenge {
    std::string_view value; ///< `Bearer error="invalid_token"`; a literal
    friend bool operator==(challenge const&, challenge const&) = default;
};

} // namespace weir::inline v0
