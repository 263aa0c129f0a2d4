// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/sign/byte_view.hpp>
#include <weir/sign/detail/jws_parts.hpp>
#include <weir/sign/encoding.hpp>
#include <weir/sign/jws_key.hpp>
#include <weir/sign/token_fault.hpp>
#include <weir/validate/detail/json_text.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace weir::inline v0 {

/// A source of keys that verify: a `jws_key` itself, or a `key_set`.
template<class T>
concept jws_keys = requires(T const& keys, std::optional<std::string_view> kid)
{
    {
        keys.find(kid)->algorithm()
        } -> std::same_as<jws_algorithm>;
    {
        keys.version()
        } -> std::same_as<std::size_t>;
};

namespace detail {

/// Printable ASCII: what a payload may be that stands in a token as it is.
[[nodiscard]] inline bool is_plain(std::string_view text) noexcept
{
    for (char c : text)
        if (c < ' ' || c > '~') return false;
    return true;
}

} // namespace detail

struct jws_options {
    std::size_t max_bytes = 65'536; ///< the longest text; what is longer is refused unread
};

/// What was signed, or why it is not given.
struct [[nodiscard]] opened_jws {
    token_fault fault = token_fault::none;
    std::string payload{}; ///< any bytes
    explicit operator bool() const noexcept { return fault == token_fault::none; }
};

/// Opens a JSON Web Signature in the compact serialization (RFC 7515): gives the payload if the key that it means signed it.
///
/// The key says which algorithm it is, and the header has to agree: no header can choose one, none of `none`, and no key in a
/// header is used. Strict in form: exactly three parts in base64url without padding, foreign characters or spare bits; the header one JSON object
/// of at most 4 KiB without duplicate members (`strict_json`) whose members have their types; an ECDSA signature of exactly the two numbers.
/// Of critical extensions (`crit`) it understands `b64` alone (RFC 7797); then the payload is printable ASCII without a point.
/// Costs what the bare cryptography costs, and about 1 ns a byte. Thread-safe if the keys are.
template<jws_keys Keys>
opened_jws open_jws(Keys const& keys, std::string_view compact, jws_options const& options = {})
{
    detail::jws_parts parts;
    detail::jws_header head;
    if (compact.size() > options.max_bytes) return {token_fault::too_long};
    if (!detail::cut(compact, parts)) return {token_fault::malformed};
    token_fault fault = detail::read_header(parts.header, detail::header_scratch(), head);
    if (fault == token_fault::none) {
        byte_view const input = parts.input;
        fault = detail::check_signature(keys, head, parts.signature, {&input, 1});
    }
    if (fault != token_fault::none) return {fault};
    if (!head.encoded) {
        return detail::is_plain(parts.payload) ? opened_jws{token_fault::none, std::string(parts.payload)}
                                               : opened_jws{token_fault::malformed};
    }
    auto payload = from_base64url(parts.payload);
    return payload ? opened_jws{token_fault::none, std::move(*payload)} : opened_jws{token_fault::malformed};
}

/// Checks a signature that travels beside what it signs (RFC 7515 appendix F): `header..signature`, with or without `b64`.
template<jws_keys Keys>
[[nodiscard]] token_fault verify_detached_jws(Keys const& keys, std::string_view compact, byte_view payload,
                                              jws_options const& options = {})
{
    detail::jws_parts parts;
    detail::jws_header head;
    if (compact.size() > options.max_bytes) return token_fault::too_long;
    if (!detail::cut(compact, parts) || !parts.payload.empty()) return token_fault::malformed;
    if (token_fault const f = detail::read_header(parts.header, detail::header_scratch(), head); f != token_fault::none) return f;
    std::string const encoded = head.encoded ? to_base64url(payload) : std::string();
    std::array<byte_view, 2> const pieces{parts.input, head.encoded ? byte_view(encoded) : payload};
    return detail::check_signature(keys, head, parts.signature, pieces);
}

/// What stands in the header beside `alg` and `kid`, which the key says.
struct jws_header_options {
    std::string type{};         ///< `typ`; left out if empty
    std::string content_type{}; ///< `cty`; left out if empty
    bool encoded = true;        ///< false: `b64` (RFC 7797), the payload is signed and sent as it is
};

namespace detail {

inline std::string encoded_header(jws_signer const& signer, jws_header_options const& o)
{
    std::string json = R"({"alg":")" + std::string(to_string(signer.algorithm())) + '"';
    auto const add = [&](std::string_view name, std::string_view value) {
        if (value.empty()) return;
        (json += ",\"") += name;
        if (!append_json_text(json += "\":", value)) throw std::invalid_argument(std::string(name) + ": expected UTF-8");
    };
    add("typ", o.type);
    add("cty", o.content_type);
    add("kid", signer.kid());
    json += o.encoded ? "}" : R"(,"b64":false,"crit":["b64"]})";
    return to_base64url(json);
}

} // namespace detail

/// Signs any bytes: `header.payload.signature`. Throws `std::invalid_argument` for a payload that cannot stand there as it is, `std::runtime_error` if
/// OpenSSL fails.
[[nodiscard]] inline std::string sign_jws(jws_signer const& signer, byte_view payload, jws_header_options const& options = {})
{
    if (!options.encoded && (!detail::is_plain(payload.text()) || payload.text().find('.') != std::string_view::npos))
        throw std::invalid_argument("payload: expected printable ASCII without a point, or sign it detached");
    std::string made = detail::encoded_header(signer, options) + '.';
    made += options.encoded ? to_base64url(payload) : std::string(payload.text());
    std::string const signature = signer.sign(made);
    return (made += '.') += to_base64url(signature);
}

/// Signs any bytes that travel beside their signature: `header..signature`.
[[nodiscard]] inline std::string sign_detached_jws(jws_signer const& signer, byte_view payload, jws_header_options const& options = {})
{
    std::string made = detail::encoded_header(signer, options) + '.';
    std::string const encoded = options.encoded ? to_base64url(payload) : std::string();
    std::array<byte_view, 2> const pieces{made, options.encoded ? byte_view(encoded) : payload};
    std::string const signature = signer.sign(pieces);
    return (made += '.') += to_base64url(signature);
}

static_assert(jws_keys<jws_key>);

} // namespace weir::inline v0
