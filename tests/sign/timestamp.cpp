// SPDX-License-Identifier: BSL-1.0
#include <weir/sign/timestamp.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <string_view>

namespace {

using namespace std::chrono_literals;
using weir::parse_timestamp;

TEST_CASE("timestamp: a time has one text, and it reads back")
{
    for (std::int64_t count : {0LL, 1LL, 9LL, 10LL, 1'700'000'000'000LL, 99'999'999'999'999LL}) {
        weir::wall_time const t{std::chrono::milliseconds(count)};
        CHECK(parse_timestamp(weir::timestamp_text(t).view()) == t);
        CHECK(weir::has_timestamp(t));
    }
    for (std::int64_t count : {-1LL, 100'000'000'000'000LL}) {
        weir::wall_time const t{std::chrono::milliseconds(count)};
        CHECK_FALSE(parse_timestamp(weir::timestamp_text(t).view()).has_value());
        CHECK_FALSE(weir::has_timestamp(t));
    }
    CHECK(weir::timestamp_text(weir::wall_time(1'700'000'000'000ms)).view() == "1700000000000");
    CHECK(weir::timestamp_text(weir::wall_time::min()).view() == "-9223372036854775808");
}

TEST_CASE("timestamp: everything else is refused")
{
    for (std::string_view text :
         {"", "-1", "+1", "01", "00", " 1", "1 ", "1.0", "1e3", "0x1", "100000000000000", "9223372036854775808", "12a4", "\xb2"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_timestamp(text).has_value());
    }
    CHECK_FALSE(parse_timestamp(std::string_view("1\0", 2)).has_value());
}

} // namespace
