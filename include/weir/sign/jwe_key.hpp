// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/options.hpp>
#include <weir/core/threading.hpp>
#include <weir/sign/detail/jwk_material.hpp>
#include <weir/sign/detail/pkey.hpp>
#include <weir/sign/encoding.hpp>
#include <weir/sign/jwk.hpp>
#include <weir/sign/jws_key.hpp>
#include <weir/sign/secret.hpp>
#include <weir/validate/strict_json.hpp>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace weir::inline v0 {

/// How the content key of a JWE comes to who opens it (RFC 7518 section 4). It follows from the key's type, never from a header.
enum class jwe_algorithm : std::uint8_t {
    rsa_oaep_256, ///< RSA: RSAES-OAEP with SHA-256 and MGF1 with SHA-256
    ecdh_es,      ///< P-256 or X25519: agreed on with a key pair of the moment, used directly
};
/// How the content is encrypted (RFC 7518 section 5.3).
enum class jwe_encryption : std::uint8_t { a256gcm, a128gcm };

[[nodiscard]] constexpr std::string_view to_string(jwe_algorithm a) noexcept
{
    return a == jwe_algorithm::ecdh_es ? "ECDH-ES" : "RSA-OAEP-256";
}
[[nodiscard]] constexpr std::string_view to_string(jwe_encryption e) noexcept
{
    return e == jwe_encryption::a128gcm ? "A128GCM" : "A256GCM";
}

namespace detail {

enum class jwe_curve : std::uint8_t { none, p256, x25519 };

/// A key, checked, and what follows from its type.
struct jwe_pair {
    pkey key;
    jwe_curve curve = jwe_curve::none;

    jwe_pair(pkey k, key_half half) : key(std::move(k))
    {
        std::array<char, 32> group{};
        std::size_t size = 0;
        bool const rsa = EVP_PKEY_is_a(key.get(), "RSA") == 1;
        if (rsa) {
            int const bits = EVP_PKEY_get_bits(key.get());
            expect_key(bits >= 2048 && bits <= 16384, "an RSA key of 2048 to 16384 bits, got " + std::to_string(bits));
        } else if (EVP_PKEY_is_a(key.get(), "X25519") == 1) {
            curve = jwe_curve::x25519;
        } else {
            bool const known = EVP_PKEY_is_a(key.get(), "EC") == 1 &&
                               EVP_PKEY_get_group_name(key.get(), group.data(), group.size(), &size) == 1 &&
                               std::string_view(group.data(), size) == "prime256v1";
            expect_key(known, "a key of RSA, or on the curve P-256 or X25519");
            curve = jwe_curve::p256;
        }
        expect_key(passes(key.get(), EVP_PKEY_public_check), "a sound public key");
        if (half == key_half::private_key && curve != jwe_curve::x25519)
            expect_key(passes(key.get(), EVP_PKEY_pairwise_check), "a private key that belongs to its public key");
    }
    [[nodiscard]] jwe_algorithm algorithm() const noexcept
    {
        return curve == jwe_curve::none ? jwe_algorithm::rsa_oaep_256 : jwe_algorithm::ecdh_es;
    }
};

struct number_deleter {
    void operator()(BIGNUM* p) const noexcept { BN_free(p); }
};

/// A number of a key, its highest byte first; of at least `size` bytes.
inline std::string key_number(EVP_PKEY* key, char const* name, int size = 0)
{
    BIGNUM* number = nullptr;
    if (EVP_PKEY_get_bn_param(key, name, &number) != 1) throw_openssl_error("reading a key");
    owner<BIGNUM, number_deleter> const kept(number);
    std::string bytes(static_cast<std::size_t>(size != 0 ? size : BN_num_bytes(number)), '\0');
    if (BN_bn2binpad(number, reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size())) < 0)
        throw_openssl_error("reading a key");
    return bytes;
}
/// The members of a JWK that are its public half (RFC 7518 section 6, RFC 8037 section 2).
inline std::string public_members(jwe_pair const& pair)
{
    EVP_PKEY* const key = pair.key.get();
    switch (pair.curve) {
    case jwe_curve::none:
        return R"("kty":"RSA","n":")" + to_base64url(key_number(key, OSSL_PKEY_PARAM_RSA_N)) + R"(","e":")" +
               to_base64url(key_number(key, OSSL_PKEY_PARAM_RSA_E)) + '"';
    case jwe_curve::p256:
        return R"("kty":"EC","crv":"P-256","x":")" + to_base64url(key_number(key, OSSL_PKEY_PARAM_EC_PUB_X, 32)) + R"(","y":")" +
               to_base64url(key_number(key, OSSL_PKEY_PARAM_EC_PUB_Y, 32)) + '"';
    case jwe_curve::x25519: break;
    }
    std::array<unsigned char, 32> raw{};
    std::size_t size = raw.size();
    check_openssl(EVP_PKEY_get_raw_public_key(key, raw.data(), &size), "reading a key");
    return R"("kty":"OKP","crv":"X25519","x":")" + to_base64url(raw) + '"';
}

/// A key of a JWK, or of the `epk` of a header, of RSA, P-256 or X25519.
inline jwe_pair read_jwe_pair(json_view jwk, key_half half)
{
    auto const type = jwk["kty"].text(), curve = jwk["crv"].text();
    if (type == "RSA") return {read_jwk_pair(jwk, jws_algorithm::rs256, half), half};
    if (type == "EC" && curve == "P-256") return {read_jwk_pair(jwk, jws_algorithm::es256, half), half};
    expect_key(type == "OKP" && curve == "X25519", "a JWK whose \"kty\" is RSA, or whose \"crv\" is P-256 or X25519");
    secret<> const x = jwk_bytes(jwk, "x", 32);
    auto const raw = [](secret<> const& s) { return reinterpret_cast<unsigned char const*>(s.reveal().data()); };
    if (half == key_half::public_key) return {pkey(EVP_PKEY_new_raw_public_key_ex(nullptr, "X25519", nullptr, raw(x), 32)), half};
    secret<> const d = jwk_bytes(jwk, "d", 32);
    pkey key(EVP_PKEY_new_raw_private_key_ex(nullptr, "X25519", nullptr, raw(d), 32));
    std::array<unsigned char, 32> own{};
    std::size_t size = own.size();
    bool const good = key != nullptr && EVP_PKEY_get_raw_public_key(key.get(), own.data(), &size) == 1;
    expect_key(good && equal_in_constant_time(own, x.reveal()), "a JWK whose \"x\" belongs to its \"d\"");
    return {std::move(key), half};
}

/// What a JWK says of its use and name; its algorithms are the key's.
inline std::string jwe_kid(json_view jwk, jwe_algorithm a)
{
    if (json_view const use = jwk["use"]) expect_key(use.text() == "enc", "a JWK for encryption: \"use\" is \"enc\", or is not there");
    if (json_view const alg = jwk["alg"]) expect_key(alg.text() == to_string(a), "a JWK whose \"alg\" is " + std::string(to_string(a)));
    json_view const kid = jwk["kid"];
    expect_key(!kid || (kid.text() && is_kid(*kid.text())), "a JWK whose \"kid\" is 1 to 256 printable characters of ASCII");
    return std::string(kid ? *kid.text() : std::string_view());
}

struct jwe_maker;

} // namespace detail

/// A key that opens what was sealed for it, with its algorithms, which nothing in a header can change: `jwe_key{secret{pem}, "2026-a"}`. An RSA key opens
/// RSA-OAEP-256, one on P-256 or X25519 ECDH-ES; the content is A256GCM unless it says otherwise.
///
/// It neither prints nor copies. Thread-safe. `public_jwk()` is what clients are given.
class jwe_key {
public:
    /// Reads a private key in PEM. Throws `std::invalid_argument` that says what was expected.
    explicit jwe_key(secret<> const& pem, std::string kid = {}, jwe_encryption e = jwe_encryption::a256gcm, secret<> const& password = {})
        : jwe_key({detail::read_pem(pem.reveal(), detail::key_half::private_key, password.reveal()), detail::key_half::private_key},
                  std::move(kid), e)
    {
    }

    [[nodiscard]] jwe_algorithm algorithm() const noexcept { return pair_.algorithm(); }
    [[nodiscard]] jwe_encryption encryption() const noexcept { return encryption_; }
    [[nodiscard]] std::string const& kid() const noexcept { return kid_; }
    /// The public half, for clients (RFC 7517): `{"kty":"EC","crv":"P-256","x":"...","y":"...","use":"enc","alg":"ECDH-ES","kid":"2026-a"}`.
    [[nodiscard]] std::string public_jwk() const
    {
        std::string text = '{' + detail::public_members(pair_) + R"(,"use":"enc","alg":")" + std::string(to_string(algorithm())) + '"';
        if (!kid_.empty()) {
            text += R"(,"kid":")";
            for (char c : kid_) (c == '"' || c == '\\' ? text += '\\' : text) += c;
            text += '"';
        }
        return text += '}';
    }
    /// Itself, if a text that names this key, or none, may mean it.
    [[nodiscard]] jwe_key const* find(std::optional<std::string_view> kid) const noexcept { return !kid || *kid == kid_ ? this : nullptr; }

private:
    friend detail::jwe_maker;
    jwe_key(detail::jwe_pair pair, std::string kid, jwe_encryption e) : pair_(std::move(pair)), kid_(std::move(kid)), encryption_(e)
    {
        expect(kid_.empty() || detail::is_kid(kid_), "kid", "1 to 256 printable characters of ASCII");
    }

    detail::jwe_pair pair_;
    std::string kid_;
    jwe_encryption encryption_;
};

/// The public half of a `jwe_key`: seals for it.
class jwe_recipient {
public:
    [[nodiscard]] jwe_algorithm algorithm() const noexcept { return pair_.algorithm(); }
    [[nodiscard]] jwe_encryption encryption() const noexcept { return encryption_; }
    [[nodiscard]] std::string const& kid() const noexcept { return kid_; }

private:
    friend detail::jwe_maker;
    jwe_recipient(detail::jwe_pair pair, std::string kid, jwe_encryption e) : pair_(std::move(pair)), kid_(std::move(kid)), encryption_(e)
    {
    }

    detail::jwe_pair pair_;
    std::string kid_;
    jwe_encryption encryption_;
};

namespace detail {
struct jwe_maker {
    template<class Key>
    static Key make(json_view jwk, key_half half, jwe_encryption e)
    {
        expect_key(jwk.is_object(), "a JWK: a JSON object");
        jwe_pair pair = read_jwe_pair(jwk, half);
        std::string kid = jwe_kid(jwk, pair.algorithm());
        return Key(std::move(pair), std::move(kid), e);
    }
    template<class Key>
    static jwe_pair const& pair_of(Key const& key) noexcept
    {
        return key.pair_;
    }
};
} // namespace detail

/// Reads a key that opens from a private JWK (RFC 7517, RFC 7518 section 6, RFC 8037). Throws `std::invalid_argument` that says what was expected.
[[nodiscard]] inline jwe_key read_jwe_key(secret<> const& jwk, jwe_encryption e = jwe_encryption::a256gcm)
{
    return detail::jwe_maker::make<jwe_key>(detail::secret_json(jwk.reveal()).root(), detail::key_half::private_key, e);
}
/// Reads what a service has handed out, to seal for it.
[[nodiscard]] inline jwe_recipient read_jwe_recipient(std::string_view jwk, jwe_encryption e = jwe_encryption::a256gcm)
{
    return detail::jwe_maker::make<jwe_recipient>(detail::secret_json(jwk).root(), detail::key_half::public_key, e);
}

/// Keys that open, by name: the first is handed out, the others open what was sealed before it came. `replace` puts others in their place
/// while they are used: the new key first, the old one behind it until clients have fetched the new one. Thread-safe; a look-up takes a
/// share of the keys under a mutex.
class jwe_keys {
public:
    /// Throws `std::invalid_argument` if there is none, or two of several have one name or none.
    template<class... Keys>
    requires(sizeof...(Keys) > 0 && (std::is_same_v<Keys, jwe_key> && ...)) explicit jwe_keys(Keys... keys)
        : keys_(listed(std::move(keys)...))
    {
    }
    /// Uses these keys and no others from now on. If they are refused, as by the constructor, the present ones stay.
    template<class... Keys>
    requires(sizeof...(Keys) > 0 && (std::is_same_v<Keys, jwe_key> && ...)) void replace(Keys... keys)
    {
        share fresh = listed(std::move(keys)...);
        std::lock_guard const lock(mutex_);
        keys_.swap(fresh);
    }
    /// Of several keys none is guessed. It lives as long as the pointer.
    [[nodiscard]] std::shared_ptr<jwe_key const> find(std::optional<std::string_view> kid) const
    {
        share keys = current();
        for (jwe_key const& each : *keys)
            if (kid ? each.kid() == *kid : keys->size() == 1) return {std::move(keys), &each};
        return nullptr;
    }
    /// What clients are given: a JWK Set of the first key alone, so that nobody takes an old one.
    [[nodiscard]] std::string public_jwks() const { return R"({"keys":[)" + public_jwk() + "]}"; }
    [[nodiscard]] std::string public_jwk() const { return current()->front().public_jwk(); }

private:
    using share = std::shared_ptr<std::vector<jwe_key> const>;

    template<class... Keys>
    static share listed(Keys&&... keys)
    {
        std::vector<jwe_key> all;
        all.reserve(sizeof...(Keys));
        (all.push_back(std::move(keys)), ...);
        for (std::size_t i = 0; i < all.size() && all.size() > 1; ++i) {
            expect(!all[i].kid().empty(), "jwe_keys", "keys with a name each");
            for (std::size_t j = 0; j < i; ++j) expect(all[i].kid() != all[j].kid(), "jwe_keys", "keys with a name of their own");
        }
        return std::make_shared<std::vector<jwe_key> const>(std::move(all));
    }
    share current() const
    {
        std::lock_guard const lock(mutex_);
        return keys_;
    }

    mutable shared::mutex mutex_;
    share keys_;
};

} // namespace weir::inline v0
