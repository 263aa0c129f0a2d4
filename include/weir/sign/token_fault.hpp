// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weir::inline v0 {

/// Why a token is refused.
enum class token_fault : std::uint8_t {
    none,
    missing,         ///< there is no token
    too_long,        ///< it is longer than the limit
    malformed,       ///< not three parts in base64url, or not three parts at all
    bad_header,      ///< its header is no strict JSON object, or a member of it has a wrong form
    critical,        ///< it says that something must be understood (`crit`) that is not, or says so wrongly
    unknown_key,     ///< no key has the name that it gives, or it gives none where there are several
    wrong_algorithm, ///< it names another algorithm than its key has; `none` too
    wrong_signature, ///< it was changed, or another key signed it
    type,            ///< it is a token of another type (`typ`)
    claims,          ///< its claims are no strict JSON object
    claim_type,      ///< a claim has another type than RFC 7519 gives it, or a time out of range
    missing_claim,   ///< a required claim is not there
    issuer,          ///< it is from another issuer
    audience,        ///< it is for another audience
    expired,         ///< its time is over
    early,           ///< its time has not come
    too_old,         ///< it was issued too long ago, or in the future
};

inline constexpr std::size_t token_faults = 18;

/// The name of a fault, for logs and statistics.
[[nodiscard]] constexpr std::string_view to_string(token_fault f) noexcept
{
    constexpr std::array<std::string_view, token_faults> names{
        "none", "missing", "too_long",   "malformed",     "bad_header", "critical", "unknown_key", "wrong_algorithm", "wrong_signature",
        "type", "claims",  "claim_type", "missing_claim", "issuer",     "audience", "expired",     "early",           "too_old"};
    return names[static_cast<std::size_t>(f)];
}

/// What to tell who sent the token: what was expected of it. A stranger learns nothing of keys from it: whatever is wrong with key, algorithm or
/// signature is told alike.
[[nodiscard]] constexpr std::string_view expectation_of(token_fault f) noexcept
{
    switch (f) {
    case token_fault::none: return "";
    case token_fault::missing: return "a bearer token";
    case token_fault::too_long: return "a token that is not so long";
    case token_fault::malformed:
    case token_fault::bad_header:
    case token_fault::critical: return "a well-formed signed token";
    case token_fault::unknown_key:
    case token_fault::wrong_algorithm:
    case token_fault::wrong_signature: return "a token with a signature by a trusted key";
    case token_fault::type: return "a token of the right type";
    case token_fault::claims:
    case token_fault::claim_type: return "a token with well-formed claims";
    case token_fault::missing_claim: return "a token with all claims that are required";
    case token_fault::issuer: return "a token from a trusted issuer";
    case token_fault::audience: return "a token for this service";
    case token_fault::expired: return "a token that has not expired";
    case token_fault::early: return "a token that is valid already";
    case token_fault::too_old: return "a token that was issued lately";
    }
    return "";
}

static_assert(to_string(token_fault::too_old) == "too_old");

} // namespace weir::inline v0
