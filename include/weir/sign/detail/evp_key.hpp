// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/sign/byte_view.hpp>
#include <weir/sign/detail/evp.hpp>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/decoder.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace weir::inline v0::detail {

struct pkey_deleter {
    void operator()(EVP_PKEY* p) const noexcept { EVP_PKEY_free(p); }
    void operator()(OSSL_DECODER_CTX* p) const noexcept { OSSL_DECODER_CTX_free(p); }
    void operator()(ECDSA_SIG* p) const noexcept { ECDSA_SIG_free(p); }
    void operator()(BIGNUM* p) const noexcept { BN_free(p); }
};
using pkey_handle = std::unique_ptr<EVP_PKEY, pkey_deleter>;

/// The key in a PEM text: private if it says so, else public. Null if there is none. One that is encrypted is none: nobody is asked for a password.
inline pkey_handle read_pem_key(std::string_view pem, bool is_private)
{
    EVP_PKEY* found = nullptr;
    std::unique_ptr<OSSL_DECODER_CTX, pkey_deleter> const decoder(OSSL_DECODER_CTX_new_for_pkey(
        &found, "PEM", nullptr, nullptr, is_private ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, nullptr, nullptr));
    if (decoder == nullptr) throw_openssl_error("making a decoder for PEM");
    auto const* data = reinterpret_cast<unsigned char const*>(pem.data());
    std::size_t size = pem.size();
    bool const good = OSSL_DECODER_from_data(decoder.get(), &data, &size) == 1;
    pkey_handle made(found);
    ERR_clear_error();
    return good ? std::move(made) : nullptr;
}

/// How an asymmetric key signs.
struct pkey_scheme {
    char const* digest;         ///< null for Ed25519
    bool pss = false;           ///< RSASSA-PSS; the salt is as long as the digest
    std::size_t ecdsa_half = 0; ///< bytes of r and of s in the fixed form; 0 if it is not ECDSA
};

template<class Init>
digest_context start_pkey(Init init, EVP_PKEY* key, pkey_scheme const& s)
{
    digest_context context = make_digest_context();
    EVP_PKEY_CTX* parameters = nullptr;
    check_openssl(init(context.get(), &parameters, s.digest, nullptr, nullptr, key, nullptr), "starting a signature");
    if (s.pss) {
        check_openssl(EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING), "choosing PSS");
        check_openssl(EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST), "choosing the salt's length");
    }
    return context;
}

/// r and s, one behind the other (as RFC 9421 has them), from DER.
inline std::string fixed_ecdsa(std::string_view der, std::size_t half)
{
    auto const* p = reinterpret_cast<unsigned char const*>(der.data());
    std::unique_ptr<ECDSA_SIG, pkey_deleter> const signature(d2i_ECDSA_SIG(nullptr, &p, static_cast<long>(der.size())));
    if (signature == nullptr) throw_openssl_error("reading an ECDSA signature");
    std::string out(2 * half, '\0');
    auto* const to = reinterpret_cast<unsigned char*>(out.data());
    int const size = static_cast<int>(half);
    if (BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), to, size) < 0 ||
        BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), to + half, size) < 0)
        throw_openssl_error("writing an ECDSA signature");
    return out;
}
/// DER from r and s, one behind the other, each of exactly its length.
inline std::string der_ecdsa(byte_view fixed)
{
    int const half = static_cast<int>(fixed.size() / 2);
    auto const* const from = reinterpret_cast<unsigned char const*>(fixed.data());
    std::unique_ptr<ECDSA_SIG, pkey_deleter> const signature(ECDSA_SIG_new());
    std::unique_ptr<BIGNUM, pkey_deleter> r(BN_bin2bn(from, half, nullptr)), s(BN_bin2bn(from + half, half, nullptr));
    if (signature == nullptr || r == nullptr || s == nullptr) throw_openssl_error("reading an ECDSA signature");
    check_openssl(ECDSA_SIG_set0(signature.get(), r.get(), s.get()), "reading an ECDSA signature");
    (void)r.release();
    (void)s.release();
    std::array<unsigned char, 160> der{};
    unsigned char* p = der.data();
    int const size = i2d_ECDSA_SIG(signature.get(), nullptr);
    if (size <= 0 || static_cast<std::size_t>(size) > der.size()) throw_openssl_error("writing an ECDSA signature");
    i2d_ECDSA_SIG(signature.get(), &p);
    return {reinterpret_cast<char const*>(der.data()), static_cast<std::size_t>(size)};
}

inline std::string pkey_sign(EVP_PKEY* key, pkey_scheme const& s, byte_view message)
{
    digest_context const context = start_pkey(EVP_DigestSignInit_ex, key, s);
    auto const* const data = reinterpret_cast<unsigned char const*>(message.data());
    std::size_t size = 0;
    check_openssl(EVP_DigestSign(context.get(), nullptr, &size, data, message.size()), "signing");
    std::string out(size, '\0');
    check_openssl(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size, data, message.size()), "signing");
    out.resize(size);
    return s.ecdsa_half != 0 ? fixed_ecdsa(out, s.ecdsa_half) : out;
}

/// Whether the signature is that of the message. One of a wrong length or form is not, and leaves nothing in OpenSSL's list of errors.
inline bool pkey_verify(EVP_PKEY* key, pkey_scheme const& s, byte_view message, byte_view signature)
{
    if (s.ecdsa_half != 0 && signature.size() != 2 * s.ecdsa_half) return false;
    std::string const der = s.ecdsa_half != 0 ? der_ecdsa(signature) : std::string();
    byte_view const given = s.ecdsa_half != 0 ? byte_view(der) : signature;
    digest_context const context = start_pkey(EVP_DigestVerifyInit_ex, key, s);
    bool const right = EVP_DigestVerify(context.get(), reinterpret_cast<unsigned char const*>(given.data()), given.size(),
                                        reinterpret_cast<unsigned char const*>(message.data()), message.size()) == 1;
    if (!right) ERR_clear_error();
    return right;
}

} // namespace weir::inline v0::detail
