// SPDX-License-Identifier: BSL-1.0
#include "keys.hpp"
#include "request.hpp"
#include "wall.hpp"

#include <weir/core/pipeline.hpp>
#include <weir/sign/issue_jwt.hpp>
#include <weir/sign/verify_jwt.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>

namespace {

using namespace weir;
using namespace std::chrono_literals;

std::string bearer(test::request const& r)
{
    return r.fields.at("authorization");
}
hs256_signer signer(std::string name = {})
{
    return hs256_signer{secret<>(test::long_secret), std::move(name)};
}

} // namespace

TEST_CASE("issue_jwt: the service that is called verifies who calls, in the place of the caller's own token")
{
    test::manual_wall wall;
    weir::pipeline called{verify_jwt{hs256{secret<>(test::long_secret)}, {.issuer = "gateway", .audience = "quotes"}, std::ref(wall)},
                          [](test::request const&, view<principal> facts) { return facts.get<principal>().name; }};
    weir::pipeline calls{
        issue_jwt{signing_keys{signer()}, {.issuer = "gateway", .audience = "quotes", .subject = "the gateway"}, std::ref(wall)},
        [&](test::request const& r) { return called(r); }};
    test::request r;
    r.fields["authorization"] = "Bearer of somebody else";
    CHECK(calls(r).value() == "the gateway");
    CHECK(r.fields["authorization"] == "Bearer of somebody else");
}

TEST_CASE("issue_jwt: a token serves for half of its lifetime; a new key, or a clock that goes back, makes a new one")
{
    test::manual_wall wall;
    weir::pipeline svc{
        issue_jwt{signing_keys{signer("a")}, {.issuer = "g", .audience = "q", .subject = "s", .lifetime = 100s}, std::ref(wall)}, bearer};
    test::request const r;
    std::string const first = svc(r).value();
    wall.now += 49s;
    CHECK(svc(r).value() == first);
    wall.now += 1s;
    std::string const second = svc(r).value();
    CHECK(second != first);
    wall.now -= 10s;
    std::string const third = svc(r).value();
    CHECK(third != second);
    svc.get<issue_jwt>().keys().add(signer("b"), wall.now + 5s);
    CHECK(svc(r).value() == third);
    wall.now += 5s;
    CHECK(svc(r).value() != third);
    auto const s = svc.get<issue_jwt>().stats();
    CHECK(s.requests == 6);
    CHECK(s.issued == 4);
}

TEST_CASE("issue_jwt: bad options are named")
{
    CHECK_THROWS_WITH_AS((issue_jwt{signing_keys{signer()}, {.issuer = "g", .audience = "q", .subject = ""}}),
                         "issue_jwt.subject: expected a text that is not empty", std::invalid_argument);
    CHECK_THROWS_WITH_AS((issue_jwt{signing_keys{signer()}, {.issuer = "g", .audience = "q", .subject = "s", .lifetime = 1s}}),
                         "issue_jwt.lifetime: expected 2 seconds to 365 days", std::invalid_argument);
}
