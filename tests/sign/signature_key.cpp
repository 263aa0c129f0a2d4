// SPDX-License-Identifier: BSL-1.0
#include <weir/sign/signature_key.hpp>

#include "fresh_keys.hpp"

#include <doctest/doctest.h>

#include <openssl/err.h>

#include <stdexcept>
#include <string>

using enum weir::signature_algorithm;
using weir_tests::fresh_pair;

TEST_CASE("signature_key: what a private key signs its public half verifies, and nothing else")
{
    for (auto const a : {rsa_pss_sha512, rsa_v1_5_sha256, ecdsa_p256_sha256, ecdsa_p384_sha384, ed25519}) {
        weir::signature_key const own(a, fresh_pair(a).private_key), theirs(a, fresh_pair(a).public_key);
        CHECK(own.algorithm() == a);
        CHECK(own.can_sign());
        CHECK(!theirs.can_sign());
        CHECK_THROWS_AS((void)theirs.sign("text"), std::logic_error);
        std::string const signature = own.sign("text");
        CHECK(theirs.verify("text", signature));
        CHECK(own.verify("text", signature));
        CHECK(!theirs.verify("Text", signature));
        CHECK(!theirs.verify("text", ""));
        CHECK(!theirs.verify("text", signature + '\0'));
        CHECK(!theirs.verify("text", signature.substr(1)));
        CHECK(!theirs.verify("text", std::string(signature.size(), '\0')));
        for (std::size_t bit = 0; bit < signature.size() * 8; bit += 37) {
            std::string changed = signature;
            changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
            CHECK(!theirs.verify("text", changed));
        }
        CHECK(ERR_peek_error() == 0);
    }
}

TEST_CASE("signature_key: ECDSA signatures have a fixed length, DER is none")
{
    weir::signature_key const p256(ecdsa_p256_sha256, fresh_pair(ecdsa_p256_sha256).private_key);
    weir::signature_key const p384(ecdsa_p384_sha384, fresh_pair(ecdsa_p384_sha384).private_key);
    for (int i = 0; i < 50; ++i) {
        CHECK(p256.sign(std::to_string(i)).size() == 64);
        CHECK(p384.sign(std::to_string(i)).size() == 96);
    }
    std::string const fixed = p256.sign("text");
    weir::detail::der_signature const der(reinterpret_cast<unsigned char const*>(fixed.data()), 32);
    CHECK(!p256.verify("text", std::string_view(reinterpret_cast<char const*>(der.data()), der.size())));
}

TEST_CASE("signature_key: a shared secret signs and verifies")
{
    weir::signature_key const key(weir::secret{"0123456789abcdef"});
    CHECK(key.algorithm() == hmac_sha256);
    CHECK(key.can_sign());
    CHECK(key.sign("text").size() == 32);
    CHECK(key.verify("text", key.sign("text")));
    CHECK(!key.verify("text", key.sign("text").substr(0, 16)));
}

TEST_CASE("signature_key: a key that is for PSS alone")
{
    EVP_PKEY_CTX* const context = EVP_PKEY_CTX_new_from_name(nullptr, "RSA-PSS", nullptr);
    EVP_PKEY* made = nullptr;
    REQUIRE(EVP_PKEY_keygen_init(context) == 1);
    REQUIRE(EVP_PKEY_generate(context, &made) == 1);
    EVP_PKEY_CTX_free(context);
    auto const pair = fresh_pair(made);
    CHECK(weir::signature_key(rsa_pss_sha512, pair.public_key)
              .verify("text", weir::signature_key(rsa_pss_sha512, pair.private_key).sign("text")));
    CHECK_THROWS_AS(weir::signature_key(rsa_v1_5_sha256, pair.public_key), std::invalid_argument);
}

TEST_CASE("signature_key: a key of another algorithm is refused, and so is no key")
{
    auto const refusal = [](weir::signature_algorithm a, std::string_view pem) -> std::string {
        try {
            weir::signature_key const key(a, pem);
            return {};
        } catch (std::invalid_argument const& e) {
            return e.what();
        }
    };
    CHECK(refusal(ecdsa_p256_sha256, fresh_pair(ecdsa_p384_sha384).public_key) == "key: expected ES256: a key on the curve P-256");
    CHECK(refusal(ecdsa_p384_sha384, fresh_pair(ed25519).private_key) == "key: expected ES384: a key on the curve P-384");
    CHECK(refusal(ed25519, fresh_pair(rsa_pss_sha512).public_key) == "key: expected EdDSA: a key on the curve Ed25519");
    CHECK(refusal(rsa_pss_sha512, fresh_pair(ed25519).public_key) == "key: expected PS512: an RSA key");
    CHECK(refusal(rsa_v1_5_sha256, weir_tests::fresh_pair(EVP_RSA_gen(1024)).public_key) ==
          "key: expected RS256: an RSA key of 2048 to 16384 bits, got 1024");
    CHECK(refusal(ed25519, "not a key") == "key: expected PEM: a text with a line \"-----BEGIN ...-----\"");
    CHECK(refusal(ed25519, "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n") ==
          "key: expected a public key in PEM that can be read");
    CHECK(refusal(hmac_sha256, fresh_pair(ed25519).public_key) == "signature_key: expected a weir::secret for hmac-sha256, no PEM");
    CHECK_THROWS_WITH_AS(weir::signature_key(weir::secret{"short"}), "signature_key: expected at least 16 bytes", std::invalid_argument);
}
