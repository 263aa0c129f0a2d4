// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <fstream>
#include <sstream>
#include <string>

#include <sys/resource.h>
#include <unistd.h>

namespace weir::inline v0::http::detail {

/// When this process began, in seconds since 1970, from /proc; where that cannot be read, when this was first asked.
[[nodiscard]] inline double process_start_seconds()
{
    static double const start = [] {
        double const now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
        std::ifstream process("/proc/self/stat"), system("/proc/uptime");
        std::string line;
        double uptime = 0, ticks = 0;
        if (!std::getline(process, line) || !(system >> uptime)) return now;
        // The name of the program, in parentheses, may hold anything; the start is the 20th field behind it (proc(5)).
        std::istringstream rest(line.substr(line.rfind(')') + 1));
        std::string skipped;
        for (int i = 0; i < 19; ++i) rest >> skipped;
        if (!(rest >> ticks)) return now;
        return now - uptime + ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
    }();
    return start;
}

/// User and system time that this process has used.
[[nodiscard]] inline double process_cpu_seconds() noexcept
{
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    auto const seconds = [](timeval const& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6; };
    return seconds(used.ru_utime) + seconds(used.ru_stime);
}

} // namespace weir::inline v0::http::detail
