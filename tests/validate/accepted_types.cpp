// SPDX-License-Identifier: BSL-1.0
#include <weir/validate/accepted_types.hpp>

#include <doctest/doctest.h>

#include <string_view>

TEST_CASE("accepted_types: nothing unless it is said")
{
    CHECK(std::string_view(weir::accepted_types{}.field).empty());
    CHECK(weir::accepted_types{"Accept", "a/b"} == weir::accepted_types{"Accept", "a/b"});
    CHECK_FALSE(weir::accepted_types{"Accept", "a/b"} == weir::accepted_types{});
}
