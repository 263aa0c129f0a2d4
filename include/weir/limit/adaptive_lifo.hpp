// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/options.hpp>
#include <weir/core/wait_queue.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string_view>

namespace weir::inline v0 {

struct adaptive_lifo_options {
    /// A queue that was not empty for so long is a standing one; until then a call may wait so long. Above 0.
    duration interval = std::chrono::milliseconds(100);
    /// How long a call may wait in a standing queue; above 0, at most `interval`.
    duration target = std::chrono::milliseconds(5);
};

/// First come, first served while the queue empties now and then; once it stands, last come, first served, and nobody waits longer than
/// `target`: adaptive LIFO with controlled delay (B. Maurer, "Fail at Scale", ACM Queue 13(8), 2015). A burst is absorbed, an
/// overload shed at its beginning. In a standing queue that is full the oldest has to go.
///
/// The time to wait is fixed when a call comes, and `max_wait` of the policy is the longest in any case.
class adaptive_lifo {
public:
    using options = adaptive_lifo_options;
    static constexpr std::string_view name = "adaptive_lifo";
    static constexpr bool reads_time = true;

    /// Throws `std::invalid_argument` if the options are bad.
    explicit adaptive_lifo(options const& o = {}) : options_(checked(o)) {}

    duration push(waiter& w, time_point now, duration max_wait) noexcept
    {
        if (line_.empty()) empty_at_ = now;
        duration const patience = std::min(stands(now) ? options_.target : options_.interval, max_wait);
        w.note.until = after(now, patience);
        line_.push_back(w);
        return patience;
    }
    waiter* pop(time_point now, auto&& refuse) noexcept
    {
        bool const newest = stands(now);
        while (waiter* const next = newest ? line_.pop_back() : line_.pop_front()) {
            if (next->note.until >= now) return next;
            refuse(*next); // its time is up: whoever waits for that has not looked yet
        }
        return nullptr;
    }
    bool remove(waiter& w) noexcept { return line_.remove(w); }
    waiter* make_room(waiter& w, std::uint32_t) noexcept { return stands(w.note.since) ? line_.pop_front() : nullptr; }
    [[nodiscard]] bool empty() const noexcept { return line_.empty(); }

    [[nodiscard]] options settings() const noexcept { return options_; }
    void reconfigure(options const& o) { options_ = checked(o); }
    void describe(auto&& field) const
    {
        field("interval", options_.interval);
        field("target", options_.target);
    }

private:
    static options const& checked(options const& o)
    {
        expect(o.interval.count() > 0, "adaptive_lifo.interval", "more than 0");
        expect(o.target.count() > 0 && o.target <= o.interval, "adaptive_lifo.target", "more than 0 and at most the interval");
        return o;
    }
    [[nodiscard]] bool stands(time_point now) const noexcept { return !line_.empty() && now > after(empty_at_, options_.interval); }

    options options_;
    time_point empty_at_{}; // means something while somebody waits: when the first of this busy time came
    waiter_list line_;
};

} // namespace weir::inline v0
