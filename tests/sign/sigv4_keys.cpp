// SPDX-License-Identifier: BSL-1.0
#include <weir/sign/sigv4_keys.hpp>

#include <weir/sign/encoding.hpp>

#include <doctest/doctest.h>

#include <stdexcept>
#include <vector>

using namespace std::chrono_literals;

namespace {

weir::wall_time const now{1'700'000'000'000ms};

std::vector<weir::sigv4_key> list(auto... keys)
{
    std::vector<weir::sigv4_key> out;
    (out.push_back(std::move(*keys)), ...);
    return out;
}

} // namespace

TEST_CASE("sigv4_keys: they rotate, the newest signs")
{
    weir::sigv4_key old{"OLD", weir::secret{"0123456789abcdef"}, {}, weir::wall_time::min(), now + 60s},
        fresh{"NEW", weir::secret{"fedcba9876543210"}, {}, now};
    weir::sigv4_keys<weir::confined> keys(list(&old, &fresh));
    CHECK(keys.find({}, now - 1s)->id == "OLD");
    CHECK(keys.find({}, now)->id == "NEW");
    CHECK(keys.find("OLD", now)->id == "OLD");
    CHECK(keys.find("OLD", now + 60s) == nullptr);
    CHECK(keys.find("OTHER", now) == nullptr);
    keys.replace({});
    CHECK(keys.find({}, now) == nullptr);
}

TEST_CASE("sigv4_keys: bad keys are refused by name")
{
    weir::sigv4_key no_name{"", weir::secret{"0123456789abcdef"}}, slash{"A/B", weir::secret{"0123456789abcdef"}},
        short_key{"A", weir::secret{"short"}};
    using keys = weir::sigv4_keys<>;
    CHECK_THROWS_WITH_AS(keys(list(&no_name)), "sigv4_key::id: expected letters and digits", std::invalid_argument);
    CHECK_THROWS_AS(keys(list(&slash)), std::invalid_argument);
    CHECK_THROWS_WITH_AS(keys(list(&short_key)), "sigv4_key::key: expected at least 16 bytes", std::invalid_argument);
    weir::sigv4_key a{"A", weir::secret{"0123456789abcdef"}}, b{"A", weir::secret{"0123456789abcdef"}};
    CHECK_THROWS_WITH_AS(keys(list(&a, &b)), "sigv4_key::id: expected each name once", std::invalid_argument);
}
