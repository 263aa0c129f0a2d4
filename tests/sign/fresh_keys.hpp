// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/sign/signature_key.hpp>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <memory>
#include <stdexcept>
#include <string>

namespace weir_tests {

struct pem_pair {
    std::string private_key, public_key;
};

/// A fresh pair of keys as PEM: nothing that looks like a private key stands in the project.
inline pem_pair fresh_pair(EVP_PKEY* made)
{
    weir::detail::pkey const key(made);
    if (key == nullptr) throw std::runtime_error("OpenSSL made no key");
    struct closer {
        void operator()(BIO* b) const noexcept { BIO_free(b); }
    };
    auto const text = [&](auto write) {
        std::unique_ptr<BIO, closer> const out(BIO_new(BIO_s_mem()));
        write(out.get());
        char* data = nullptr;
        long const size = BIO_get_mem_data(out.get(), &data);
        return std::string(data, static_cast<std::size_t>(size));
    };
    return {text([&](BIO* b) { PEM_write_bio_PrivateKey(b, key.get(), nullptr, nullptr, 0, nullptr, nullptr); }),
            text([&](BIO* b) { PEM_write_bio_PUBKEY(b, key.get()); })};
}

inline pem_pair const& fresh_pair(weir::signature_algorithm a)
{
    using enum weir::signature_algorithm;
    static pem_pair const rsa = fresh_pair(EVP_RSA_gen(2048)), p256 = fresh_pair(EVP_EC_gen("P-256")),
                          p384 = fresh_pair(EVP_EC_gen("P-384")), ed = fresh_pair(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
    return a == ecdsa_p256_sha256 ? p256 : a == ecdsa_p384_sha384 ? p384 : a == ed25519 ? ed : rsa;
}

} // namespace weir_tests
