// SPDX-License-Identifier: BSL-1.0
// What a reading of each clock costs, and gcra with the clock of the time-stamp counter against the bare compare-and-swap loop that reads the
// same clock: medians of 21 alternating rounds. Fails if the median of the rounds' own ratios is over 1.10.
//   tsc_clock {bare|gcra} CALLS   one way, with tsc_clock, for counted.sh
#include "bare_limiter.hpp"
#include "rounds.hpp"

#include <weir/core/tsc_clock.hpp>
#include <weir/limit/gcra.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

namespace {

using namespace std::chrono_literals;

constexpr std::int64_t burst = 1'000'000;
constexpr weir::rate fast{.permits = 1'000'000'000, .per = 1s, .burst = burst}; // one a nanosecond: each call finds its permit

template<class Clock>
[[gnu::noinline]] void read(long rounds)
{
    for (long i = 0; i < rounds; ++i) keep(Clock::now().time_since_epoch().count());
}
template<class Clock>
[[gnu::noinline]] void run_bare(bare<weir::shared>& limiter, long rounds)
{
    long admitted = 0;
    for (long i = 0; i < rounds; ++i) admitted += limiter.try_acquire(Clock::now().time_since_epoch().count());
    keep(admitted);
}
template<class Clock>
[[gnu::noinline]] void run_gcra(weir::gcra<>& limiter, long rounds)
{
    long admitted = 0;
    for (long i = 0; i < rounds; ++i) admitted += static_cast<bool>(limiter.try_acquire(Clock::now()));
    keep(admitted);
}

template<class Clock>
double show(char const* name)
{
    bare<weir::shared> loop(1, burst);
    weir::gcra<> limiter(fast);
    auto const one = [&](long n) { run_bare<Clock>(loop, n); };
    auto const other = [&](long n) { run_gcra<Clock>(limiter, n); };
    std::vector<double> alone, made, ratios;
    for (int round = 0; round < 21; ++round) {
        alone.push_back(nanoseconds(1, 500'000, one));
        made.push_back(nanoseconds(1, 500'000, other));
        ratios.push_back(made.back() / alone.back());
    }
    std::printf("%-20s bare loop %5.1f ns, gcra %5.1f ns, %.3f x\n", name, median(alone), median(made), median(ratios));
    return median(ratios);
}

} // namespace

int main(int argc, char** argv)
{
    if (argc == 3) {
        std::string_view const way = argv[1];
        bare<weir::shared> loop(1, burst);
        weir::gcra<> limiter(fast);
        if (way == "bare") return run_bare<weir::tsc_clock>(loop, std::atol(argv[2])), 0;
        if (way == "gcra") return run_gcra<weir::tsc_clock>(limiter, std::atol(argv[2])), 0;
        std::fputs("usage: tsc_clock {bare|gcra} CALLS\n", stderr);
        return 2;
    }
    if (!weir::tsc_clock::available()) std::puts("The time-stamp counter is not trusted here: its clock is the steady clock.");
    auto const [tsc, steady] = alternate(21, 1, 500'000, read<weir::tsc_clock>, read<weir::steady>);
    auto const [ordered, again] = alternate(21, 1, 500'000, read<weir::ordered_tsc_clock>, read<weir::steady>);
    std::printf("a reading: steady %.1f ns, tsc_clock %.1f ns (%.2f x), ordered_tsc_clock %.1f ns (%.2f x)\n", steady, tsc, tsc / steady,
                ordered, ordered / again);
    double const ratio = show<weir::tsc_clock>("tsc_clock");
    show<weir::ordered_tsc_clock>("ordered_tsc_clock");
    show<weir::steady>("steady");
    if (ratio > 1.10) std::puts("over 1.10: gcra with tsc_clock");
    return ratio > 1.10 ? 1 : 0;
}
