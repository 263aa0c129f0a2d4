// SPDX-License-Identifier: BSL-1.0
#include <weir/validate/challenge.hpp>

#include <doctest/doctest.h>

#include <type_traits>

TEST_CASE("challenge: a word that fits into a call's frame")
{
    static_assert(std::is_trivially_copyable_v<weir::challenge> && sizeof(weir::challenge) == 16);
    CHECK(weir::challenge{"Bearer"} == weir::challenge{"Bearer"});
}
