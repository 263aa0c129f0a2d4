// SPDX-License-Identifier: BSL-1.0
#include <weir/core/options.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>

namespace {

using namespace std::chrono_literals;

struct shelf_options {
    weir::required<unsigned> places;
    weir::required<std::chrono::nanoseconds> keep;
    weir::required<std::string> label;
    bool open = true;
};

std::string said(bool good, std::string_view member, std::string_view expected)
{
    try {
        weir::expect(good, member, expected);
        return "nothing";
    } catch (std::invalid_argument const& e) {
        return e.what();
    }
}

static_assert(!std::is_convertible_v<std::string, weir::required<int>>);
static_assert(!std::is_convertible_v<std::chrono::nanoseconds, weir::required<std::chrono::seconds>>, "that would lose time");

TEST_CASE("required: takes plain values, coarser durations and literals")
{
    shelf_options const o{.places = 3, .keep = 30s, .label = "books"};
    CHECK(*o.places == 3);
    CHECK(*o.keep == 30'000'000'000ns);
    CHECK(*o.label == "books");
    CHECK(o.open);
}

TEST_CASE("required: reads like its value and can be assigned")
{
    shelf_options o{.places = 3, .keep = 1ms, .label = std::string("books")};
    unsigned const places = o.places;
    CHECK(places == 3);
    o.places = 4;
    o.keep = 2h;
    CHECK(*o.places == 4);
    CHECK(*o.keep == 120min);
    shelf_options const copy = o;
    CHECK(*copy.places == 4);
    CHECK(*copy.label == "books");
}

TEST_CASE("required: keeps what can only be moved")
{
    weir::required<std::unique_ptr<int>> const kept(std::make_unique<int>(7));
    CHECK(**kept == 7);
}

TEST_CASE("expect: a bad option throws, names the member and says what was expected")
{
    CHECK(said(true, "shelf.places", "more than 0") == "nothing");
    CHECK(said(false, "shelf.places", "more than 0") == "shelf.places: expected more than 0");
}

TEST_CASE("expect_ratio: 0 and 1 are ratios, what lies outside and what is no number are not")
{
    for (double const good : {0.0, 0.5, 1.0}) CHECK_NOTHROW(weir::expect_ratio(good, "shelf.full"));
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    constexpr double infinity = std::numeric_limits<double>::infinity();
    for (double const bad : {-0.001, 1.001, infinity, -infinity, nan})
        CHECK_THROWS_WITH_AS(weir::expect_ratio(bad, "shelf.full"), "shelf.full: expected a ratio in [0, 1]", std::invalid_argument);
}

} // namespace
