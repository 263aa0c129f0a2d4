// SPDX-License-Identifier: BSL-1.0
//
// What the benchmarks of the server have in common: a server in a process of its own, on one processor, loaded by `wrk` from another.
#pragma once

#include <fmt/core.h>

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace weir_bench {

struct served {
    std::uint64_t requests = 0;
    double microseconds = 0; // of CPU, user and system
};

inline double cpu_seconds()
{
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    auto const seconds = [](timeval t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6; };
    return seconds(used.ru_utime) + seconds(used.ru_stime);
}

inline bool can_load()
{
    return std::system("command -v wrk >/dev/null && command -v taskset >/dev/null") == 0;
}

/// Microseconds of CPU a request; negative if the load did not run, or requests were refused. `serve(tell)` tells its port, serves until
/// SIGTERM and returns `served`; `load` are arguments of wrk, its path behind the port included.
template<class Serve>
double measure(Serve serve, std::string const& fields, std::string const& path, int seconds)
{
    int to_parent[2];
    if (pipe(to_parent) != 0) std::abort();
    pid_t const child = fork();
    if (child == 0) {
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET(0, &set);
        sched_setaffinity(0, sizeof set, &set);
        auto const say = [&](auto value) {
            if (write(to_parent[1], &value, sizeof value) != sizeof value) std::_Exit(1);
        };
        say(serve([&](std::uint16_t port) { say(port); }));
        std::_Exit(0);
    }
    std::uint16_t port = 0;
    served s;
    if (read(to_parent[0], &port, sizeof port) != sizeof port) std::abort();
    std::string const load =
        fmt::format("taskset -c 1 wrk -t1 -c32 -d{} {} 'http://127.0.0.1:{}{}' | grep -q 'Non-2xx'", seconds, fields, port, path);
    bool const refused = std::system(load.c_str()) == 0;
    kill(child, SIGTERM);
    bool const told = read(to_parent[0], &s, sizeof s) == sizeof s;
    waitpid(child, nullptr, 0);
    close(to_parent[0]);
    close(to_parent[1]);
    return !refused && told && s.requests > 0 ? s.microseconds / static_cast<double>(s.requests) : -1;
}

inline double median(std::vector<double> values)
{
    std::sort(values.begin(), values.end());
    std::size_t const half = values.size() / 2;
    return values.size() % 2 != 0 ? values[half] : (values[half - 1] + values[half]) / 2;
}

/// Two ways to serve, in alternating pairs, so that both meet the same noise.
struct pairs {
    std::vector<double> one, other, ratios; ///< ratios: other to one
    bool good = true;

    template<class One, class Other>
    pairs(int count, One measure_one, Other measure_other)
    {
        for (int pair = 0; pair < count && good; ++pair) {
            bool const first = pair % 2 == 0; // who comes first alternates, too
            double const a = first ? measure_one() : measure_other();
            double const b = first ? measure_other() : measure_one();
            one.push_back(first ? a : b);
            other.push_back(first ? b : a);
            good = a > 0 && b > 0;
            ratios.push_back(other.back() / one.back());
        }
        if (!good) fmt::print("the load did not run, or requests were refused\n");
    }
};

} // namespace weir_bench
