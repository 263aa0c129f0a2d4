// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/options.hpp>
#include <weir/core/policy.hpp>
#include <weir/core/wait_queue.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace weir::inline v0 {

/// Classes of calls, 0 the highest: of those that wait the highest class goes on first, and each class has a part of the places that come
/// free for itself, so that none starves: `by_priority<3, Of>{of_call, {0.0, 0.1, 0.05}}`, which is `by_priority(of_call, 0.0, 0.1,
/// 0.05)`. What the shares leave over goes to the highest class that waits.
///
/// A class that waits all the time gets at least its share of any n places, but for `Classes` of them; a lower one is served before a
/// higher one for its share only. Within a class: first come, first served. A full queue keeps the same shares of its length for each
/// class: a newcomer takes the place of the newest call of the lowest class that has more than its share, if that class is
/// lower or the newcomer's own is below its share; else it is refused.
///
/// `ClassOf` is a key of the call: its class, `keyed_by(&order::importance)` or `by<importance>`, a number or an enumeration; one past
/// the last is the last. Cost: a step a class for each place that is handed over.
template<std::size_t Classes, class ClassOf>
class by_priority {
    static_assert(Classes >= 2 && Classes <= 64, "by_priority wants 2 to 64 classes");

public:
    /// The part of the places that each class has for itself, the highest first; in [0, 1] each, and 1 at most together.
    struct options {
        std::array<double, Classes> shares{};
    };
    using needs = typename detail::needs_of<ClassOf>::type;
    using reads = typename detail::reads_of<ClassOf>::type;
    static constexpr std::string_view name = "by_priority";
    static constexpr bool reads_time = false;

    /// Throws `std::invalid_argument` if the shares are bad.
    by_priority(ClassOf class_of, options const& o) : class_of_(std::move(class_of)) { reconfigure(o); }
    template<class... Shares>
    requires(sizeof...(Shares) == Classes) by_priority(ClassOf class_of, Shares... shares)
        : by_priority(std::move(class_of), options{{static_cast<double>(shares)...}})
    {
    }

    void mark(auto& call, waiter& w) const
    {
        w.note.line = static_cast<std::uint32_t>(std::min<std::uint64_t>(static_cast<std::uint64_t>(class_of_(call)), Classes - 1));
    }
    duration push(waiter& w, time_point, duration max_wait) noexcept
    {
        lines_[w.note.line].push_back(w);
        return max_wait;
    }
    waiter* pop(time_point, auto&&) noexcept
    {
        std::size_t chosen = Classes;
        std::uint64_t most = one - 1;
        for (std::size_t i = 0; i < Classes; ++i) {
            if (lines_[i].empty()) continue;
            credits_[i] += credit_of_[i];
            if (chosen == Classes) chosen = i;
            if (credits_[i] > most) most = credits_[chosen = i];
        }
        if (chosen == Classes) return nullptr;
        credits_[chosen] -= std::min(credits_[chosen], one);
        waiter* const next = lines_[chosen].pop_front();
        forget(chosen);
        return next;
    }
    bool remove(waiter& w) noexcept
    {
        if (!w.linked()) return false;
        lines_[w.note.line].remove(w);
        forget(w.note.line);
        return true;
    }
    waiter* make_room(waiter& w, std::uint32_t max_waiting) noexcept
    {
        std::size_t const own = w.note.line;
        bool const is_owed = lines_[own].size() < room_of(own, max_waiting);
        for (std::size_t i = Classes; i-- > (is_owed ? 0 : own + 1);)
            if (i != own && lines_[i].size() > room_of(i, max_waiting)) {
                waiter* const goes = lines_[i].pop_back();
                forget(i);
                return goes;
            }
        return nullptr;
    }
    [[nodiscard]] bool empty() const noexcept
    {
        return std::all_of(lines_.begin(), lines_.end(), [](waiter_list const& line) { return line.empty(); });
    }

    [[nodiscard]] options settings() const noexcept { return options_; }
    void reconfigure(options const& o)
    {
        double sum = 0;
        for (double const share : o.shares) {
            expect_ratio(share, "by_priority.shares");
            sum += share;
        }
        expect(sum <= 1 + 1e-9, "by_priority.shares", "1 at most together");
        options_ = o;
        for (std::size_t i = 0; i < Classes; ++i) credit_of_[i] = static_cast<std::uint64_t>(o.shares[i] * static_cast<double>(one));
    }
    void describe(auto&& field) const
    {
        field("classes", std::uint64_t{Classes});
        for (double const share : options_.shares) field("share", share);
    }

private:
    /// What a place costs, in credit.
    static constexpr std::uint64_t one = std::uint64_t{1} << 32;

    [[nodiscard]] std::size_t room_of(std::size_t i, std::uint32_t max_waiting) const noexcept
    {
        return static_cast<std::size_t>((credit_of_[i] * max_waiting + one / 2) >> 32);
    }
    // Credit is for those that wait.
    void forget(std::size_t i) noexcept
    {
        if (lines_[i].empty()) credits_[i] = 0;
    }

    [[no_unique_address]] ClassOf class_of_;
    options options_;
    std::array<std::uint64_t, Classes> credit_of_{}; // a place that comes free
    std::array<std::uint64_t, Classes> credits_{};
    std::array<waiter_list, Classes> lines_;
};
template<class ClassOf, class... Shares>
by_priority(ClassOf, Shares...) -> by_priority<sizeof...(Shares), ClassOf>;

} // namespace weir::inline v0
