// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/sign/digest.hpp>
#include <weir/sign/encoding.hpp>
#include <weir/sign/message_check.hpp>
#include <weir/sign/timestamp.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace weir::inline v0 {

/// The facet that tells which signed message this is, whatever its scheme: what `replay_guard` remembers. Only policies that verify one provide it.
class signature_facts {
public:
    signature_facts() = default;
    explicit signature_facts(message_check const& c) : signed_at_(c.signed_at)
    {
        std::string const size = std::to_string(c.signer.size()) + ':';
        std::array<byte_view, 3> const pieces{size, c.signer, c.unique};
        sha256_digest const digest = sha256(pieces);
        write_hex(byte_view(digest.data(), id_.size() / 2), id_.data());
    }

    /// 128 bits of the SHA-256 of the signer's name and of the message's nonce, or, without one, of what was signed; as hexadecimal digits.
    [[nodiscard]] std::string_view id() const noexcept { return {id_.data(), id_.size()}; }
    /// When it was signed, as it says; 1970 if it does not.
    [[nodiscard]] wall_time signed_at() const noexcept { return signed_at_; }

private:
    std::array<char, 32> id_{};
    wall_time signed_at_{};
};

} // namespace weir::inline v0
