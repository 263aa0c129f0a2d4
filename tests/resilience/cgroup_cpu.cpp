// SPDX-License-Identifier: BSL-1.0
#include <weir/resilience/cgroup_cpu.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>

using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

/// Files as Linux shows them, in a folder that is gone afterwards.
class made_up {
public:
    made_up() : root_(fs::temp_directory_path() / ("weir_cgroup_" + std::to_string(std::random_device()())))
    {
        fs::create_directories(root_);
    }
    made_up(made_up const&) = delete;
    made_up& operator=(made_up const&) = delete;
    ~made_up() { fs::remove_all(root_); }
    void write(std::string const& path, std::string const& text)
    {
        fs::path const full = root_.string() + path;
        fs::create_directories(full.parent_path());
        std::ofstream(full) << text;
    }
    [[nodiscard]] weir::cgroup_cpu cpu(unsigned processors) const
    {
        return weir::cgroup_cpu((root_ / "proc").string(), (root_ / "cgroup").string(), processors);
    }

private:
    fs::path root_;
};

constexpr weir::time_point start{1h};

} // namespace

TEST_CASE("cgroup_cpu: of a cgroup v2 with a quota, the part of the quota")
{
    made_up linux_;
    linux_.write("/proc/self/cgroup", "0::/service\n");
    linux_.write("/cgroup/service/cpu.max", "50000 100000\n");
    linux_.write("/cgroup/service/cpu.stat", "usage_usec 1000000\nuser_usec 1\n");
    auto cpu = linux_.cpu(8);
    CHECK(cpu.source() == "cgroup2");
    CHECK_FALSE(cpu.sample(start).has_value());
    linux_.write("/cgroup/service/cpu.stat", "usage_usec 1100000\nuser_usec 1\n");
    CHECK(*cpu.sample(start + 250ms) == doctest::Approx(0.8)); // 100 ms of 250, of half a processor
    linux_.write("/cgroup/service/cpu.max", "max 100000\n");
    CHECK_FALSE(cpu.sample(start + 500ms).has_value()); // another bound
    linux_.write("/cgroup/service/cpu.stat", "usage_usec 2100000\nuser_usec 1\n");
    CHECK(*cpu.sample(start + 750ms) == doctest::Approx(0.5)); // a second in 250 ms, of eight processors
    CHECK_FALSE(cpu.sample(start + 750ms).has_value());
}

TEST_CASE("cgroup_cpu: within a container the group is the root that it sees")
{
    made_up linux_;
    linux_.write("/proc/self/cgroup", "0::/docker/0123\n");
    linux_.write("/cgroup/cpu.max", "max 100000\n");
    linux_.write("/cgroup/cpu.stat", "usage_usec 0\n");
    CHECK(linux_.cpu(2).source() == "cgroup2");
}

TEST_CASE("cgroup_cpu: of a cgroup v1")
{
    made_up linux_;
    linux_.write("/proc/self/cgroup", "4:memory:/x\n3:cpu,cpuacct:/x\n");
    linux_.write("/cgroup/cpu,cpuacct/x/cpuacct.usage", "1000000000\n");
    linux_.write("/cgroup/cpu,cpuacct/x/cpu.cfs_quota_us", "200000\n");
    linux_.write("/cgroup/cpu,cpuacct/x/cpu.cfs_period_us", "100000\n");
    auto cpu = linux_.cpu(4);
    CHECK(cpu.source() == "cgroup1");
    CHECK_FALSE(cpu.sample(start).has_value());
    linux_.write("/cgroup/cpu,cpuacct/x/cpuacct.usage", "2000000000\n");
    CHECK(*cpu.sample(start + 1s) == doctest::Approx(0.5));
}

TEST_CASE("cgroup_cpu: without a group of one's own, the machine; without that, nothing")
{
    made_up linux_;
    CHECK(linux_.cpu(1).source() == "nothing");
    CHECK_FALSE(linux_.cpu(1).sample(start).has_value());
    linux_.write("/proc/stat", "cpu  100 0 100 700 100 0 0 0 0 0\ncpu0 1 2\n");
    auto cpu = linux_.cpu(1);
    CHECK(cpu.source() == "machine");
    CHECK_FALSE(cpu.sample(start).has_value());
    linux_.write("/proc/stat", "cpu  130 0 130 730 110 0 0 0 0 0\ncpu0 1 2\n");
    CHECK(*cpu.sample(start + 1s) == doctest::Approx(0.6));
    linux_.write("/proc/stat", "nonsense");
    CHECK_FALSE(cpu.sample(start + 2s).has_value());
}
