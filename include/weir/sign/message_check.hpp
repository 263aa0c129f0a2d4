// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/sign/timestamp.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace weir::inline v0 {

/// What is wrong with a signed message.
enum class message_fault : std::uint8_t {
    none,
    missing,         ///< a signature, or a part of the message that it covers, is not there
    malformed,       ///< a header or parameter is not of its form
    not_covered,     ///< the signature does not cover what it has to
    late,            ///< made too long ago, or expired
    early,           ///< made in the future
    unknown_key,     ///< there is no key of that name that is valid now and of that algorithm
    wrong_signature, ///< what was signed was something else, or by another key
    wrong_digest,    ///< the body is not the one that was signed
};

/// The name of a fault, for logs and statistics.
[[nodiscard]] constexpr std::string_view to_string(message_fault f) noexcept
{
    constexpr std::array<std::string_view, 9> names{"none",  "missing",     "malformed",       "not_covered", "late",
                                                    "early", "unknown_key", "wrong_signature", "wrong_digest"};
    return names[static_cast<std::size_t>(f)];
}

/// What a scheme found out about a signed message.
struct [[nodiscard]] message_check {
    message_fault fault = message_fault::none;
    std::string where{};   ///< the header, component or parameter that is missing or wrong
    std::string signer{};  ///< whose key it is, or its name
    std::string unique{};  ///< the nonce, or else what was signed: no other message of the signer has it
    std::string base{};    ///< the text that was signed
    wall_time signed_at{}; ///< when
    explicit operator bool() const noexcept { return fault == message_fault::none; }
};

} // namespace weir::inline v0
