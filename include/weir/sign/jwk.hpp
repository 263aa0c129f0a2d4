// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/detail/slice.hpp>
#include <weir/sign/detail/jwk_material.hpp>
#include <weir/sign/jws_key.hpp>
#include <weir/validate/strict_json.hpp>

#include <openssl/crypto.h>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace weir::inline v0 {

namespace detail {

/// A JSON text with secrets in it: overwritten at the end.
class secret_json {
public:
    explicit secret_json(std::string_view text, strict_json_limits const& limits = {})
    {
        expect_key(document_.read(text, limits) == strict_json_fault::none, "a JSON text without duplicate members");
    }
    secret_json(secret_json const&) = delete;
    ~secret_json() { OPENSSL_cleanse(document_.buffer().data(), document_.buffer().size()); }
    [[nodiscard]] json_view root() const noexcept { return document_.root(); }

private:
    strict_json document_;
};

/// Refuses a key that says it is for something else (RFC 7517 sections 4.2 and 4.3).
inline void expect_purpose(json_view jwk, std::string_view operation)
{
    if (json_view const use = jwk["use"]) expect_key(use.text() == "sig", "a JWK for signatures: \"use\" is \"sig\", or is not there");
    json_view const operations = jwk["key_ops"];
    if (!operations) return;
    bool allowed = false, good = operations.is_list();
    for (json_view each : operations) {
        good = good && each.text();
        allowed = allowed || each.text() == operation;
        std::size_t same = 0;
        for (json_view other : operations) same += static_cast<std::size_t>(other.text() == each.text());
        good = good && same == 1;
    }
    expect_key(good && allowed, "a JWK with \"" + std::string(operation) + "\" in its \"key_ops\", or without these");
}

/// The algorithm of a key: the one that it names, else the only one of the allowed that its type and curve can have.
inline jws_algorithm algorithm_of(json_view jwk, slice<jws_algorithm> allowed)
{
    auto const type = jwk["kty"].text(), curve = jwk["crv"].text();
    expect_key(type.has_value(), "a JWK with \"kty\"");
    json_view const named = jwk["alg"];
    expect_key(!named || named.text(), "a JWK whose \"alg\" is a text");
    jws_algorithm const* found = nullptr;
    bool several = false;
    for (jws_algorithm const& a : allowed) {
        jws_facts const& f = facts_of(a);
        bool const fits = f.kty == *type && (f.crv.empty() || curve == f.crv) && (!named || *named.text() == f.name);
        if (!fits || (found != nullptr && *found == a)) continue;
        several = several || found != nullptr;
        found = &a;
    }
    expect_key(found != nullptr, "a JWK of an allowed algorithm: \"kty\", \"crv\" and \"alg\" agree with one");
    expect_key(!several, "a JWK with \"alg\", for several of the allowed algorithms fit it");
    return *found;
}

template<class Key>
Key make_jwk(json_view jwk, slice<jws_algorithm> allowed)
{
    constexpr bool verifies = std::is_same_v<Key, jws_key>;
    expect_key(jwk.is_object(), "a JWK: a JSON object");
    expect_purpose(jwk, verifies ? "verify" : "sign");
    jws_algorithm const a = algorithm_of(jwk, allowed);
    json_view const kid = jwk["kid"];
    expect_key(!kid || (kid.text() && is_kid(*kid.text())), "a JWK whose \"kid\" is 1 to 256 printable characters of ASCII");
    std::string name(kid ? *kid.text() : std::string_view());
    if (family_of(a) == jws_family::hmac) return jws_key_maker::mac<Key>(a, std::move(name), jwk_bytes(jwk, "k"));
    return jws_key_maker::pair<Key>(a, std::move(name), read_jwk_pair(jwk, a, verifies ? key_half::public_key : key_half::private_key));
}

} // namespace detail

/// Reads a key that verifies from a JSON Web Key (RFC 7517, RFC 7518 section 6, RFC 8037). It is for one of the `allowed` algorithms: the
/// one that it names as `alg`, else the only one that its type and curve can have. What its text says of its use is obeyed.
///
/// Throws `std::invalid_argument` that says what was expected: `use` or `key_ops` for something else, another `alg`, a point that is
/// not on the curve, coordinates of the wrong length, fewer than 2048 bits, a secret shorter than the digest, base64url with padding,
/// duplicate members. The private half, if it is there, is neither looked at nor kept.
[[nodiscard]] inline jws_key read_jwk(std::string_view text, detail::slice<jws_algorithm> allowed)
{
    return detail::make_jwk<jws_key>(detail::secret_json(text).root(), allowed);
}
[[nodiscard]] inline jws_key read_jwk(std::string_view text, jws_algorithm only)
{
    return read_jwk(text, {&only, 1});
}

/// Reads a key that signs, likewise. All parts of the private half have to be there and to belong to the public one.
[[nodiscard]] inline jws_signer read_signing_jwk(secret<> const& text, jws_algorithm only)
{
    return detail::make_jwk<jws_signer>(detail::secret_json(text.reveal()).root(), {&only, 1});
}

} // namespace weir::inline v0
