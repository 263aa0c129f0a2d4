// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/asio/detail/wheel_levels.hpp>
#include <weir/core/clock.hpp>

namespace weir::inline v0::detail {

/// What a `timer_wheel` can be driven by in place of its levels, as by a simulation. Its users do not pay for that: none is there for them.
struct alarms {
    alarms() = default;
    alarms(alarms const&) = delete;
    alarms& operator=(alarms const&) = delete;
    virtual ~alarms() = default;

    virtual void arm(wheel_entry& e, time_point at) = 0;
    /// True if it had not expired. Else `expire` has returned by now.
    virtual bool disarm(wheel_entry& e) noexcept = 0;
    /// Expires what is due at `now`.
    virtual void advance(time_point now) noexcept = 0;
    /// The time of the first; `never` if nothing is armed.
    [[nodiscard]] virtual time_point next() noexcept = 0;
    /// Takes everything out, one by one, and gives it to `f`, which may free it.
    virtual void drain(void (*f)(wheel_entry&)) noexcept = 0;
};

} // namespace weir::inline v0::detail
