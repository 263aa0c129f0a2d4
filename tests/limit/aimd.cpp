// SPDX-License-Identifier: BSL-1.0
#include <weir/limit/aimd.hpp>

#include "window_schedules.hpp"

#include <stdexcept>

namespace {

using namespace std::chrono_literals;

struct model {
    double step, ratio, tolerance;
    weir::duration slow;
    double next(weir::load_window const& w, double limit)
    {
        auto const all = static_cast<double>(w.served + w.dropped);
        bool const lost = (all > 0 && static_cast<double>(w.dropped) > tolerance * all) || w.rtt > slow;
        if (lost) return ratio * limit;
        return w.inflight >= limit / 2 ? limit + step : limit;
    }
};

} // namespace

TEST_CASE("aimd: says what the model says, whatever the windows")
{
    weir_test::compare_algorithms([](auto& random) {
        model const m{1.0 + random.below(5), 0.5 + random.below(49) / 100.0, random.below(10) / 64.0, 1ms * (1 + random.below(5))};
        return std::pair{weir::aimd{{.increase = m.step, .backoff = m.ratio, .drop_tolerance = m.tolerance, .slow_after = m.slow}}, m};
    });
}

TEST_CASE("aimd: options that are not right are refused")
{
    CHECK_THROWS_WITH_AS(weir::aimd({.increase = 0}), "aimd.increase: expected more than 0 and at most 1000000", std::invalid_argument);
    CHECK_THROWS_WITH_AS(weir::aimd({.backoff = 1}), "aimd.backoff: expected a ratio from 0.5 to below 1", std::invalid_argument);
    CHECK_THROWS_AS(weir::aimd({.drop_tolerance = 2}), std::invalid_argument);
    CHECK_THROWS_AS(weir::aimd({.slow_after = 0ms}), std::invalid_argument);
    weir::aimd a;
    a.reconfigure({.backoff = 0.75});
    CHECK(a.settings().backoff == 0.75);
}

namespace weir {
static_assert(limit_algorithm<aimd>);
} // namespace weir: what the header promises
