// SPDX-License-Identifier: BSL-1.0
#include <weir/limit/vegas.hpp>

#include "window_schedules.hpp"

#include <stdexcept>

namespace {

using namespace std::chrono_literals;

/// As in the source of VegasLimit, with its functions of the limit written out; but a queue is not rounded up and bounded by a share of the
/// limit, too, and the time without load is no minimum.
struct model {
    double alpha, beta, share, smoothing;
    weir_test::unloaded_model unloaded{};

    static double log10_of(double limit)
    {
        int digits = 1;
        for (auto whole = static_cast<long>(limit); whole >= 100; whole /= 10) ++digits;
        return digits;
    }
    double next(weir::load_window const& w, double limit)
    {
        double const rtt = std::chrono::duration<double>(w.rtt).count();
        bool const drop = static_cast<double>(w.dropped) > 0.01 * static_cast<double>(w.served + w.dropped);
        double to = limit;
        if (!drop) {
            if (w.served == 0) return limit;
            if (rtt < unloaded.value || unloaded.value == 0) unloaded.sink(rtt, 0.05);
            if (w.inflight * 2 < limit) return limit;
            double const queue_size = limit - limit * (unloaded.value / rtt);
            double const shrinks_at = std::min(beta * log10_of(limit), share * limit);
            double const unit = shrinks_at / beta;
            if (queue_size <= unit)
                to = limit + std::max(1.0, shrinks_at);
            else if (queue_size < alpha * unit)
                to = limit + log10_of(limit);
            else if (queue_size > shrinks_at)
                to = limit - log10_of(limit);
        } else
            to = limit - log10_of(limit);
        return (1 - smoothing) * limit + smoothing * to;
    }
    void probed(weir::load_window const& w)
    {
        if (w.served > 0) unloaded.probe(std::chrono::duration<double>(w.rtt).count());
    }
};

} // namespace

TEST_CASE("vegas: says what the model says, whatever the windows")
{
    weir_test::compare_algorithms([](auto& random) {
        double const alpha = 1.0 + random.below(4);
        model const m{alpha, alpha + 1 + random.below(5), (1 + random.below(30)) / 100.0, (1 + random.below(4)) / 4.0};
        return std::pair{weir::vegas{{.alpha = m.alpha, .beta = m.beta, .queue_share = m.share, .smoothing = m.smoothing}}, m};
    });
}

TEST_CASE("vegas: a probe says anew how long a call takes without load")
{
    weir::vegas v;
    weir::load_window w{.length = 1s, .served = 100, .rtt = 10ms, .ended = 100, .inflight = 100};
    CHECK(v.next(w, 100) == 106); // nothing queued: by beta times the logarithm, but no more than 6 %
    CHECK(v.without_load() == 10ms);
    w.rtt = 20ms; // half of them wait, it seems
    CHECK(v.next(w, 100) == 98);
    v.probed(w); // no: the service has become slower
    CHECK(v.without_load() == 20ms);
    CHECK(v.next(w, 100) == 106);
}

TEST_CASE("vegas: options that are not right are refused")
{
    CHECK_THROWS_WITH_AS(weir::vegas({.alpha = 0}), "vegas.alpha: expected more than 0", std::invalid_argument);
    CHECK_THROWS_WITH_AS(weir::vegas({.alpha = 6}), "vegas.beta: expected more than alpha and at most 1000000", std::invalid_argument);
    CHECK_THROWS_WITH_AS(weir::vegas({.queue_share = 2}), "vegas.queue_share: expected a ratio above 0 and at most 1",
                         std::invalid_argument);
    CHECK_THROWS_AS(weir::vegas({.smoothing = 0}), std::invalid_argument);
    CHECK_THROWS_AS(weir::vegas({.drop_tolerance = -1}), std::invalid_argument);
}

namespace weir {
static_assert(limit_algorithm<vegas>);
} // namespace weir: what the header promises
