// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/result.hpp>
#include <weir/core/scope.hpp>

#include <boost/system/errc.hpp>

namespace weir::inline v0::detail {

/// A thread that does nothing else until what it has called comes back: the work of a blocking driver. It cannot be cancelled.
class blocked_thread final : public work {
public:
    [[nodiscard]] static work& current() noexcept { return mine_; }
    void cancel() noexcept override {}

private:
    static constinit thread_local blocked_thread mine_;
};
inline constinit thread_local blocked_thread blocked_thread::mine_{};

/// The error of a call that would wait for what its own thread does.
[[nodiscard, gnu::noinline, gnu::cold]] inline error would_wait_for_itself() noexcept
{
    return make_error_code(boost::system::errc::resource_deadlock_would_occur);
}

} // namespace weir::inline v0::detail
