// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/sign/detail/evp.hpp>
#include <weir/sign/encoding.hpp>

#include <openssl/rand.h>

#include <array>
#include <string_view>

namespace weir::inline v0 {

/// A value used once: 128 random bits as 32 lower-case hexadecimal digits, kept without allocation. No two of 2^40 are equal but with a
/// probability of 2^-49.
class random_nonce {
public:
    /// Draws from OpenSSL's generator for public values. Throws `std::runtime_error` if it has no entropy. Thread-safe.
    random_nonce()
    {
        std::array<unsigned char, 16> bytes;
        detail::check_openssl(RAND_bytes(bytes.data(), static_cast<int>(bytes.size())), "drawing a nonce");
        write_hex(bytes, text_.data());
    }
    [[nodiscard]] std::string_view view() const noexcept { return {text_.data(), text_.size()}; }

private:
    std::array<char, 32> text_;
};

/// Draws the nonces of signed messages. A test gives another one, whose nonces it knows.
struct random_nonces {
    [[nodiscard]] random_nonce operator()() const { return {}; }
};

} // namespace weir::inline v0
