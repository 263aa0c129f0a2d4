// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/sign/byte_view.hpp>
#include <weir/sign/encoding.hpp>
#include <weir/sign/jws_key.hpp>
#include <weir/validate/detail/json_text.hpp>

#include <array>
#include <stdexcept>
#include <string>
#include <string_view>

namespace weir::inline v0 {

namespace detail {

/// Printable ASCII: what a payload may be that stands in a token as it is.
[[nodiscard]] inline bool is_plain(std::string_view text) noexcept
{
    for (char c : text)
        if (c < ' ' || c > '~') return false;
    return true;
}

} // namespace detail

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

} // namespace weir::inline v0
