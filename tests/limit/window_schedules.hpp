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

/// How long a call takes without load, as the algorithms' probes say: the mean of the first four that lie within a tenth, then of three old parts
/// and a new one. One that lies elsewhere begins anew.
struct unloaded_model {
    double value = 0;
    int probes = 0;
    [[nodiscard]] bool is_elsewhere(double x) const { return std::abs(x - value) > 0.1 * value; }
    void probe(double x)
    {
        if (is_elsewhere(x))
            value = x, probes = 1;
        else if (probes < 4)
            value = (value * probes + x) / (probes + 1), ++probes;
        else
            value = 0.75 * value + 0.25 * x;
    }
    void sink(double x, double part) { value = is_elsewhere(x) ? x : (1 - part) * value + part * x; }
};

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
