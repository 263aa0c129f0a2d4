// SPDX-License-Identifier: BSL-1.0
#include "keys.hpp"

#include <weir/sign/jwt_issuer.hpp>
#include <weir/sign/jwt_verifier.hpp>
#include <weir/sign/key_set.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>

namespace {

using namespace weir;
using namespace std::chrono_literals;

constexpr wall_time now{1'700'000'000s};

} // namespace

TEST_CASE("jwt_issuer: what it issues is verified, and says what was asked for")
{
    jwt_issuer tokens{signing_keys{es256_signer{test::ec_pair("P-256").private_pem(), "a"}},
                      {.issuer = "bank", .audience = "quotes", .lifetime = 60s}};
    es256 const key{test::ec_pair("P-256").public_pem(), "a"};
    jwt_verifier<es256> verifier(
        {.issuer = "bank", .audience = "quotes", .type = "JWT", .require = {"exp", "iat", "jti"}, .leeway = 0s, .max_age = 60s});
    std::string const token = tokens.issue("bob", now, claims_writer().text("device", "d-1"));
    auto const v = verifier.verify(token, key, now);
    REQUIRE(v);
    CHECK(v.principal == "bob");
    CHECK(v.said->text("device") == "d-1");
    CHECK(v.said->id().size() == 32);
    CHECK(verifier.verify(token, key, now + 59s));
    CHECK(verifier.verify(token, key, now + 60s).fault == token_fault::expired);
    CHECK(tokens.issue("bob", now) != tokens.issue("bob", now));
}

TEST_CASE("jwt_issuer: keys rotate with an overlap, in which tokens of both verify")
{
    signing_keys<> keys{hs256_signer{secret<>(test::long_secret), "old"}};
    keys.add(hs256_signer{secret<>(std::string(32, 'n')), "new"}, now + 100s);
    jwt_issuer tokens{std::ref(keys), {.issuer = "bank", .audience = "quotes"}};
    key_set<> const both{hs256{secret<>(test::long_secret), "old"}, hs256{secret<>(std::string(32, 'n')), "new"}};
    key_set<> const later{hs256{secret<>(std::string(32, 'n')), "new"}};
    jwt_verifier<key_set<>> verifier({.issuer = "bank", .audience = "quotes", .remembered = 0});
    std::string const before = tokens.issue("bob", now + 99s), after = tokens.issue("bob", now + 100s);
    CHECK(verifier.verify(before, both, now + 100s));
    CHECK(verifier.verify(after, both, now + 100s));
    CHECK(verifier.verify(before, later, now + 100s).fault == token_fault::unknown_key);
    CHECK(verifier.verify(after, later, now + 100s));
}

TEST_CASE("jwt_issuer: nobody says its own claims for it, and bad options are named")
{
    auto const make = [](jwt_issuer_options const& o) { return jwt_issuer{signing_keys{hs256_signer{secret<>(test::long_secret)}}, o}; };
    auto tokens = make({.issuer = "bank", .audience = "quotes"});
    for (char const* own : {"iss", "aud", "sub", "iat", "exp", "jti"})
        CHECK_THROWS_AS((void)tokens.issue("bob", now, claims_writer().text(own, "x")), std::invalid_argument);
    CHECK_THROWS_AS((void)tokens.issue("", now), std::invalid_argument);
    CHECK_THROWS_WITH_AS(make({.issuer = "", .audience = "a"}), "jwt_issuer.issuer: expected a text that is not empty",
                         std::invalid_argument);
    CHECK_THROWS_WITH_AS(make({.issuer = "a", .audience = ""}), "jwt_issuer.audience: expected a text that is not empty",
                         std::invalid_argument);
    CHECK_THROWS_WITH_AS(make({.issuer = "a", .audience = "b", .lifetime = 0s}), "jwt_issuer.lifetime: expected 1 second to 365 days",
                         std::invalid_argument);
}
