// SPDX-License-Identifier: BSL-1.0
#pragma once

#if defined(__linux__) && __has_include(<linux/membarrier.h>)
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include <cerrno>
#include <cstdio>
#include <cstdlib>

namespace weir::inline v0::detail {

/// A barrier in all threads of the process at once: one side of an asymmetric fence (Goldblatt, "Asymmetric fences", P1202R5). Between a
/// store and a load of a thread that calls `pass`, all others pass a full barrier, so that these need but keep the compiler from moving
/// a load before a store. Linux has it since 4.14, as membarrier(2).
///
/// Cost of `pass`: 0.4 microseconds when no other thread runs, 1 to 3 when one does.
class process_barrier {
public:
    /// Whether the system has it. The answer stays as it was the first time.
    [[nodiscard]] static bool available() noexcept
    {
        static bool const registered = command(registration) == 0;
        return registered;
    }
    /// Only where it is available. Ends the process if the system refuses later what it has promised: a filter for system calls has to be
    /// there first.
    static void pass() noexcept
    {
        while (command(barrier) != 0)
            if (errno != ENOMEM) refused();
    }

private:
#ifdef SYS_membarrier
    static constexpr int registration = MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED;
    static constexpr int barrier = MEMBARRIER_CMD_PRIVATE_EXPEDITED;
    static long command(int what) noexcept
    {
        return ::syscall(SYS_membarrier, what, 0, 0);
    }
#else
    static constexpr int registration = 0;
    static constexpr int barrier = 0;
    static long command(int) noexcept
    {
        return -1;
    }
#endif

    [[noreturn, gnu::noinline, gnu::cold]] static void refused() noexcept
    {
        std::perror("weir: membarrier, which this process was given before");
        std::abort();
    }
};

} // namespace weir::inline v0::detail
