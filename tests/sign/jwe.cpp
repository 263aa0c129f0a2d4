// SPDX-License-Identifier: BSL-1.0
#include <weir/sign/jwe.hpp>

#include "keys.hpp"
#include "vectors.hpp"

#include <weir/validate/strict_json.hpp>

#include <doctest/doctest.h>

#include <openssl/evp.h>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace {

using weir::jwe_fault;
using weir::jwe_key;

std::vector<jwe_key> const& keys()
{
    static std::vector<jwe_key> const made = [] {
        std::vector<jwe_key> all;
        all.emplace_back(test::rsa_pair().private_pem(), "rsa");
        all.emplace_back(test::ec_pair("P-256").private_pem(), "p256");
        all.emplace_back(test::key_pair(EVP_PKEY_Q_keygen(nullptr, nullptr, "X25519")).private_pem(), "x25519");
        all.emplace_back(test::ec_pair("P-256").private_pem(), "short", weir::jwe_encryption::a128gcm);
        return all;
    }();
    return made;
}
std::string sealed_for(jwe_key const& key, std::string_view text)
{
    return seal_jwe(weir::read_jwe_recipient(key.public_jwk(), key.encryption()), text);
}
std::vector<std::string> parts_of(std::string_view compact)
{
    std::vector<std::string> all{""};
    for (char c : compact) {
        if (c == '.')
            all.emplace_back();
        else
            all.back() += c;
    }
    return all;
}
std::string joined(std::vector<std::string> const& parts)
{
    std::string text;
    for (std::string const& each : parts) (text += text.empty() ? "" : ".") += each;
    return text;
}
/// With this header instead of its own.
std::string with_header(std::string const& compact, std::string_view header)
{
    auto parts = parts_of(compact);
    parts[0] = weir::to_base64url(header);
    return joined(parts);
}
std::string header_of(std::string const& compact)
{
    return weir::from_base64url(parts_of(compact)[0]).value();
}
std::string replaced(std::string text, std::string_view what, std::string_view by)
{
    REQUIRE(text.find(what) != text.npos);
    return text.replace(text.find(what), what.size(), by);
}

} // namespace

TEST_CASE("jwe: the key agreed on in RFC 7518 appendix C")
{
    weir::strict_json epk;
    REQUIRE(epk.read(R"({"kty":"EC","crv":"P-256","x":"gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0",)"
                     R"("y":"SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps"})") == weir::strict_json_fault::none);
    jwe_key const bob = weir::read_jwe_key(
        weir::secret<>(R"({"kty":"EC","crv":"P-256","x":"weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ",)"
                       R"("y":"e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck","d":"VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw"})"),
        weir::jwe_encryption::a128gcm);
    weir::secret<> made;
    REQUIRE(weir::detail::agree_on_key(
        bob, weir::detail::jwe_header{.algorithm = "ECDH-ES", .encryption = "A128GCM", .epk = epk.root(), .apu = "Alice", .apv = "Bob"},
        made));
    CHECK(weir::to_base64url(made.reveal()) == "VqqN6vgjbSBcIijNcacQGg");
}

TEST_CASE("jwe: the example on Curve25519 of the JOSE cookbook opens")
{
    auto const folder = weir_tests::vectors("jose-cookbook");
    if (folder.empty()) return;
    weir::strict_json file;
    REQUIRE(file.read(weir_tests::contents(folder / "curve25519" / "ecdh-es.json")) == weir::strict_json_fault::none);
    weir::json_view const in = file.root()["input"];
    std::string const jwk = R"({"kty":"OKP","crv":"X25519","kid":"Bob","use":"enc","x":")" + std::string(*in["key"]["x"].text()) +
                            R"(","d":")" + std::string(*in["key"]["d"].text()) + "\"}";
    jwe_key const key = weir::read_jwe_key(weir::secret<>(jwk), weir::jwe_encryption::a128gcm);
    auto const opened = open_jwe(key, *file.root()["output"]["compact"].text());
    REQUIRE(opened);
    CHECK(opened.text == *in["plaintext"].text());
}

TEST_CASE("jwe: what is sealed for a key it opens, and no other does")
{
    for (jwe_key const& key : keys()) {
        for (unsigned size : {0u, 1u, 15u, 16u, 17u, 1000u}) {
            std::string const text(size, 'p');
            std::string const sealed = sealed_for(key, text), again = sealed_for(key, text);
            auto const opened = open_jwe(key, sealed);
            REQUIRE(opened);
            CHECK(opened.text == text);
            auto const one = parts_of(sealed), two = parts_of(again);
            CHECK(one[2] != two[2]);
            CHECK(one[4] != two[4]);
        }
        std::string const sealed = sealed_for(key, "a password");
        for (jwe_key const& other : keys())
            if (&other != &key) CHECK(open_jwe(other, sealed).fault == jwe_fault::unknown_key);
    }
    // Without a name the key is tried, and fails.
    jwe_key const mine(test::ec_pair("P-256").private_pem()), other(test::key_pair(EVP_EC_gen("P-256")).private_pem());
    CHECK(open_jwe(mine, sealed_for(mine, "x")));
    CHECK(open_jwe(other, sealed_for(mine, "x")).fault == jwe_fault::closed);
    jwe_key const rsa(test::rsa_pair().private_pem()), another(test::key_pair(EVP_RSA_gen(2048)).private_pem());
    CHECK(open_jwe(another, sealed_for(rsa, "x")).fault == jwe_fault::closed);
}

TEST_CASE("jwe: one character changed, and it does not open")
{
    for (jwe_key const& key : keys()) {
        std::string const sealed = sealed_for(key, "a password");
        for (std::size_t i = 0; i < sealed.size(); ++i) {
            if (key.algorithm() == weir::jwe_algorithm::rsa_oaep_256 && i % 7 != 0) continue; // each costs a decryption
            for (char c : {'A', '-', '.', '='}) {
                std::string changed = sealed;
                if (changed[i] == c) continue;
                changed[i] = c;
                if (open_jwe(key, changed)) FAIL(key.kid(), " ", i, " ", c);
            }
            if (i % 5 == 0 && open_jwe(key, sealed.substr(0, i))) FAIL(key.kid(), " cut at ", i);
        }
    }
}

TEST_CASE("jwe: the parts have their exact forms")
{
    for (jwe_key const& key : keys()) {
        std::string const sealed = sealed_for(key, "a password");
        auto const fault = [&](std::size_t part, std::string by) {
            auto parts = parts_of(sealed);
            parts[part] = std::move(by);
            return open_jwe(key, joined(parts)).fault;
        };
        auto const parts = parts_of(sealed);
        CHECK(fault(0, "") == jwe_fault::malformed);
        CHECK(fault(1, parts[1] + "AAAA") == jwe_fault::malformed);
        CHECK(fault(1, "AAAA") == jwe_fault::malformed);
        CHECK(fault(2, parts[2] + "AAAA") == jwe_fault::malformed);
        CHECK(fault(2, "") == jwe_fault::malformed);
        CHECK(fault(3, "") == jwe_fault::closed);
        CHECK(fault(3, parts[3] + "=") == jwe_fault::malformed);
        CHECK(fault(4, parts[4].substr(0, 20)) == jwe_fault::malformed); // a short tag is easier to guess
        CHECK(fault(4, "") == jwe_fault::malformed);
        CHECK(open_jwe(key, sealed + ".").fault == jwe_fault::malformed);
        CHECK(open_jwe(key, " " + sealed).fault == jwe_fault::malformed);
        CHECK(open_jwe(key, "").fault == jwe_fault::malformed);
        CHECK(open_jwe(key, sealed, {.max_bytes = sealed.size() - 1}).fault == jwe_fault::too_long);
        CHECK(open_jwe(key, sealed, {.max_bytes = sealed.size()}));
    }
}

TEST_CASE("jwe: the header chooses nothing")
{
    for (jwe_key const& key : keys()) {
        std::string const sealed = sealed_for(key, "a password"), header = header_of(sealed);
        auto const fault = [&](std::string const& by) { return open_jwe(key, with_header(sealed, by)).fault; };
        std::string const name(to_string(key.algorithm()));
        for (std::string_view other :
             {"RSA1_5", "RSA-OAEP", "RSA-OAEP-512", "dir", "none", "ECDH-ES+A256KW", "A256KW", "PBES2-HS256+A128KW", "ecdh-es"})
            CHECK(fault(replaced(header, '"' + name + '"', '"' + std::string(other) + '"')) == jwe_fault::wrong_algorithm);
        for (std::string_view other : {"A256CBC-HS512", "A192GCM", "a256gcm", "none"})
            CHECK(fault(replaced(header, to_string(key.encryption()), other)) == jwe_fault::wrong_algorithm);
        CHECK(fault(replaced(header, "{", R"({"zip":"DEF",)")) == jwe_fault::bad_header);
        CHECK(fault(replaced(header, "{", R"({"crit":["exp"],)")) == jwe_fault::bad_header);
        CHECK(fault(replaced(header, "{", R"({"alg":"none",)")) == jwe_fault::bad_header); // twice
        CHECK(fault(replaced(header, "{", R"({"apu":"=",)")) == jwe_fault::bad_header);
        CHECK(fault(replaced(header, "{", R"({"apu":7,)")) == jwe_fault::bad_header);
        CHECK(fault(replaced(header, '"' + key.kid() + '"', "7")) == jwe_fault::bad_header);
        CHECK(fault(replaced(header, '"' + key.kid() + '"', "\"other\"")) == jwe_fault::unknown_key);
        CHECK(fault("[]") == jwe_fault::bad_header);
        CHECK(fault(header + " x") == jwe_fault::bad_header);
        CHECK(fault(R"({"alg":")" + name + "\"}") == jwe_fault::bad_header);
        CHECK(fault(replaced(header, "{", R"({"x":")" + std::string(4096, 'a') + "\",")) == jwe_fault::bad_header);
        // What says nothing is not looked at, but it is part of what was sealed.
        CHECK(fault(replaced(header, "{", R"({"typ":"JWE",)")) == jwe_fault::closed);
    }
}

TEST_CASE("jwe: the sender's key is a point of the same curve, and belongs to key agreement")
{
    jwe_key const& p256 = keys()[1];
    jwe_key const& x25519 = keys()[2];
    jwe_key const& rsa = keys()[0];
    std::string const sealed = sealed_for(p256, "a password"), header = header_of(sealed);
    std::string const before = header.substr(0, header.find(R"("epk":)") + 6);
    auto const fault = [&](std::string const& epk) { return open_jwe(p256, with_header(sealed, before + epk + "}")).fault; };
    CHECK(
        fault(
            R"({"kty":"EC","crv":"P-256","x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","y":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"})") ==
        jwe_fault::closed); // invalid curve attack
    CHECK(fault(R"({"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA"})") == jwe_fault::closed);
    CHECK(fault(R"({"kty":"OKP","crv":"X25519","x":"hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo"})") == jwe_fault::closed);
    CHECK(fault(R"({"kty":"oct","k":"AAAA"})") == jwe_fault::closed);
    CHECK(fault("{}") == jwe_fault::closed);
    // A key of RSA would be tested for long.
    CHECK(fault(R"({"kty":"RSA","crv":"P-256","n":")" + std::string(2'000, 'x') + R"(","e":"AQAB"})") == jwe_fault::closed);
    CHECK(fault("7") == jwe_fault::bad_header);
    CHECK(fault(R"({"kty":"EC","crv":"P-256","d":"AAAA"})") == jwe_fault::bad_header);
    CHECK(open_jwe(p256, with_header(sealed, R"({"alg":"ECDH-ES","enc":"A256GCM"})")).fault == jwe_fault::bad_header);
    std::string const for_rsa = sealed_for(rsa, "a password");
    CHECK(open_jwe(rsa, with_header(for_rsa, replaced(header_of(for_rsa), "{", R"({"epk":{"kty":"EC"},)"))).fault == jwe_fault::bad_header);
    // RFC 7748 section 6.1: a point of small order gives the same secret for every key.
    std::string const other = sealed_for(x25519, "a password"), head = header_of(other);
    std::string const zero = head.substr(0, head.find(R"("x":")") + 5) + std::string(43, 'A') + "\"}}";
    CHECK(open_jwe(x25519, with_header(other, zero)).fault == jwe_fault::closed);
}
