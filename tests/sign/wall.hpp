// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/sign/timestamp.hpp>

#include <chrono>

namespace test {

/// A wall clock that goes when it is told to.
struct manual_wall {
    weir::wall_time now{std::chrono::milliseconds(1'700'000'000'000)};
    weir::wall_time wall_now() const noexcept { return now; }
};

} // namespace test
