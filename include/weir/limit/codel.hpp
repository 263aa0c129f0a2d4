// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/options.hpp>
#include <weir/core/wait_queue.hpp>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <string_view>

namespace weir::inline v0 {

struct codel_options {
    /// The wait that a standing queue may have; above 0.
    duration target = std::chrono::milliseconds(5);
    /// How long every wait has to be above the target before calls are refused: about the slowest usual answer. At least `target`.
    duration interval = std::chrono::milliseconds(100);
};

/// First come, first served, with controlled delay (CoDel, RFC 8289): once those that go on have all waited longer than `target` for an
/// `interval`, one of them is refused, the next after interval / sqrt(2), interval / sqrt(3) and so on, until a wait is below the target. A
/// burst passes, a standing queue shrinks. Refusals come when a place does, so bound the wait as well; when full it takes nobody in.
class codel {
public:
    using options = codel_options;
    static constexpr std::string_view name = "codel";
    static constexpr bool reads_time = true;

    /// Throws `std::invalid_argument` if the options are bad.
    explicit codel(options const& o = {}) : options_(checked(o)) {}

    duration push(waiter& w, time_point, duration max_wait) noexcept
    {
        line_.push_back(w);
        return max_wait;
    }
    // RFC 8289, section 5.3, with "one packet or less is queued" for "less than a packet's bytes are".
    waiter* pop(time_point now, auto&& refuse) noexcept
    {
        waiter* next = line_.pop_front();
        bool late = stands(next, now);
        if (refusing_) {
            if (!late) refusing_ = false;
            while (refusing_ && now >= next_refusal_) {
                refuse(*next);
                ++count_;
                next = line_.pop_front();
                late = stands(next, now);
                if (late)
                    next_refusal_ = after_a_share(next_refusal_);
                else
                    refusing_ = false;
            }
        } else if (late) {
            refuse(*next);
            next = line_.pop_front();
            static_cast<void>(stands(next, now));
            refusing_ = true;
            std::uint32_t const delta = count_ - count_before_;
            count_ = delta > 1 && now - next_refusal_ < 16 * options_.interval ? delta : 1;
            count_before_ = count_;
            next_refusal_ = after_a_share(now);
        }
        return next;
    }
    bool remove(waiter& w) noexcept { return line_.remove(w); }
    waiter* make_room(waiter&, std::uint32_t) noexcept { return nullptr; }
    [[nodiscard]] bool empty() const noexcept { return line_.empty(); }

    [[nodiscard]] options settings() const noexcept { return options_; }
    void reconfigure(options const& o) { options_ = checked(o); }
    void describe(auto&& field) const
    {
        field("target", options_.target);
        field("interval", options_.interval);
    }

private:
    static options const& checked(options const& o)
    {
        expect(o.target.count() > 0, "codel.target", "more than 0");
        expect(o.interval >= o.target && o.interval <= std::chrono::hours(1), "codel.interval", "at least the target and at most an hour");
        return o;
    }
    [[nodiscard]] time_point after_a_share(time_point t) const noexcept
    {
        return after(t, duration(static_cast<std::int64_t>(static_cast<double>(options_.interval.count()) / std::sqrt(count_))));
    }
    // Whether the waits have been above the target for an interval, this one among them. Sets the time from which they are counted.
    bool stands(waiter const* next, time_point now) noexcept
    {
        if (next == nullptr || now - next->note.since < options_.target || line_.empty()) {
            above_until_ = never;
            return false;
        }
        if (above_until_ == never) above_until_ = after(now, options_.interval);
        return now >= above_until_;
    }

    options options_;
    waiter_list line_;
    time_point above_until_ = never; // when the waits will have been above the target for an interval
    time_point next_refusal_{};
    std::uint32_t count_ = 0; // of refusals since `refusing_` began
    std::uint32_t count_before_ = 0;
    bool refusing_ = false;
};

} // namespace weir::inline v0
