// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/detail/slice.hpp>
#include <weir/sign/byte_view.hpp>
#include <weir/sign/detail/signature.hpp>
#include <weir/sign/encoding.hpp>
#include <weir/sign/jws_key.hpp>
#include <weir/sign/token_fault.hpp>
#include <weir/validate/strict_json.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::inline v0::detail {

/// The parts of a compact serialization (RFC 7515 section 3.1), as they stand there.
struct jws_parts {
    std::string_view header, payload, signature;
    std::string_view input; // header and payload with the point between: what is signed
};

/// Cuts at the two points; there are exactly two.
inline bool cut(std::string_view compact, jws_parts& into) noexcept
{
    std::size_t const first = compact.find('.');
    if (first == compact.npos) return false;
    std::size_t const second = compact.find('.', first + 1);
    if (second == compact.npos || compact.find('.', second + 1) != compact.npos) return false;
    into = {compact.substr(0, first), compact.substr(first + 1, second - first - 1), compact.substr(second + 1), compact.substr(0, second)};
    return true;
}

/// What a header says (RFC 7515 section 4). Keys in it (`jwk`, `jku`, `x5u`, `x5c`) and the rest are not looked at.
struct jws_header {
    std::string_view algorithm;
    std::optional<std::string_view> kid, type;
    bool encoded = true; // RFC 7797: the payload is signed in base64url
};

inline constexpr std::size_t longest_header = 4096;

/// Names that RFC 7515, 7518 and 7519 define may not be called critical (RFC 7515 section 4.1.11).
inline bool reads_critical(json_view head) noexcept
{
    json_view const list = head["crit"];
    if (!list) return true;
    // The only extension that is understood: so it stands there once.
    return list.is_list() && list.size() == 1 && (*list.begin()).text() == "b64" && head["b64"];
}

/// Decodes base64url into a document and reads it.
inline strict_json_fault read_encoded(std::string_view text, strict_json& into, strict_json_limits const& limits, bool& decoded)
{
    std::string& buffer = into.buffer();
    if (buffer.size() < text.size() || buffer.size() > 2 * text.size() + 64) buffer.resize(text.size());
    decode_result const d = read_base64url(text, reinterpret_cast<std::byte*>(buffer.data()), buffer.size());
    decoded = bool(d);
    buffer.resize(d.size);
    return into.parse(limits);
}

inline token_fault read_header(std::string_view encoded, strict_json& scratch, jws_header& into)
{
    if (encoded.empty() || encoded.size() > longest_header) return token_fault::bad_header;
    bool decoded = false;
    strict_json_fault const read = read_encoded(encoded, scratch, {.bytes = longest_header, .levels = 8, .values = 128}, decoded);
    if (!decoded) return token_fault::malformed;
    json_view const head = scratch.root();
    if (read != strict_json_fault::none || !head.is_object()) return token_fault::bad_header;
    bool good = false, extended = false;
    for (json_view member : head) {
        std::string_view const name = member.name();
        auto const text = member.text();
        if (name == "alg") {
            if (!text) return token_fault::bad_header;
            into.algorithm = *text;
            good = true;
        } else if (name == "kid") {
            if (!text || !is_kid(*text)) return token_fault::bad_header;
            into.kid = text;
        } else if (name == "typ") {
            if (!text) return token_fault::bad_header;
            into.type = text;
        } else if (name == "cty") {
            if (!text) return token_fault::bad_header;
        } else if (name == "b64") {
            if (!member.boolean()) return token_fault::bad_header;
            into.encoded = *member.boolean();
            extended = true;
        } else if (name == "crit") {
            extended = true;
        }
    }
    if (!good) return token_fault::bad_header;
    if (extended && (!reads_critical(head) || (!into.encoded && !head["crit"]))) return token_fault::critical;
    return token_fault::none;
}

/// Whether the key that the header means made the signature of `pieces`.
template<class Keys>
token_fault check_signature(Keys const& keys, jws_header const& head, std::string_view signature, slice<byte_view> pieces)
{
    auto const key = keys.find(head.kid);
    if (key == nullptr) return token_fault::unknown_key;
    if (to_string(key->algorithm()) != head.algorithm) return token_fault::wrong_algorithm;
    std::array<std::byte, longest_signature> bytes;
    decode_result const d = read_base64url(signature, bytes.data(), bytes.size());
    if (!d) return d.fault == decode_fault::room ? token_fault::wrong_signature : token_fault::malformed;
    return key->verify(pieces, byte_view(bytes.data(), d.size)) ? token_fault::none : token_fault::wrong_signature;
}

/// A document for what is read and thrown away at once. One a thread.
inline strict_json& header_scratch()
{
    thread_local strict_json scratch;
    return scratch;
}

} // namespace weir::inline v0::detail
