// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace weir::inline v0 {

/// Samples the part of its processors that this process' control group uses: 1 is all that it may. Of cgroup v2 it reads `cpu.stat` and
/// `cpu.max`, of v1 `cpuacct.usage` and `cpu.cfs_quota_us`; where there is no such group, the whole machine's `/proc/stat`. Elsewhere than
/// on Linux it finds nothing. For a sampler that runs every quarter of a second or so, never for a call: it reads two or three files.
/// ```cpp
/// weir::cgroup_cpu cpu;
/// // now and then, on a timer: if (auto const used = cpu.sample(clock.now())) gauge.cpu(*used);
/// ```
/// Where a group has no quota its bound is `processors`. (Linux' Documentation/admin-guide/cgroup-v2.rst, "CPU"; proc(5).) Not thread-safe.
class cgroup_cpu {
public:
    /// Other roots are for tests.
    explicit cgroup_cpu(std::string proc = "/proc", std::string groups = "/sys/fs/cgroup",
                        unsigned processors = std::max(1u, std::thread::hardware_concurrency()))
        : proc_(std::move(proc)), groups_(std::move(groups)), processors_(processors)
    {
        find_group();
    }

    /// What was used since the sample before; absent for the first one, or if nothing can be read.
    [[nodiscard]] std::optional<double> sample(time_point now)
    {
        std::optional<reading> read = kind_ == kind::v2 ? of_v2() : kind_ == kind::v1 ? of_v1() : of_machine();
        if (!read) return std::nullopt;
        bool const same_bound = kind_ == kind::machine || read->total == processors_seen_; // else the two readings do not compare
        processors_seen_ = read->total;
        if (kind_ != kind::machine) read->total *= static_cast<double>(now.time_since_epoch().count());
        std::optional<reading> const before = std::exchange(before_, read);
        if (!before || !same_bound || read->total <= before->total) return std::nullopt;
        return std::max(0.0, (read->used - before->used) / (read->total - before->total));
    }
    /// What it reads: `"cgroup2"`, `"cgroup1"`, `"machine"`, or `"nothing"`.
    [[nodiscard]] std::string_view source() const noexcept
    {
        switch (kind_) {
        case kind::v2: return "cgroup2";
        case kind::v1: return "cgroup1";
        case kind::machine: return "machine";
        default: return "nothing";
        }
    }

private:
    enum class kind { nothing, v2, v1, machine };
    /// What was used in ns, and of how many processors; of the machine, in ticks, of how many ticks.
    struct reading {
        double used = 0;
        double total = 0;
    };

    static bool is_there(std::string const& path) { return std::ifstream(path).good(); }
    static std::optional<double> number_in(std::string const& path)
    {
        double n = 0;
        if (std::ifstream file(path); file >> n) return n;
        return std::nullopt;
    }
    void find_group()
    {
        std::ifstream file(proc_ + "/self/cgroup");
        std::string line, v2, v1;
        while (std::getline(file, line)) {
            auto const first = line.find(':'), second = line.find(':', first + 1);
            if (second == std::string::npos) continue;
            std::string const path = line.substr(second + 1) == "/" ? std::string() : line.substr(second + 1);
            std::string const controllers = ',' + line.substr(first + 1, second - first - 1) + ',';
            if (controllers == ",,") v2 = path;
            if (controllers.find(",cpuacct,") != std::string::npos) v1 = path;
        }
        // The path is the host's, which a container may not see: then the root is its own.
        for (std::string const& path : {v2, std::string()})
            if (is_there(groups_ + path + "/cpu.stat") && is_there(groups_ + path + "/cpu.max")) return take(kind::v2, groups_ + path, {});
        for (std::string const& path : {v1, std::string()})
            for (char const* const mount : {"/cpu,cpuacct", "/cpuacct"})
                if (is_there(groups_ + mount + path + "/cpuacct.usage"))
                    return take(kind::v1, groups_ + mount + path, groups_ + (mount[4] == ',' ? "/cpu,cpuacct" : "/cpu") + path);
        if (is_there(proc_ + "/stat")) kind_ = kind::machine;
    }
    void take(kind k, std::string group, std::string quota)
    {
        kind_ = k;
        group_ = std::move(group);
        quota_group_ = std::move(quota);
    }
    [[nodiscard]] double processors(std::optional<double> quota, std::optional<double> period) const noexcept
    {
        if (!quota || !period || *quota <= 0 || *period <= 0) return processors_;
        return std::min<double>(*quota / *period, processors_);
    }
    [[nodiscard]] std::optional<reading> of_v2() const
    {
        std::ifstream file(group_ + "/cpu.stat");
        std::string name;
        for (double value = 0; file >> name >> value;)
            if (name == "usage_usec") {
                std::ifstream max(group_ + "/cpu.max");
                std::string quota; // a number, or "max"
                double period = 0;
                max >> quota >> period;
                std::istringstream digits(quota);
                double n = 0;
                bool const is_number = static_cast<bool>(digits >> n);
                return reading{value * 1'000, processors(is_number ? std::optional(n) : std::nullopt, period)};
            }
        return std::nullopt;
    }
    [[nodiscard]] std::optional<reading> of_v1() const
    {
        auto const used = number_in(group_ + "/cpuacct.usage");
        if (!used) return std::nullopt;
        return reading{*used, processors(number_in(quota_group_ + "/cpu.cfs_quota_us"), number_in(quota_group_ + "/cpu.cfs_period_us"))};
    }
    [[nodiscard]] std::optional<reading> of_machine() const
    {
        if (kind_ == kind::nothing) return std::nullopt;
        std::ifstream file(proc_ + "/stat");
        std::string name;
        if (!(file >> name) || name != "cpu") return std::nullopt;
        // user nice system idle iowait irq softirq steal; guest times are within user and nice
        double all = 0, idle = 0;
        int i = 0;
        for (double ticks = 0; i < 8 && file >> ticks; ++i) {
            all += ticks;
            if (i == 3 || i == 4) idle += ticks;
        }
        if (i < 4) return std::nullopt;
        return reading{all - idle, all};
    }

    std::string proc_, groups_, group_, quota_group_;
    double processors_;
    kind kind_ = kind::nothing;
    double processors_seen_ = 0;
    std::optional<reading> before_;
};

} // namespace weir::inline v0
