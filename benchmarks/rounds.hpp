// SPDX-License-Identifier: BSL-1.0
// Alternating rounds: two things measured in turn, so that a machine that changes its speed changes it for both.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <thread>
#include <utility>
#include <vector>

inline void keep(long value)
{
    asm volatile("" ::"r"(value) : "memory");
}

inline double median(std::vector<double> values)
{
    std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2));
    return values[values.size() / 2];
}

/// Nanoseconds that `f()` takes, divided by the calls that it makes.
template<class F>
double nanoseconds_each(std::size_t calls, F&& f)
{
    auto const start = std::chrono::steady_clock::now();
    f();
    return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count() / static_cast<double>(calls);
}

/// Nanoseconds a call when each of `threads` threads makes `calls` calls at the same time.
template<class F>
double nanoseconds(unsigned threads, long calls, F& f)
{
    std::atomic<unsigned> ready{0};
    std::vector<double> took(threads);
    auto const run = [&](unsigned index) {
        ready.fetch_add(1);
        while (ready.load() < threads) {}
        took[index] = nanoseconds_each(static_cast<std::size_t>(calls), [&] { f(calls); });
    };
    std::vector<std::thread> others;
    for (unsigned i = 1; i < threads; ++i) others.emplace_back(run, i);
    run(0);
    for (std::thread& t : others) t.join();
    return *std::ranges::max_element(took);
}

/// The medians of `rounds` rounds of a and b in turn.
template<class A, class B>
std::pair<double, double> alternate(int rounds, unsigned threads, long calls, A a, B b)
{
    std::vector<double> as, bs;
    nanoseconds(threads, calls / 10, a);
    nanoseconds(threads, calls / 10, b);
    for (int i = 0; i < rounds; ++i) {
        as.push_back(nanoseconds(threads, calls, a));
        bs.push_back(nanoseconds(threads, calls, b));
    }
    return {median(as), median(bs)};
}
