// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/contracts.hpp>
#include <weir/core/fixed_string.hpp>
#include <weir/core/live.hpp>
#include <weir/core/options.hpp>
#include <weir/core/request.hpp>
#include <weir/resilience/time_text.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>

namespace weir::inline v0 {

struct deadline_from_options {
    /// The longest time that a caller is given, whatever it says; also what one has that says nothing. Above 0.
    required<duration> longest;
    /// What is taken off for the way back: the caller has to have its answer before its own time is up. 0 or more.
    duration reserve{0};
    /// A caller that has less than this left is refused at once; it could not be served in time. 0 or more, at most `longest`.
    duration min_time_left{0};
    /// Whether a field that cannot be read is `errc::invalid_request`; else it counts as none.
    bool strict = false;
};

/// Gives a call the deadline that its caller has: `deadline_from<>{{.longest = 2s, .reserve = 5ms}}` reads the field `Request-Timeout`,
/// whose value is that of `grpc-timeout`, `200m` (see `read_time_text`); `deadline_from<"grpc-timeout">` reads that.
///
/// What stands there is a wish of somebody else's: it may shorten the call's time, never lengthen it beyond `longest`. A call without the
/// field has `longest`. Who has no time left, or less than `min_time_left`, is refused with `errc::deadline_exceeded` before anything is
/// done. The deadline then goes with the call through waits, retries and hedges; `send_deadline` tells it to the services behind.
/// It is a limit of the whole call and stands where `timeout` may stand. Thread-safe.
template<fixed_string Field = "Request-Timeout">
class deadline_from {
public:
    using role = loop;
    using traits = weir::traits<limits_time, limits_the_call>;
    using reads = reads_request<customisation::header_fn>;
    using options = deadline_from_options;
    using plan = weir::deadline;
    static constexpr std::string_view name = "deadline_from";
    struct stats_type {
        std::uint64_t refused = 0;    ///< too little time left
        std::uint64_t clamped = 0;    ///< asked for more than `longest`
        std::uint64_t unreadable = 0; ///< no such time
        void each(auto&& field) const
        {
            field("refused_total", refused);
            field("clamped_total", clamped);
            field("unreadable_total", unreadable);
        }
    };

    explicit deadline_from(options const& o) : settings_(checked(o)) {}

    admission<> begin(auto& call, plan& before)
    {
        options const o = settings_.load();
        duration left = *o.longest;
        if (std::optional<std::string_view> const said = header(call.request(), Field.view())) {
            if (std::optional<duration> const wish = read_time_text(*said)) {
                if (*wish - o.reserve > left) clamped_.add(1);
                left = std::min(left, *wish - o.reserve);
            } else {
                unreadable_.add(1);
                if (o.strict) return errc::invalid_request;
            }
        }
        time_point const now = call.now();
        before = call.limit(weir::after(now, left));
        duration const real = call.deadline().left(now);
        if (real.count() <= 0 || real < o.min_time_left) [[unlikely]] {
            call.put_back(before);
            refused_.add(1);
            return errc::deadline_exceeded;
        }
        return admitted;
    }
    next_step after(auto& call, plan& before, auto&) noexcept
    {
        call.put_back(before);
        return done;
    }

    [[nodiscard]] stats_type stats(time_point = {}) const { return {refused_.load(), clamped_.load(), unreadable_.load()}; }
    [[nodiscard]] options settings() const noexcept { return settings_.load(); }
    /// Other settings for calls that begin from now on. Throws `std::invalid_argument` and changes nothing if they are bad.
    void reconfigure(options const& o) { settings_.store(checked(o)); }
    void describe(auto&& field) const
    {
        options const o = settings();
        field("field", Field.view());
        field("longest", *o.longest);
        field("reserve", o.reserve);
        field("min_time_left", o.min_time_left);
    }

private:
    static options const& checked(options const& o)
    {
        expect((*o.longest).count() > 0, "deadline_from.longest", "more than 0");
        expect(o.reserve.count() >= 0, "deadline_from.reserve", "0 or more");
        expect(o.min_time_left.count() >= 0 && o.min_time_left <= *o.longest, "deadline_from.min_time_left", "0 to longest");
        return o;
    }

    live<options> settings_;
    shared::cell<std::uint64_t> refused_;
    shared::cell<std::uint64_t> clamped_;
    shared::cell<std::uint64_t> unreadable_;
};
deadline_from(deadline_from_options)->deadline_from<>;

} // namespace weir::inline v0
