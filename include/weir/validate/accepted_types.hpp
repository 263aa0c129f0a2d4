// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string_view>

namespace weir::inline v0 {

/// Reported with `errc::unsupported_media_type`: the field of the answer that says what would have been taken, such as `Accept-Post:
/// application/json`. The HTTP edge sets it. Both are literals; two words, for it lies in the call's frame.
struct accepted_types {
    char const* field = ""; ///< `"Accept-Post"`, `"Accept-Patch"` (RFC 5789), `"Accept"` (RFC 9110 section 12.5.1) or `"Accept-Encoding"`
    char const* list = "";  ///< its value

    friend bool operator==(accepted_types const& a, accepted_types const& b) noexcept
    {
        return std::string_view(a.field) == b.field && std::string_view(a.list) == b.list;
    }
};

} // namespace weir::inline v0
