// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/resilience/detail/limit_of_time.hpp>

namespace weir::inline v0 {

/// Gives each attempt of a retry or a hedge a time limit of its own: `retry<3>{}, attempt_timeout{80ms}, handler`. It stands inside of what
/// repeats, where `timeout`, for the whole call, stands outside; in the wrong place neither compiles. Everything else is as it is with
/// `timeout`, also that an earlier deadline further out stays in force: the last attempt may have less.
template<ms Limit = ms{}>
class attempt_timeout : public detail::limit_of_time<"attempt_timeout", Limit> {
public:
    using traits = weir::traits<limits_time, limits_an_attempt>;
    using detail::limit_of_time<"attempt_timeout", Limit>::limit_of_time;
};
attempt_timeout(duration)->attempt_timeout<>;

} // namespace weir::inline v0
