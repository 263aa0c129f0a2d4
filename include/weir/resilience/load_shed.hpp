// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/contracts.hpp>
#include <weir/core/live.hpp>
#include <weir/core/options.hpp>
#include <weir/core/priority.hpp>
#include <weir/core/striped.hpp>
#include <weir/resilience/detail/little_limit.hpp>
#include <weir/resilience/load_gauge.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>
#include <utility>

namespace weir::inline v0 {

struct load_shed_options {
    /// Overloaded from this part of the processors on; in (0, 1].
    double cpu = 0.9;
    /// Overloaded when what is ready waits so long for its turn; 0: that is not asked.
    duration queue_delay{0};
    /// Not overloaded any more when both are below this part of their bounds; in [0, 1].
    double relief = 0.9;
    /// Goes on shedding so long after the last moment of overload.
    duration cool_off = std::chrono::seconds(1);
    /// What the limit of calls in flight is learned from; from 1 ms to 1 h.
    duration window = std::chrono::seconds(5);
    /// The part of that limit up to which calls of each priority are let in, critical ones first; in [0, 1], none above the one before.
    std::array<double, priority::levels> shares{1.0, 0.9, 0.6, 0.3};
};

/// Refuses calls with `errc::overloaded` while the process is overloaded and more are in flight than it can work on, the least important
/// first. `load_shed{gauge}`, `load_shed{gauge, {.queue_delay = 20ms}, by<priority>}`: the gauge is a `load_gauge` that samplers feed and
/// that outlives the pipeline.
///
/// Overloaded is who uses more than `cpu` of the processors, or lets what is ready wait for `queue_delay`, and stays so until both have
/// fallen to `relief` of their bounds and `cool_off` has passed (hysteresis). In overload a call is let in while fewer than its priority's
/// share of the limit are in flight; the limit is the most that it finished in a slice of the window times the shortest that a call took
/// (Little's law). Out of overload nothing is refused, and one call in flight is never refused. After go-zero's adaptive shedding
/// (`core/load/adaptiveshedder.go`, its defaults) and Kratos' BBR limiter (aegis `ratelimit/bbr`).
///
/// A call that ends with a fault, or is cancelled, teaches nothing. Stands at the edge of a server, outside of what costs CPU. Thread-safe
/// if `shared`; a call costs a lock for what it teaches, and in overload one for the limit.
template<class PriorityOf = same_priority, threading_model Threading = shared>
class load_shed {
public:
    using role = gate;
    using needs = typename detail::needs_of<PriorityOf>::type;
    using reads = typename detail::reads_of<PriorityOf>::type;
    using options = load_shed_options;
    static constexpr std::string_view name = "load_shed";
    /// When the call began.
    struct permit {
        std::int64_t began = 0;
    };
    struct stats_type {
        std::uint64_t in_flight = 0;
        std::uint64_t limit = 0; ///< of calls in flight, in overload; 0: nothing is known
        bool overloaded = false;
        std::uint64_t admitted = 0;
        std::array<std::uint64_t, priority::levels> shed{};
        void each(auto&& field) const
        {
            field("in_flight", in_flight);
            field("limit", limit);
            field("overloaded", std::uint64_t{overloaded});
            field("admitted_total", admitted);
            field("shed_critical_total", shed[0]);
            field("shed_normal_total", shed[1]);
            field("shed_minor_total", shed[2]);
            field("shed_batch_total", shed[3]);
        }
    };

    /// Throws `std::invalid_argument` that names the member.
    explicit load_shed(load_gauge const& gauge, options const& o = {}, PriorityOf priority_of = {})
        : gauge_(&gauge), priority_of_(std::move(priority_of)), settings_(checked(o)), learned_(o.window)
    {
        bounds(o);
    }

    [[gnu::always_inline]] auto admit(auto& call) -> admission<permit>
    {
        time_point const now = call.now();
        if (is_overloaded(now)) [[unlikely]]
            if (!has_room(now, priority_of_(call))) return errc::overloaded;
        in_flight_.add(1);
        admitted_.add();
        return permit{now.time_since_epoch().count()};
    }
    void settle(permit p, auto const& outcome, auto& call)
    {
        in_flight_.add(-1);
        if (call.failed(outcome)) return;
        time_point const now = call.now();
        std::lock_guard const lock(mutex_);
        learned_.passed(now, now.time_since_epoch() - duration{p.began});
    }
    void cancel(permit) noexcept { in_flight_.add(-1); }

    [[nodiscard]] stats_type stats(time_point now = {}) const
    {
        stats_type s;
        s.in_flight = static_cast<std::uint64_t>(in_flight_.load());
        {
            std::lock_guard const lock(mutex_);
            double const limit = learned_.limit(now);
            s.limit = limit == detail::little_limit::never_less ? 0 : static_cast<std::uint64_t>(limit);
        }
        s.overloaded = hot_.load() != 0;
        s.admitted = admitted_.sum();
        for (std::size_t i = 0; i < shed_.size(); ++i) s.shed[i] = shed_[i].sum();
        return s;
    }
    [[nodiscard]] options settings() const noexcept { return settings_.load(); }
    /// Other bounds from now on; with another window it learns anew. Throws `std::invalid_argument` and changes nothing if they are bad.
    void reconfigure(options const& o)
    {
        checked(o);
        std::lock_guard const lock(mutex_);
        if (o.window != settings_.load().window) learned_ = detail::little_limit(o.window);
        settings_.store(o);
        bounds(o);
    }
    void describe(auto&& field) const
    {
        options const o = settings();
        field("cpu", o.cpu);
        field("queue_delay", o.queue_delay);
        field("relief", o.relief);
        field("cool_off", o.cool_off);
        field("window", o.window);
        for (double const share : o.shares) field("share", share);
    }

private:
    static options const& checked(options const& o)
    {
        expect(o.cpu > 0 && o.cpu <= 1, "load_shed.cpu", "a ratio in (0, 1]");
        expect(o.queue_delay.count() >= 0, "load_shed.queue_delay", "0 or more");
        expect_ratio(o.relief, "load_shed.relief");
        expect(o.cool_off.count() >= 0, "load_shed.cool_off", "0 or more");
        expect(o.window >= std::chrono::milliseconds(1) && o.window <= std::chrono::hours(1), "load_shed.window", "1 ms to 1 h");
        for (std::size_t i = 0; i < o.shares.size(); ++i) {
            expect_ratio(o.shares[i], "load_shed.shares");
            expect(i == 0 || o.shares[i] <= o.shares[i - 1], "load_shed.shares", "none above the one before");
        }
        return o;
    }
    void bounds(options const& o) noexcept
    {
        cpu_.store(o.cpu);
        delay_.store(o.queue_delay.count() > 0 ? o.queue_delay.count() : INT64_MAX);
    }
    /// Overload is remembered by its last moment, in ns, 0 for none; moments before 1970's first nanosecond do not come.
    [[gnu::always_inline]] bool is_overloaded(time_point now)
    {
        if (hot_.load() == 0 && gauge_->cpu() < cpu_.load() && gauge_->queue_delay() < duration{delay_.load()}) [[likely]]
            return false;
        return is_hot(now);
    }
    [[gnu::noinline, gnu::cold]] bool is_hot(time_point now) noexcept
    {
        options const o = settings_.load();
        std::int64_t const hot = hot_.load();
        double const part = hot == 0 ? 1 : o.relief;
        auto const delay = static_cast<double>(gauge_->queue_delay().count());
        bool const over = gauge_->cpu() >= o.cpu * part ||
                          (o.queue_delay.count() > 0 && delay >= static_cast<double>(o.queue_delay.count()) * part);
        std::int64_t const at = std::max<std::int64_t>(now.time_since_epoch().count(), 1);
        if (over) {
            hot_.store(std::max(at, hot));
            return true;
        }
        if (hot == 0) return false;
        if (at - hot <= o.cool_off.count()) return true;
        hot_.store(0);
        return false;
    }
    [[gnu::noinline, gnu::cold]] bool has_room(time_point now, priority::level level)
    {
        auto const line = std::min<std::size_t>(static_cast<std::size_t>(level), priority::levels - 1);
        double const share = settings_.load().shares[line];
        auto const in_flight = static_cast<double>(in_flight_.load());
        double limit = 0;
        {
            std::lock_guard const lock(mutex_);
            limit = learned_.limit(now);
        }
        if (in_flight < 1 || in_flight < share * limit) return true;
        shed_[line].add();
        return false;
    }

    load_gauge const* gauge_;
    [[no_unique_address]] PriorityOf priority_of_;
    live<options> settings_;
    typename Threading::template cell<double> cpu_; // the bounds, for the common way
    typename Threading::template cell<std::int64_t> delay_;
    typename Threading::template cell<std::int64_t> in_flight_{0};
    typename Threading::template cell<std::int64_t> hot_{0};
    mutable typename Threading::mutex mutex_;
    detail::little_limit learned_;
    detail::counter<Threading> admitted_;
    std::array<detail::counter<Threading>, priority::levels> shed_;
};
} // namespace weir::inline v0
