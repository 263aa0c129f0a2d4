// SPDX-License-Identifier: BSL-1.0
#include <weir/cache/cached_options.hpp>

#include <weir/cache/cached.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <stdexcept>

TEST_CASE("cached_options: bad options are refused by name")
{
    auto const itself = weir::keyed_by<int>([](int n) { return n; });
    auto const make = [&](weir::cached_options o) { weir::cached{weir::store<int, int>{{.capacity = 1}}, itself, o}; };
    CHECK_NOTHROW(make({}));
    CHECK_NOTHROW(make({.max_flights = 1, .seed = 7}));
    for (std::size_t const flights : {std::size_t{0}, (std::size_t{1} << 24) + 1})
        CHECK_THROWS_WITH_AS(make({.max_flights = flights}), "cached.max_flights: expected a number in [1, 2^24]", std::invalid_argument);
}
