// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/sign/byte_view.hpp>
#include <weir/sign/detail/jws_parts.hpp>
#include <weir/sign/encoding.hpp>
#include <weir/sign/jws_key.hpp>
#include <weir/sign/sign_jws.hpp>
#include <weir/sign/token_fault.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <optional>
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

static_assert(jws_keys<jws_key>);

} // namespace weir::inline v0
