// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/core/detail/counter_map.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <thread>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace weir::inline v0 {

namespace detail {

#if defined(__x86_64__)
struct time_stamp_counter {
    static std::uint64_t ticks() noexcept { return __builtin_ia32_rdtsc(); }
    /// Not before the loads that stand above it are done (Intel SDM, volume 2, RDTSC; AMD64 APM, volume 3, RDTSC).
    static std::uint64_t ordered_ticks() noexcept
    {
        __builtin_ia32_lfence();
        return __builtin_ia32_rdtsc();
    }
    static time_point reference() noexcept { return std::chrono::steady_clock::now(); }
};

/// The processor says that the counter ticks evenly in all its states (CPUID 8000_0007h, EDX bit 8), and the kernel keeps its own time by
/// it: it has compared the processors' counters, and would have given it up had it found them to differ.
inline bool counter_is_trusted() noexcept
{
    unsigned a = 0, b = 0, c = 0, d = 0;
    if (__get_cpuid(0x80000007u, &a, &b, &c, &d) == 0 || (d & 1u << 8) == 0) return false;
    std::FILE* const file = std::fopen("/sys/devices/system/clocksource/clocksource0/current_clocksource", "re");
    if (file == nullptr) return false;
    char name[8] = {};
    bool const read = std::fgets(name, sizeof name, file) != nullptr;
    std::fclose(file);
    return read && std::strcmp(name, "tsc\n") == 0;
}

inline constinit counter_map<time_stamp_counter> tsc_map{};
#else
inline bool counter_is_trusted() noexcept
{
    return false;
}
#endif

// Found before main() begins; what asks earlier gets the steady clock, whose times are the same.
inline bool const tsc_is_available = counter_is_trusted();

template<bool Ordered>
[[nodiscard, gnu::always_inline]] inline time_point tsc_now() noexcept
{
#if defined(__x86_64__)
    if (tsc_is_available) [[likely]]
        return tsc_map.now<Ordered>();
#endif
    return std::chrono::steady_clock::now();
}

template<class Clock>
void sleep_on(time_point t)
{
    // The steady clock may get there first, by the bound.
    while (Clock::now() < t) std::this_thread::sleep_until(t);
}

} // namespace detail

/// The monotonic clock read from the processor's time-stamp counter: the same times as `steady`, at half the price.
/// `pipeline{timed_by{tsc_clock{}}, ...}`. Where the counter cannot be trusted (`available()` is false: another processor than
/// x86-64, a counter that is not invariant, a kernel that keeps its time by another clock) it is the steady clock itself.
///
/// It agrees with `steady` within `bound`, for as long as the process lives. At most 10 ms after it was last held to the steady clock it
/// is held to it again, by whoever reads it next, and drift is made good by running slower or by a step forward, never by going back. The
/// bound is what the kernel may slew its own clock in that time (500 parts in a million: 5 us), and the errors of three comparisons, some
/// 20 ns each. It does not hold where a thread is interrupted in each of four comparisons in a row, nor while the hypervisor stops the
/// machine or moves it. The first millisecond of use is spent on the steady clock, to find the rate.
///
/// Never goes back on one thread. The processor may read the counter before earlier loads are done: a reading can be some tens of
/// nanoseconds early, as seen by another thread that it was told the time by. Policies do not mind; who subtracts the times of two
/// threads uses `ordered_tsc_clock`. Thread-safe. Cost: the counter's own reading and 2-3 ns; all threads read one cache line; about 0.3
/// us more once in 10 ms.
struct tsc_clock {
    /// How far it is from `steady` at most.
    static constexpr duration bound = std::chrono::microseconds(10);

    [[nodiscard]] static bool available() noexcept { return detail::tsc_is_available; }
    [[nodiscard, gnu::always_inline]] static time_point now() noexcept { return detail::tsc_now<false>(); }
    static void sleep_until(time_point t) { detail::sleep_on<tsc_clock>(t); }
};

/// The same clock, and never back over all threads: who was told of a time by another thread reads no earlier one. It waits for earlier
/// loads, which makes it about as dear as `steady`: some 7 ns more than `tsc_clock`.
struct ordered_tsc_clock {
    static constexpr duration bound = tsc_clock::bound;

    [[nodiscard]] static bool available() noexcept { return detail::tsc_is_available; }
    [[nodiscard, gnu::always_inline]] static time_point now() noexcept { return detail::tsc_now<true>(); }
    static void sleep_until(time_point t) { detail::sleep_on<ordered_tsc_clock>(t); }
};

static_assert(sleeping_clock<tsc_clock> && sleeping_clock<ordered_tsc_clock>);

} // namespace weir::inline v0
