// SPDX-License-Identifier: BSL-1.0
#include <weir/limit/cost_of.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>

namespace {

struct upload {
    std::uint64_t bytes;
};
struct call {
    upload of;
    [[nodiscard]] upload const& request() const { return of; }
};

} // namespace

TEST_CASE("cost_of: a member or a function of the request; what is negative is above every burst")
{
    CHECK(weir::cost_of{&upload::bytes}(call{{7}}) == 7);
    CHECK(weir::cost_of{[](upload const& u) { return static_cast<int>(u.bytes) - 3; }}(call{{7}}) == 4);
    CHECK(weir::cost_of{[](upload const& u) { return static_cast<int>(u.bytes) - 3; }}(call{{2}}) ==
          std::numeric_limits<std::uint64_t>::max());
}
