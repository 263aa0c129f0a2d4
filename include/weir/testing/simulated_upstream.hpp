// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/park.hpp>
#include <weir/core/result.hpp>
#include <weir/testing/detail/sleep.hpp>
#include <weir/testing/latency.hpp>
#include <weir/testing/schedule.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace weir::inline v0 {

/// What is wrong with an upstream for a while.
enum class outage_kind {
    refuses, ///< nobody is there: `errc::unavailable`, at once
    fails,   ///< it takes its time, and fails
    hangs,   ///< it takes calls, and never answers them
    slows    ///< everything takes longer
};
struct outage {
    outage_kind kind = outage_kind::refuses;
    duration begins{0}; ///< after the upstream was made
    duration lasts{0};
    double slower = 10; ///< how many times longer, if it `slows`; at least 1
};

struct upstream_options {
    /// How long a worker takes for a call.
    weir::latency takes = latency::fixed(std::chrono::milliseconds(10));
    /// How many calls it serves at a time; 0: as many as come.
    std::uint32_t workers = 0;
    /// How many wait when all workers are busy, first come first served; more are refused with `errc::overloaded`.
    std::uint32_t max_queue = 0xffff'ffff;
    /// Which part fails, with `failure`, after its time; which part never comes back. Ratios in [0, 1].
    double failure_rate = 0;
    errc failure = errc::upstream_failed;
    double hang_rate = 0;
    /// Most servers do not notice that their caller has gone: the worker stays busy until the work is done. False: it is free at once.
    bool works_on = true;
    /// When it is in trouble; of two at a time the first one counts.
    std::vector<outage> outages{};
};

/// A service behind a pipeline, in virtual time: so many workers with a queue in front, which are slow, fail, hang, go and come
/// back, as the options say and the schedule draws.
/// ```cpp
/// weir::simulated_upstream shop(s, {.takes = weir::latency::log_normal(20ms, 0.5), .workers = 8, .outages = {{.begins = 10min, .lasts = 1min}}});
/// auto const ask = [&](int item) -> asio::awaitable<weir::result<int>> {
///     auto const served = co_await shop.serve();
///     if (!served) co_return served.error();
///     co_return price_of(item);
/// };
/// ```
/// It is made before the simulation that it is used in. Used by one thread.
class simulated_upstream {
public:
    struct stats_type {
        std::uint64_t arrived = 0;
        std::uint64_t served = 0;
        std::uint64_t failed = 0;  ///< with an error of its own, those that were refused included
        std::uint64_t gave_up = 0; ///< their callers did
        std::uint64_t busy = 0;    ///< calls at work, now
        std::uint64_t waiting = 0;
        std::uint64_t most_busy = 0;
    };

    /// Throws `std::invalid_argument` if the options are bad.
    explicit simulated_upstream(schedule& s, upstream_options o = {}) : state_(std::make_shared<state>(s, checked(std::move(o)))) {}

    /// One call: the time that it takes, and whether it went well. Cancelled, it throws `operation_aborted`.
    template<class T = void>
    [[nodiscard]] boost::asio::awaitable<result<T>> serve()
    {
        return serve(state_);
    }

    [[nodiscard]] stats_type const& stats() const noexcept { return state_->stats; }
    [[nodiscard]] upstream_options const& settings() const noexcept { return state_->options; }
    /// Other options for calls that come from now on; their outages count from the upstream's beginning.
    void reconfigure(upstream_options o) { state_->options = checked(std::move(o)); }

private:
    struct state {
        state(schedule& s, upstream_options o) : plan(s), options(std::move(o)), start(s.now()) {}
        schedule& plan;
        upstream_options options;
        time_point start;
        stats_type stats{};
        waiter_list line{};

        [[nodiscard]] outage const* trouble() const
        {
            duration const age = plan.now() - start;
            auto const found = std::ranges::find_if(
                options.outages, [&](outage const& each) { return age >= each.begins && age - each.begins < each.lasts; });
            return found == options.outages.end() ? nullptr : &*found;
        }
    };
    /// A call's worker, or its place in the line.
    struct place {
        explicit place(std::shared_ptr<state> s) : of(std::move(s)) {}
        place(place&& other) noexcept = default;
        place& operator=(place&&) = delete;
        ~place()
        {
            if (of == nullptr) return;
            if (in_line != nullptr && of->line.remove(*in_line)) {
                --of->stats.waiting;
                return;
            }
            if (!has_worker && in_line == nullptr) return;
            if (waiter* const next = of->line.pop_front()) {
                --of->stats.waiting;
                next->wake(); // the worker is handed over
            } else
                --of->stats.busy;
        }
        std::shared_ptr<state> of;
        waiter* in_line = nullptr;
        bool has_worker = false;
    };

    static upstream_options checked(upstream_options o)
    {
        expect_ratio(o.failure_rate, "simulated_upstream.failure_rate");
        expect_ratio(o.hang_rate, "simulated_upstream.hang_rate");
        for (outage const& each : o.outages) {
            expect(each.begins.count() >= 0, "simulated_upstream.outages.begins", "0 or more");
            expect(each.lasts.count() > 0, "simulated_upstream.outages.lasts", "more than 0");
            expect(each.slower >= 1 && each.slower <= 1e6, "simulated_upstream.outages.slower", "1 to 1e6");
        }
        return o;
    }

    /// Counts who leaves by an exception.
    class counted {
    public:
        explicit counted(state& s) noexcept : state_(s) {}
        counted(counted const&) = delete;
        counted& operator=(counted const&) = delete;
        ~counted()
        {
            if (!stays_) ++state_.stats.gave_up;
        }
        void stays() const noexcept { stays_ = true; }

    private:
        state& state_;
        mutable bool stays_ = false;
    };
    static result<void> fails(state& s, errc why)
    {
        ++s.stats.failed;
        return why;
    }
    template<std::same_as<state> State>
    static boost::asio::awaitable<result<void>> serve(std::shared_ptr<State> s)
    {
        ++s->stats.arrived;
        if (outage const* const now = s->trouble(); now != nullptr && now->kind == outage_kind::refuses)
            co_return fails(*s, errc::unavailable);
        waiter in_line;
        place mine(s);
        if (s->options.workers != 0 && s->stats.busy >= s->options.workers) {
            if (s->line.size() >= s->options.max_queue) co_return fails(*s, errc::overloaded);
            mine.in_line = &in_line;
            s->line.push_back(in_line);
            ++s->stats.waiting;
            counted const waits(*s);
            co_await detail::wait_for(&in_line, s->plan.now(), never);
            mine.in_line = nullptr;
            waits.stays();
        } else
            s->stats.most_busy = std::max(s->stats.most_busy, ++s->stats.busy);
        mine.has_worker = true;

        outage const* const trouble = s->trouble();
        bool const fails_now = (trouble != nullptr && trouble->kind == outage_kind::fails) || s->plan.chance(s->options.failure_rate);
        bool const hangs = (trouble != nullptr && trouble->kind == outage_kind::hangs) || s->plan.chance(s->options.hang_rate);
        duration takes = s->options.takes.draw(s->plan.draws());
        if (trouble != nullptr && trouble->kind == outage_kind::slows)
            takes = std::chrono::duration_cast<duration>(std::chrono::duration<double, std::nano>(takes) * trouble->slower);
        time_point const end = hangs ? never : after(s->plan.now(), takes);
        auto const executor = co_await boost::asio::this_coro::executor;
        counted const works(*s);
        try {
            if (takes.count() > 0 || hangs) co_await detail::wait_for<waiter>(nullptr, s->plan.now(), end);
        } catch (...) {
            if (s->options.works_on && !hangs) boost::asio::co_spawn(executor, keeps_busy(std::move(mine), end), boost::asio::detached);
            throw;
        }
        works.stays();
        if (fails_now) co_return fails(*s, s->options.failure);
        ++s->stats.served;
        co_return result<void>();
    }
    /// The worker of a caller who has gone.
    template<std::same_as<place> Place>
    static boost::asio::awaitable<void> keeps_busy(Place mine, time_point until)
    {
        co_await detail::wait_for<waiter>(nullptr, mine.of->plan.now(), until);
    }

    std::shared_ptr<state> state_;
};

} // namespace weir::inline v0
