// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "demo_keys.hpp"

#include <weir/sign/encoding.hpp>
#include <weir/sign/hmac.hpp>

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

namespace gateway {

/// A token that is no good, and what is said to it.
struct forgery {
    std::string_view what;
    std::string token;
    std::string_view reason;                                        ///< the detail of the problem, behind "header authorization: expected "
    std::string_view policy = "verify_jwt";                         ///< that refuses
    std::string_view challenge = R"(Bearer error="invalid_token")"; ///< WWW-Authenticate; empty: it is a 403
};

/// The tokens by which strangers have got in elsewhere.
inline std::vector<forgery> forgeries(demo_keys const& keys)
{
    token_issuer const stranger("issuer-9"), namesake("issuer-1");
    std::string const good = keys.issuer.token();
    auto const first = good.find('.'), second = good.rfind('.');
    std::string const payload = good.substr(first + 1, second - first - 1), signature = good.substr(second + 1);
    auto const made = [&](std::string_view header, std::string_view body, std::string_view signed_by) {
        return fmt::format("{}.{}.{}", weir::to_base64url(header), body, signed_by);
    };
    // The public key is known to all: whoever takes it for a shared secret lets all of them in.
    std::string const with_hmac = fmt::format("{}.{}", weir::to_base64url(R"({"alg":"HS256","kid":"issuer-1"})"), payload);
    auto const code = weir::hmac_sha256(weir::byte_view(keys.issuer.pair().public_pem()))(with_hmac);

    constexpr std::string_view form = "a well-formed signed token", trusted = "a token with a signature by a trusted key";
    std::string more = std::string(*weir::from_base64url(payload));
    more.replace(more.find("quotes:read"), 11, "orders:take");
    std::string bit = good;
    bit[second + 9] = bit[second + 9] == 'A' ? 'B' : 'A';
    return {
        {"alg none", made(R"({"alg":"none"})", payload, ""), trusted},
        {"alg none, the signature kept", made(R"({"alg":"none","kid":"issuer-1"})", payload, signature), trusted},
        {"alg nOnE", made(R"({"alg":"nOnE","kid":"issuer-1"})", payload, ""), trusted},
        {"HS256, the public key as the secret", fmt::format("{}.{}", with_hmac, weir::to_base64url(code)), trusted},
        {"another payload", good.substr(0, first + 1) + weir::to_base64url(more) + good.substr(second), trusted},
        {"a byte of the signature", bit, trusted},
        {"no signature", good.substr(0, second + 1), trusted},
        {"a key that nobody knows", stranger.token(), trusted},
        {"another key of the same name", namesake.token(), trusted},
        {"its own key in its header", made(fmt::format(R"({{"alg":"ES256","jwk":{}}})", stranger.jwk()), payload, signature), trusted},
        {"an extension that must be understood", made(R"({"alg":"ES256","kid":"issuer-1","crit":["b64"]})", payload, signature), form},
        {"no token at all", "not.a.token", form},
        {"one that has expired", keys.issuer.token({.age = std::chrono::hours(2)}), "a token that has not expired", "verify_jwt",
         R"(Bearer error="invalid_token", error_description="the token has expired")"},
        {"one for another service", keys.issuer.token({.audience = "payments"}), "a token for this service", "verify_jwt",
         R"(Bearer error="invalid_token", error_description="the token is for another audience")"},
        {"one of another device", keys.issuer.token({.device = "till-8"}), "what the token says in the claim device", "claims_match"},
        {"one of no device", keys.issuer.token({.device = ""}), "a token with all claims that are required: device", "claims_match"},
        {"one that may do something else", keys.issuer.token({.scope = "orders:take"}), "the scope quotes:read", "authorize", ""},
    };
}

} // namespace gateway
