// SPDX-License-Identifier: BSL-1.0
#include <weir/resilience/worker_pool.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

namespace {

struct counted : weir::errand {
    std::atomic<int>* ran;
    std::atomic<int>* refused;
    counted(std::atomic<int>& r, std::atomic<int>& f) : ran(&r), refused(&f) {}
    bool carry_out() noexcept override
    {
        ++*ran;
        return true;
    }
    void fail(weir::error) noexcept override { ++*refused; }
    void tidy_up() noexcept override {}
};

} // namespace

TEST_CASE("worker_pool: each errand that it takes runs or is refused once, also while its bounds change and it stops")
{
    for (int round = 0; round < 20; ++round) {
        std::atomic<int> ran{0}, failed{0}, taken{0};
        weir::errand_tally tally;
        {
            weir::worker_pool pool({.core_size = 2, .max_queue = 16});
            std::vector<std::thread> callers;
            for (int t = 0; t < 2; ++t)
                callers.emplace_back([&] {
                    for (int i = 0; i < 200; ++i) {
                        auto* const e = new counted(ran, failed);
                        bool const in = pool.launch(*e, tally).is_admitted();
                        taken += in;
                        if (!in) e->release();
                        e->release();
                        if (i % 50 == 49) pool.reconfigure({.core_size = static_cast<std::uint32_t>(1 + i % 3), .max_queue = 16});
                    }
                });
            if (round % 2 == 0) pool.stop();
            for (auto& c : callers) c.join();
        }
        CHECK(ran + failed == taken);
        CHECK(tally.returned == static_cast<std::uint64_t>(ran.load()));
        CHECK(tally.refused == static_cast<std::uint64_t>(failed.load()));
    }
}

TEST_CASE("worker_pool: bad options are refused by name")
{
    CHECK_THROWS_WITH_AS(weir::worker_pool({.core_size = 2'000}), "worker_pool.core_size: expected a number in [1, 1024]",
                         std::invalid_argument);
}
