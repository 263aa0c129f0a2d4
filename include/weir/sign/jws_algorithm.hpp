// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weir::inline v0 {

/// The algorithms of JSON Web Signatures (RFC 7518 section 3, RFC 8037) with what fixes their keys: the curve too. There is no `none`.
enum class jws_algorithm : std::uint8_t {
    hs256,
    hs384,
    hs512,
    rs256,
    rs384,
    rs512,
    ps256,
    ps384,
    ps512,
    es256,
    es384,
    es512,
    ed25519,
    ed448,
};

/// What kind of key an algorithm has.
enum class jws_family : std::uint8_t {
    hmac,      ///< a secret that both ends have
    rsa_pkcs1, ///< RSA, RSASSA-PKCS1-v1_5
    rsa_pss,   ///< RSA, RSASSA-PSS with MGF1, the salt as long as the digest
    ecdsa,     ///< a key on a curve of NIST
    eddsa,     ///< a key on an Edwards curve
};

namespace detail {

struct jws_facts {
    std::string_view name; // in a header; of a key that says which algorithm it is for
    jws_family family;
    std::string_view kty; // of a JWK (RFC 7517)
    std::string_view crv; // of a JWK; empty if there is no curve
    std::uint16_t digest; // bits; of EdDSA none of its own
    std::uint16_t number; // of ECDSA: bytes of a coordinate and of each half of a signature; of EdDSA bytes of a public key
};

inline constexpr std::array<jws_facts, 14> jws_table{{
    {"HS256", jws_family::hmac, "oct", "", 256, 0},
    {"HS384", jws_family::hmac, "oct", "", 384, 0},
    {"HS512", jws_family::hmac, "oct", "", 512, 0},
    {"RS256", jws_family::rsa_pkcs1, "RSA", "", 256, 0},
    {"RS384", jws_family::rsa_pkcs1, "RSA", "", 384, 0},
    {"RS512", jws_family::rsa_pkcs1, "RSA", "", 512, 0},
    {"PS256", jws_family::rsa_pss, "RSA", "", 256, 0},
    {"PS384", jws_family::rsa_pss, "RSA", "", 384, 0},
    {"PS512", jws_family::rsa_pss, "RSA", "", 512, 0},
    {"ES256", jws_family::ecdsa, "EC", "P-256", 256, 32},
    {"ES384", jws_family::ecdsa, "EC", "P-384", 384, 48},
    {"ES512", jws_family::ecdsa, "EC", "P-521", 512, 66},
    {"EdDSA", jws_family::eddsa, "OKP", "Ed25519", 0, 32},
    {"EdDSA", jws_family::eddsa, "OKP", "Ed448", 0, 57},
}};

[[nodiscard]] constexpr jws_facts const& facts_of(jws_algorithm a) noexcept
{
    return jws_table[static_cast<std::size_t>(a)];
}

} // namespace detail

/// The name in a header, as `"RS256"`. Both curves of Edwards have the name `"EdDSA"`: the key says which it is.
[[nodiscard]] constexpr std::string_view to_string(jws_algorithm a) noexcept
{
    return detail::facts_of(a).name;
}
[[nodiscard]] constexpr jws_family family_of(jws_algorithm a) noexcept
{
    return detail::facts_of(a).family;
}

static_assert(detail::facts_of(jws_algorithm::ed448).crv == "Ed448");

} // namespace weir::inline v0
