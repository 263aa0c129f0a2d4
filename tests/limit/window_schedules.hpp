// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "../schedules.hpp"

#include <weir/core/detail/splitmix64.hpp>
#include <weir/limit/load_window.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>

namespace weir_test {

struct quick_chance {
    std::uint64_t state;
    std::uint32_t operator()() { return static_cast<std::uint32_t>(weir::detail::splitmix64(state) >> 32); }
    std::uint32_t below(std::uint32_t n) { return (*this)() % n; }
};

/// A window as it may come, edges among them: idle, all dropped, a limit that is not felt.
inline weir::load_window random_window(quick_chance& random, double limit)
{
    weir::load_window w;
    w.length = std::chrono::milliseconds(100 + random.below(1'000));
    w.served = random.below(10) == 0 ? 0 : 1 + random.below(1'000);
    w.ended = w.served + random.below(50);
    std::uint32_t const spread = random.below(4) == 0 ? 100'000'000 : 2'000'000; // nanoseconds: hardly a quotient comes out even
    w.rtt = weir::duration(w.served == 0 ? 0 : 1'000'003 + random.below(spread));
    w.dropped = random.below(4) == 0 ? random.below(100) : 0;
    w.dropped_rtt = w.dropped == 0 ? weir::duration(0) : weir::duration(random.below(300'000'000));
    w.inflight = random.below(4) == 0 ? random.below(20) : static_cast<std::uint32_t>(limit);
    return w;
}

/// Tells an algorithm and a model of it the same windows and probes; both say the same limit but for rounding. `make(random)` gives a pair of
/// them, of options drawn by chance.
template<class Make>
void compare_algorithms(Make make)
{
    for (std::uint64_t seed = first_seed(), end = seed + schedules(); seed < end; ++seed) {
        quick_chance random{seed * 5 + 2};
        auto [algorithm, model] = make(random);
        double limit = 1 + random.below(500);
        for (int step = 0; step < 30; ++step) {
            weir::load_window const w = random_window(random, limit);
            if constexpr (requires { algorithm.probed(w); })
                if (random.below(8) == 0) {
                    algorithm.probed(w);
                    model.probed(w);
                    continue;
                }
            double const said = algorithm.next(w, limit);
            double const expected = model.next(w, limit);
            if (!(std::abs(said - expected) <= 1e-6 * std::max(1.0, std::abs(expected))))
                FAIL("WEIR_SCHEDULES_SEED=" << seed << ", step " << step << ", limit " << limit << ": " << said << " for " << expected);
            limit = std::min(std::max(expected, 1.0), 2'000.0);
        }
    }
}

} // namespace weir_test
