// SPDX-License-Identifier: BSL-1.0
#include "keys.hpp"

#include <weir/sign/jwk.hpp>
#include <weir/sign/jws.hpp>

#include <doctest/doctest.h>

#include <array>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace weir;
using namespace std::string_literals;

std::string const hs_jwk = R"({"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"})";

jws_key hs_key()
{
    return read_jwk(hs_jwk, jws_algorithm::hs256);
}
jws_signer hs_signer()
{
    return read_signing_jwk(secret<>(hs_jwk), jws_algorithm::hs256);
}
/// Signs any header whatever.
std::string forged(jws_signer const& signer, std::string_view head, std::string_view payload = "payload")
{
    std::string made = to_base64url(head) + '.' + to_base64url(payload);
    return made + '.' + to_base64url(signer.sign(made));
}
token_fault of_header(std::string_view head)
{
    return open_jws(hs_key(), forged(hs_signer(), head)).fault;
}

} // namespace

TEST_CASE("open_jws: the examples of RFC 7515 and RFC 8037")
{
    std::string const payload = "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}";
    constexpr std::string_view a1 = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
                                    ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
                                    ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    CHECK(open_jws(hs_key(), a1).payload == payload);
    constexpr std::string_view a3 = "eyJhbGciOiJFUzI1NiJ9"
                                    ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
                                    ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    CHECK(
        open_jws(
            read_jwk(
                R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})",
                jws_algorithm::es256),
            a3)
            .payload == payload);
    constexpr std::string_view a5 = "eyJhbGciOiJub25lIn0"
                                    ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.";
    CHECK(open_jws(hs_key(), a5).fault == token_fault::wrong_algorithm); // the unsecured one
    constexpr std::string_view edwards =
        R"({"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})";
    constexpr std::string_view a4 = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
                                    ".hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    CHECK(sign_jws(read_signing_jwk(secret<>(edwards), jws_algorithm::ed25519), "Example of Ed25519 signing") == a4);
    CHECK(open_jws(read_jwk(edwards, jws_algorithm::ed25519), a4).payload == "Example of Ed25519 signing");
}

TEST_CASE("open_jws: the examples of RFC 7797, whose payload is signed as it is")
{
    constexpr std::string_view detached =
        "eyJhbGciOiJIUzI1NiIsImI2NCI6ZmFsc2UsImNyaXQiOlsiYjY0Il19..A5dxf2s96_n5FLueVuW1Z_vh161FwXZC4YLPff6dmDY";
    CHECK(verify_detached_jws(hs_key(), detached, "$.02") == token_fault::none);
    CHECK(verify_detached_jws(hs_key(), detached, "$.03") == token_fault::wrong_signature);
    CHECK(sign_detached_jws(hs_signer(), "$.02", {.encoded = false}) == detached);
    CHECK(open_jws(hs_key(), sign_jws(hs_signer(), "This is the payload string!", {.encoded = false})).payload ==
          "This is the payload string!");
    CHECK_THROWS_AS((void)sign_jws(hs_signer(), "a.b", {.encoded = false}), std::invalid_argument);
    CHECK_THROWS_AS((void)sign_jws(hs_signer(), "a\n", {.encoded = false}), std::invalid_argument);
    // The same bytes behind a header that says otherwise are another message.
    std::string const plain = sign_jws(hs_signer(), "YWJj", {.encoded = false});
    CHECK(open_jws(hs_key(), plain).payload == "YWJj");
    CHECK(open_jws(hs_key(), to_base64url(R"({"alg":"HS256"})") + plain.substr(plain.find('.'))).fault == token_fault::wrong_signature);
    std::string const beside = sign_detached_jws(hs_signer(), std::string("any\0bytes.", 10));
    CHECK(verify_detached_jws(hs_key(), beside, std::string("any\0bytes.", 10)) == token_fault::none);
    CHECK(verify_detached_jws(hs_key(), beside, "") == token_fault::wrong_signature);
    CHECK(verify_detached_jws(hs_key(), sign_jws(hs_signer(), "x"), "x") == token_fault::malformed);
}

TEST_CASE("open_jws: what is signed opens with all its bytes, and with one bit changed never")
{
    std::mt19937 random(1);
    auto const check = [&](jws_key const& key, jws_signer const& signer, int changes) {
        for (std::size_t const size : {0u, 1u, 2u, 3u, 100u}) {
            std::string payload(size, '\0');
            for (char& c : payload) c = static_cast<char>(random());
            std::string const token = sign_jws(signer, payload, {.type = "JOSE", .content_type = "a\"b"});
            auto const opened = open_jws(key, token);
            REQUIRE(opened);
            CHECK(opened.payload == payload);
            std::size_t opened_changed = 0;
            for (int i = 0; i < changes; ++i) {
                std::string changed = token;
                std::size_t const bit =
                    changes == 8 * static_cast<int>(token.size()) ? static_cast<std::size_t>(i) : random() % (8 * token.size());
                changed[bit / 8] ^= static_cast<char>(1 << bit % 8);
                opened_changed += bool(open_jws(key, changed));
                opened_changed += bool(open_jws(key, token.substr(0, bit / 8)));
            }
            CHECK(opened_changed == 0);
        }
    };
    check(hs_key(), hs_signer(), 2'000);
    check(rs256{test::rsa_pair().public_pem(), "k"}, rs256_signer{test::rsa_pair().private_pem(), "k"}, 100);
    check(ps384{test::rsa_pair().public_pem()}, ps384_signer{test::rsa_pair().private_pem()}, 50);
    check(es512{test::ec_pair("P-521").public_pem()}, es512_signer{test::ec_pair("P-521").private_pem()}, 20);
    check(ed448{test::ed_pair("ED448").public_pem()}, ed448_signer{test::ed_pair("ED448").private_pem()}, 20);
}

TEST_CASE("open_jws: each bit of a token counts, also the last ones of each part")
{
    std::string const token = sign_jws(hs_signer(), "some payload");
    for (std::size_t bit = 0; bit < 8 * token.size(); ++bit) {
        std::string changed = token;
        changed[bit / 8] ^= static_cast<char>(1 << bit % 8);
        CHECK(!open_jws(hs_key(), changed));
    }
}

TEST_CASE("open_jws: there are three parts, in base64url and nothing else")
{
    std::string const token = sign_jws(hs_signer(), "payload!");
    std::size_t const first = token.find('.'), second = token.rfind('.');
    std::string const head = token.substr(0, first), payload = token.substr(first + 1, second - first - 1),
                      signature = token.substr(second + 1);
    using enum token_fault;
    auto const of = [](std::string const& t) { return open_jws(hs_key(), t).fault; };
    CHECK(of(token) == none);
    for (std::string const& bad : {std::string(), "."s + "", ".."s, "..."s, head, head + "." + payload, token + ".",
                                   token + "." + signature, "." + token, head + ".." + payload + "." + signature})
        CHECK(of(bad) != none);
    CHECK(of(head + "." + payload + ".") == wrong_signature);
    CHECK(of(head + "." + payload + "." + signature + "=") == malformed);
    CHECK(of(head + "=." + payload + "." + signature) == malformed);
    CHECK(of(head + "." + payload + "." + signature + "\n") == malformed);
    CHECK(of(" " + token) == malformed);
    CHECK(of(head + "." + payload + "." + signature + "A") != none);
    CHECK(of(head + "." + payload + "." + signature + "AAAA") == wrong_signature);
    CHECK(open_jws(hs_key(), token, {.max_bytes = token.size() - 1}).fault == too_long);
    CHECK(open_jws(hs_key(), token, {.max_bytes = token.size()}));
    CHECK(of(R"({"payload":"cGF5bG9hZA","protected":"eyJhbGciOiJIUzI1NiJ9","signature":"AAAA"})") == malformed);
    // Not even if they were signed: a payload that is not base64url, in a token whose signature is right.
    std::string const odd = head + ".a+b/";
    CHECK(of(odd + "." + to_base64url(hs_signer().sign(odd))) == malformed);
}

TEST_CASE("open_jws: a header is a strict object of at most 4 KiB, its members have their types")
{
    using enum token_fault;
    CHECK(of_header(R"({"alg":"HS256"})") == none);
    CHECK(of_header(R"({ "alg" : "HS256", "x": [1, {"y": null}] })") == none);
    for (char const* bad : {"",
                            "{}",
                            "[]",
                            "\"HS256\"",
                            R"({"alg":"HS256")",
                            R"({"alg":"HS256"} x)",
                            R"({"alg":"HS256","alg":"HS256"})",
                            R"({"alg":"none","\u0061lg":"HS256"})",
                            R"({"alg":256})",
                            R"({"alg":null})",
                            R"({"alg":["HS256"]})",
                            R"({"typ":"JWT"})",
                            R"({"alg":"HS256","typ":7})",
                            R"({"alg":"HS256","cty":[]})",
                            R"({"alg":"HS256","kid":7})",
                            R"({"alg":"HS256","kid":null})",
                            R"({"alg":"HS256","kid":{"kid":1}})",
                            R"({"alg":"HS256","kid":""})",
                            R"({"alg":"HS256","kid":"a\u0000b"})",
                            R"({"alg":"HS256","kid":"a\r\nb"})",
                            R"({"alg":"HS256","b64":"false"})",
                            "{\"alg\":\"HS256\",\"x\":\"\xff\"}"})
        CHECK(of_header(bad) == bad_header);
    CHECK(of_header(R"({"alg":"HS256","kid":")" + std::string(256, 'k') + "\"}") == none);
    CHECK(of_header(R"({"alg":"HS256","kid":")" + std::string(257, 'k') + "\"}") == bad_header);
    CHECK(of_header(R"({"alg":"HS256","x":")" + std::string(4096, 'x') + "\"}") == bad_header);
    CHECK(of_header(R"({"alg":"HS256","x":)" + std::string(9, '[') + std::string(9, ']') + "}") == bad_header);
}

TEST_CASE("open_jws: none is no algorithm in any spelling, with or without a signature")
{
    for (char const* name :
         {"none", "None", "NONE", "nOnE", "none ", " none", "", "null", "HS256 ", "hs256", "HS 256", "HS256\\u0000", "HS1", "no\\u006ee"}) {
        std::string const head = std::string(R"({"alg":")") + name + "\"}";
        CHECK(of_header(head) == token_fault::wrong_algorithm);
        std::string const bare = to_base64url(head) + '.' + to_base64url("payload") + '.';
        CHECK(open_jws(hs_key(), bare).fault == token_fault::wrong_algorithm);
    }
}

TEST_CASE("open_jws: a critical extension that is not understood refuses, and so does a list that is none")
{
    using enum token_fault;
    for (char const* bad : {"[]", "{}", "null", "\"b64\"", "true", "[1]", R"(["exp"])", R"(["x"])", R"(["alg"])", R"(["b64"])",
                            R"(["b64","b64"])", R"(["b64","x"])", R"([["b64"]])"})
        CHECK(of_header(std::string(R"({"alg":"HS256","x":1,"exp":1,"crit":)") + bad + "}") == critical);
    CHECK(of_header(R"({"alg":"HS256","crit":["b64"],"b64":true})") == none);
    CHECK(of_header(R"({"alg":"HS256","crit":["b64","b64"],"b64":true})") == critical);
    CHECK(of_header(R"({"alg":"HS256","crit":["x"],"b64":true})") == critical);
    CHECK(of_header(R"({"alg":"HS256","b64":true})") == none);
    CHECK(of_header(R"({"alg":"HS256","b64":false})") == critical); // RFC 7797 section 6
}

TEST_CASE("open_jws: the public key in whatever encoding is no secret")
{
    // The attack: a verifier that takes the algorithm from the header hashes with what it has, and everybody has that.
    auto const attack = [](jws_key const& key, test::key_pair const& pair) {
        std::string const pem = pair.public_pem(), der = pair.public_der();
        std::string const base64 = pem.substr(27, pem.find("-----END") - 27);
        std::string one_line;
        for (char c : base64)
            if (c != '\n') one_line += c;
        std::string const point = der.substr(der.size() - 32), jwk = R"({"kty":"EC","crv":"P-256","x":")" + to_base64url(point) + "\"}";
        for (std::string const& known : {pem, pem.substr(0, pem.size() - 1), der, base64, one_line, pair.certificate_pem(), to_hex(der),
                                         to_base64url(der), point, jwk, R"({"keys":[)" + jwk + "]}", std::string("\0", 1)}) {
            auto const* const digest = EVP_sha256();
            for (std::string_view const name : {std::string_view("HS256"), to_string(key.algorithm())}) {
                std::string const input = to_base64url("{\"alg\":\"" + std::string(name) + "\"}") + '.' + to_base64url("payload");
                detail::prepared_hmac const mac(digest, known);
                std::array<std::byte, 64> code;
                byte_view const piece = input;
                mac({&piece, 1}, code.data());
                CHECK(!open_jws(key, input + '.' + to_base64url(std::span(code.data(), 32))));
            }
        }
    };
    attack(rs256{test::rsa_pair().public_pem()}, test::rsa_pair());
    attack(es256{test::ec_pair("P-256").public_pem()}, test::ec_pair("P-256"));
    attack(ed25519{test::ed_pair("ED25519").public_pem()}, test::ed_pair("ED25519"));
}

TEST_CASE("open_jws: a key that comes in the header is not used, nor fetched")
{
    constexpr std::string_view own = R"({"kty":"oct","k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"})";
    jws_signer const attacker = read_signing_jwk(secret<>(own), jws_algorithm::hs256);
    for (char const* member : {R"("jwk":{"kty":"oct","k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"})",
                               R"("jku":"http://127.0.0.1/keys")", R"("x5u":"http://127.0.0.1/cert")", R"("x5c":["MIIB"])"}) {
        std::string const head = std::string(R"({"alg":"HS256",)") + member + "}";
        CHECK(open_jws(hs_key(), forged(attacker, head)).fault == token_fault::wrong_signature);
        CHECK(of_header(head) == token_fault::none); // who has the key may say so
    }
}

TEST_CASE("open_jws: a name of a key is compared, not interpreted")
{
    hs256 const key{secret<>(test::long_secret), "main"};
    hs256_signer const signer{secret<>(test::long_secret)};
    for (char const* kid : {"../../../../dev/null", "main' OR '1'='1", "main;ls", "Main", "main ", "$(id)", "%00", "main\\u007f"})
        CHECK(open_jws(key, forged(signer, std::string(R"({"alg":"HS256","kid":")") + kid + "\"}")).fault != token_fault::none);
    CHECK(open_jws(key, forged(signer, R"({"alg":"HS256","kid":"ma\u0069n"})")));
    CHECK(open_jws(key, forged(signer, R"({"alg":"HS256"})")).fault == token_fault::unknown_key);
}
