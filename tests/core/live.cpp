// SPDX-License-Identifier: BSL-1.0
#include <weir/core/live.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

namespace {

/// Words that belong together: all the same.
struct settings {
    std::uint64_t words[9]{};
    std::uint8_t last = 0; ///< not a multiple of eight bytes
    [[nodiscard]] bool whole() const
    {
        for (std::uint64_t w : words)
            if (w != words[0]) return false;
        return last == static_cast<std::uint8_t>(words[0]);
    }
    static settings of(std::uint64_t n)
    {
        settings s;
        for (auto& w : s.words) w = n;
        s.last = static_cast<std::uint8_t>(n);
        return s;
    }
};

} // namespace

TEST_CASE("live: what was stored last is loaded, also after a move")
{
    weir::live<settings> a{settings::of(1)};
    CHECK(a.load().words[8] == 1);
    a.store(settings::of(2));
    CHECK(a.load().last == 2);
    weir::live<settings> b = std::move(a);
    CHECK(b.load().words[0] == 2);
    b = weir::live<settings>{settings::of(3)};
    CHECK(b.load().words[0] == 3);
}

TEST_CASE("live: readers see settings whole, and never older ones again, while writers change them")
{
    weir::live<settings> live{settings::of(0)};
    std::atomic<std::uint64_t> next{1};
    std::atomic<bool> over{false};
    std::vector<std::thread> threads;
    for (int t = 0; t < 2; ++t)
        threads.emplace_back([&] {
            while (!over) {
                auto const seen = live.load();
                if (!seen.whole()) CHECK(false);
            }
        });
    std::thread alone([&] {
        weir::live<settings> growing{settings::of(0)};
        std::thread writer([&] {
            for (std::uint64_t i = 1; i <= 2'000; ++i) growing.store(settings::of(i));
        });
        for (std::uint64_t last = 0; last < 2'000;) {
            std::uint64_t const now = growing.load().words[0];
            if (now < last) CHECK(false);
            last = now;
        }
        writer.join();
    });
    std::vector<std::thread> writers;
    for (int t = 0; t < 2; ++t)
        writers.emplace_back([&] {
            for (int i = 0; i < 2'000; ++i) live.store(settings::of(next++));
        });
    for (auto& t : writers) t.join();
    alone.join();
    over = true;
    for (auto& t : threads) t.join();
    CHECK(live.load().whole());
}
