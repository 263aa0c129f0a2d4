// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/core/facets.hpp>
#include <weir/core/park.hpp>
#include <weir/core/result.hpp>
#include <weir/core/scope.hpp>

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace weir::inline v0::detail {

/// Brings what an attempt reported to the call that it belongs to.
template<class... Facts>
void hand_reports(facet_frame<facets<Facts...>>& from, facet_frame<facets<Facts...>>& to)
{
    ((from.template at<Facts>().has_value() ? static_cast<void>(to.template at<Facts>() = std::move(from.template at<Facts>()))
                                            : static_cast<void>(0)),
     ...);
}

template<class Outcome>
class runner;

/// What the attempts of one hedged call share. All of it happens on the call's executor: there is no lock.
template<class Outcome>
struct race {
    std::optional<Outcome> best; // the winner's outcome, or the latest failure
    std::exception_ptr thrown{};
    std::shared_ptr<void> reports{};    // of that attempt
    runner<Outcome>* running = nullptr; // a list of those that have not ended
    runner<Outcome>* caller = nullptr;  // null when it has gone
    std::uint8_t answered_by = error::no_policy;
    bool won = false;
    bool give_up = false; // a failure said when to come back: nothing more is begun
    bool failed = false;  // since the caller looked
};

/// What one who takes part has of the race: the call, or one of its attempts, which are forks. A call that goes cancels the attempts
/// that still run.
template<class Outcome>
class runner {
public:
    using race_type = detail::race<Outcome>;

    runner() noexcept = default;
    runner(runner const&) = delete;
    runner& operator=(runner const&) = delete;
    ~runner()
    {
        if (race_ == nullptr) return;
        if (race_->caller == this) {
            race_->caller = nullptr;
            for (runner* each = race_->running; each != nullptr; each = each->next_)
                if (each->work_ != nullptr) each->work_->cancel();
        } else
            leave();
    }

    // What the machine asks of a token.
    [[nodiscard]] waiter& waiting() noexcept { return waiter_; }
    [[nodiscard]] bool abandon() noexcept { return std::exchange(parked_, false); }
    [[nodiscard]] time_point until() const noexcept { return next_at; }
    void runs_as(work& w) noexcept { work_ = &w; }
    void answered_by(std::uint8_t place) noexcept { answered_by_ = place; }
    [[nodiscard]] std::uint8_t answered_by() const noexcept { return answered_by_; }

    [[nodiscard]] race_type* of() const noexcept { return race_.get(); }
    [[nodiscard]] bool is_caller() const noexcept { return race_ == nullptr || race_->caller == this; }
    /// The caller's part: another one joins its race, and it parks until somebody has something to tell.
    void send(runner& other)
    {
        if (race_ == nullptr) {
            race_ = std::make_shared<race_type>();
            race_->caller = this;
        }
        other.race_ = race_;
        other.began = began_last;
        other.next_ = std::exchange(race_->running, &other);
        park();
    }
    void park() noexcept { parked_ = true; }
    /// An attempt's part: it has ended, whatever came of it. Tells the caller.
    void leave() noexcept
    {
        runner** at = &race_->running;
        while (*at != nullptr && *at != this) at = &(*at)->next_;
        if (*at == nullptr) return; // it had told already
        *at = next_;
        if (race_->caller != nullptr && std::exchange(race_->caller->parked_, false)) race_->caller->waiter_.wake();
    }

    time_point next_at = never; // the caller's: when the next attempt is due
    time_point began_last{};
    time_point began{}; // an attempt's
    std::uint32_t attempts = 1;
    bool wants_another = false;

private:
    std::shared_ptr<race_type> race_;
    runner* next_ = nullptr;
    work* work_ = nullptr;
    waiter waiter_;
    std::uint8_t answered_by_ = error::no_policy;
    bool parked_ = false;
};

} // namespace weir::inline v0::detail
