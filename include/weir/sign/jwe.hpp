// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/sign/byte_view.hpp>
#include <weir/sign/detail/jwe_crypto.hpp>
#include <weir/sign/detail/jws_parts.hpp>
#include <weir/sign/encoding.hpp>
#include <weir/sign/jwe_key.hpp>
#include <weir/sign/secret.hpp>
#include <weir/validate/strict_json.hpp>

#include <openssl/evp.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace weir::inline v0 {

struct jwe_options {
    std::size_t max_bytes = 8'192; ///< the longest text; what is longer is refused unread
};

/// Why a JWE was not opened; for statistics. Who sent it is told that it was not, and no more.
enum class jwe_fault : std::uint8_t {
    none,
    too_long,        ///< longer than the limit
    malformed,       ///< not five parts in base64url of the sizes that the key's algorithms have
    bad_header,      ///< its header is no strict JSON object, or a member of it has a wrong form, or `crit` or `zip` is there
    unknown_key,     ///< no key has the name that it gives, or it gives none where there are several
    wrong_algorithm, ///< it names other algorithms than its key has
    closed,          ///< it was changed, or sealed for another key
};
inline constexpr std::size_t jwe_faults = 7;

/// What was sealed, or why it is not given.
struct [[nodiscard]] opened_jwe {
    jwe_fault fault = jwe_fault::none;
    secret<> text{};
    explicit operator bool() const noexcept { return fault == jwe_fault::none; }
};

/// A source of keys that open: a `jwe_key` itself, or `jwe_keys`. `find` gives a pointer of some kind to a key, which lives as long as that
/// pointer, or null.
template<class T>
concept keys_that_open = requires(T const& keys, std::optional<std::string_view> kid)
{
    {
        *keys.find(kid)
        } -> std::same_as<jwe_key const&>;
    {
        keys.find(kid) == nullptr
        } -> std::convertible_to<bool>;
};

namespace detail {

/// The parts of a compact serialization (RFC 7516 section 3.1).
struct jwe_parts {
    std::string_view part[5]{};
    [[nodiscard]] bool cut(std::string_view compact) noexcept
    {
        for (std::size_t i = 0; i < 4; ++i) {
            std::size_t const end = compact.find('.');
            if (end == compact.npos) return false;
            part[i] = compact.substr(0, end);
            compact.remove_prefix(end + 1);
        }
        part[4] = compact;
        return compact.find('.') == compact.npos;
    }
};

/// What a header says (RFC 7516 section 4, RFC 7518 section 4.6.1); views into the document.
struct jwe_header {
    std::string_view algorithm{}, encryption{};
    std::optional<std::string_view> kid{};
    json_view epk{};
    std::string apu{}, apv{};
};

/// Compression is not understood: the length of what is compressed tells of it, and a short text may become a long one. Nor is any extension.
inline bool read_jwe_header(json_view head, jwe_header& into)
{
    if (!head.is_object()) return false;
    for (json_view member : head) {
        std::string_view const name = member.name();
        auto const text = member.text();
        bool good = true;
        if (name == "alg" || name == "enc") {
            good = text.has_value();
            (name == "alg" ? into.algorithm : into.encryption) = text.value_or(std::string_view());
        } else if (name == "kid") {
            good = text && is_kid(*text);
            into.kid = text;
        } else if (name == "apu" || name == "apv") {
            auto bytes = text && text->size() <= 256 ? from_base64url(*text) : std::nullopt;
            good = bytes.has_value();
            if (good) (name == "apu" ? into.apu : into.apv) = std::move(*bytes);
        } else if (name == "epk") {
            good = member.is_object() && !member["d"];
            into.epk = member;
        } else if (name == "typ" || name == "cty") {
            good = text.has_value();
        } else {
            good = name != "crit" && name != "zip";
        }
        if (!good) return false;
    }
    return !into.algorithm.empty() && !into.encryption.empty();
}

inline std::size_t content_key_size(jwe_encryption e) noexcept
{
    return e == jwe_encryption::a128gcm ? 16 : 32;
}

/// The content key that the sender has agreed on with this key, in `into`; false if he cannot have.
inline bool agree_on_key(jwe_key const& key, jwe_header const& head, secret<>& into)
{
    jwe_pair const& own = jwe_maker::pair_of(key);
    // Looked at first: to check a key of another type, such as a big one of RSA, may take long.
    if (head.epk["crv"].text() != (own.curve == jwe_curve::p256 ? "P-256" : "X25519")) return false;
    if (head.epk["kty"].text() != (own.curve == jwe_curve::p256 ? "EC" : "OKP")) return false;
    try {
        jwe_pair const sender = read_jwe_pair(head.epk, key_half::public_key);
        secret<> common;
        if (!agree(own.key.get(), sender.key.get(), common)) return false;
        into = concat_kdf(common, to_string(key.encryption()), head.apu, head.apv, content_key_size(key.encryption()));
        return true;
    } catch (std::invalid_argument const&) { // it is no key on the curve
        return false;
    }
}

} // namespace detail

/// Opens a JSON Web Encryption in the compact serialization (RFC 7516), if it was sealed for a key of `keys`.
///
/// The key says which algorithms it has, and the header has to agree: none can choose one. Strict in form: exactly five parts in base64url without padding, foreign
/// characters or spare bits; the header one JSON object of at most 4 KiB without duplicate members (`strict_json`); an initialisation vector of 12 bytes, a tag of 16, an encrypted key as long
/// as the RSA key, or none. `crit` and `zip` are refused. The sender's key of the moment (`epk`) has to be a point of the same curve (RFC 7518 section 4.6, RFC 8017, RFC 7748 section 6.1).
///
/// A content key that cannot be decrypted, and content that was changed, fail alike and take alike long (RFC 7516 section 11.5). The text is overwritten when it ends.
/// Costs what the cryptography costs. Thread-safe. Throws `std::runtime_error` if OpenSSL fails.
template<keys_that_open Keys>
opened_jwe open_jwe(Keys const& keys, std::string_view compact, jwe_options const& options = {})
{
    if (compact.size() > options.max_bytes) return {jwe_fault::too_long};
    detail::jwe_parts parts;
    if (!parts.cut(compact) || parts.part[0].empty()) return {jwe_fault::malformed};
    auto const& [encoded, wrapped, vector, sealed, mark] = parts.part;
    if (encoded.size() > detail::longest_header) return {jwe_fault::bad_header};

    strict_json document;
    bool decoded = false;
    strict_json_fault const read =
        detail::read_encoded(encoded, document, {.bytes = detail::longest_header, .levels = 8, .values = 128}, decoded);
    if (!decoded) return {jwe_fault::malformed};
    detail::jwe_header head;
    if (read != strict_json_fault::none || !detail::read_jwe_header(document.root(), head)) return {jwe_fault::bad_header};

    auto const key = keys.find(head.kid);
    if (key == nullptr) return {jwe_fault::unknown_key};
    if (head.algorithm != to_string(key->algorithm()) || head.encryption != to_string(key->encryption()))
        return {jwe_fault::wrong_algorithm};
    bool const agrees = key->algorithm() == jwe_algorithm::ecdh_es;
    if (agrees != bool(head.epk)) return {jwe_fault::bad_header};

    auto const content = from_base64url(wrapped), iv = from_base64url(vector), text = from_base64url(sealed), tag = from_base64url(mark);
    EVP_PKEY* const own = detail::jwe_maker::pair_of(*key).key.get();
    std::size_t const wrapped_size = agrees ? 0 : static_cast<std::size_t>(EVP_PKEY_get_size(own));
    bool const formed = content && iv && text && tag && content->size() == wrapped_size && iv->size() == detail::gcm_iv_size &&
                        tag->size() == detail::gcm_tag_size;
    if (!formed) return {jwe_fault::malformed};

    secret<> content_key;
    if (agrees) {
        if (!detail::agree_on_key(*key, head, content_key)) return {jwe_fault::closed};
    } else {
        content_key = detail::open_oaep(own, *content, detail::content_key_size(key->encryption()));
    }
    opened_jwe opened;
    if (!detail::open_gcm(content_key, *iv, encoded, *text, *tag, opened.text)) opened.fault = jwe_fault::closed;
    return opened;
}

/// Seals a text for a key: the other end of `open_jwe`, for clients and tests. Each time with new keys and a new vector, so two sealings of one text have nothing in common but its
/// length, which everybody sees. Throws `std::runtime_error` if OpenSSL fails.
[[nodiscard]] inline std::string seal_jwe(jwe_recipient const& to, byte_view text)
{
    detail::jwe_pair const& other = detail::jwe_maker::pair_of(to);
    std::size_t const size = detail::content_key_size(to.encryption());
    std::string head =
        R"({"alg":")" + std::string(to_string(to.algorithm())) + R"(","enc":")" + std::string(to_string(to.encryption())) + '"';
    if (!to.kid().empty()) {
        head += R"(,"kid":")";
        for (char c : to.kid()) (c == '"' || c == '\\' ? head += '\\' : head) += c;
        head += '"';
    }
    secret<> key;
    std::string wrapped;
    if (to.algorithm() == jwe_algorithm::rsa_oaep_256) {
        key = secret<>(detail::random_octets(size));
        wrapped = detail::seal_oaep(other.key.get(), key);
    } else {
        detail::pkey made(other.curve == detail::jwe_curve::p256 ? EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")
                                                                 : EVP_PKEY_Q_keygen(nullptr, nullptr, "X25519"));
        if (made == nullptr) detail::throw_openssl_error("making a key");
        detail::jwe_pair const moment(std::move(made), detail::key_half::public_key);
        secret<> common;
        if (!detail::agree(moment.key.get(), other.key.get(), common)) detail::throw_openssl_error("agreeing on a key");
        key = detail::concat_kdf(common, to_string(to.encryption()), {}, {}, size);
        head += R"(,"epk":{)" + detail::public_members(moment) + '}';
    }
    std::string const encoded = to_base64url(head + '}'), iv = detail::random_octets(detail::gcm_iv_size);
    std::string tag;
    std::string const sealed = detail::seal_gcm(key, iv, encoded, text, tag);
    return encoded + '.' + to_base64url(wrapped) + '.' + to_base64url(iv) + '.' + to_base64url(sealed) + '.' + to_base64url(tag);
}

} // namespace weir::inline v0
