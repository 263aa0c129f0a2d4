// SPDX-License-Identifier: BSL-1.0
#include <weir/sign/verified.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <type_traits>

TEST_CASE("verified: only a verifier makes one; an empty one says so")
{
    static_assert(!std::is_constructible_v<weir::verified<int>, std::shared_ptr<int const>>);
    static_assert(!std::is_constructible_v<weir::verified<int>, int>);
    weir::verified<int> const nothing;
    CHECK(!nothing);
    auto const something = weir::detail::verified_maker::make(std::make_shared<int const>(7));
    auto const copy = something;
    CHECK(*copy == 7);
    CHECK(copy.operator->() == something.operator->());
}
