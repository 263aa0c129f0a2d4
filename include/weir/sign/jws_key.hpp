// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/detail/slice.hpp>
#include <weir/core/options.hpp>
#include <weir/sign/byte_view.hpp>
#include <weir/sign/detail/prepared_hmac.hpp>
#include <weir/sign/detail/signature.hpp>
#include <weir/sign/jws_algorithm.hpp>
#include <weir/sign/secret.hpp>

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace weir::inline v0 {

namespace detail {

inline constexpr std::size_t longest_kid = 256;

/// A name of a key that may stand in a header: 1 to 256 printable characters of ASCII.
[[nodiscard]] inline bool is_kid(std::string_view kid) noexcept
{
    for (char c : kid)
        if (c < ' ' || c > '~') return false;
    return !kid.empty() && kid.size() <= longest_kid;
}

inline prepared_hmac make_hmac(jws_algorithm a, secret<> const& key)
{
    jws_facts const& f = facts_of(a);
    std::string const name(f.name);
    std::string_view const bytes = key.reveal();
    expect_key(f.family == jws_family::hmac, name + ": a key of its own, not a secret");
    // RFC 7518 section 3.2: as long as the digest at least.
    expect_key(bytes.size() * 8 >= f.digest, name + ": a secret of " + std::to_string(f.digest / 8) + " bytes or more");
    // A public key as a secret is one that everybody has: the mistake behind many a forged token.
    expect_key(bytes.find("-----BEGIN ") == bytes.npos && bytes.find("\"kty\"") == bytes.npos,
               name + ": a secret, not the text of a key in PEM or JWK");
    return prepared_hmac(digest_of(a), bytes);
}

/// One of the two, by the family of the algorithm; the other is none, which costs less to compile than a `std::variant`.
struct jws_secret_or_pair {
    prepared_hmac mac{};
    ready_key pair{};
};

struct jws_key_maker;

} // namespace detail

/// A key that verifies: with its algorithm, which nothing in a token can change, and with the name by which tokens may call for it.
/// Made by `rs256{pem}`, `hs256{secret}` and the like, by `read_jwk`, or by a `key_set`.
///
/// Everything is prepared when it is made, so that a verification costs the bare cryptography. Thread-safe, at any number of
/// threads. Movable before first use. Memory: about 600 bytes for a secret, some KiB for an RSA key.
class jws_key {
public:
    [[nodiscard]] jws_algorithm algorithm() const noexcept { return algorithm_; }
    /// Empty if it has no name: then it answers to any.
    [[nodiscard]] std::string const& kid() const noexcept { return kid_; }

    /// Whether the key made `signature`, of the exact form of the algorithm, for `pieces` one after the other.
    [[nodiscard]] bool verify(detail::slice<byte_view> pieces, byte_view signature) const
    {
        if (family_of(algorithm_) != jws_family::hmac) return key_.pair.verify(pieces, signature);
        std::array<std::byte, detail::longest_digest> code;
        key_.mac(pieces, code.data());
        return equal_in_constant_time(byte_view(code.data(), key_.mac.size()), signature);
    }
    [[nodiscard]] bool verify(byte_view message, byte_view signature) const { return verify({&message, 1}, signature); }

    /// Itself, if a token that calls for a key of this name may mean it: what a set of keys is asked likewise.
    [[nodiscard]] jws_key const* find(std::optional<std::string_view> kid) const noexcept
    {
        return kid_.empty() || (kid && *kid == kid_) ? this : nullptr;
    }
    /// Changes when keys are replaced, which those of one key are never.
    [[nodiscard]] static constexpr std::size_t version() noexcept { return 0; }

private:
    friend detail::jws_key_maker;
    jws_key(jws_algorithm a, std::string kid, detail::jws_secret_or_pair key) : algorithm_(a), kid_(std::move(kid)), key_(std::move(key))
    {
        expect(kid_.empty() || detail::is_kid(kid_), "kid", "1 to 256 printable characters of ASCII");
    }

    jws_algorithm algorithm_;
    std::string kid_;
    detail::jws_secret_or_pair key_;
};

/// A key that signs. Its bytes stay in it, and with OpenSSL, which overwrites them; it neither prints nor copies.
/// Made by `rs256_signer{pem}` and the like, or by `read_signing_jwk`. Thread-safe; movable before first use.
class jws_signer {
public:
    [[nodiscard]] jws_algorithm algorithm() const noexcept { return algorithm_; }
    [[nodiscard]] std::string const& kid() const noexcept { return kid_; }

    /// The signature of `pieces` one after the other. Throws `std::runtime_error` if OpenSSL fails.
    [[nodiscard]] std::string sign(detail::slice<byte_view> pieces) const
    {
        if (family_of(algorithm_) != jws_family::hmac) return key_.pair.sign(pieces);
        std::array<std::byte, detail::longest_digest> code;
        key_.mac(pieces, code.data());
        return std::string(reinterpret_cast<char const*>(code.data()), key_.mac.size());
    }
    [[nodiscard]] std::string sign(byte_view message) const { return sign({&message, 1}); }

private:
    friend detail::jws_key_maker;
    jws_signer(jws_algorithm a, std::string kid, detail::jws_secret_or_pair key) : algorithm_(a), kid_(std::move(kid)), key_(std::move(key))
    {
        expect(kid_.empty() || detail::is_kid(kid_), "kid", "1 to 256 printable characters of ASCII");
    }

    jws_algorithm algorithm_;
    std::string kid_;
    detail::jws_secret_or_pair key_;
};

/// A PKCS#12 file (RFC 7292), as a source of a key.
struct pkcs12 {
    byte_view bytes;     ///< the whole file
    secret<> password{}; ///< empty if there is none
};

namespace detail {

/// The only way to a key.
struct jws_key_maker {
    template<class Key>
    static Key pair(jws_algorithm a, std::string kid, pkey key)
    {
        constexpr key_half half = std::is_same_v<Key, jws_key> ? key_half::public_key : key_half::private_key;
        return Key(a, std::move(kid), {.pair = ready_key(checked(std::move(key), a, half), a, half)});
    }
    template<class Key>
    static Key mac(jws_algorithm a, std::string kid, secret<> const& key)
    {
        return Key(a, std::move(kid), {.mac = make_hmac(a, key)});
    }
};

/// What of a `Key` has the algorithm in its type.
template<class Key, jws_algorithm Algorithm, bool IsMac = family_of(Algorithm) == jws_family::hmac>
class typed_key;

template<class Key, jws_algorithm Algorithm>
class typed_key<Key, Algorithm, true> : public Key {
public:
    /// Takes a secret as long as the digest at least. Throws `std::invalid_argument` that says what was expected.
    explicit typed_key(secret<> const& key, std::string kid = {}) : Key(jws_key_maker::mac<Key>(Algorithm, std::move(kid), key)) {}
};

template<class Key, jws_algorithm Algorithm>
class typed_key<Key, Algorithm, false> : public Key {
    static constexpr key_half half = std::is_same_v<Key, jws_key> ? key_half::public_key : key_half::private_key;

public:
    /// Reads PEM: a public key or a certificate to verify, a private key to sign. Throws `std::invalid_argument` that says what was
    /// expected: also for a key of another type, another curve, fewer than 2048 bits, or of small order.
    explicit typed_key(std::string_view pem, std::string kid = {}) requires(std::is_same_v<Key, jws_key>)
        : Key(jws_key_maker::pair<Key>(Algorithm, std::move(kid), read_pem(pem, half)))
    {
    }
    explicit typed_key(secret<> const& pem, std::string kid = {}, secret<> const& password = {}) requires(std::is_same_v<Key, jws_signer>)
        : Key(jws_key_maker::pair<Key>(Algorithm, std::move(kid), read_pem(pem.reveal(), half, password.reveal())))
    {
    }
    /// Reads a PKCS#12 file: its certificate to verify, its private key to sign.
    explicit typed_key(pkcs12 const& file, std::string kid = {})
        : Key(jws_key_maker::pair<Key>(Algorithm, std::move(kid), read_pkcs12(file.bytes, half, file.password.reveal())))
    {
    }
};

} // namespace detail

/// Keys that verify, by algorithm: `weir::rs256{public_key}`, `weir::es256{certificate, "2026-a"}`, `weir::hs256{weir::secret{...}}`.
/// A certificate is a wrapping of its key here: its dates, names and issuer are not looked at.
template<jws_algorithm Algorithm>
using jws_verifier_for = detail::typed_key<jws_key, Algorithm>;
using hs256 = jws_verifier_for<jws_algorithm::hs256>;
using hs384 = jws_verifier_for<jws_algorithm::hs384>;
using hs512 = jws_verifier_for<jws_algorithm::hs512>;
using rs256 = jws_verifier_for<jws_algorithm::rs256>;
using rs384 = jws_verifier_for<jws_algorithm::rs384>;
using rs512 = jws_verifier_for<jws_algorithm::rs512>;
using ps256 = jws_verifier_for<jws_algorithm::ps256>;
using ps384 = jws_verifier_for<jws_algorithm::ps384>;
using ps512 = jws_verifier_for<jws_algorithm::ps512>;
using es256 = jws_verifier_for<jws_algorithm::es256>;
using es384 = jws_verifier_for<jws_algorithm::es384>;
using es512 = jws_verifier_for<jws_algorithm::es512>;
using ed25519 = jws_verifier_for<jws_algorithm::ed25519>;
using ed448 = jws_verifier_for<jws_algorithm::ed448>;

/// Keys that sign, by algorithm: `weir::rs256_signer{weir::secret{pem}, "2026-a"}`.
template<jws_algorithm Algorithm>
using jws_signer_for = detail::typed_key<jws_signer, Algorithm>;
using hs256_signer = jws_signer_for<jws_algorithm::hs256>;
using hs384_signer = jws_signer_for<jws_algorithm::hs384>;
using hs512_signer = jws_signer_for<jws_algorithm::hs512>;
using rs256_signer = jws_signer_for<jws_algorithm::rs256>;
using rs384_signer = jws_signer_for<jws_algorithm::rs384>;
using rs512_signer = jws_signer_for<jws_algorithm::rs512>;
using ps256_signer = jws_signer_for<jws_algorithm::ps256>;
using ps384_signer = jws_signer_for<jws_algorithm::ps384>;
using ps512_signer = jws_signer_for<jws_algorithm::ps512>;
using es256_signer = jws_signer_for<jws_algorithm::es256>;
using es384_signer = jws_signer_for<jws_algorithm::es384>;
using es512_signer = jws_signer_for<jws_algorithm::es512>;
using ed25519_signer = jws_signer_for<jws_algorithm::ed25519>;
using ed448_signer = jws_signer_for<jws_algorithm::ed448>;

} // namespace weir::inline v0
