// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/sign/timestamp.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weir::inline v0 {

/// What is wrong with a signed request.
enum class signature_fault : std::uint8_t {
    none,
    missing,         ///< a header is not there
    malformed,       ///< a header, the method or the target is not of the form that can be signed
    late,            ///< the timestamp is too far in the past
    early,           ///< the timestamp is too far in the future
    unknown_app,     ///< the app has no key that is valid now
    wrong_signature, ///< what was signed was something else, or by another key
    wrong_digest,    ///< the body is not the one that was signed
};

/// The name of a fault, for logs and statistics: never tell a stranger more than "unauthenticated".
[[nodiscard]] constexpr std::string_view to_string(signature_fault f) noexcept
{
    constexpr std::array<std::string_view, 8> names{"none",  "missing",     "malformed",       "late",
                                                    "early", "unknown_app", "wrong_signature", "wrong_digest"};
    return names[static_cast<std::size_t>(f)];
}

/// What `canonical_scheme` found out. The views point into the request, or, for `where`, into the scheme.
struct [[nodiscard]] signature_check {
    signature_fault fault = signature_fault::none;
    std::string_view where{}; ///< the header that is missing or malformed, or "method" or "target"
    std::string_view app{}, device{}, nonce{};
    wall_time signed_at{};
    explicit constexpr operator bool() const noexcept { return fault == signature_fault::none; }
};

} // namespace weir::inline v0
