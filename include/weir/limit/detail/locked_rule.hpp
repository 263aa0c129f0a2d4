// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/core/threading.hpp>
#include <weir/limit/detail/short_lock.hpp>
#include <weir/limit/limiter.hpp>

#include <cstdint>
#include <mutex>
#include <utility>

namespace weir::inline v0::detail {

/// A rule that keeps memory in its state gets it here, when it is made or changed, and never on a call's way.
template<class Rule>
concept rule_with_storage = requires(Rule const& r, typename Rule::state& s)
{
    r.prepare(s);
};

/// The home of a rule's state under a lock: for states of more than a word.
struct under_a_lock {
    template<class Limiter, limiting_rule Rule, class Options, threading_model Threading>
    class home {
    public:
        home(Options const& o, Rule const& r) : settings_(o), rule_(r), wanted_(r)
        {
            if constexpr (rule_with_storage<Rule>) r.prepare(state_);
        }

        decision try_acquire(time_point now, std::uint64_t cost) noexcept
        {
            return update(now, [&](Rule const& r, auto& s) { return r.try_acquire(s, now, cost); });
        }
        template<class Change>
        auto update(time_point now, Change change) noexcept
        {
            std::lock_guard const lock(mutex_);
            adopt(now);
            return change(std::as_const(rule_), state_);
        }
        template<class Look>
        auto read(time_point now, Look look) const noexcept
        {
            std::lock_guard const lock(mutex_);
            adopt(now);
            return look(std::as_const(rule_), std::as_const(state_));
        }
        void refund(std::uint64_t cost) noexcept
        {
            std::lock_guard const lock(mutex_);
            rule_.refund(state_, cost);
        }
        Options settings() const noexcept
        {
            std::lock_guard const lock(mutex_);
            return settings_;
        }
        void reconfigure(Options const& o, Rule const& r)
        {
            std::lock_guard const lock(mutex_);
            if constexpr (rule_with_storage<Rule>) r.prepare(state_);
            settings_ = o;
            wanted_ = r;
        }
        Rule rule() const noexcept
        {
            std::lock_guard const lock(mutex_);
            return wanted_;
        }

    private:
        // A change is told no time: it counts from the first call or reading after it.
        void adopt(time_point now) const noexcept
        {
            if (rule_ == wanted_) [[likely]]
                return;
            state_ = wanted_.adopt(std::move(state_), rule_, now);
            rule_ = wanted_;
        }

        mutable short_lock_of<Threading> mutex_;
        Options settings_;
        mutable Rule rule_; // what the state belongs to
        Rule wanted_;       // what is in force
        mutable typename Rule::state state_{Rule::fresh};
    };
};

} // namespace weir::inline v0::detail
