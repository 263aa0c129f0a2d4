// SPDX-License-Identifier: BSL-1.0
#include <weir/sign/jwt_seal.hpp>

#include "fresh_keys.hpp"
#include "raw_message.hpp"

#include <doctest/doctest.h>

#include <random>
#include <stdexcept>
#include <string>

using namespace std::chrono_literals;
using weir::message_fault;
using weir_tests::raw_request;
using weir_tests::raw_response;
using enum weir::signature_algorithm;

namespace {

weir::wall_time const now{1'700'000'000'500ms};
using keys_type = weir::message_keys<weir::confined>;

keys_type const& keys()
{
    static keys_type const all({{"bank", weir::signature_key(weir::secret{"only-for-tests-0123456789"})}});
    return all;
}
raw_request question()
{
    raw_request r;
    r.target = "/balance";
    r.fields = {{"host", "bank.example"}, {"signature", "sig1=:AAAA:"}};
    return r;
}
raw_response answer(weir::jwt_seal const& seal)
{
    raw_response r;
    r.fields = {{"Content-Type", "text/plain"}};
    r.body = "17.50";
    REQUIRE(seal.sign_answer(r, question(), keys(), now, "n-1"));
    return r;
}
std::string part(raw_response const& r, int which)
{
    std::string token(weir_header(r, "x-response-seal").value_or(""));
    for (; which != 0; --which) token.erase(0, token.find('.') + 1);
    return weir::from_base64url(token.substr(0, token.find('.'))).value_or("");
}

} // namespace

TEST_CASE("jwt_seal: a token of one form")
{
    raw_response const r = answer(weir::jwt_seal({.issuer = "bank"}));
    CHECK(part(r, 0) == R"({"alg":"HS256","kid":"bank","typ":"seal+jwt"})");
    CHECK(part(r, 1).starts_with(R"({"iss":"bank","iat":1700000000,"jti":"n-1","req":")"));
    CHECK(part(r, 1).size() == std::string(R"({"iss":"bank","iat":1700000000,"jti":"n-1","req":"","res":""})").size() + 2 * 43);
}

TEST_CASE("jwt_seal: every algorithm seals and opens")
{
    weir::jwt_seal const seal({.issuer = "bank"});
    for (auto const a : {rsa_pss_sha512, rsa_v1_5_sha256, ecdsa_p256_sha256, ecdsa_p384_sha384, ed25519}) {
        keys_type const own({{"k", weir::signature_key(a, weir_tests::fresh_pair(a).private_key)}});
        keys_type const theirs({{"k", weir::signature_key(a, weir_tests::fresh_pair(a).public_key)}});
        raw_response r;
        REQUIRE(seal.sign_answer(r, question(), own, now, "n"));
        CHECK(seal.verify_answer(r, question(), theirs, now));
        CHECK(seal.verify_answer(r, question(), keys(), now).fault == message_fault::unknown_key);
    }
}

TEST_CASE("jwt_seal: what is bound to it cannot be changed")
{
    weir::jwt_seal const seal({.issuer = "bank"});
    raw_response const good = answer(seal);
    REQUIRE(seal.verify_answer(good, question(), keys(), now));
    auto const asked = [&](auto change) {
        raw_request q = question();
        change(q);
        return seal.verify_answer(good, q, keys(), now).fault;
    };
    CHECK(asked([](raw_request& q) { q.method = "POST"; }) == message_fault::wrong_signature);
    CHECK(asked([](raw_request& q) { q.target = "/balance?"; }) == message_fault::wrong_signature);
    CHECK(asked([](raw_request& q) { q.body = "x"; }) == message_fault::wrong_signature);
    CHECK(asked([](raw_request& q) { q.fields[0].second = "evil.example"; }) == message_fault::wrong_signature);
    CHECK(asked([](raw_request& q) { q.fields[1].second = "sig1=:BBBB:"; }) == message_fault::wrong_signature);
    auto const answered = [&](auto change) {
        raw_response r = good;
        change(r);
        return seal.verify_answer(r, question(), keys(), now).fault;
    };
    CHECK(answered([](raw_response& r) { r.fields[0].second = "text/html"; }) == message_fault::wrong_signature);
    CHECK(answered([](raw_response& r) { r.fields.emplace_back("content-type", "text/html"); }) == message_fault::wrong_signature);
    CHECK(answered([](raw_response& r) { r.fields.emplace_back("x-degraded", "fallback"); }) == message_fault::wrong_signature);
    CHECK(answered([](raw_response& r) { r.fields.emplace_back("content-encoding", ""); }) == message_fault::wrong_signature);
    CHECK(answered([](raw_response& r) { r.fields.erase(r.fields.begin()); }) == message_fault::wrong_signature);
    CHECK(answered([](raw_response& r) { r.fields.emplace_back("x-response-seal", r.fields[1].second); }) == message_fault::malformed);
    CHECK(answered([](raw_response& r) { r.fields.pop_back(); }) == message_fault::missing);
    CHECK(seal.verify_answer(good, question(), keys(), now + 91s).fault == message_fault::late);
    CHECK(seal.verify_answer(good, question(), keys(), now - 31s).fault == message_fault::early);
    CHECK(weir::jwt_seal({.issuer = "shop"}).verify_answer(good, question(), keys(), now).fault == message_fault::wrong_signature);

    std::mt19937_64 random(1);
    for (int i = 0; i < 2'000; ++i) {
        raw_response r = good;
        std::string& token = r.fields[1].second;
        token[random() % token.size()] ^= static_cast<char>(1 << random() % 8);
        if (seal.verify_answer(r, question(), keys(), now)) FAIL("taken: ", token);
    }
}

TEST_CASE("jwt_seal: bad options are refused by name")
{
    CHECK_THROWS_WITH_AS(weir::jwt_seal({.issuer = "a\"b"}), "issuer: expected printable ASCII without quotation marks and backslashes",
                         std::invalid_argument);
    CHECK_THROWS_WITH_AS(weir::jwt_seal({.issuer = "a", .header = "a b"}), "header: expected a header name", std::invalid_argument);
    CHECK_THROWS_AS(weir::jwt_seal({.issuer = "a", .covered = {""}}), std::invalid_argument);
    CHECK_THROWS_AS(weir::jwt_seal({.issuer = "a", .skew = -1s}), std::invalid_argument);
}
