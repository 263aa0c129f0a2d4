// SPDX-License-Identifier: BSL-1.0
#include "keys.hpp"
#include "request.hpp"
#include "wall.hpp"

#include <weir/core/describe.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/limit/gcra.hpp>
#include <weir/limit/keyed.hpp>
#include <weir/limit/rate_limit.hpp>
#include <weir/sign/key_set.hpp>
#include <weir/sign/verify_jwt.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace weir;
using namespace std::chrono_literals;

std::string who(test::request const&, view<principal, verified<claims>> facts)
{
    auto const& said = facts.get<verified<claims>>();
    return facts.get<principal>().name + " of " + std::string(said->text("branch").value_or("nowhere"));
}

std::string token_of(std::string_view said)
{
    return sign_jws(hs256_signer{secret<>(test::long_secret)}, said);
}
constexpr std::string_view good = R"({"iss":"bank","aud":"quotes","sub":"bob","branch":"north","exp":1700000600})";

/// A request that can tell its fields one by one.
struct lines {
    std::vector<std::string> fields;
    [[maybe_unused]] friend std::optional<std::string_view> weir_header(lines const& r, std::string_view) { return r.fields.at(0); }
    friend void weir_each_header(lines const& r, std::string_view, auto&& f)
    {
        for (std::string const& each : r.fields) f(std::string_view(each));
    }
};

test::request asking(std::string_view field)
{
    test::request made;
    if (!field.empty()) made.fields["authorization"] = std::string(field);
    return made;
}

} // namespace

TEST_CASE("verify_jwt: the design's example")
{
    std::string const public_key = test::rsa_pair().public_pem();
    weir::pipeline svc{
        weir::verify_jwt{weir::rs256{public_key}, {.issuer = "bank", .audience = "quotes"}},
        weir::rate_limit{weir::keyed{weir::gcra{{.permits = 100, .per = 1s, .burst = 20}}, weir::by<weir::principal>, {.capacity = 100}}},
        who};
    auto const token =
        sign_jws(rs256_signer{test::rsa_pair().private_pem()}, R"({"iss":"bank","aud":"quotes","sub":"bob","exp":4000000000})");
    CHECK(svc(asking("Bearer " + token)).value() == "bob of nowhere");
    CHECK(svc(asking("")).error() == errc::unauthenticated);
}

TEST_CASE("verify_jwt: who has a good token passes, with what it says; others are told what was expected")
{
    test::manual_wall wall;
    weir::pipeline svc{verify_jwt{hs256{secret<>(test::long_secret)}, {.issuer = "bank", .audience = "quotes"}, std::ref(wall)}, who};
    CHECK(svc(asking("Bearer " + token_of(good))).value() == "bob of north");
    CHECK(svc(asking("bearer  " + token_of(good))).value() == "bob of north");

    auto const check = [&](std::string_view field, std::string_view expected, std::string_view how) {
        auto const reply = svc.call(asking(field));
        REQUIRE(reply.result().has_error());
        CHECK(reply.result().error() == errc::unauthenticated);
        CHECK(reply.answered_by() == 0);
        auto const& wrong = reply.template reported<violation>();
        REQUIRE(wrong.has_value());
        CHECK(*wrong == violation{"header", "authorization", std::string(expected)});
        REQUIRE(reply.template reported<challenge>().has_value());
        CHECK(reply.template reported<challenge>()->value == how);
    };
    // RFC 6750 section 3.1: who brought no token is told no error.
    check("", "a bearer token", "Bearer");
    check("Basic Ym9iOnB3", "a bearer token", "Bearer");
    check("Bearer", "a bearer token", "Bearer");
    check("Bearer ", "a bearer token", "Bearer");
    check("Bearer " + token_of(good) + " x", "a well-formed signed token", "Bearer error=\"invalid_token\"");
    check("Bearer a.b", "a well-formed signed token", "Bearer error=\"invalid_token\"");
    check("Bearer " + token_of(R"({"iss":"bank","aud":"quotes","sub":"bob","exp":7})"), "a token that has not expired",
          "Bearer error=\"invalid_token\", error_description=\"the token has expired\"");
    check("Bearer " + token_of(R"({"iss":"bank","aud":"quotes","exp":1700000600})"), "a token with all claims that are required: sub",
          "Bearer error=\"invalid_token\", error_description=\"the token lacks a claim\"");

    auto const s = svc.get<verify_jwt>().stats();
    CHECK(s.verified == 2);
    CHECK(s.remembered == 1);
    CHECK(s.refused[static_cast<std::size_t>(token_fault::missing)] == 4);
    CHECK(s.refused[static_cast<std::size_t>(token_fault::expired)] == 1);
    std::string told;
    s.each([&](std::string_view name, std::uint64_t n) { told += n == 0 ? "" : std::string(name) + "=" + std::to_string(n) + " "; });
    CHECK(told == "verified_total=2 remembered_total=1 missing_total=4 malformed_total=2 missing_claim_total=1 expired_total=1 ");
    CHECK(describe(svc).text().find("issuer") != std::string::npos);
}

TEST_CASE("verify_jwt: time is the policy's clock, keys are shared and replaced while it runs")
{
    test::manual_wall wall;
    auto const text = [](char const* kid) {
        return R"({"keys":[{"kty":"oct","alg":"HS256","kid":")" + std::string(kid) + R"(","k":")" + to_base64url(test::long_secret) +
               "\"}]}";
    };
    auto const keys = std::make_shared<key_set<>>(text("a"), key_set_options{.algorithms = {jws_algorithm::hs256}});
    weir::pipeline svc{verify_jwt{keys, {.issuer = "bank", .audience = "quotes", .leeway = 0s}, std::ref(wall)}, who};
    auto const r = asking("Bearer " + sign_jws(hs256_signer{secret<>(test::long_secret), "a"}, good));
    CHECK(svc(r).has_value());
    CHECK(svc(r).has_value());
    wall.now += 600s;
    CHECK(svc(r).error() == errc::unauthenticated);
    wall.now -= 1s;
    CHECK(svc(r).has_value());
    svc.get<verify_jwt>().keys().replace(text("b"));
    CHECK(svc(r).error() == errc::unauthenticated);
}

TEST_CASE("verify_jwt: two tokens are none")
{
    test::manual_wall wall;
    weir::pipeline svc{verify_jwt{hs256{secret<>(test::long_secret)}, {.issuer = "bank", .audience = "quotes"}, std::ref(wall)},
                       [](lines const&) { return 1; }};
    std::string const token = "Bearer " + token_of(good);
    CHECK(svc(lines{{token}}).has_value());
    CHECK(svc(lines{{token, token}}).error() == errc::unauthenticated);
    CHECK(svc(lines{{"Basic Ym9iOnB3", token}}).error() == errc::unauthenticated);
    CHECK(svc(lines{{}}).error() == errc::unauthenticated);
}

TEST_CASE("verify_jwt: a confined one runs on one thread, and bad options are named")
{
    using confined_policy = verify_jwt<hs256, system_wall, confined>;
    weir::pipeline svc{confined_policy{hs256{secret<>(test::long_secret)}, {.issuer = "bank", .audience = "quotes"}}, who};
    auto const token = token_of(R"({"iss":"bank","aud":"quotes","sub":"bob","exp":4000000000})");
    for (int i = 0; i < 3; ++i) CHECK(svc(asking("Bearer " + token)).value() == "bob of nowhere");
    CHECK_THROWS_WITH_AS((verify_jwt{hs256{secret<>(test::long_secret)}, {.issuer = "bank", .audience = "quotes", .principal = ""}}),
                         "verify_jwt.principal: expected the name of a claim", std::invalid_argument);
}

TEST_CASE("verify_jwt: reconfigured, it judges by the new options, what it remembers as well; what is wrong changes nothing")
{
    test::manual_wall wall;
    weir::pipeline svc{verify_jwt{hs256{secret<>(test::long_secret)}, {.issuer = "bank", .audience = "quotes"}, std::ref(wall)}, who};
    auto& policy = svc.get<verify_jwt>();
    test::request const request = asking("Bearer " + token_of(good));
    CHECK(svc(request).has_value());
    CHECK(svc(request).has_value());
    CHECK(policy.stats().remembered == 1);

    policy.reconfigure({.issuer = "bank", .audience = "quotes", .require = {"exp", "device"}});
    CHECK(policy.settings().require.size() == 2);
    auto const refused = svc.call(request);
    REQUIRE(refused.template reported<violation>().has_value());
    CHECK(refused.template reported<violation>()->expected == "a token with all claims that are required: device");

    CHECK_THROWS_WITH_AS(policy.reconfigure({.issuer = "", .audience = "quotes"}), "verify_jwt.issuer: expected a text that is not empty",
                         std::invalid_argument);
    CHECK_THROWS_WITH_AS(policy.reconfigure({.issuer = "bank", .audience = "quotes", .remembered = 7}),
                         "verify_jwt.remembered: expected what it was: the table of tokens stays", std::invalid_argument);
    CHECK_THROWS_AS(policy.reconfigure({.issuer = "bank", .audience = "quotes", .principal = ""}), std::invalid_argument);
    CHECK(svc(request).has_error());

    policy.reconfigure({.issuer = "bank", .audience = "quotes", .leeway = 0s});
    CHECK(svc(request).has_value());
    CHECK(svc(request).has_value());
    CHECK(policy.stats().remembered == 2);
    wall.now = wall_time(1'700'000'600s);
    CHECK(svc(request).has_error());
    policy.reconfigure({.issuer = "bank", .audience = "quotes", .leeway = 60s});
    CHECK(svc(request).has_value());
}
