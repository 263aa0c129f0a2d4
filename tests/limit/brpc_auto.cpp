// SPDX-License-Identifier: BSL-1.0
#include <weir/limit/brpc_auto.hpp>

#include "window_schedules.hpp"

#include <algorithm>
#include <deque>
#include <stdexcept>

namespace {

using namespace std::chrono_literals;

/// As in auto_concurrency_limiter.cpp, in seconds, with the differences that the header names.
struct model {
    double alpha, smooth, punish;
    weir_test::unloaded_model min_latency{};
    double ema_peak_qps = -1;
    std::deque<double> qps{};

    double next(weir::load_window const& w, double limit)
    {
        if (w.served == 0) return w.dropped > 0 ? limit * 0.5 : limit;
        double const seconds = std::chrono::duration<double>(w.rtt).count() * static_cast<double>(w.served) +
                               punish * std::chrono::duration<double>(w.dropped_rtt).count() * static_cast<double>(w.dropped);
        double const avg_latency = seconds / static_cast<double>(w.served);
        if (min_latency.value == 0 || avg_latency < min_latency.value) min_latency.sink(avg_latency, 1 - smooth);
        qps.push_back(static_cast<double>(w.ended) / std::chrono::duration<double>(w.length).count());
        if (qps.size() > 50) qps.pop_front();
        double const peak = *std::max_element(qps.begin(), qps.end());
        ema_peak_qps = peak >= ema_peak_qps ? peak : ema_peak_qps * smooth + peak * (1 - smooth);

        if (w.inflight * 2 < limit) return limit;
        double const noload_concurrency = min_latency.value * ema_peak_qps;
        if (avg_latency >= (1 + alpha) * min_latency.value) return noload_concurrency;
        double const formula = std::ceil(noload_concurrency * (2 + alpha - avg_latency / min_latency.value));
        return std::max(formula, std::min(limit, w.inflight * 2.0));
    }
    void probed(weir::load_window const& w)
    {
        if (w.served > 0) min_latency.probe(std::chrono::duration<double>(w.rtt).count());
    }
};

} // namespace

TEST_CASE("brpc_auto: says what the model says, whatever the windows")
{
    weir_test::compare_algorithms([](auto& random) {
        model const m{(1 + random.below(10)) / 16.0 + 1e-4, random.below(10) / 10.0, random.below(3) / 2.0};
        return std::pair{weir::brpc_auto{{.alpha = m.alpha, .smoothing = m.smooth, .fail_punish = m.punish}}, m};
    });
}

TEST_CASE("brpc_auto: the capacity is the peak times the time without load, and the peak is forgotten slowly")
{
    weir::brpc_auto b;
    weir::load_window w{.length = 1s, .served = 1'000, .rtt = 10ms, .ended = 1'000, .inflight = 10};
    CHECK(b.next(w, 10) == doctest::Approx(11).epsilon(0.1)); // 10 are enough, and a tenth to explore
    CHECK(b.peak() == 1'000);
    w.ended = 500;
    for (int i = 0; i < 50; ++i) CHECK(b.next(w, 10) >= 10);
    CHECK(b.peak() < 1'000);
    w = {.length = 1s, .dropped = 10, .inflight = 10};
    CHECK(b.next(w, 10) == 5);
}

TEST_CASE("brpc_auto: options that are not right are refused")
{
    CHECK_THROWS_WITH_AS(weir::brpc_auto({.alpha = 0}), "brpc_auto.alpha: expected more than 0 and at most 10", std::invalid_argument);
    CHECK_THROWS_WITH_AS(weir::brpc_auto({.smoothing = 1}), "brpc_auto.smoothing: expected a ratio below 1", std::invalid_argument);
    CHECK_THROWS_AS(weir::brpc_auto({.fail_punish = -1}), std::invalid_argument);
}

namespace weir {
static_assert(limit_algorithm<brpc_auto>);
} // namespace weir: what the header promises
