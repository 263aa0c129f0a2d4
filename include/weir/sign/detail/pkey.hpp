// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/detail/owner.hpp>
#include <weir/core/options.hpp>
#include <weir/sign/byte_view.hpp>
#include <weir/sign/detail/evp.hpp>
#include <weir/sign/jws_algorithm.hpp>
#include <weir/sign/secret.hpp>

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>

namespace weir::inline v0::detail {

struct pkey_deleter {
    void operator()(EVP_PKEY* p) const noexcept { EVP_PKEY_free(p); }
    void operator()(EVP_PKEY_CTX* p) const noexcept { EVP_PKEY_CTX_free(p); }
    void operator()(BIO* p) const noexcept { BIO_free(p); }
    void operator()(X509* p) const noexcept { X509_free(p); }
    void operator()(PKCS12* p) const noexcept { PKCS12_free(p); }
};
using pkey = owner<EVP_PKEY, pkey_deleter>;
using pkey_context = owner<EVP_PKEY_CTX, pkey_deleter>;

/// Which half of a key pair.
enum class key_half : bool { public_key, private_key };

/// Throws `std::invalid_argument`: `"key: expected ..., got ..."`, for keys are options; what OpenSSL thinks of it is left out.
[[noreturn]] inline void throw_bad_key(std::string_view expected)
{
    ERR_clear_error();
    expect(false, "key", expected);
    throw std::invalid_argument("key"); // not reached
}
inline void expect_key(bool good, std::string_view expected)
{
    if (!good) throw_bad_key(expected);
}

/// A password for PEM; never a question on the terminal, which is what OpenSSL does when it has none.
inline int give_password(char* out, int room, int, void* from)
{
    auto const& password = *static_cast<std::string_view const*>(from);
    if (password.empty() || password.size() > static_cast<std::size_t>(room)) return -1;
    std::memcpy(out, password.data(), password.size());
    return static_cast<int>(password.size());
}

inline pkey public_key_of(X509* certificate)
{
    pkey key(X509_get_pubkey(certificate));
    expect_key(key != nullptr, "a certificate with a public key that is understood");
    return key;
}

/// Reads the first block of a PEM text (RFC 7468): `PUBLIC KEY`, `RSA PUBLIC KEY` or `CERTIFICATE`; or one of the `PRIVATE KEY`s. An
/// `EC PARAMETERS` before it, which `openssl ecparam` writes, is passed over: the key names its curve itself.
inline pkey read_pem(std::string_view text, key_half half, std::string_view password = {})
{
    constexpr std::string_view curve = "-----BEGIN EC PARAMETERS-----";
    std::size_t begin = text.find("-----BEGIN ");
    if (begin != text.npos && text.substr(begin).starts_with(curve)) begin = text.find("-----BEGIN ", begin + curve.size());
    expect_key(begin != text.npos, "PEM: a text with a line \"-----BEGIN ...-----\"");
    std::string_view label = text.substr(begin + 11);
    label = label.substr(0, label.find("-----"));
    bool const is_private = label.ends_with("PRIVATE KEY");
    if (half == key_half::public_key)
        expect_key(!is_private, "a public key or a certificate in PEM, not a private key, which only who signs may have");
    else
        expect_key(is_private, "a private key in PEM");

    owner<BIO, pkey_deleter> const from(BIO_new_mem_buf(text.data() + begin, static_cast<int>(text.size() - begin)));
    if (from == nullptr) throw_openssl_error("reading PEM");
    if (label == "CERTIFICATE") {
        owner<X509, pkey_deleter> const certificate(PEM_read_bio_X509(from.get(), nullptr, give_password, &password));
        expect_key(certificate != nullptr, "a certificate in PEM that can be read");
        return public_key_of(certificate.get());
    }
    pkey key(half == key_half::public_key ? PEM_read_bio_PUBKEY(from.get(), nullptr, give_password, &password)
                                          : PEM_read_bio_PrivateKey(from.get(), nullptr, give_password, &password));
    expect_key(key != nullptr, half == key_half::public_key
                                   ? "a public key in PEM that can be read"
                                   : "a private key in PEM that can be read, and the right password if it is encrypted");
    return key;
}

/// Reads a PKCS#12 file (RFC 7292): the private key, or the public key of its certificate.
inline pkey read_pkcs12(byte_view bytes, key_half half, std::string const& password)
{
    auto const* at = reinterpret_cast<unsigned char const*>(bytes.data());
    owner<PKCS12, pkey_deleter> const file(d2i_PKCS12(nullptr, &at, static_cast<long>(bytes.size())));
    expect_key(file != nullptr, "a PKCS#12 file");
    EVP_PKEY* key = nullptr;
    X509* certificate = nullptr;
    bool const opened = PKCS12_parse(file.get(), password.c_str(), &key, &certificate, nullptr) == 1;
    pkey const private_key(key);
    owner<X509, pkey_deleter> const beside(certificate);
    expect_key(opened, "the right password of the PKCS#12 file");
    if (half == key_half::public_key) {
        expect_key(beside != nullptr, "a PKCS#12 file with a certificate");
        return public_key_of(beside.get());
    }
    expect_key(private_key != nullptr, "a PKCS#12 file with a private key");
    EVP_PKEY_up_ref(private_key.get());
    return pkey(private_key.get());
}

inline bool passes(EVP_PKEY* key, int (*check)(EVP_PKEY_CTX*))
{
    pkey_context const context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
    if (context == nullptr) throw_openssl_error("checking a key");
    bool const good = check(context.get()) == 1;
    ERR_clear_error();
    return good;
}

/// Points of small order, with every encoding that OpenSSL decodes to one: under such a key anybody can sign anything. (J. Brendel, C. Cremers,
/// D. Jackson, M. Zhao, "The Provable Security of Ed25519", S&P 2021, section V.)
inline bool has_small_order(EVP_PKEY* key, jws_algorithm a)
{
    std::array<unsigned char, 57> bytes{};
    std::size_t size = bytes.size();
    if (EVP_PKEY_get_raw_public_key(key, bytes.data(), &size) != 1) return true;
    std::array<unsigned char, 57> y = bytes;
    if (a == jws_algorithm::ed448) { // y of 0, 1 or -1; the last byte holds the sign of x alone
        y[56] &= 0x7f;
        auto const is = [&](unsigned char low, unsigned char rest, unsigned char middle) {
            for (std::size_t i = 1; i < 56; ++i)
                if (y[i] != (i == 28 ? middle : rest)) return false;
            return y[0] == low && y[56] == 0;
        };
        return is(0, 0, 0) || is(1, 0, 0) || is(0xfe, 0xff, 0xfe);
    }
    y[31] &= 0x7f;
    constexpr char bad[][33]{"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
                             "\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
                             "\x26\xe8\x95\x8f\xc2\xb2\x27\xb0\x45\xc3\xf4\x89\xf2\xef\x98\xf0\xd5"
                             "\xdf\xac\x05\xd3\xc6\x33\x39\xb1\x38\x02\x88\x6d\x53\xfc\x05",
                             "\xc7\x17\x6a\x70\x3d\x4d\xd8\x4f\xba\x3c\x0b\x76\x0d\x10\x67\x0f\x2a"
                             "\x20\x53\xfa\x2c\x39\xcc\xc6\x4e\xc7\xfd\x77\x92\xac\x03\x7a",
                             "\xec\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
                             "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
                             "\xed\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
                             "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
                             "\xee\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
                             "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f"};
    for (char const* const b : bad)
        if (std::memcmp(y.data(), b, 32) == 0) return true;
    return false;
}

/// Whether a key is one of the algorithm's: its type, its size or curve, and that it is sound. Throws `std::invalid_argument` with what is wrong.
inline pkey checked(pkey key, jws_algorithm a, key_half half)
{
    jws_facts const& f = facts_of(a);
    std::string const name(f.name);
    switch (f.family) {
    case jws_family::hmac: throw_bad_key("a secret: " + name + " has no key pair");
    case jws_family::rsa_pkcs1:
    case jws_family::rsa_pss: {
        expect_key(EVP_PKEY_is_a(key.get(), "RSA") == 1, name + ": an RSA key");
        int const bits = EVP_PKEY_get_bits(key.get());
        expect_key(bits >= 2048 && bits <= 16384, name + ": an RSA key of 2048 to 16384 bits, got " + std::to_string(bits));
        break;
    }
    case jws_family::ecdsa: {
        std::array<char, 32> group{};
        std::size_t size = 0;
        bool const known =
            EVP_PKEY_is_a(key.get(), "EC") == 1 && EVP_PKEY_get_group_name(key.get(), group.data(), group.size(), &size) == 1;
        std::string_view const wanted = a == jws_algorithm::es256 ? "prime256v1" : a == jws_algorithm::es384 ? "secp384r1" : "secp521r1";
        expect_key(known && std::string_view(group.data(), size) == wanted, name + ": a key on the curve " + std::string(f.crv));
        break;
    }
    case jws_family::eddsa:
        expect_key(EVP_PKEY_is_a(key.get(), a == jws_algorithm::ed25519 ? "ED25519" : "ED448") == 1,
                   name + ": a key on the curve " + std::string(f.crv));
        expect_key(!has_small_order(key.get(), a), name + ": a public key that is not of small order");
        break;
    }
    expect_key(passes(key.get(), EVP_PKEY_public_check), name + ": a sound public key");
    if (half == key_half::private_key)
        expect_key(passes(key.get(), EVP_PKEY_pairwise_check), name + ": a private key that belongs to its public key");
    return key;
}

} // namespace weir::inline v0::detail
