// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/sign/byte_view.hpp>
#include <weir/sign/detail/evp.hpp>
#include <weir/sign/detail/pkey.hpp>
#include <weir/sign/secret.hpp>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace weir::inline v0::detail {

struct cipher_deleter {
    void operator()(EVP_CIPHER_CTX* p) const noexcept { EVP_CIPHER_CTX_free(p); }
};
using cipher_context = owner<EVP_CIPHER_CTX, cipher_deleter>;

inline constexpr std::size_t gcm_iv_size = 12, gcm_tag_size = 16;

inline unsigned char const* octets(byte_view b) noexcept
{
    return reinterpret_cast<unsigned char const*>(b.data());
}
inline unsigned char* octets(std::string& s) noexcept
{
    return reinterpret_cast<unsigned char*>(s.data());
}
inline EVP_CIPHER const* gcm_of(secret<> const& key) noexcept
{
    return key.size() == 16 ? EVP_aes_128_gcm() : EVP_aes_256_gcm();
}

inline std::string random_octets(std::size_t size)
{
    std::string made(size, '\0');
    check_openssl(RAND_bytes(octets(made), static_cast<int>(size)), "drawing random bytes");
    return made;
}

/// AES-GCM of 16 or 32 bytes of key (RFC 7518 section 5.3): the text behind it in `into`. False if it is not that which was sealed.
inline bool open_gcm(secret<> const& key, byte_view iv, byte_view aad, byte_view text, byte_view tag, secret<>& into)
{
    cipher_context const context(EVP_CIPHER_CTX_new());
    if (context == nullptr) throw_openssl_error("making a cipher context");
    std::string plain(text.size(), '\0');
    std::string mark(tag.text());
    unsigned char rest[16];
    int size = 0;
    bool good = EVP_DecryptInit_ex(context.get(), gcm_of(key), nullptr, octets(key.reveal()), octets(iv)) == 1 &&
                EVP_DecryptUpdate(context.get(), nullptr, &size, octets(aad), static_cast<int>(aad.size())) == 1;
    if (text.size() != 0)
        good = good && EVP_DecryptUpdate(context.get(), octets(plain), &size, octets(text), static_cast<int>(text.size())) == 1;
    good = good && EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, static_cast<int>(mark.size()), mark.data()) == 1 &&
           EVP_DecryptFinal_ex(context.get(), rest, &size) == 1;
    secret<> opened(std::move(plain)); // what was not authentic is overwritten, too
    if (good)
        into = std::move(opened);
    else
        ERR_clear_error();
    return good;
}
/// The same the other way: the sealed text, and the tag in `tag`.
inline std::string seal_gcm(secret<> const& key, byte_view iv, byte_view aad, byte_view text, std::string& tag)
{
    cipher_context const context(EVP_CIPHER_CTX_new());
    if (context == nullptr) throw_openssl_error("making a cipher context");
    std::string sealed(text.size(), '\0');
    tag.resize(gcm_tag_size);
    unsigned char rest[16];
    int size = 0;
    bool good = EVP_EncryptInit_ex(context.get(), gcm_of(key), nullptr, octets(key.reveal()), octets(iv)) == 1 &&
                EVP_EncryptUpdate(context.get(), nullptr, &size, octets(aad), static_cast<int>(aad.size())) == 1;
    if (text.size() != 0)
        good = good && EVP_EncryptUpdate(context.get(), octets(sealed), &size, octets(text), static_cast<int>(text.size())) == 1;
    good = good && EVP_EncryptFinal_ex(context.get(), rest, &size) == 1 &&
           EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, static_cast<int>(gcm_tag_size), tag.data()) == 1;
    if (!good) throw_openssl_error("sealing");
    return sealed;
}

inline pkey_context oaep_context(EVP_PKEY* key, int (*begin)(EVP_PKEY_CTX*))
{
    pkey_context context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
    bool const good =
        context != nullptr && begin(context.get()) == 1 && EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING) == 1 &&
        EVP_PKEY_CTX_set_rsa_oaep_md(context.get(), EVP_sha256()) == 1 && EVP_PKEY_CTX_set_rsa_mgf1_md(context.get(), EVP_sha256()) == 1;
    if (!good) throw_openssl_error("preparing RSA-OAEP");
    return context;
}
/// The content key behind RSA-OAEP with SHA-256 (RFC 7518 section 4.3). If it cannot be opened, a random one takes its place, which then opens nothing:
/// nobody learns at which step it failed (RFC 7516 section 11.5).
inline secret<> open_oaep(EVP_PKEY* key, byte_view sealed, std::size_t size)
{
    std::string content = random_octets(size);
    pkey_context const context = oaep_context(key, EVP_PKEY_decrypt_init);
    std::string opened(static_cast<std::size_t>(EVP_PKEY_get_size(key)), '\0');
    std::size_t length = opened.size();
    bool const good = EVP_PKEY_decrypt(context.get(), octets(opened), &length, octets(sealed), sealed.size()) == 1 && length == size;
    ERR_clear_error();
    auto const mask = static_cast<unsigned char>(0u - static_cast<unsigned>(good));
    for (std::size_t i = 0; i < size; ++i)
        content[i] = static_cast<char>((static_cast<unsigned char>(opened[i]) & mask) |
                                       (static_cast<unsigned char>(content[i]) & static_cast<unsigned char>(~mask)));
    OPENSSL_cleanse(opened.data(), opened.size());
    return secret<>(std::move(content));
}
inline std::string seal_oaep(EVP_PKEY* key, secret<> const& content)
{
    pkey_context const context = oaep_context(key, EVP_PKEY_encrypt_init);
    std::string sealed(static_cast<std::size_t>(EVP_PKEY_get_size(key)), '\0');
    std::size_t length = sealed.size();
    check_openssl(EVP_PKEY_encrypt(context.get(), octets(sealed), &length, octets(content.reveal()), content.size()), "sealing a key");
    sealed.resize(length);
    return sealed;
}

/// The secret that two key pairs have in common (RFC 6090, RFC 7748), in `into`; false if the other's public key is not good.
inline bool agree(EVP_PKEY* own, EVP_PKEY* other, secret<>& into)
{
    pkey_context const context(EVP_PKEY_CTX_new_from_pkey(nullptr, own, nullptr));
    if (context == nullptr) throw_openssl_error("agreeing on a key");
    std::string common;
    std::size_t size = 0;
    bool good = EVP_PKEY_derive_init(context.get()) == 1 && EVP_PKEY_derive_set_peer(context.get(), other) == 1 &&
                EVP_PKEY_derive(context.get(), nullptr, &size) == 1;
    common.resize(size);
    good = good && EVP_PKEY_derive(context.get(), octets(common), &size) == 1 && size == common.size();
    secret<> made(std::move(common));
    if (good)
        into = std::move(made);
    else
        ERR_clear_error();
    return good;
}

/// The content key of it: the Concat KDF (NIST SP 800-56A section 5.8.1) with SHA-256, as RFC 7518 section 4.6.2 feeds it. Up to 32 bytes.
inline secret<> concat_kdf(secret<> const& common, std::string_view algorithm, std::string_view apu, std::string_view apv, std::size_t size)
{
    std::string input;
    auto const number = [&](std::size_t n) {
        for (int shift = 24; shift >= 0; shift -= 8) input += static_cast<char>(n >> shift & 0xff);
    };
    input.reserve(common.size() + algorithm.size() + apu.size() + apv.size() + 20); // so that no copy of the secret is left behind
    number(1);
    input += common.reveal();
    for (std::string_view each : {algorithm, apu, apv}) {
        number(each.size());
        input += each;
    }
    number(size * 8);
    secret<> const fed(std::move(input));
    std::string out(32, '\0');
    check_openssl(EVP_Digest(fed.reveal().data(), fed.size(), octets(out), nullptr, sha256_algorithm(), nullptr), "deriving a key");
    out.resize(size);
    return secret<>(std::move(out));
}

} // namespace weir::inline v0::detail
