// SPDX-License-Identifier: BSL-1.0
#include <weir/sign/jws_algorithm.hpp>

#include <doctest/doctest.h>

TEST_CASE("jws_algorithm: names are those of RFC 7518 and RFC 8037, and there is no none")
{
    using weir::jws_algorithm;
    CHECK(to_string(jws_algorithm::hs256) == "HS256");
    CHECK(to_string(jws_algorithm::es512) == "ES512");
    CHECK(to_string(jws_algorithm::ed25519) == "EdDSA");
    CHECK(to_string(jws_algorithm::ed448) == "EdDSA");
    for (int i = 0; i <= static_cast<int>(jws_algorithm::ed448); ++i) CHECK(to_string(static_cast<jws_algorithm>(i)) != "none");
    CHECK(family_of(jws_algorithm::ps384) == weir::jws_family::rsa_pss);
}
