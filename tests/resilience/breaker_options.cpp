// SPDX-License-Identifier: BSL-1.0
#include <weir/resilience/breaker_options.hpp>

#include <weir/resilience/breaker_window.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <stdexcept>

using namespace std::chrono_literals;

TEST_CASE("breaker_options: what is bad names its member")
{
    using by_time = weir::circuit_breaker_options;
    using by_calls = weir::count_breaker_options;
    using in_a_row = weir::row_breaker_options;
    auto const refused = [](auto const& o, char const* why) {
        CHECK_THROWS_WITH_AS(weir::detail::expect_breaker(o), why, std::invalid_argument);
    };
    weir::detail::expect_breaker(by_time{});
    weir::detail::expect_breaker(by_calls{});
    weir::detail::expect_breaker(in_a_row{});
    refused(by_time{.failure_rate = 0}, "circuit_breaker.failure_rate: expected a ratio above 0 and at most 1");
    refused(by_time{.failure_rate = std::numeric_limits<double>::quiet_NaN()},
            "circuit_breaker.failure_rate: expected a ratio above 0 and at most 1");
    refused(by_time{.window = 25h}, "circuit_breaker.window: expected 1 ms to 24 h");
    refused(by_calls{.window = 0}, "circuit_breaker.window: expected 1 to 100,000 calls");
    refused(by_calls{.window = 19}, "circuit_breaker.minimum_calls: expected at most the window, or it never opens");
    refused(by_time{.slow_call = -1ns}, "circuit_breaker.slow_call: expected 0 or more");
    refused(by_time{.slow_call_rate = 2}, "circuit_breaker.slow_call_rate: expected a ratio above 0 and at most 1");
    refused(in_a_row{.failures = 0}, "circuit_breaker.failures: expected at least 1");
    refused(in_a_row{.open_for = 2s, .max_open_for = 1s}, "circuit_breaker.max_open_for: expected 0, or at least open_for");
    refused(in_a_row{.jitter = -0.1}, "circuit_breaker.jitter: expected a ratio in [0, 1]");
    refused(in_a_row{.probes = 0}, "circuit_breaker.probes: expected at least 1");
    refused(in_a_row{.probe_limit = 0s}, "circuit_breaker.probe_limit: expected more than 0");
}

TEST_CASE("breaker_options: the open time doubles up to its cap, less at most the jitter, and is never nothing")
{
    using options = weir::row_breaker_options;
    CHECK(weir::detail::open_time(options{.open_for = 3s}, 40, 0) == 3s);
    options const o{.open_for = 3s, .max_open_for = 10s, .jitter = 0.5};
    CHECK(weir::detail::open_time(o, 0, 0) == 3s);
    CHECK(weir::detail::open_time(o, 1, 0) == 6s);
    CHECK(weir::detail::open_time(o, 2, 0) == 10s);
    CHECK(weir::detail::open_time(o, 4'000'000'000u, 0) == 10s);
    CHECK(weir::detail::open_time(o, 0, ~std::uint64_t{0}) >= 1500ms);
    CHECK(weir::detail::open_time(o, 0, ~std::uint64_t{0}) < 1501ms);
    CHECK(weir::detail::open_time(options{.open_for = 24h, .jitter = 1}, 0, ~std::uint64_t{0}) > 0ns);
    CHECK(weir::detail::open_time(options{.open_for = weir::duration::max(), .jitter = 1}, 0, ~std::uint64_t{0}) > 0ns);
}
