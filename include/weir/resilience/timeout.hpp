// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/contracts.hpp>
#include <weir/core/options.hpp>
#include <weir/core/threading.hpp>

#include <cstdint>
#include <string_view>

namespace weir::inline v0 {

/// Milliseconds that can stand in a type, as `std::chrono` durations cannot: `timeout<ms{200}>`.
struct ms {
    std::int64_t count = 0;
};

/// Gives the call a deadline: `timeout{200ms}`, or `timeout<ms{200}>` when the compiler is to check that the attempts inside fit in.
///
/// When the time is up the handler is cancelled, and the call waits until it has ended: a handler that ignores
/// cancellation delays its caller. The outcome is then `errc::deadline_exceeded`, made by this policy; a value that the
/// handler returns all the same is kept. A call that finds its time already up is refused at once. Inside a retry it limits one
/// attempt, outside all of them. An earlier deadline further out stays in force.
///
/// It stands around asynchronous handlers only, since nothing can interrupt a function. A call costs an entry in the timer wheel of its
/// execution context. Thread-safe.
template<ms Limit = ms{}>
class timeout {
public:
    using role = loop;
    using traits = weir::traits<limits_time>;
    static constexpr std::string_view name = "timeout";
    static constexpr std::int64_t time_limit_ns = Limit.count * 1'000'000;
    using plan = weir::deadline;

    timeout() requires(Limit.count > 0) : timeout(std::chrono::milliseconds(Limit.count)) {}
    /// `limit` is above 0, and not above the one that the type states.
    explicit timeout(duration limit) requires(Limit.count >= 0) : limit_(within(limit).count()) {}

    admission<> begin(auto& call, plan& before)
    {
        time_point const now = call.now();
        before = call.limit(weir::after(now, duration{limit_.load()}));
        if (before.at <= now) [[unlikely]] {
            call.put_back(before);
            return error(errc::deadline_exceeded).by(before.policy);
        }
        return admitted;
    }
    next_step after(auto& call, plan& before, auto&) noexcept
    {
        call.put_back(before);
        return done;
    }

    [[nodiscard]] duration settings() const noexcept { return duration{limit_.load()}; }
    /// Another limit for calls that begin from now on; above 0, and not above the one that the type states.
    void reconfigure(duration limit) { limit_.store(within(limit).count()); }
    void describe(auto&& field) const { field("limit", settings()); }

private:
    static duration within(duration limit)
    {
        expect(limit > duration::zero(), "timeout.limit", "more than 0");
        expect(Limit.count == 0 || limit.count() <= time_limit_ns, "timeout.limit", "at most the limit that the type states");
        return limit;
    }

    shared::cell<std::int64_t> limit_;
};
timeout(duration)->timeout<>;

} // namespace weir::inline v0
