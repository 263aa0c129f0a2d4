// SPDX-License-Identifier: BSL-1.0
#include "keys.hpp"

#include <weir/sign/jwk.hpp>

#include <doctest/doctest.h>

#include <array>
#include <stdexcept>
#include <string>
#include <string_view>

namespace {

using namespace std::string_literals;
using weir::jws_algorithm;

// RFC 7515 appendix A.3, RFC 8037 appendix A.1.
std::string const ec_public =
    R"("kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0")";
std::string const ec_private = ec_public + R"(,"d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI")";
std::string const ed_public = R"("kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")";
std::string const ed_private = ed_public + R"(,"d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")";
std::string const oct = R"("kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow")";

std::string refusal(std::string const& members, jws_algorithm a)
{
    try {
        (void)weir::read_jwk("{" + members + "}", a);
    } catch (std::invalid_argument const& e) {
        return std::string(e.what()).substr(14);
    }
    return "taken";
}
std::string refusal_to_sign(std::string const& members, jws_algorithm a)
{
    try {
        (void)weir::read_signing_jwk(weir::secret<>("{" + members + "}"), a);
    } catch (std::invalid_argument const& e) {
        return std::string(e.what()).substr(14);
    }
    return "taken";
}
std::string replaced(std::string text, std::string_view what, std::string_view by)
{
    return text.replace(text.find(what), what.size(), by);
}

/// The public half of the program's RSA key as members.
std::string rsa_members(char const* exponent = "AQAB")
{
    BIGNUM* n = nullptr;
    EVP_PKEY_get_bn_param(test::rsa_pair().get(), "n", &n);
    std::string bytes(static_cast<std::size_t>(BN_num_bytes(n)), '\0');
    BN_bn2bin(n, reinterpret_cast<unsigned char*>(bytes.data()));
    BN_free(n);
    return R"("kty":"RSA","n":")" + weir::to_base64url(bytes) + R"(","e":")" + exponent + '"';
}

} // namespace

TEST_CASE("read_jwk: keys of each type are read, by name or by curve, and sign what the other half verifies")
{
    auto const verifies =
        weir::read_jwk("{" + ec_private + R"(,"kid":"a","use":"sig","key_ops":["verify"],"x-other":[1]})", jws_algorithm::es256);
    CHECK(verifies.kid() == "a");
    CHECK(verifies.algorithm() == jws_algorithm::es256);
    CHECK(verifies.verify("message", weir::read_signing_jwk(weir::secret<>("{" + ec_private + "}"), jws_algorithm::es256).sign("message")));
    constexpr std::array both{jws_algorithm::ed448, jws_algorithm::ed25519, jws_algorithm::es256};
    auto const edwards = weir::read_jwk("{" + ed_public + "}", both);
    CHECK(edwards.algorithm() == jws_algorithm::ed25519);
    CHECK(
        edwards.verify("message", weir::read_signing_jwk(weir::secret<>("{" + ed_private + "}"), jws_algorithm::ed25519).sign("message")));
    auto const mac = weir::read_jwk("{" + oct + "}", jws_algorithm::hs512);
    CHECK(mac.verify("message", weir::read_signing_jwk(weir::secret<>("{" + oct + "}"), jws_algorithm::hs512).sign("message")));
    auto const rsa = weir::read_jwk("{" + rsa_members() + "}", jws_algorithm::ps384);
    CHECK(rsa.verify("message", weir::ps384_signer{test::rsa_pair().private_pem()}.sign("message")));
}

TEST_CASE("read_jwk: a key says which algorithm it is for, or only one can be meant")
{
    constexpr std::array several{jws_algorithm::rs256, jws_algorithm::ps256};
    CHECK_THROWS_WITH_AS((void)weir::read_jwk("{" + rsa_members() + "}", several),
                         "key: expected a JWK with \"alg\", for several of the allowed algorithms fit it", std::invalid_argument);
    CHECK(weir::read_jwk("{" + rsa_members() + R"(,"alg":"PS256"})", several).algorithm() == jws_algorithm::ps256);
    constexpr std::array twice{jws_algorithm::rs256, jws_algorithm::rs256};
    CHECK(weir::read_jwk("{" + rsa_members() + "}", twice).algorithm() == jws_algorithm::rs256);
    std::string const expected = "a JWK of an allowed algorithm: \"kty\", \"crv\" and \"alg\" agree with one";
    CHECK(refusal(rsa_members() + R"(,"alg":"RS384")", jws_algorithm::rs256) == expected);
    CHECK(refusal(rsa_members() + R"(,"alg":"none")", jws_algorithm::rs256) == expected);
    CHECK(refusal(rsa_members(), jws_algorithm::hs256) == expected);
    CHECK(refusal(ec_public, jws_algorithm::es384) == expected);
    CHECK(refusal(ec_public + R"(,"alg":"ES384")", jws_algorithm::es256) == expected);
    CHECK(refusal(replaced(ec_public, "P-256", "P-384"), jws_algorithm::es256) == expected);
    CHECK(refusal(replaced(ec_public, "EC", "RSA"), jws_algorithm::es256) == expected);
    CHECK(refusal(ec_public + R"(,"alg":7)", jws_algorithm::es256) == "a JWK whose \"alg\" is a text");
    CHECK(refusal(R"("kty":7)", jws_algorithm::es256) == "a JWK with \"kty\"");
}

TEST_CASE("read_jwk: what a key says of its use is obeyed")
{
    std::string const sig = "a JWK for signatures: \"use\" is \"sig\", or is not there";
    CHECK(refusal(oct + R"(,"use":"enc")", jws_algorithm::hs256) == sig);
    CHECK(refusal(oct + R"(,"use":["sig"])", jws_algorithm::hs256) == sig);
    CHECK(refusal(oct + R"(,"use":"SIG")", jws_algorithm::hs256) == sig);
    std::string const verify = "a JWK with \"verify\" in its \"key_ops\", or without these";
    for (char const* operations :
         {R"(["sign"])", R"(["encrypt"])", "[]", R"("verify")", R"(["verify","verify"])", R"(["verify",1])", "null"})
        CHECK(refusal(oct + R"(,"key_ops":)" + operations, jws_algorithm::hs256) == verify);
    CHECK(refusal(oct + R"(,"key_ops":["sign","verify"])", jws_algorithm::hs256) == "taken");
    CHECK(refusal_to_sign(oct + R"(,"key_ops":["verify"])", jws_algorithm::hs256) ==
          "a JWK with \"sign\" in its \"key_ops\", or without these");
}

TEST_CASE("read_jwk: numbers have their exact form, and points lie on their curve")
{
    CHECK(refusal(replaced(ec_public, "f83O", "f83P"), jws_algorithm::es256) == "a JWK whose numbers are an EC key");
    CHECK(refusal(replaced(ec_public, "\"f83O", "\"AAf83O"), jws_algorithm::es256) != "taken");
    CHECK(refusal(replaced(ec_public, "\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"", "\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5Q\""),
                  jws_algorithm::es256) == "a JWK whose \"y\" has 32 bytes");
    CHECK(refusal(replaced(ec_public, "RVEU\"", "RVEU=\""), jws_algorithm::es256) == "a JWK whose \"x\" is base64url without padding");
    CHECK(refusal(replaced(ec_public, "\"x\"", "\"X\""), jws_algorithm::es256) == "a JWK with the text \"x\"");
    CHECK(refusal(replaced(oct, "AyM1", "Ay+1"), jws_algorithm::hs256) == "a JWK whose \"k\" is base64url without padding");
    CHECK(refusal(replaced(rsa_members(), "\"n\":\"", "\"n\":\"AAAA"), jws_algorithm::rs256) ==
          "a JWK whose \"n\" is a number without leading zeros");
    CHECK(refusal(rsa_members("AQ"), jws_algorithm::rs256) != "taken"); // an exponent of 1: everything is its own signature
    CHECK(refusal(rsa_members("AQAA"), jws_algorithm::rs256) != "taken");
    CHECK(refusal(rsa_members(""), jws_algorithm::rs256) != "taken");
    std::string const x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    for (char const* small : {"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                              "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIA", "7P_______________________________________38",
                              "7f_______________________________________38", "xxdqcD1N2E-6PAt2DRBnDyogU_osOczGTsf9d5KsA_o"})
        CHECK(refusal(replaced(ed_public, x, small), jws_algorithm::ed25519) == "EdDSA: a public key that is not of small order");
    std::string const large = R"("kty":"OKP","crv":"Ed448","x":")";
    CHECK(refusal(large + weir::to_base64url(std::string(57, '\0')) + '"', jws_algorithm::ed448) ==
          "EdDSA: a public key that is not of small order");
    CHECK(refusal(large + weir::to_base64url('\1' + std::string(56, '\0')) + '"', jws_algorithm::ed448) ==
          "EdDSA: a public key that is not of small order");
}

TEST_CASE("read_jwk: what is no strict JSON object is no key, nor is a name that cannot stand in a header")
{
    CHECK(refusal(oct + "," + oct, jws_algorithm::hs256) == "a JSON text without duplicate members");
    CHECK(refusal(oct + "}{", jws_algorithm::hs256) == "a JSON text without duplicate members");
    CHECK_THROWS_WITH_AS((void)weir::read_jwk("[]", jws_algorithm::hs256), "key: expected a JWK: a JSON object", std::invalid_argument);
    for (char const* kid : {R"("")", "7", "null", R"(["a"])", R"("a\u0000")", R"("é")"})
        CHECK(refusal(oct + R"(,"kid":)" + kid, jws_algorithm::hs256) == "a JWK whose \"kid\" is 1 to 256 printable characters of ASCII");
    CHECK(refusal(oct + R"(,"kid":"../../etc/passwd")", jws_algorithm::hs256) == "taken"); // a name, which nothing is looked up by but keys
}

TEST_CASE("read_signing_jwk: the private half is all there, and belongs to the public one")
{
    CHECK(refusal_to_sign(ec_public, jws_algorithm::es256) == "a JWK with the text \"d\"");
    CHECK(refusal_to_sign(replaced(ec_private, "jpsQ", "jpsR"), jws_algorithm::es256) ==
          "ES256: a private key that belongs to its public key");
    CHECK(refusal_to_sign(replaced(ed_private, "nWGx", "nWGy"), jws_algorithm::ed25519) == "a JWK whose \"x\" belongs to its \"d\"");
    CHECK(refusal_to_sign(rsa_members() + R"(,"d":"AQAB")", jws_algorithm::rs256) == "a JWK with the text \"p\"");
}
