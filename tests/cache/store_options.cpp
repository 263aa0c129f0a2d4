// SPDX-License-Identifier: BSL-1.0
#include <weir/cache/store_options.hpp>

#include <doctest/doctest.h>

#include <limits>
#include <stdexcept>
#include <string>

namespace {

using namespace std::chrono_literals;

constexpr weir::store_settings good{.ttl = 1min, .jitter = 0.1, .negative_ttl = 5s, .keep_stale = 1h};

std::string complaint(weir::store_settings const& s)
{
    try {
        check(s);
    } catch (std::invalid_argument const& e) {
        return e.what();
    }
    return "";
}
weir::store_settings but(auto weir::store_settings::*member, auto value)
{
    weir::store_settings s = good;
    s.*member = value;
    return s;
}

} // namespace

TEST_CASE("store_options: settings within their ranges pass, the ends of the ranges too")
{
    CHECK(complaint(good).empty());
    CHECK(complaint(but(&weir::store_settings::ttl, weir::duration(1))).empty());
    CHECK(complaint(but(&weir::store_settings::jitter, 0.0)).empty());
    CHECK(complaint(but(&weir::store_settings::jitter, 1.0)).empty());
    CHECK(complaint(but(&weir::store_settings::negative_ttl, weir::duration::zero())).empty());
    CHECK(complaint(but(&weir::store_settings::keep_stale, weir::duration::zero())).empty());
}

TEST_CASE("store_options: a setting out of its range is refused by its name, with what was expected")
{
    CHECK(complaint(but(&weir::store_settings::ttl, weir::duration::zero())) == "store.ttl: expected a duration above zero");
    CHECK(complaint(but(&weir::store_settings::ttl, weir::duration(-1))).starts_with("store.ttl:"));
    for (double const jitter : {-0.01, 1.01, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
        CAPTURE(jitter);
        CHECK(complaint(but(&weir::store_settings::jitter, jitter)) == "store.jitter: expected a ratio in [0, 1]");
    }
    CHECK(complaint(but(&weir::store_settings::negative_ttl, weir::duration(-1))).starts_with("store.negative_ttl:"));
    CHECK(complaint(but(&weir::store_settings::keep_stale, weir::duration(-1))).starts_with("store.keep_stale:"));
}

TEST_CASE("store_options: what is left out keeps no negative answers and nothing stale")
{
    constexpr weir::store_options o{.capacity = 10};
    CHECK(complaint({o.ttl, o.jitter, o.negative_ttl, o.keep_stale}).empty());
    CHECK(o.ttl == 1min);
    CHECK(o.negative_ttl == 0s);
    CHECK(o.keep_stale == 0s);
    CHECK_FALSE(o.seed.has_value());
}

TEST_CASE("store_options: the hit ratio counts negative answers as found, and nothing as zero")
{
    weir::store_stats s{};
    CHECK(s.hit_ratio() == 0);
    s.hits = 2;
    s.negative_hits = 1;
    s.misses = 1;
    s.stale_hits = 100; // found by another question
    CHECK(s.hit_ratio() == 0.75);
}
