// SPDX-License-Identifier: BSL-1.0
// What a limiter costs against the bare loop it is made of, one whose permits are leased to threads, and keyed with many keys (see keyed.cpp).
// Fails if two threads on a leased limit take more than a fifth of what they take on a plain one.
//   limit                   nanoseconds a call: medians of alternating rounds
//   limit <loop> <rounds>   runs one loop so many times, for callgrind to count (counted.sh does)
#include "bare_limiter.hpp"

#include <weir/limit/exact_gcra.hpp>
#include <weir/limit/fixed_window.hpp>
#include <weir/limit/gcra.hpp>
#include <weir/limit/keyed.hpp>
#include <weir/limit/leaky_bucket.hpp>
#include <weir/limit/leased.hpp>
#include <weir/limit/sliding_log.hpp>
#include <weir/limit/sliding_window.hpp>
#include <weir/limit/token_bucket.hpp>
#include <weir/limit/warm_up.hpp>

#include <algorithm>
#include <barrier>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;

constexpr std::int64_t interval = 1'000;
constexpr std::int64_t burst = 1'000;
constexpr weir::rate fast{.permits = 1'000'000, .per = 1s, .burst = burst};

// Each call finds its permit: the time moves on by one interval a call. Not inlined, and told the limiter by reference, so that
// every member is read from memory as it would be in a service.
template<class Limiter>
[[gnu::noinline]] std::uint64_t run_bare(Limiter& limiter, std::uint64_t rounds, std::int64_t now)
{
    std::uint64_t admitted = 0;
    for (std::uint64_t i = 0; i < rounds; ++i)
        if (limiter.try_acquire(now += interval)) ++admitted;
    return admitted;
}
template<class Limiter>
[[gnu::noinline]] std::uint64_t run(Limiter& limiter, std::uint64_t rounds, std::int64_t now)
{
    std::uint64_t admitted = 0;
    for (std::uint64_t i = 0; i < rounds; ++i)
        if (limiter.try_acquire(weir::time_point{weir::duration{now += interval}})) ++admitted;
    return admitted;
}

struct by_number {
    using key_type = std::uint64_t;
};
struct by_name {
    using key_type = std::string;
};
constexpr std::size_t many = 100'000;

// A walk over the keys in an order that the processor cannot foresee.
template<class Keyed, class Keys>
[[gnu::noinline]] std::uint64_t run_keyed(Keyed& limiter, Keys const& keys, std::uint64_t rounds, std::uint64_t walk)
{
    std::uint64_t admitted = 0;
    std::int64_t now = 1'000'000'000;
    for (std::uint64_t i = 0; i < rounds; ++i) {
        walk = walk * 6'364'136'223'846'793'005u + 1'442'695'040'888'963'407u;
        auto const& key = keys[(walk >> 33) % many];
        admitted += static_cast<bool>(limiter.try_acquire(key, weir::time_point{weir::duration{now += 10}}));
    }
    return admitted;
}

template<class Threading>
std::uint64_t call_bare(std::uint64_t rounds)
{
    bare<Threading> limiter(interval, interval * burst);
    return run_bare(limiter, rounds, 0);
}
template<class Limiter>
std::uint64_t call(std::uint64_t rounds)
{
    Limiter limiter(fast);
    return run(limiter, rounds, 0);
}

// Twice as many permits as come, in windows of a millisecond.
constexpr std::uint64_t in_a_window = 2'000;
template<class Bare>
std::uint64_t call_bare_window(std::uint64_t rounds)
{
    Bare limiter(in_a_window, 1'000'000);
    return run_bare(limiter, rounds, 0);
}
template<class Limiter>
std::uint64_t call_window(std::uint64_t rounds)
{
    Limiter limiter({.permits = in_a_window, .per = 1ms});
    return run(limiter, rounds, 0);
}
std::uint64_t call_bare_leaky(std::uint64_t rounds)
{
    bare<weir::shared> limiter(interval, interval);
    return run_bare(limiter, rounds, 0);
}
std::uint64_t call_leaky(std::uint64_t rounds)
{
    weir::leaky_bucket limiter{{.permits = 1'000'000, .per = 1s, .queue = 0}};
    return run(limiter, rounds, 0);
}
std::uint64_t call_bare_log(std::uint64_t rounds)
{
    bare_sliding_log<in_a_window> limiter(1'000'000);
    return run_bare(limiter, rounds, 0);
}
std::uint64_t call_bare_ramp(std::uint64_t rounds)
{
    bare_warm_up limiter(static_cast<double>(interval), 1e6);
    return run_bare(limiter, rounds, 0);
}
std::uint64_t call_ramp(std::uint64_t rounds)
{
    weir::warm_up limiter{{.permits = 1'000'000, .per = 1s, .warm_up = 1ms}};
    return run(limiter, rounds, 0);
}

struct loop {
    char const* name;
    std::uint64_t (*run)(std::uint64_t rounds);
};
constexpr loop loops[] = {
    {"bare-shared", call_bare<weir::shared>},
    {"gcra-shared", call<weir::gcra<weir::shared>>},
    {"token_bucket-shared", call<weir::token_bucket<weir::shared>>},
    {"bare-confined", call_bare<weir::confined>},
    {"gcra-confined", call<weir::gcra<weir::confined>>},
    {"token_bucket-confined", call<weir::token_bucket<weir::confined>>},
    {"exact_gcra-shared", call<weir::exact_gcra<weir::shared>>},
    {"bare_leaky_bucket", call_bare_leaky},
    {"leaky_bucket", call_leaky},
    {"bare_fixed_window-shared", call_bare_window<bare_fixed_window<weir::shared>>},
    {"fixed_window-shared", call_window<weir::fixed_window<weir::shared>>},
    {"bare_fixed_window-confined", call_bare_window<bare_fixed_window<weir::confined>>},
    {"fixed_window-confined", call_window<weir::fixed_window<weir::confined>>},
    {"bare_sliding_window-shared", call_bare_window<bare_sliding_window<weir::shared>>},
    {"sliding_window-shared", call_window<weir::sliding_window<weir::shared>>},
    {"bare_sliding_window-confined", call_bare_window<bare_sliding_window<weir::confined>>},
    {"sliding_window-confined", call_window<weir::sliding_window<weir::confined>>},
    {"bare_sliding_log", call_bare_log},
    {"sliding_log", call_window<weir::sliding_log<weir::shared>>},
    {"bare_warm_up", call_bare_ramp},
    {"warm_up", call_ramp},
};

volatile std::uint64_t sink;

double nanoseconds(std::function<std::uint64_t(std::uint64_t)> const& body, std::uint64_t rounds)
{
    auto const begin = std::chrono::steady_clock::now();
    sink = body(rounds);
    std::chrono::duration<double, std::nano> const spent = std::chrono::steady_clock::now() - begin;
    return spent.count() / static_cast<double>(rounds);
}

// The same by two threads at once, each of them timed while both run.
double nanoseconds_two(std::function<std::uint64_t(std::uint64_t, unsigned)> const& body, std::uint64_t rounds)
{
    double each[2] = {};
    std::barrier start(2);
    auto const work = [&](unsigned n) {
        start.arrive_and_wait();
        each[n] = nanoseconds([&](std::uint64_t r) { return body(r, n); }, rounds);
    };
    std::thread other(work, 1u);
    work(0u);
    other.join();
    return (each[0] + each[1]) / 2;
}

double median(std::vector<double> values)
{
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

// One limit for all threads, with permits for every call, so that none is spared its write.
bool print_leased()
{
    constexpr weir::rate plenty{
        .permits = 1'000'000'000, .per = 1s, .burst = 1'000'000'000'000'000}; // also for a thread whose time lags behind
    weir::gcra plain{plenty};
    weir::leased leased{weir::gcra{plenty}, {.batch = 32}};
    std::int64_t now = 0; // goes on from round to round
    std::vector<double> spent[4];
    for (int round = 0; round < 21; ++round) {
        constexpr std::uint64_t calls = 1'000'000;
        spent[0].push_back(nanoseconds([&](std::uint64_t r) { return run(plain, r, now); }, calls));
        spent[1].push_back(nanoseconds([&](std::uint64_t r) { return run(leased, r, now); }, calls));
        spent[2].push_back(nanoseconds_two([&](std::uint64_t r, unsigned) { return run(plain, r, now); }, calls));
        spent[3].push_back(nanoseconds_two([&](std::uint64_t r, unsigned) { return run(leased, r, now); }, calls));
        now += interval * static_cast<std::int64_t>(calls);
    }
    double const plain_two = median(spent[2]);
    double const leased_two = median(spent[3]);
    std::printf("%-24s %6.1f ns, by each of two threads %6.1f ns\n", "one gcra", median(spent[0]), plain_two);
    std::printf("%-24s %6.1f ns, by each of two threads %6.1f ns: %.3f of plain (bar 0.2)\n", "leased, 32 at a time", median(spent[1]),
                leased_two, leased_two / plain_two);
    return leased_two <= plain_two / 5;
}

template<class Keys, class KeyOf>
void print_keyed(char const* name, Keys const& keys, KeyOf by)
{
    weir::keyed limiter{weir::gcra{{.permits = 1'000, .per = 1s}}, by, {.capacity = 2 * many}};
    for (auto const& key : keys) static_cast<void>(limiter.try_acquire(key, weir::time_point{}));
    std::vector<double> one;
    std::vector<double> two;
    for (int round = 0; round < 11; ++round) {
        one.push_back(nanoseconds([&](std::uint64_t r) { return run_keyed(limiter, keys, r, 1); }, 300'000));
        two.push_back(nanoseconds_two([&](std::uint64_t r, unsigned n) { return run_keyed(limiter, keys, r, n); }, 300'000));
    }
    std::printf("%-24s %6.1f ns, by each of two threads %6.1f ns\n", name, median(one), median(two));
}

bool print_all()
{
    std::vector<double> spent[std::size(loops)];
    for (int round = 0; round < 21; ++round)
        for (std::size_t i = 0; i < std::size(loops); ++i) spent[i].push_back(nanoseconds(loops[i].run, 500'000));
    for (std::size_t i = 0; i < std::size(loops); ++i) std::printf("%-26s %6.1f ns\n", loops[i].name, median(spent[i]));

    std::vector<std::uint64_t> numbers;
    std::vector<std::string> names;
    for (std::size_t i = 0; i < many; ++i) {
        numbers.push_back(i * 7919);
        names.push_back("tenant-" + std::to_string(i));
    }
    print_keyed("keyed, 100,000 numbers", numbers, by_number{});
    print_keyed("keyed, 100,000 names", names, by_name{});
    return print_leased();
}

} // namespace

int main(int argc, char** argv)
{
    if (argc != 3) { return print_all() ? 0 : 1; }
    for (loop const& each : loops) {
        if (std::strcmp(each.name, argv[1]) != 0) continue;
        sink = each.run(std::strtoull(argv[2], nullptr, 10));
        return 0;
    }
    std::fprintf(stderr, "limit: no loop is called %s\n", argv[1]);
    return 2;
}
