// SPDX-License-Identifier: BSL-1.0
#include <weir/limit/gradient2.hpp>

#include "window_schedules.hpp"

#include <stdexcept>

namespace {

using namespace std::chrono_literals;

/// As in the source of Gradient2Limit and its ExpAvgMeasurement, but for the size of the queue; a window with drops has a gradient of a half and no
/// queue.
struct model {
    double tolerance, queue, share, smoothing;
    int window;
    weir_test::unloaded_model unloaded{};
    double queue_now = queue, value = 0, sum = 0;
    int count = 0;

    double next(weir::load_window const& w, double estimated)
    {
        bool const drop = static_cast<double>(w.dropped) > 0.01 * static_cast<double>(w.served + w.dropped);
        auto const short_rtt = static_cast<double>(w.rtt.count());
        double long_rtt = 0;
        if (w.served > 0) {
            if (count < 10) {
                ++count;
                sum += short_rtt;
                value = sum / count;
            } else {
                double const factor = 2.0 / (window + 1);
                value = value * (1 - factor) + short_rtt * factor;
            }
            long_rtt = value;
            if (long_rtt / short_rtt > 2) {
                value *= 0.95;
                sum = value * count;
            }
        }
        double to = estimated / 2;
        if (!drop) {
            if (w.served == 0 || w.inflight < estimated / 2) return estimated;
            double const gradient = std::max(0.5, std::min(1.0, tolerance * long_rtt / short_rtt));
            if (short_rtt > (1 + share) * tolerance * long_rtt)
                queue_now = std::max(0.1, queue_now / 1.1);
            else
                queue_now *= 1.1;
            queue_now = std::min(queue_now, std::max(queue, share * estimated));
            to = estimated * gradient + queue_now;
        }
        return estimated * (1 - smoothing) + to * smoothing;
    }
    void probed(weir::load_window const& w)
    {
        if (w.served == 0) return;
        unloaded.probe(static_cast<double>(w.rtt.count()));
        value = unloaded.value;
        count = 10;
    }
};

} // namespace

TEST_CASE("gradient2: says what the model says, whatever the windows")
{
    weir_test::compare_algorithms([](auto& random) {
        model const m{1 + random.below(10) / 10.0, 1.0 + random.below(8), (1 + random.below(20)) / 100.0, (1 + random.below(5)) / 5.0,
                      static_cast<int>(10 + random.below(600))};
        return std::pair{weir::gradient2{{.rtt_tolerance = m.tolerance,
                                          .queue = m.queue,
                                          .queue_share = m.share,
                                          .smoothing = m.smoothing,
                                          .long_window = static_cast<std::uint32_t>(m.window)}},
                         m};
    });
}

TEST_CASE("gradient2: the usual time is the mean of the latest probes that agree")
{
    weir::gradient2 g;
    for (auto const rtt : {3ms, 9ms}) g.probed({.served = 1, .rtt = rtt});
    CHECK(g.usual() == 9ms); // another service by now
    g.probed({.served = 1, .rtt = 9'600us});
    CHECK(g.usual() == 9'300us);
    for (auto const rtt : {9'000us, 9'600us}) g.probed({.served = 1, .rtt = rtt});
    CHECK(g.usual() == 9'300us);
    g.probed({.served = 1, .rtt = 9'700us}); // the first of five has gone
    CHECK(g.usual() == 9'400us);
}

TEST_CASE("gradient2: a queue longer than its share of the limit lets it grow by less")
{
    weir::gradient2 g{{.smoothing = 1}};
    g.probed({.served = 1, .rtt = 100ms});
    weir::load_window w{.length = 1s, .served = 100, .rtt = 100ms, .ended = 100, .inflight = 100};
    CHECK(g.next(w, 20) == doctest::Approx(24)); // as in the source
    w.rtt = 110ms;
    double const first = g.next(w, 20) - 20 * 100 / 110.0;
    double const second = g.next(w, 20) - 20 * 100 / 110.0;
    CHECK(first == doctest::Approx(4 / 1.1).epsilon(0.01));
    CHECK(second == doctest::Approx(4 / 1.21).epsilon(0.01));
}

TEST_CASE("gradient2: options that are not right are refused")
{
    CHECK_THROWS_WITH_AS(weir::gradient2({.rtt_tolerance = 0.9}), "gradient2.rtt_tolerance: expected 1 to 100", std::invalid_argument);
    CHECK_THROWS_AS(weir::gradient2({.queue = 0}), std::invalid_argument);
    CHECK_THROWS_WITH_AS(weir::gradient2({.queue_share = 0}), "gradient2.queue_share: expected a ratio above 0 and at most 1",
                         std::invalid_argument);
    CHECK_THROWS_AS(weir::gradient2({.smoothing = 1.5}), std::invalid_argument);
    CHECK_THROWS_WITH_AS(weir::gradient2({.long_window = 9}), "gradient2.long_window: expected at least 10", std::invalid_argument);
    weir::gradient2 g;
    g.probed({.served = 1, .rtt = 3ms});
    CHECK(g.usual() == 3ms);
}

namespace weir {
static_assert(limit_algorithm<gradient2>);
} // namespace weir: what the header promises
