// SPDX-License-Identifier: BSL-1.0
#include <weir/sign/jwt_options.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <stdexcept>
#include <string>

TEST_CASE("jwt_options: what is out of range is named")
{
    using namespace std::chrono_literals;
    auto const refusal = [](weir::jwt_options const& o) -> std::string {
        try {
            (void)weir::checked(o);
        } catch (std::invalid_argument const& e) {
            return e.what();
        }
        return "taken";
    };
    CHECK(refusal({.issuer = "a", .audience = "b"}) == "taken");
    CHECK(refusal({.issuer = "", .audience = "b"}) == "verify_jwt.issuer: expected a text that is not empty");
    CHECK(refusal({.issuer = "a", .audience = ""}) == "verify_jwt.audience: expected a text that is not empty");
    CHECK(refusal({.issuer = "a", .audience = "b", .leeway = -1s}) == "verify_jwt.leeway: expected 0 to 1 day");
    CHECK(refusal({.issuer = "a", .audience = "b", .leeway = 25h}) == "verify_jwt.leeway: expected 0 to 1 day");
    CHECK(refusal({.issuer = "a", .audience = "b", .max_age = 0s}) == "verify_jwt.max_age: expected 1 second to 3650 days");
    CHECK(refusal({.issuer = "a", .audience = "b", .max_bytes = 15}) == "verify_jwt.max_bytes: expected 16 to 2^20");
    CHECK(refusal({.issuer = "a", .audience = "b", .remembered = (1 << 20) + 1}) == "verify_jwt.remembered: expected 0 to 2^20");
    CHECK(refusal({.issuer = "a", .audience = "b", .require = {""}}) == "verify_jwt.require: expected names of claims");
}
