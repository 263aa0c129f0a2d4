// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/options.hpp>
#include <weir/sign/detail/prepared_hmac.hpp>
#include <weir/sign/detail/signature.hpp>
#include <weir/sign/digest.hpp>
#include <weir/sign/secret.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace weir::inline v0 {

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow" // g++ 12 takes a scoped name for one that hides weir::ed25519
#endif
/// How a message is signed: the algorithms of RFC 9421, section 3.3.
enum class signature_algorithm : std::uint8_t {
    hmac_sha256,
    rsa_pss_sha512,
    rsa_v1_5_sha256,
    ecdsa_p256_sha256,
    ecdsa_p384_sha384,
    ed25519,
};
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

/// The name of an algorithm in IANA's registry, as the parameter `alg` has it: `"rsa-pss-sha512"`.
[[nodiscard]] constexpr std::string_view to_string(signature_algorithm a) noexcept
{
    constexpr std::string_view names[]{"hmac-sha256",       "rsa-pss-sha512",    "rsa-v1_5-sha256",
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
    explicit signature_key(secret<T> const& shared) : held_(new held{signature_algorithm::hmac_sha256, checked(shared.reveal())})
    {
    }
    /// The public or private key in a PEM text (PKCS#8, SEC 1, PKCS#1, or a certificate; not encrypted). Throws `std::invalid_argument` if there is
    /// none, or one that is not of the algorithm: another kind, another curve, RSA of less than 2,048 bits, halves that do not belong together.
    signature_key(signature_algorithm a, std::string_view pem)
    {
        expect(a != signature_algorithm::hmac_sha256, "signature_key", "a weir::secret for hmac-sha256, no PEM");
        using detail::key_half;
        bool const is_private = pem.find("PRIVATE KEY-----") != std::string_view::npos;
        detail::pkey key = checked(detail::read_pem(pem, is_private ? key_half::private_key : key_half::public_key), a, is_private);
        if (is_private) EVP_PKEY_up_ref(key.get());
        detail::pkey second(is_private ? key.get() : nullptr);
        detail::ready_key verifies(std::move(key), jws(a), key_half::public_key);
        if (is_private)
            held_.reset(new held{a, {}, std::move(verifies), detail::ready_key(std::move(second), jws(a), key_half::private_key)});
        else
            held_.reset(new held{a, {}, std::move(verifies), {}});
    }

    [[nodiscard]] signature_algorithm algorithm() const noexcept { return held_->algorithm; }
    [[nodiscard]] bool can_sign() const noexcept { return is_mac() || held_->signs.get() != nullptr; }

    /// The signature of a message. Throws `std::logic_error` if the key cannot sign, `std::runtime_error` if OpenSSL fails.
    [[nodiscard]] std::string sign(byte_view message) const
    {
        if (!can_sign()) throw std::logic_error("signature_key: a public key cannot sign");
        if (!is_mac()) return held_->signs.sign({&message, 1});
        sha256_digest code;
        held_->hmac({&message, 1}, code.data());
        return std::string(byte_view(code).text());
    }
    /// Whether the signature is that of the message. Codes are compared in constant time.
    [[nodiscard]] bool verify(byte_view message, byte_view signature) const
    {
        if (!is_mac()) return held_->verifies.verify({&message, 1}, signature);
        sha256_digest code;
        held_->hmac({&message, 1}, code.data());
        return equal_in_constant_time(code, signature);
    }

private:
    struct held {
        signature_algorithm algorithm;
        detail::prepared_hmac hmac{}; // what the algorithm has no use for is none
        detail::ready_key verifies{}, signs{};
    };

    [[nodiscard]] bool is_mac() const noexcept { return held_->algorithm == signature_algorithm::hmac_sha256; }
    static detail::prepared_hmac checked(byte_view shared)
    {
        expect(shared.size() >= 16, "signature_key", "at least 16 bytes");
        return detail::prepared_hmac(detail::sha256_algorithm(), shared);
    }
    static constexpr jws_algorithm jws(signature_algorithm a) noexcept
    {
        constexpr jws_algorithm same[]{jws_algorithm::hs256, jws_algorithm::ps512, jws_algorithm::rs256,
                                       jws_algorithm::es256, jws_algorithm::es384, jws_algorithm::ed25519};
        return same[static_cast<std::size_t>(a)];
    }
    static detail::pkey checked(detail::pkey key, signature_algorithm a, bool is_private)
    {
        using detail::key_half;
        // A key that is for PSS alone (RFC 4055, section 1.2) is none of JOSE's.
        if (a != signature_algorithm::rsa_pss_sha512 || EVP_PKEY_is_a(key.get(), "RSA-PSS") != 1)
            return detail::checked(std::move(key), jws(a), is_private ? key_half::private_key : key_half::public_key);
        int const bits = EVP_PKEY_get_bits(key.get());
        detail::expect_key(bits >= 2048 && bits <= 16384 && detail::passes(key.get(), EVP_PKEY_public_check),
                           "PS512: a sound RSA-PSS key of 2048 to 16384 bits");
        return key;
    }

    std::shared_ptr<held const> held_;
};

} // namespace weir::inline v0
