// SPDX-License-Identifier: BSL-1.0
// What leaves a store is destroyed when its readers have left: with the system's barrier, and where a filter forbids that, without it.
#include <weir/cache/store.hpp>

#include <weir/cache/borrowed.hpp>
#include <weir/cache/detail/grace_periods.hpp>
#include <weir/core/detail/process_barrier.hpp>

#include <doctest/doctest.h>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

namespace {

constexpr weir::time_point now{1h};

/// Says after its end that it has ended.
struct watched {
    explicit watched(int number, std::atomic<int>& living) : n(number), alive(living) { ++alive; }
    watched(watched const&) = delete;
    ~watched()
    {
        n = -1;
        --alive;
    }
    std::atomic<int> n;
    std::atomic<int>& alive;
};
using pointer = std::shared_ptr<watched const>;

/// Writers that replace, evict and erase, beside readers that look, and hold what they borrow for a while.
void read_beside_writers(std::size_t capacity)
{
    constexpr int keys = 400;
    std::atomic<int> alive{0};
    std::atomic<int> seen_dead{0};
    {
        weir::store<int, pointer> store{{.capacity = capacity, .ttl = 1h}};
        std::atomic<bool> done{false};
        auto const write = [&](unsigned seed) {
            std::minstd_rand random(seed);
            for (int i = 0; i < 20'000; ++i) {
                int const key = static_cast<int>(random() % keys);
                if (random() % 8 == 0)
                    store.erase(key);
                else
                    store.put(key, std::make_shared<watched const>(key, alive), now);
            }
            done = true;
        };
        auto const read = [&](unsigned seed) {
            std::minstd_rand random(seed);
            weir::borrowed<watched const> held;
            int of = 0;
            while (!done) {
                int const key = static_cast<int>(random() % keys);
                store.visit(key, now, [&](pointer const& value, auto const&) { seen_dead += value->n != key; });
                if (held) seen_dead += held->n != of;
                if (random() % 4 == 0) held = store.borrow(of = key, now);
            }
        };
        std::vector<std::jthread> threads;
        threads.emplace_back(write, 1);
        threads.emplace_back(read, 2);
        threads.emplace_back(write, 3);
        threads.emplace_back(read, 4);
    }
    CHECK(seen_dead == 0);
    CHECK(alive == 0);
}

/// From here on the kernel refuses membarrier to this process and what it becomes. False: it does not take filters.
bool forbid_membarrier()
{
    std::array<sock_filter, 4> rules{{
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<unsigned>(offsetof(seccomp_data, nr))),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_membarrier, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    }};
    sock_fprog const program{static_cast<unsigned short>(rules.size()), rules.data()};
    return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

} // namespace

TEST_CASE("process_barrier: of two that write and then look, one at least sees what the other wrote")
{
    if (!weir::detail::process_barrier::available()) {
        MESSAGE("skipped: the system has none");
        return;
    }
    struct alignas(64) word {
        std::atomic<int> value{0};
    };
    constexpr int rounds = 50'000;
    word light, heavy, light_round, heavy_round;
    std::vector<char> light_saw(rounds), heavy_saw(rounds);
    // Both leave for a round as close to each other as can be.
    auto const meet = [](word& mine, word const& other, int round) {
        mine.value.store(round, std::memory_order_release);
        for (int spins = 0; other.value.load(std::memory_order_acquire) < round; ++spins)
            if (spins > 1'000) std::this_thread::yield();
    };
    std::jthread reader([&] {
        for (int i = 0; i < rounds; ++i) {
            meet(light_round, heavy_round, i + 1);
            light.value.store(i + 1, std::memory_order_relaxed);
            std::atomic_signal_fence(std::memory_order_seq_cst);
            light_saw[static_cast<std::size_t>(i)] = heavy.value.load(std::memory_order_relaxed) == i + 1;
        }
    });
    for (int i = 0; i < rounds; ++i) {
        meet(heavy_round, light_round, i + 1);
        heavy.value.store(i + 1, std::memory_order_relaxed);
        weir::detail::process_barrier::pass();
        heavy_saw[static_cast<std::size_t>(i)] = light.value.load(std::memory_order_relaxed) == i + 1;
    }
    reader.join();
    int blind = 0;
    for (std::size_t i = 0; i < rounds; ++i) blind += light_saw[i] == 0 && heavy_saw[i] == 0;
    CHECK(blind == 0);
}

TEST_CASE("grace_periods: what was taken out waits for a period that began later, and any such period will do")
{
    weir::detail::grace_periods periods;
    weir::detail::reader_word word;
    periods.join(word);
    auto const pass = [&] { periods.pass([&](auto wait) { wait(word); }); };
    auto const first = periods.latest();
    CHECK_FALSE(periods.over_since(first));
    pass();
    CHECK(periods.over_since(first));
    auto const second = periods.latest();
    CHECK_FALSE(periods.over_since(second));
    pass();
    pass();
    CHECK(periods.over_since(second));
}

TEST_CASE("grace_periods: a period waits for who was inside when it began")
{
    weir::detail::grace_periods periods;
    weir::detail::reader_word word;
    periods.join(word);
    std::atomic<bool> inside{false}, known{false}, leave{false}, over{false};
    std::jthread const reader([&] {
        {
            weir::detail::reading_now const first(word);
        }
        weir::detail::reading_if_known const here(word);
        known = static_cast<bool>(here);
        inside = true;
        while (!leave) std::this_thread::yield();
    });
    while (!inside) std::this_thread::yield();
    CHECK(known.load());
    std::jthread const writer([&] {
        periods.pass([&](auto wait) { wait(word); });
        over = true;
    });
    for (int i = 0; i < 100; ++i) std::this_thread::yield();
    CHECK_FALSE(over.load());
    leave = true;
}

TEST_CASE("store: readers see no value that has ended, while others write")
{
    read_beside_writers(50);
    read_beside_writers(300);
}

TEST_CASE("store: the same under a filter that forbids membarrier" * doctest::skip())
{
    REQUIRE_FALSE(weir::detail::process_barrier::available());
    read_beside_writers(50);
    read_beside_writers(300);
}

TEST_CASE("store: where the system has no barrier for others, readers announce themselves by an exchange")
{
    constexpr int no_filters = 77;
    pid_t const child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        if (!forbid_membarrier()) ::_exit(no_filters);
        ::execl("/proc/self/exe", "tests_cache", "--no-skip", "--test-case=store: the same under a filter that forbids membarrier",
                "--no-intro", static_cast<char*>(nullptr));
        ::_exit(1);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFEXITED(status));
    if (WEXITSTATUS(status) == no_filters)
        MESSAGE("skipped: no filters for system calls here");
    else
        CHECK(WEXITSTATUS(status) == 0);
}
