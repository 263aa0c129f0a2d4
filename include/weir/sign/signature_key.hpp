// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/options.hpp>
#include <weir/sign/detail/evp_key.hpp>
#include <weir/sign/hmac.hpp>
#include <weir/sign/secret.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace weir::inline v0 {

/// How a message is signed: the algorithms of RFC 9421, section 3.3.
enum class signature_algorithm : std::uint8_t {
    hmac_sha256,
    rsa_pss_sha512,
    rsa_v1_5_sha256,
    ecdsa_p256_sha256,
    ecdsa_p384_sha384,
    ed25519,
};

/// The name of an algorithm in IANA's registry, as the parameter `alg` has it: `"rsa-pss-sha512"`.
[[nodiscard]] constexpr std::string_view to_string(signature_algorithm a) noexcept
{
    constexpr std::array<std::string_view, 6> names{"hmac-sha256",       "rsa-pss-sha512",    "rsa-v1_5-sha256",
                                                    "ecdsa-p256-sha256", "ecdsa-p384-sha384", "ed25519"};
    return names[static_cast<std::size_t>(a)];
}

/// A key with its algorithm, which belongs to the key and to nothing that a message says: the public half of a pair only verifies, a private one
/// and a shared secret sign, too. Copies are the same key: two words. Immutable, so thread-safe.
///
/// ECDSA signatures are r and s, one behind the other, of exactly their lengths; RSA-PSS has a salt as long as its digest.
class signature_key {
public:
    /// A secret that both ends have, for HMAC-SHA256. Throws `std::invalid_argument` for one of less than 16 bytes.
    template<class T>
    explicit signature_key(secret<T> const& shared)
        : held_(std::make_shared<held const>(held{signature_algorithm::hmac_sha256, checked(shared)}))
    {
    }
    /// The public or private key in a PEM text (PKCS#8, SEC 1, PKCS#1; not encrypted). Throws `std::invalid_argument` if there is none, or one that
    /// is not of the algorithm: another kind, another curve, RSA of less than 2,048 bits.
    signature_key(signature_algorithm a, std::string_view pem)
    {
        expect(a != signature_algorithm::hmac_sha256, "signature_key", "a weir::secret for hmac-sha256, no PEM");
        bool const is_private = pem.find("PRIVATE KEY-----") != std::string_view::npos;
        detail::pkey_handle key = detail::read_pem_key(pem, is_private);
        expect(key != nullptr, "signature_key", "a PEM text with a key that is not encrypted");
        expect(fits(a, key.get()), "signature_key", expected(a));
        held_ = std::make_shared<held const>(held{a, std::nullopt, std::move(key), is_private});
    }

    [[nodiscard]] signature_algorithm algorithm() const noexcept { return held_->algorithm; }
    [[nodiscard]] bool can_sign() const noexcept { return held_->is_private; }

    /// The signature of a message. Throws `std::logic_error` if the key cannot sign, `std::runtime_error` if OpenSSL fails.
    [[nodiscard]] std::string sign(byte_view message) const
    {
        if (!can_sign()) throw std::logic_error("signature_key: a public key cannot sign");
        if (held_->hmac) {
            sha256_digest const code = (*held_->hmac)(message);
            return std::string(byte_view(code).text());
        }
        return detail::pkey_sign(held_->pair.get(), scheme(), message);
    }
    /// Whether the signature is that of the message. Codes are compared in constant time.
    [[nodiscard]] bool verify(byte_view message, byte_view signature) const
    {
        if (held_->hmac) return held_->hmac->verify(message, signature);
        return detail::pkey_verify(held_->pair.get(), scheme(), message, signature);
    }

private:
    struct held {
        signature_algorithm algorithm;
        std::optional<hmac_sha256> hmac{};
        detail::pkey_handle pair{};
        bool is_private = true;
    };

    template<class T>
    static hmac_sha256 checked(secret<T> const& shared)
    {
        expect(shared.size() >= 16, "signature_key", "at least 16 bytes");
        return hmac_sha256(shared);
    }
    static bool fits(signature_algorithm a, EVP_PKEY* key)
    {
        std::array<char, 32> group{};
        std::size_t size = 0;
        switch (a) {
        case signature_algorithm::rsa_pss_sha512:
            return (EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_is_a(key, "RSA-PSS")) && EVP_PKEY_get_bits(key) >= 2048;
        case signature_algorithm::rsa_v1_5_sha256: return EVP_PKEY_is_a(key, "RSA") && EVP_PKEY_get_bits(key) >= 2048;
        case signature_algorithm::ecdsa_p256_sha256:
        case signature_algorithm::ecdsa_p384_sha384:
            return EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_group_name(key, group.data(), group.size(), &size) == 1 &&
                   std::string_view(group.data(), size) == (a == signature_algorithm::ecdsa_p256_sha256 ? "prime256v1" : "secp384r1");
        case signature_algorithm::ed25519: return EVP_PKEY_is_a(key, "ED25519");
        default: return false;
        }
    }
    static std::string_view expected(signature_algorithm a) noexcept
    {
        switch (a) {
        case signature_algorithm::rsa_pss_sha512: return "an RSA or RSA-PSS key of 2,048 bits or more";
        case signature_algorithm::rsa_v1_5_sha256: return "an RSA key of 2,048 bits or more";
        case signature_algorithm::ecdsa_p256_sha256: return "a key on the curve P-256";
        case signature_algorithm::ecdsa_p384_sha384: return "a key on the curve P-384";
        default: return "an Ed25519 key";
        }
    }
    [[nodiscard]] detail::pkey_scheme scheme() const noexcept
    {
        switch (held_->algorithm) {
        case signature_algorithm::rsa_pss_sha512: return {"SHA512", true};
        case signature_algorithm::rsa_v1_5_sha256: return {"SHA256"};
        case signature_algorithm::ecdsa_p256_sha256: return {"SHA256", false, 32};
        case signature_algorithm::ecdsa_p384_sha384: return {"SHA384", false, 48};
        default: return {nullptr};
        }
    }

    std::shared_ptr<held const> held_;
};

} // namespace weir::inline v0
