// SPDX-License-Identifier: BSL-1.0
#include <weir/sign/message_check.hpp>

#include <doctest/doctest.h>

TEST_CASE("message_check: it is good without a fault, and each fault has a name")
{
    CHECK(static_cast<bool>(weir::message_check{}));
    CHECK(!static_cast<bool>(weir::message_check{.fault = weir::message_fault::late}));
    CHECK(to_string(weir::message_fault::none) == "none");
    CHECK(to_string(weir::message_fault::not_covered) == "not_covered");
    CHECK(to_string(weir::message_fault::wrong_digest) == "wrong_digest");
}
