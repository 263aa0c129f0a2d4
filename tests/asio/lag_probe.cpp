// SPDX-License-Identifier: BSL-1.0
#include <weir/asio/lag_probe.hpp>

#include <boost/asio/io_context.hpp>

#include <doctest/doctest.h>

#include <optional>
#include <stdexcept>

using namespace std::chrono_literals;

TEST_CASE("lag_probe: measures what waits before it, samples, and ends with its handle")
{
    boost::asio::io_context context(1);
    weir::load_gauge gauge;
    int samples = 0;
    std::optional<weir::lag_probe<boost::asio::io_context::executor_type>> probe;
    boost::asio::post(context, [&] {
        probe.emplace(context.get_executor(), gauge, 1ms, [&](weir::time_point) {
            if (++samples == 3) probe.reset();
        });
        auto const began = weir::steady::now();
        while (weir::steady::now() - began < 2ms) {} // what is posted waits for this handler
    });
    context.run_one();
    context.run_one();
    CHECK(gauge.queue_delay() >= 2ms);
    context.run();
    CHECK(samples == 3);
    CHECK_THROWS_WITH_AS(weir::lag_probe(context.get_executor(), gauge, 0ms), "lag_probe.every: expected at least 1 ms",
                         std::invalid_argument);
}
