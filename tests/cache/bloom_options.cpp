// SPDX-License-Identifier: BSL-1.0
#include <weir/cache/bloom_options.hpp>

#include <doctest/doctest.h>

TEST_CASE("bloom_options: 1 % and a seed that nobody knows, if nothing else is said")
{
    weir::bloom_filter_options const o{.population = 3};
    CHECK(*o.population == 3);
    CHECK(o.false_positive_rate == 0.01);
    CHECK_FALSE(o.seed.has_value());
}
