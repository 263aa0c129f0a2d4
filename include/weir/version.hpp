// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace weir::inline v0 {

/// The version of these headers, by semantic versioning. The inline namespace carries the major number, so that two major
/// versions can be linked into one program.
struct version {
    static constexpr int major = 0;
    static constexpr int minor = 1;
    static constexpr int patch = 0;
};

} // namespace weir::inline v0
