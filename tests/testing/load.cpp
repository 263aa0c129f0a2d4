// SPDX-License-Identifier: BSL-1.0
#include <weir/testing/load.hpp>

#include <doctest/doctest.h>

#include <vector>

namespace asio = boost::asio;
using namespace std::chrono_literals;

TEST_CASE("offer_load: calls come evenly, step by step, numbered")
{
    weir::schedule s;
    weir::time_point const start = s.now();
    std::vector<weir::duration> came;
    weir::simulation world(s);
    weir::offer_load(
        world, {{10, 500ms}, {0, 1s}, {1'000, 3ms}},
        [&](std::uint64_t number) -> asio::awaitable<void> {
            came.push_back(s.now() - start);
            CHECK(number == came.size());
            co_await weir::sleep(s, 1h); // those that come later do not wait for it
        },
        weir::arrivals::evenly);
    world.run();
    CHECK(came == std::vector<weir::duration>{100ms, 200ms, 300ms, 400ms, 1501ms, 1502ms});
    CHECK(s.now() == start + 1h + 1502ms);
}

TEST_CASE("offer_load: calls at random are as many as they should be, and as uneven")
{
    weir::schedule s(2);
    std::vector<int> in_second(600);
    weir::time_point const start = s.now();
    weir::simulation world(s);
    weir::offer_load(world, {{50, 10min}}, [&](std::uint64_t) -> asio::awaitable<void> {
        ++in_second[static_cast<std::size_t>((s.now() - start) / 1s)];
        co_return;
    });
    world.run();
    double sum = 0, squares = 0;
    for (int const n : in_second) {
        sum += n;
        squares += static_cast<double>(n) * n;
    }
    double const mean = sum / 600;
    CHECK(mean > 49);
    CHECK(mean < 51);
    double const variance = squares / 600 - mean * mean; // of a Poisson process: the mean
    CHECK(variance > 40);
    CHECK(variance < 60);
}

TEST_CASE("offer_load: bad steps are refused")
{
    weir::simulation world;
    auto const none = [](std::uint64_t) -> asio::awaitable<void> { co_return; };
    CHECK_THROWS_AS(weir::offer_load(world, {{-1, 1s}}, none), std::invalid_argument);
    CHECK_THROWS_AS(weir::offer_load(world, {{1, 0s}}, none), std::invalid_argument);
}
