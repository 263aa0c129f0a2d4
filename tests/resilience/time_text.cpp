// SPDX-License-Identifier: BSL-1.0
#include <weir/resilience/time_text.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <random>
#include <string>
#include <string_view>

using namespace std::chrono_literals;

TEST_CASE("time_text: digits and a unit, as grpc-timeout has them")
{
    using weir::read_time_text;
    CHECK(read_time_text("200m") == 200ms);
    CHECK(read_time_text("1H") == 1h);
    CHECK(read_time_text("2M") == 2min);
    CHECK(read_time_text("3S") == 3s);
    CHECK(read_time_text("4u") == 4us);
    CHECK(read_time_text("5n") == 5ns);
    CHECK(read_time_text("0n") == 0ns);
    CHECK(read_time_text("99999999S") == 99'999'999s);
    CHECK(read_time_text("99999999H") == weir::duration::max()); // 11,000 years
    for (std::string_view const bad : {"", "m", "200", "200s", "200ms", " 200m", "200m ", "+2m", "-2m", "1.5S", "123456789m", "0x1m", "m2"})
        CHECK_FALSE(read_time_text(bad).has_value());
}

TEST_CASE("time_text: written in the finest unit that has room, never more than there is")
{
    auto const text = [](weir::duration d) { return std::string(weir::time_text(d).view()); };
    CHECK(text(0ns) == "0n");
    CHECK(text(-5s) == "0n");
    CHECK(text(99'999'999ns) == "99999999n");
    CHECK(text(100'000'000ns) == "100000u");
    CHECK(text(200ms) == "200000u");
    CHECK(text(1h) == "3600000m");
    CHECK(text(weir::duration::max()) == "2562047H");
    std::mt19937_64 random(3);
    for (int i = 0; i < 10'000; ++i) {
        weir::duration const d{static_cast<std::int64_t>(random() >> (1 + random() % 63))};
        auto const back = weir::read_time_text(weir::time_text(d).view());
        REQUIRE(back.has_value());
        REQUIRE(*back <= d);
        REQUIRE((d - *back) * 100 <= d);
    }
}
