// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/resilience/detail/limit_of_time.hpp>

namespace weir::inline v0 {

/// Gives the call a deadline: `timeout{200ms}`, or `timeout<ms{200}>` when the compiler is to check that the attempts inside fit in.
///
/// When the time is up the handler is cancelled, and the call waits until it has ended: a handler that ignores
/// cancellation delays its caller. The outcome is then `errc::deadline_exceeded`, made by this policy; a value that the
/// handler returns all the same is kept. A call that finds its time already up is refused at once. It limits the whole call, with all its
/// attempts, and so stands outside of what repeats; `attempt_timeout` limits one attempt. An earlier deadline further out stays in force.
///
/// It stands around asynchronous handlers only, since nothing can interrupt a function. A call costs an entry in the timer wheel of its
/// execution context. Thread-safe.
template<ms Limit = ms{}>
class timeout : public detail::limit_of_time<"timeout", Limit> {
public:
    using traits = weir::traits<limits_time, limits_the_call>;
    using detail::limit_of_time<"timeout", Limit>::limit_of_time;
};
timeout(duration)->timeout<>;

} // namespace weir::inline v0
