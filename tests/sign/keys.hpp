// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/sign/byte_view.hpp>
#include <weir/sign/secret.hpp>

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <functional>
#include <memory>
#include <string>

namespace test {

/// A key pair made for the run, as files have it.
class key_pair {
public:
    explicit key_pair(EVP_PKEY* made) : key_(made, &EVP_PKEY_free) {}

    [[nodiscard]] EVP_PKEY* get() const noexcept { return key_.get(); }
    [[nodiscard]] std::string public_pem() const
    {
        return written([&](BIO* to) { PEM_write_bio_PUBKEY(to, key_.get()); });
    }
    [[nodiscard]] weir::secret<> private_pem(std::string const& password = {}) const
    {
        auto const* const word = password.empty() ? nullptr : reinterpret_cast<unsigned char const*>(password.data());
        return weir::secret<>(written([&](BIO* to) {
            PEM_write_bio_PrivateKey(to, key_.get(), word == nullptr ? nullptr : EVP_aes_128_cbc(), word, static_cast<int>(password.size()),
                                     nullptr, nullptr);
        }));
    }
    /// The public key in DER.
    [[nodiscard]] std::string public_der() const
    {
        return written([&](BIO* to) { i2d_PUBKEY_bio(to, key_.get()); });
    }
    [[nodiscard]] std::string certificate_pem() const
    {
        auto const made = certificate();
        return written([&](BIO* to) { PEM_write_bio_X509(to, made.get()); });
    }
    [[nodiscard]] std::string pkcs12_file(char const* password) const
    {
        auto const made = certificate();
        std::unique_ptr<PKCS12, decltype(&PKCS12_free)> const file(
            PKCS12_create(password, "key", key_.get(), made.get(), nullptr, 0, 0, 2048, 1, 0), &PKCS12_free);
        return written([&](BIO* to) { i2d_PKCS12_bio(to, file.get()); });
    }

private:
    std::unique_ptr<X509, decltype(&X509_free)> certificate() const
    {
        std::unique_ptr<X509, decltype(&X509_free)> made(X509_new(), &X509_free);
        ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 1);
        X509_gmtime_adj(X509_getm_notBefore(made.get()), 0);
        X509_gmtime_adj(X509_getm_notAfter(made.get()), 3600);
        X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", MBSTRING_ASC,
                                   reinterpret_cast<unsigned char const*>("weir.test"), -1, -1, 0);
        X509_set_issuer_name(made.get(), X509_get_subject_name(made.get()));
        X509_set_pubkey(made.get(), key_.get());
        X509_sign(made.get(), key_.get(), EVP_sha256());
        return made;
    }
    static std::string written(std::function<void(BIO*)> const& write)
    {
        std::unique_ptr<BIO, decltype(&BIO_free)> const to(BIO_new(BIO_s_mem()), &BIO_free);
        write(to.get());
        char* at = nullptr;
        long const size = BIO_get_mem_data(to.get(), &at);
        return std::string(at, static_cast<std::size_t>(size));
    }

    std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_;
};

/// One of each kind for all tests of the program: making an RSA key takes long.
inline key_pair const& rsa_pair()
{
    static key_pair const made(EVP_RSA_gen(2048));
    return made;
}
inline key_pair const& ec_pair(char const* curve)
{
    static key_pair const p256(EVP_EC_gen("P-256")), p384(EVP_EC_gen("P-384")), p521(EVP_EC_gen("P-521"));
    return curve[2] == '2' ? p256 : curve[2] == '3' ? p384 : p521;
}
inline key_pair const& ed_pair(char const* curve)
{
    static key_pair const small(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")), large(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED448"));
    return curve[2] == '2' ? small : large;
}

inline constexpr char const* long_secret = "a secret of sixty-four bytes, which is what all of HMAC are happy with";

} // namespace test
