// SPDX-License-Identifier: BSL-1.0
#include <weir/sign/jwe_key.hpp>

#include "keys.hpp"

#include <weir/validate/strict_json.hpp>

#include <doctest/doctest.h>

#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

namespace {

using weir::jwe_key;

test::key_pair const& x25519_pair()
{
    static test::key_pair const made(EVP_PKEY_Q_keygen(nullptr, nullptr, "X25519"));
    return made;
}
/// RFC 7518 appendix C: Bob's key. Public example data.
constexpr std::string_view bob = R"({"kty":"EC","crv":"P-256","x":"weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ",)"
                                 R"("y":"e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck","d":"VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw"})";

std::string replaced(std::string_view text, std::string_view what, std::string_view by)
{
    std::string made(text);
    made.replace(made.find(what), what.size(), by);
    return made;
}
std::string refusal(auto make)
{
    try {
        make();
    } catch (std::invalid_argument const& e) {
        return e.what();
    }
    return "taken";
}

static_assert(!std::is_copy_constructible_v<jwe_key> && std::is_move_constructible_v<jwe_key>);

} // namespace

TEST_CASE("jwe_key: its algorithm follows from its type, and its public half is what clients read")
{
    struct sort {
        test::key_pair const& pair;
        weir::jwe_algorithm algorithm;
        std::string_view type;
    };
    for (sort const& s :
         {sort{test::rsa_pair(), weir::jwe_algorithm::rsa_oaep_256, "RSA"},
          sort{test::ec_pair("P-256"), weir::jwe_algorithm::ecdh_es, "EC"}, sort{x25519_pair(), weir::jwe_algorithm::ecdh_es, "OKP"}}) {
        jwe_key const key(s.pair.private_pem(), R"(a "name" \ with quotes)");
        CHECK(key.algorithm() == s.algorithm);
        CHECK(key.encryption() == weir::jwe_encryption::a256gcm);
        weir::strict_json text;
        REQUIRE(text.read(key.public_jwk()) == weir::strict_json_fault::none);
        weir::json_view const jwk = text.root();
        CHECK(jwk["kty"].text() == s.type);
        CHECK(jwk["use"].text() == "enc");
        CHECK(jwk["alg"].text() == to_string(s.algorithm));
        CHECK(jwk["kid"].text() == R"(a "name" \ with quotes)");
        for (std::string_view each : {"d", "p", "q", "dp", "dq", "qi"}) CHECK_FALSE(jwk[each]);
        auto const back = weir::read_jwe_recipient(key.public_jwk());
        CHECK(back.kid() == key.kid());
        CHECK(back.algorithm() == key.algorithm());
    }
    CHECK(jwe_key(test::ec_pair("P-256").private_pem("word"), "", weir::jwe_encryption::a128gcm, weir::secret<>("word")).encryption() ==
          weir::jwe_encryption::a128gcm);
}

TEST_CASE("jwe_key: the public half of a known key is the known one, leading zeros kept")
{
    jwe_key const key = weir::read_jwe_key(weir::secret<>(bob));
    CHECK(key.public_jwk() == R"({"kty":"EC","crv":"P-256","x":"weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ",)"
                              R"("y":"e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck","use":"enc","alg":"ECDH-ES"})");
}

TEST_CASE("jwe_key: keys that do not fit are refused with what was expected")
{
    auto const pem = [](auto const& pair) { return refusal([&] { jwe_key k(pair.private_pem()); }); };
    CHECK(pem(test::ec_pair("P-384")).find("RSA, or on the curve P-256 or X25519") != std::string::npos);
    CHECK(pem(test::ed_pair("Ed25519")).find("RSA, or on the curve P-256 or X25519") != std::string::npos);
    CHECK(pem(test::key_pair(EVP_RSA_gen(1024))).find("2048 to 16384 bits, got 1024") != std::string::npos);
    CHECK(refusal([] { jwe_key k(weir::secret<>(test::rsa_pair().public_pem())); }).find("a private key in PEM") != std::string::npos);
    CHECK(refusal([] { jwe_key k(test::rsa_pair().private_pem(), "\n"); }).find("kid") != std::string::npos);

    auto const jwk = [](std::string const& text) { return refusal([&] { (void)weir::read_jwe_key(weir::secret<>(text)); }); };
    CHECK(jwk(std::string(bob)) == "taken");
    CHECK(jwk(replaced(bob, "{", R"({"use":"sig",)")).find("\"use\" is \"enc\"") != std::string::npos);
    CHECK(jwk(replaced(bob, "{", R"({"alg":"RSA-OAEP",)")).find("\"alg\" is ECDH-ES") != std::string::npos);
    CHECK(jwk(replaced(bob, "{", R"({"kid":7,)")).find("kid") != std::string::npos);
    CHECK(jwk(replaced(bob, "weNJ", "weNK")) != "taken"); // not on the curve
    CHECK(jwk(replaced(bob, "P-256", "P-384")) != "taken");
    CHECK(jwk(replaced(bob, "VEmD", "VEmE")) != "taken"); // of another key
    CHECK(jwk("[]") != "taken");
    CHECK(refusal([] { (void)weir::read_jwe_recipient(R"({"kty":"oct","k":"AAAA"})"); }) != "taken");
}

TEST_CASE("jwe_keys: the first is handed out, all are found by name, none is guessed")
{
    weir::jwe_keys const both(jwe_key(test::ec_pair("P-256").private_pem(), "new"), jwe_key(test::rsa_pair().private_pem(), "old"));
    CHECK(both.find("new")->algorithm() == weir::jwe_algorithm::ecdh_es);
    CHECK(both.find("old")->algorithm() == weir::jwe_algorithm::rsa_oaep_256);
    CHECK(both.find("other") == nullptr);
    CHECK(both.find(std::nullopt) == nullptr);
    CHECK(both.public_jwks() == R"({"keys":[)" + both.find("new")->public_jwk() + "]}");
    CHECK(both.public_jwk().find("\"new\"") != std::string::npos);
    weir::jwe_keys const one(jwe_key(test::ec_pair("P-256").private_pem(), "only"));
    CHECK(one.find(std::nullopt) != nullptr);
    CHECK(one.find("other") == nullptr);
    auto const pair = [](std::string a, std::string b) {
        return refusal(
            [&] { weir::jwe_keys k(jwe_key(test::ec_pair("P-256").private_pem(), a), jwe_key(test::ec_pair("P-256").private_pem(), b)); });
    };
    CHECK(pair("a", "a") == "jwe_keys: expected keys with a name of their own");
    CHECK(pair("a", "") == "jwe_keys: expected keys with a name each");
}
