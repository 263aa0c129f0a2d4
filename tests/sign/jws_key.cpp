// SPDX-License-Identifier: BSL-1.0
#include "keys.hpp"

#include <weir/sign/jws_key.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <vector>

namespace {

using weir::secret;

static_assert(!std::is_copy_constructible_v<weir::jws_key> && std::is_move_constructible_v<weir::jws_key>);
static_assert(!std::is_constructible_v<weir::rs256, secret<>> && !std::is_constructible_v<weir::hs256, std::string_view>,
              "a secret is no public key, and a public key no secret");
static_assert(!std::is_constructible_v<weir::rs256_signer, std::string_view>, "a private key is a secret");

template<class Make>
std::string refusal(Make make)
{
    try {
        (void)make();
    } catch (std::invalid_argument const& e) {
        return e.what();
    }
    return "taken";
}

/// One pair for each algorithm that has pairs: `f(verifier, signer)`.
template<class F>
void each_pair(F f)
{
    using namespace weir;
    auto const secret_key = [] { return secret<>(test::long_secret); };
    f(hs256{secret_key()}, hs256_signer{secret_key()});
    f(hs384{secret_key()}, hs384_signer{secret_key()});
    f(hs512{secret_key()}, hs512_signer{secret_key()});
    auto const both = [&]<class Verifier, class Signer>(std::type_identity<Verifier>, std::type_identity<Signer>,
                                                        test::key_pair const& pair) {
        f(Verifier{pair.public_pem()}, Signer{pair.private_pem()});
    };
    both(std::type_identity<rs256>(), std::type_identity<rs256_signer>(), test::rsa_pair());
    both(std::type_identity<rs384>(), std::type_identity<rs384_signer>(), test::rsa_pair());
    both(std::type_identity<rs512>(), std::type_identity<rs512_signer>(), test::rsa_pair());
    both(std::type_identity<ps256>(), std::type_identity<ps256_signer>(), test::rsa_pair());
    both(std::type_identity<ps384>(), std::type_identity<ps384_signer>(), test::rsa_pair());
    both(std::type_identity<ps512>(), std::type_identity<ps512_signer>(), test::rsa_pair());
    both(std::type_identity<es256>(), std::type_identity<es256_signer>(), test::ec_pair("P-256"));
    both(std::type_identity<es384>(), std::type_identity<es384_signer>(), test::ec_pair("P-384"));
    both(std::type_identity<es512>(), std::type_identity<es512_signer>(), test::ec_pair("P-521"));
    both(std::type_identity<ed25519>(), std::type_identity<ed25519_signer>(), test::ed_pair("ED25519"));
    both(std::type_identity<ed448>(), std::type_identity<ed448_signer>(), test::ed_pair("ED448"));
}

} // namespace

TEST_CASE("jws_key: what a key signs its other half verifies, in pieces or whole, and no other message or signature")
{
    each_pair([](weir::jws_key const& verifier, weir::jws_signer const& signer) {
        CAPTURE(to_string(signer.algorithm()));
        REQUIRE(verifier.algorithm() == signer.algorithm());
        for (int i = 0; i < 8; ++i) { // of ECDSA numbers now and then one is shorter
            std::string const message(static_cast<std::size_t>(i * 17), 'm');
            std::string const signature = signer.sign(message);
            CHECK(verifier.verify(message, signature));
            std::vector<weir::byte_view> const pieces{std::string_view(message).substr(0, message.size() / 2),
                                                      std::string_view(message).substr(message.size() / 2)};
            CHECK(verifier.verify(pieces, signature));
            CHECK(!verifier.verify(message + "x", signature));
            CHECK(!verifier.verify(message, ""));
            CHECK(!verifier.verify(message, signature + '\0'));
            CHECK(!verifier.verify(message, std::string_view(signature).substr(1)));
            std::string changed = signature;
            changed[changed.size() * static_cast<std::size_t>(i) / 8] ^= static_cast<char>(1 << i);
            CHECK(!verifier.verify(message, changed));
            CHECK(!verifier.verify(message, std::string(signature.size(), '\0')));
            CHECK(!verifier.verify(message, std::string(signature.size(), '\xff')));
        }
    });
}

TEST_CASE("jws_key: of all algorithms only its own verifies, whatever the key they share")
{
    std::vector<std::string> signatures;
    each_pair([&](weir::jws_key const&, weir::jws_signer const& signer) { signatures.push_back(signer.sign("message")); });
    std::size_t own = 0;
    each_pair([&](weir::jws_key const& verifier, weir::jws_signer const&) {
        for (std::size_t i = 0; i < signatures.size(); ++i) CHECK(verifier.verify("message", signatures[i]) == (i == own));
        ++own;
    });
    CHECK(own == 14);
}

TEST_CASE("jws_key: an ECDSA signature in DER is none, nor one with numbers that are zero or the group's order")
{
    weir::es256 const key{test::ec_pair("P-256").public_pem()};
    std::string const zero(32, '\0'), one = zero.substr(1) + '\1';
    std::string const order = "\xff\xff\xff\xff" + std::string(4, '\0') +
                              "\xff\xff\xff\xff\xff\xff\xff\xff\xbc\xe6\xfa\xad\xa7\x17\x9e\x84\xf3\xb9\xca\xc2\xfc\x63\x25\x51";
    for (auto const& r : {zero, one, order, std::string(32, '\xff')})
        for (auto const& s : {zero, one, order, std::string(32, '\xff')}) CHECK(!key.verify("message", r + s));
    weir::es256_signer const signer{test::ec_pair("P-256").private_pem()};
    std::string const good = signer.sign("message");
    std::string const der = "\x30\x44\x02\x20" + good.substr(0, 32) + "\x02\x20" + good.substr(32);
    CHECK(!key.verify("message", der));
}

TEST_CASE("jws_key: a key is of the algorithm's kind, size and curve, or a sentence says what was expected")
{
    using namespace weir;
    test::key_pair const small(EVP_RSA_gen(1024));
    CHECK(refusal([&] { return rs256{small.public_pem()}; }) == "key: expected RS256: an RSA key of 2048 to 16384 bits, got 1024");
    CHECK(refusal([&] { return ps512_signer{small.private_pem()}; }) == "key: expected PS512: an RSA key of 2048 to 16384 bits, got 1024");
    CHECK(refusal([] { return rs256{test::ec_pair("P-256").public_pem()}; }) == "key: expected RS256: an RSA key");
    CHECK(refusal([] { return es256{test::ec_pair("P-384").public_pem()}; }) == "key: expected ES256: a key on the curve P-256");
    CHECK(refusal([] { return es512{test::rsa_pair().public_pem()}; }) == "key: expected ES512: a key on the curve P-521");
    CHECK(refusal([] { return ed25519{test::ed_pair("ED448").public_pem()}; }) == "key: expected EdDSA: a key on the curve Ed25519");
    CHECK(refusal([] { return rs256{""}; }) == "key: expected PEM: a text with a line \"-----BEGIN ...-----\"");
    CHECK(refusal([] { return rs256{"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"}; }) ==
          "key: expected a public key in PEM that can be read");
    secret<> const held = test::rsa_pair().private_pem();
    std::string const private_pem = held.reveal();
    CHECK(refusal([&] { return rs256{private_pem}; }) ==
          "key: expected a public key or a certificate in PEM, not a private key, which only who signs may have");
    CHECK(refusal([] { return rs256_signer{secret<>(test::rsa_pair().public_pem())}; }) == "key: expected a private key in PEM");
    CHECK(refusal([] { return rs256{test::rsa_pair().public_pem(), "a\nb"}; }) == "kid: expected 1 to 256 printable characters of ASCII");
    CHECK(refusal([] { return rs256{test::rsa_pair().public_pem(), std::string(257, 'k')}; }).starts_with("kid: "));
    // The curve that P-256 is not.
    test::key_pair const other(EVP_EC_gen("secp256k1"));
    CHECK(refusal([&] { return es256{other.public_pem()}; }) == "key: expected ES256: a key on the curve P-256");
}

TEST_CASE("jws_key: a secret is as long as the digest, and never the text of a public key")
{
    using namespace weir;
    CHECK(refusal([] { return hs256{secret<>(std::string(31, 's'))}; }) == "key: expected HS256: a secret of 32 bytes or more");
    CHECK(refusal([] { return hs384{secret<>(std::string(47, 's'))}; }) == "key: expected HS384: a secret of 48 bytes or more");
    CHECK(refusal([] { return hs512_signer{secret<>(std::string(63, 's'))}; }) == "key: expected HS512: a secret of 64 bytes or more");
    CHECK(refusal([] { return hs256{secret<>()}; }) == "key: expected HS256: a secret of 32 bytes or more");
    CHECK(refusal([] { return hs256{secret<>(std::string(32, 's'))}; }) == "taken");
    CHECK(refusal([] { return hs256{secret<>(test::rsa_pair().public_pem())}; }) ==
          "key: expected HS256: a secret, not the text of a key in PEM or JWK");
    CHECK(refusal([] { return hs256{secret<>(test::rsa_pair().certificate_pem())}; }) ==
          "key: expected HS256: a secret, not the text of a key in PEM or JWK");
    CHECK(refusal([] { return hs256{secret<>(R"({"kty":"RSA","n":"AAAAAAAAAAAAAAAAAAAA","e":"AQAB"})")}; }) ==
          "key: expected HS256: a secret, not the text of a key in PEM or JWK");
}

TEST_CASE("jws_key: keys come from certificates, encrypted PEM and PKCS#12 alike")
{
    using namespace weir;
    for (test::key_pair const* pair : {&test::rsa_pair(), &test::ec_pair("P-256")}) {
        bool const rsa = pair == &test::rsa_pair();
        std::string const file = pair->pkcs12_file("open sesame");
        auto const source = [&](char const* word) { return pkcs12{file, secret<>(word)}; };
        auto const check = [](jws_key const& verifier, jws_signer const& signer) {
            CHECK(verifier.verify("message", signer.sign("message")));
        };
        if (rsa) {
            check(rs256{pair->certificate_pem()}, rs256_signer{pair->private_pem("word"), "", secret<>("word")});
            check(rs256{source("open sesame")}, rs256_signer{source("open sesame")});
            CHECK(refusal([&] { return rs256{source("wrong")}; }) == "key: expected the right password of the PKCS#12 file");
            CHECK(refusal([&] { return es256_signer{source("open sesame")}; }) == "key: expected ES256: a key on the curve P-256");
            CHECK(refusal([&] {
                      return rs256_signer{pair->private_pem("word"), "", secret<>("wrong")};
                  }) == "key: expected a private key in PEM that can be read, and the right password if it is encrypted");
            CHECK(refusal([&] {
                      return rs256_signer{pair->private_pem("word")};
                  }).starts_with("key: expected a private key in PEM that can be read"));
        } else {
            check(es256{pair->certificate_pem()}, es256_signer{pair->private_pem("word"), "", secret<>("word")});
            check(es256{source("open sesame")}, es256_signer{source("open sesame")});
        }
        CHECK(refusal([&] { return rs256{pkcs12{"no file", secret<>("")}}; }) == "key: expected a PKCS#12 file");
    }
}

TEST_CASE("jws_key: a private key stands behind the parameters of its curve, and not behind anything else")
{
    std::string const curve = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
    weir::secret<> const held = test::ec_pair("P-256").private_pem();
    weir::es256_signer const signer{weir::secret<>(curve + held.reveal())};
    CHECK(weir::es256{test::ec_pair("P-256").public_pem()}.verify("message", signer.sign("message")));
    CHECK(refusal([&] { return weir::es256_signer{weir::secret<>(curve)}; }) ==
          "key: expected PEM: a text with a line \"-----BEGIN ...-----\"");
    CHECK(refusal([&] { return weir::es256_signer{weir::secret<>(test::ec_pair("P-256").certificate_pem() + held.reveal())}; }) ==
          "key: expected a private key in PEM");
}

TEST_CASE("jws_key: a key with a name answers to it alone, one without to any")
{
    weir::hs256 const named{weir::secret<>(test::long_secret), "a"}, unnamed{weir::secret<>(test::long_secret)};
    CHECK(named.find("a") == &named);
    CHECK(named.find("b") == nullptr);
    CHECK(named.find({}) == nullptr);
    CHECK(unnamed.find("b") == &unnamed);
    CHECK(unnamed.find({}) == &unnamed);
}

TEST_CASE("jws_key: many threads use one key at once")
{
    weir::ps256 const verifier{test::rsa_pair().public_pem()};
    weir::es256 const other{test::ec_pair("P-256").public_pem()};
    weir::es256_signer const signer{test::ec_pair("P-256").private_pem()};
    std::string const signature = weir::ps256_signer{test::rsa_pair().private_pem()}.sign("message");
    std::atomic<int> wrong{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&] {
            for (int i = 0; i < 20; ++i) {
                wrong += !verifier.verify("message", signature) + verifier.verify("massage", signature);
                wrong += !other.verify("message", signer.sign("message"));
            }
        });
    for (auto& t : threads) t.join();
    CHECK(wrong == 0);
}
