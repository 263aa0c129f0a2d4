// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/sign/detail/pkey.hpp>
#include <weir/sign/encoding.hpp>
#include <weir/sign/jws_algorithm.hpp>
#include <weir/sign/secret.hpp>
#include <weir/validate/strict_json.hpp>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <array>
#include <bit>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace weir::inline v0::detail {

/// The bytes of a member of a JWK, in base64url.
inline secret<> jwk_bytes(json_view jwk, std::string_view member)
{
    auto const text = jwk[member].text();
    std::string const quoted = "\"" + std::string(member) + "\"";
    expect_key(text.has_value(), "a JWK with the text " + quoted);
    auto bytes = from_base64url(*text);
    expect_key(bytes.has_value(), "a JWK whose " + quoted + " is base64url without padding");
    return secret<>(std::move(*bytes));
}
/// The same, of this many bytes.
inline secret<> jwk_bytes(json_view jwk, std::string_view member, std::size_t size)
{
    secret<> bytes = jwk_bytes(jwk, member);
    expect_key(bytes.size() == size, "a JWK whose \"" + std::string(member) + "\" has " + std::to_string(size) + " bytes");
    return bytes;
}

/// What OpenSSL makes a key from. The bytes live as long as this, and are overwritten then.
class key_material {
public:
    /// A number, its highest byte first.
    void number(char const* name, secret<> const& bytes)
    {
        std::string native = bytes.reveal();
        if constexpr (std::endian::native == std::endian::little)
            for (std::size_t i = 0; i < native.size(); ++i) native[i] = bytes.reveal()[native.size() - 1 - i];
        secret<> const& kept = keep(secret<>(std::move(native)));
        parameters_[size_ - 1] = OSSL_PARAM_construct_BN(name, data(kept), kept.size());
    }
    void bytes(char const* name, secret<> value)
    {
        secret<> const& kept = keep(std::move(value));
        parameters_[size_ - 1] = OSSL_PARAM_construct_octet_string(name, data(kept), kept.size());
    }
    void text(char const* name, std::string_view value)
    {
        secret<> const& kept = keep(secret<>(value));
        parameters_[size_ - 1] = OSSL_PARAM_construct_utf8_string(name, reinterpret_cast<char*>(data(kept)), kept.size());
    }
    [[nodiscard]] pkey make(char const* type, key_half half)
    {
        parameters_[size_] = OSSL_PARAM_construct_end();
        pkey_context const context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
        if (context == nullptr) throw_openssl_error("making a key");
        EVP_PKEY* made = nullptr;
        bool const good = EVP_PKEY_fromdata_init(context.get()) == 1 &&
                          EVP_PKEY_fromdata(context.get(), &made, half == key_half::public_key ? EVP_PKEY_PUBLIC_KEY : EVP_PKEY_KEYPAIR,
                                            parameters_.data()) == 1;
        pkey key(made);
        expect_key(good && key != nullptr, std::string("a JWK whose numbers are an ") + type + " key");
        return key;
    }

private:
    // OpenSSL's parameters point to what may be written, and writes nothing to it.
    static unsigned char* data(secret<> const& s) noexcept
    {
        return reinterpret_cast<unsigned char*>(const_cast<char*>(s.reveal().data()));
    }
    secret<> const& keep(secret<> value) { return kept_[size_++] = std::move(value); }

    static constexpr std::size_t most = 8; // an RSA key of two primes has as many
    std::array<secret<>, most> kept_{};
    std::array<OSSL_PARAM, most + 1> parameters_{};
    std::size_t size_ = 0;
};

inline pkey read_jwk_pair(json_view jwk, jws_algorithm a, key_half half)
{
    jws_facts const& f = facts_of(a);
    bool const with_private = half == key_half::private_key;
    if (f.family == jws_family::eddsa) {
        secret<> const x = jwk_bytes(jwk, "x", f.number);
        auto const raw = [&](secret<> const& s) { return reinterpret_cast<unsigned char const*>(s.reveal().data()); };
        std::string const type(f.crv);
        if (!with_private) {
            pkey key(EVP_PKEY_new_raw_public_key_ex(nullptr, type.c_str(), nullptr, raw(x), x.size()));
            expect_key(key != nullptr, "a JWK whose \"x\" is a key on the curve " + type);
            return key;
        }
        secret<> const d = jwk_bytes(jwk, "d", f.number);
        pkey key(EVP_PKEY_new_raw_private_key_ex(nullptr, type.c_str(), nullptr, raw(d), d.size()));
        std::array<unsigned char, 57> own{};
        std::size_t size = own.size();
        bool const good = key != nullptr && EVP_PKEY_get_raw_public_key(key.get(), own.data(), &size) == 1;
        expect_key(good && equal_in_constant_time(byte_view(own.data(), size), x.reveal()), "a JWK whose \"x\" belongs to its \"d\"");
        return key;
    }
    key_material material;
    if (f.family == jws_family::ecdsa) {
        secret<> const x = jwk_bytes(jwk, "x", f.number), y = jwk_bytes(jwk, "y", f.number);
        material.text(OSSL_PKEY_PARAM_GROUP_NAME, f.crv);
        material.bytes(OSSL_PKEY_PARAM_PUB_KEY, secret<>("\x04" + x.reveal() + y.reveal()));
        if (with_private) material.number(OSSL_PKEY_PARAM_PRIV_KEY, jwk_bytes(jwk, "d", f.number));
        return material.make("EC", half);
    }
    auto const add = [&](char const* name, std::string_view member) {
        secret<> const bytes = jwk_bytes(jwk, member);
        expect_key(!bytes.empty() && bytes.size() <= 2048 && bytes.reveal().front() != '\0',
                   "a JWK whose \"" + std::string(member) + "\" is a number without leading zeros");
        material.number(name, bytes);
    };
    add(OSSL_PKEY_PARAM_RSA_N, "n");
    add(OSSL_PKEY_PARAM_RSA_E, "e");
    if (with_private) {
        expect_key(!jwk["oth"], "a JWK of an RSA key with two primes");
        add(OSSL_PKEY_PARAM_RSA_D, "d");
        add(OSSL_PKEY_PARAM_RSA_FACTOR1, "p");
        add(OSSL_PKEY_PARAM_RSA_FACTOR2, "q");
        add(OSSL_PKEY_PARAM_RSA_EXPONENT1, "dp");
        add(OSSL_PKEY_PARAM_RSA_EXPONENT2, "dq");
        add(OSSL_PKEY_PARAM_RSA_COEFFICIENT1, "qi");
    }
    return material.make("RSA", half);
}

} // namespace weir::inline v0::detail
