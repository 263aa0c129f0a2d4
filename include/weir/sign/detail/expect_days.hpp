// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/options.hpp>

#include <chrono>
#include <string_view>

namespace weir::inline v0::detail {

/// A window of time for signed messages.
inline void expect_days(std::string_view member, std::chrono::seconds value)
{
    expect(value.count() >= 0 && value <= std::chrono::days(3650), member, "0 to 3650 days");
}

} // namespace weir::inline v0::detail
