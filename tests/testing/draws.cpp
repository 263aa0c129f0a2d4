// SPDX-License-Identifier: BSL-1.0
#include <weir/testing/draws.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

using namespace std::chrono_literals;

namespace {

/// Something of everything.
std::vector<std::uint64_t> mixed(weir::draws& from)
{
    return {from.below(10),
            from.between(5, 9),
            from.chance(0.5),
            static_cast<std::uint64_t>(from.exponential(1ms).count()),
            static_cast<std::uint64_t>(from.log_normal(1ms, 0.5).count()),
            static_cast<std::uint64_t>(from.between(weir::duration(-5), weir::duration(5)).count()),
            from.between(0, std::numeric_limits<std::uint64_t>::max())};
}

} // namespace

TEST_CASE("draws: one seed draws the same, others draw others, recorded or not")
{
    weir::draws a(7), b(7), c(8);
    auto recorded = weir::draws::recorded(7, 100);
    auto const first = mixed(a);
    CHECK(first == mixed(b));
    CHECK(first != mixed(c));
    CHECK(first == mixed(recorded));
    CHECK(a.record().empty());
    CHECK(recorded.record().size() == 7);
}

TEST_CASE("draws: a record draws the same again, and zeros when it is over")
{
    auto recorded = weir::draws::recorded(11, 100);
    auto const first = mixed(recorded);
    auto again = weir::draws::replayed(recorded.record(), 100);
    CHECK(mixed(again) == first);
    CHECK(again.below(1'000) == 0);
    CHECK_FALSE(again.chance(0.99));
    CHECK(again.exponential(1h) == 0ns);
    CHECK(again.between(3ms, 5ms) == 3ms);
    CHECK(again.record() == recorded.record()); // zeros at the end are no news
}

TEST_CASE("draws: whatever stands in a record, what is drawn is in its bounds")
{
    auto wild = weir::draws::replayed({~std::uint64_t{0}, ~std::uint64_t{0}, ~std::uint64_t{0}, ~std::uint64_t{0}, 77}, 100);
    CHECK(wild.below(10) < 10);
    CHECK(wild.between(5, 6) <= 6);
    CHECK(wild.exponential(1ms) <= 64ms);
    CHECK(wild.between(0, std::numeric_limits<std::uint64_t>::max()) == ~std::uint64_t{0});
    CHECK(wild.chance(0.5)); // 77 is odd
}

TEST_CASE("draws: what is certain takes no draw")
{
    auto from = weir::draws::recorded(1, 0 + 1);
    CHECK(from.chance(1));
    CHECK_FALSE(from.chance(0));
    CHECK(from.below(1) == 0);
    CHECK(from.between(3, 3) == 3);
    CHECK(from.record().empty());
}

TEST_CASE("draws: more than allowed throw")
{
    auto from = weir::draws::recorded(1, 2);
    static_cast<void>(from.below(10));
    static_cast<void>(from.below(10));
    CHECK_THROWS_AS(static_cast<void>(from.below(10)), std::length_error);
}

TEST_CASE("draws: means, medians and rates are what they should be")
{
    weir::draws from(3);
    constexpr int many = 100'000;
    double sum = 0, ones = 0, above = 0, far_above = 0, numbers = 0;
    for (int i = 0; i < many; ++i) {
        sum += static_cast<double>(from.exponential(1ms).count());
        ones += from.chance(0.3) ? 1 : 0;
        auto const t = from.log_normal(1ms, 0.5);
        above += t > 1ms ? 1 : 0;
        far_above += t > 3200us ? 1 : 0;
        numbers += static_cast<double>(from.below(10));
    }
    CHECK(std::abs(sum / many - 1e6) < 2e4);
    CHECK(std::abs(ones / many - 0.3) < 0.01);
    CHECK(std::abs(above / many - 0.5) < 0.01);
    CHECK(std::abs(far_above / many - 0.01) < 0.002);
    CHECK(std::abs(numbers / many - 4.5) < 0.05);
}

TEST_CASE("draws: bad bounds are refused")
{
    weir::draws from(1);
    CHECK_THROWS_AS(static_cast<void>(from.below(0)), std::invalid_argument);
    CHECK_THROWS_AS(static_cast<void>(from.between(2, 1)), std::invalid_argument);
    CHECK_THROWS_AS(static_cast<void>(from.between(2ms, 1ms)), std::invalid_argument);
    CHECK_THROWS_AS(static_cast<void>(from.chance(1.1)), std::invalid_argument);
    CHECK_THROWS_AS(static_cast<void>(from.exponential(-1ns)), std::invalid_argument);
    CHECK_THROWS_AS(static_cast<void>(from.log_normal(1ms, 5)), std::invalid_argument);
}
