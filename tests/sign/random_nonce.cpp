// SPDX-License-Identifier: BSL-1.0
#include <weir/sign/random_nonce.hpp>

#include <doctest/doctest.h>

#include <set>
#include <string>

namespace {

TEST_CASE("random_nonce: 32 lower-case hexadecimal digits, never twice")
{
    std::set<std::string> seen;
    for (int i = 0; i < 1'000; ++i) {
        weir::random_nonce const drawn;
        CHECK(drawn.view().size() == 32);
        CHECK(drawn.view().find_first_not_of("0123456789abcdef") == std::string_view::npos);
        CHECK(seen.emplace(drawn.view()).second);
    }
}

} // namespace
