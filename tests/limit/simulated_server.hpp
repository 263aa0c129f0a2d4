// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/admission.hpp>
#include <weir/core/call.hpp>
#include <weir/core/park.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <queue>
#include <random>
#include <utility>
#include <vector>

namespace weir_test {

/// What a gate sees of a call in these simulations.
struct simulated_call {
    weir::time_point time{};
    [[nodiscard]] weir::time_point now() const { return time; }
    [[nodiscard]] static bool failed(auto const& outcome) { return weir::default_classifier{}(outcome); }
};

/// A service in virtual time: so many workers, a queue without an end in front of them (or with one: then it refuses), and Poisson arrivals
/// that first ask a gate. The time of service is Erlang-distributed with 16 phases: a deviation of a quarter. Its capacity is
/// workers / mean time a second, which it serves with as many calls inside as there are workers.
template<class Gate>
class simulated_server {
public:
    simulated_server(Gate& gate, unsigned workers, weir::duration mean_time, std::uint64_t seed)
        : gate_(gate), workers_(workers), phase_(16, static_cast<double>(mean_time.count()) / 16), random_(seed)
    {
    }

    void workers(unsigned n) { workers_ = n; }
    /// Refuses calls when so many wait.
    void queue_bound(std::size_t n) { queue_bound_ = n; }
    [[nodiscard]] weir::time_point now() const { return call_.time; }
    [[nodiscard]] std::size_t inside() const { return busy_ + waiting_.size(); }

    /// Lets traffic come, so many calls a second on average.
    void run_for(weir::duration length, double calls_a_second)
    {
        std::exponential_distribution<double> gap(calls_a_second / 1e9);
        auto const next = [&] { return call_.time + weir::duration(static_cast<std::int64_t>(gap(random_))); };
        weir::time_point const end = call_.time + length;
        for (weir::time_point arrival = next(); arrival < end;) {
            complete_until(arrival);
            call_.time = arrival;
            arrive();
            arrival = next();
        }
        complete_until(end);
        call_.time = end;
    }

    /// What happened since the last time it was asked.
    struct report {
        std::uint64_t served = 0;
        std::uint64_t refused = 0;
        double a_second = 0;   ///< served
        weir::duration p99{0}; ///< of those that were served
        double limit = 0;      ///< on average over the arrivals
    };
    report take_report()
    {
        report r;
        r.served = times_.size();
        r.refused = refused_;
        r.a_second = static_cast<double>(r.served) * 1e9 / static_cast<double>((call_.time - reported_).count());
        if (!times_.empty()) {
            auto const at = times_.begin() + static_cast<std::ptrdiff_t>(times_.size() * 99 / 100);
            std::nth_element(times_.begin(), at, times_.end());
            r.p99 = *at;
        }
        r.limit = limits_ / static_cast<double>(std::max<std::uint64_t>(arrivals_, 1));
        times_.clear();
        refused_ = arrivals_ = 0;
        limits_ = 0;
        reported_ = call_.time;
        return r;
    }

private:
    using permit =
        typename decltype(std::declval<Gate&>().admit(std::declval<simulated_call&>(), std::declval<weir::waiter&>()))::permit_type;
    struct job {
        weir::time_point came;
        permit held;
    };
    struct completion {
        weir::time_point at;
        job of;
        bool operator<(completion const& other) const { return at > other.at; }
    };

    void arrive()
    {
        if (++arrivals_ % 16 == 1) limit_ = static_cast<double>(gate_.stats().limit);
        limits_ += limit_;
        weir::waiter w;
        auto const a = gate_.admit(call_, w);
        if (!a) {
            ++refused_;
            return;
        }
        job const j{call_.time, a.permit()};
        if (busy_ < workers_)
            start(j);
        else if (waiting_.size() < queue_bound_)
            waiting_.push_back(j);
        else
            gate_.settle(j.held, weir::result<int>(weir::errc::overloaded), call_);
    }
    void start(job const& j)
    {
        ++busy_;
        running_.push({call_.time + weir::duration(static_cast<std::int64_t>(phase_(random_))), j});
    }
    void complete_until(weir::time_point t)
    {
        while (!running_.empty() && running_.top().at <= t) {
            completion const c = running_.top();
            running_.pop();
            call_.time = c.at;
            --busy_;
            times_.push_back(c.at - c.of.came);
            gate_.settle(c.of.held, weir::result<int>(1), call_);
            while (busy_ < workers_ && !waiting_.empty()) {
                job const next = waiting_.front();
                waiting_.pop_front();
                start(next);
            }
        }
    }

    Gate& gate_;
    std::size_t workers_;
    std::gamma_distribution<double> phase_;
    std::mt19937_64 random_;
    std::size_t queue_bound_ = ~std::size_t{0};
    simulated_call call_{weir::time_point{std::chrono::hours(1)}};
    weir::time_point reported_ = call_.time;
    std::size_t busy_ = 0;
    std::deque<job> waiting_;
    std::priority_queue<completion> running_;
    std::vector<weir::duration> times_;
    std::uint64_t refused_ = 0, arrivals_ = 0;
    double limit_ = 0, limits_ = 0;
};

} // namespace weir_test
