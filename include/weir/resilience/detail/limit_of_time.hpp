// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/contracts.hpp>
#include <weir/core/fixed_string.hpp>
#include <weir/core/options.hpp>
#include <weir/core/threading.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace weir::inline v0 {

/// Milliseconds that can stand in a type, as `std::chrono` durations cannot: `timeout<ms{200}>`.
struct ms {
    std::int64_t count = 0;
};

namespace detail {

/// What `timeout` and `attempt_timeout` do; `Name` is the policy's.
template<fixed_string Name, ms Limit>
class limit_of_time {
public:
    using role = loop;
    static constexpr std::string_view name = Name.view();
    static constexpr std::int64_t time_limit_ns = Limit.count * 1'000'000;
    using plan = weir::deadline;

    limit_of_time() requires(Limit.count > 0) : limit_of_time(std::chrono::milliseconds(Limit.count)) {}
    /// `limit` is above 0, and not above the one that the type states.
    explicit limit_of_time(duration limit) requires(Limit.count >= 0) : limit_(within(limit).count()) {}

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
    /// Another limit for what begins from now on; above 0, and not above the one that the type states.
    void reconfigure(duration limit) { limit_.store(within(limit).count()); }
    void describe(auto&& field) const { field("limit", settings()); }

private:
    static duration within(duration limit)
    {
        std::string const member = std::string(name) + ".limit";
        expect(limit.count() > 0, member, "more than 0");
        expect(Limit.count == 0 || limit.count() <= time_limit_ns, member, "at most the limit that the type states");
        return limit;
    }

    shared::cell<std::int64_t> limit_;
};

} // namespace detail

} // namespace weir::inline v0
