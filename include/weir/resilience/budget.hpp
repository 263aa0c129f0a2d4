// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/live.hpp>
#include <weir/core/options.hpp>
#include <weir/core/threading.hpp>
#include <weir/resilience/call_window.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>

namespace weir::inline v0 {

struct budget_options {
    /// Extra calls allowed for each call of the window; a ratio in [0, 1].
    double ratio = 0.2;
    /// Extra calls allowed however few calls there are, a second.
    double floor_per_second = 10;
    /// The length of the window; from 1 ms to 24 h.
    duration window = std::chrono::seconds(10);
};

/// How much extra load retries, hedges and refreshes may make: a part of the calls in the window and a floor (the retry budget of Google's
/// SRE book, chapter 22, and of Finagle). When a service fails for everybody, retries then add a fifth to its load, not three times.
///
/// A retry or a hedge is an extra call for good: `withdraw`. A refresh is one until it has loaded a value, which saves the load at the old
/// value's end: `borrow`, then `give_back`. So refreshes of a sound source cost nothing, and those of a failing one count as its retries
/// do.
///
/// Thread-safe: lending takes a lock, so that several threads together take no more than there is; a deposit is a store.
class budget {
public:
    using options = budget_options;

    explicit budget(options o = {}) : settings_(checked(o)), calls_(o.window), loans_(o.window) {}

    /// A call begins, or ends; each is deposited once.
    [[gnu::always_inline]] void deposit(time_point now) { calls_.count(now, false); }
    /// Takes one extra call out; false if there is none left.
    [[nodiscard]] bool withdraw(time_point now)
    {
        std::scoped_lock const lock(lending_);
        if (left(now) < 1) return false;
        calls_.count(now, true);
        return true;
    }
    /// Takes one extra call out that is deposited further in, by the `retry` or `hedge` which it passes; false if there is none left.
    [[nodiscard]] bool borrow(time_point now)
    {
        std::scoped_lock const lock(lending_);
        if (left(now) < 1) return false;
        if (!lends_.load()) lends_.store(true);
        loans_.count(now, false);
        return true;
    }
    /// The call that was borrowed at `then` was not extra after all, and stays as one of the calls. Once for each that was borrowed; when
    /// it has left the window there is nothing to give back.
    void give_back(time_point then, time_point now)
    {
        if (then <= now && now - then < settings_.load().window) loans_.count(then, true);
    }
    /// How many extra calls may be made now.
    [[nodiscard]] double left(time_point now) const
    {
        options const o = settings_.load();
        auto const window = calls_.sum(now);
        // Each that was given back counts twice, and is marked. Who never lends does not pay for the sum.
        auto const loans = lends_.load() ? loans_.sum(now) : call_window<shared>::totals{};
        double const borrowed = static_cast<double>(loans.calls - std::min(loans.calls, 2 * loans.marked));
        double const own = std::max(static_cast<double>(window.calls - window.marked) - borrowed, 0.0);
        double const floor = o.floor_per_second * std::chrono::duration<double>(o.window).count();
        return floor + o.ratio * own - static_cast<double>(window.marked) - borrowed;
    }
    [[nodiscard]] options settings() const noexcept { return settings_.load(); }
    /// Other bounds from now on; another window begins empty. Throws `std::invalid_argument` and changes nothing if they are bad.
    void reconfigure(options const& o)
    {
        checked(o);
        std::scoped_lock const lock(lending_);
        if (o.window != settings_.load().window) {
            calls_.resize(o.window);
            loans_.resize(o.window);
        }
        settings_.store(o);
    }
    /// Throws `std::invalid_argument` that names the member.
    static options const& checked(options const& o)
    {
        expect_ratio(o.ratio, "budget.ratio");
        expect(o.floor_per_second >= 0 && o.floor_per_second <= 1e9, "budget.floor_per_second", "0 to 1e9");
        expect(o.window >= std::chrono::milliseconds(1) && o.window <= std::chrono::hours(24), "budget.window", "1 ms to 24 h");
        return o;
    }

private:
    live<options> settings_;
    call_window<shared> calls_; // marked: extra ones
    call_window<shared> loans_; // marked: given back
    shared::cell<bool> lends_{false};
    detail::movable_mutex lending_;
};

/// A budget as a policy takes it: one of its own, made from options, or one that several policies share, `std::ref(budget)` or a
/// `std::shared_ptr`. A shared one that is referred to outlives the policies.
class budget_share {
public:
    budget_share(budget_options const& o) : budget_(new budget(o)), own_(true) {} // NOLINT: implicit, so that calls read well
    budget_share(std::reference_wrapper<budget> b) noexcept : budget_(std::shared_ptr<void>(), &b.get()) {} // NOLINT: as above
    budget_share(std::shared_ptr<budget> b) : budget_(std::move(b))                                         // NOLINT: as above
    {
        expect(budget_ != nullptr, "budget", "a budget, not null");
    }

    [[nodiscard]] budget& operator*() const noexcept { return *budget_; }
    [[nodiscard]] budget* operator->() const noexcept { return budget_.get(); }
    /// Whether the policy made it for itself, and reconfigures it with its own options.
    [[nodiscard]] bool is_own() const noexcept { return own_; }

private:
    std::shared_ptr<budget> budget_;
    bool own_ = false;
};

} // namespace weir::inline v0
