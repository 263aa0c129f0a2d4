// SPDX-License-Identifier: BSL-1.0
#include <weir/resilience/load_gauge.hpp>

#include <doctest/doctest.h>

using namespace std::chrono_literals;

TEST_CASE("load_gauge: what nobody has measured is below 0; the CPU is smoothed")
{
    weir::load_gauge gauge;
    CHECK(gauge.cpu() < 0);
    CHECK(gauge.queue_delay() < 0ns);
    gauge.cpu(0.5);
    CHECK(gauge.cpu() == 0.5);
    gauge.cpu(1.0);
    CHECK(gauge.cpu() == doctest::Approx(0.55));
    gauge.cpu_is(1.0);
    CHECK(gauge.cpu() == 1.0);
    gauge.queue_delay(3ms);
    CHECK(gauge.queue_delay() == 3ms);
}
