// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/wait_queue.hpp>

#include <cstdint>
#include <string_view>

namespace weir::inline v0 {

/// Last come, first served; full, the oldest has to go. In an overload those that go on have waited least, so that their callers are still
/// there, while the oldest, whose callers have given up most likely, wait in vain. Unfair by design: take `adaptive_lifo` for an order that
/// is fair while the queue is short.
class lifo {
public:
    static constexpr std::string_view name = "lifo";
    static constexpr bool reads_time = false;

    duration push(waiter& w, time_point, duration max_wait) noexcept
    {
        line_.push_back(w);
        return max_wait;
    }
    waiter* pop(time_point, auto&&) noexcept { return line_.pop_back(); }
    bool remove(waiter& w) noexcept { return line_.remove(w); }
    waiter* make_room(waiter&, std::uint32_t) noexcept { return line_.pop_front(); }
    [[nodiscard]] bool empty() const noexcept { return line_.empty(); }
    void describe(auto&&) const {}

private:
    waiter_list line_;
};

} // namespace weir::inline v0
