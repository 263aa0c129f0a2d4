// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/detail/slice.hpp>
#include <weir/sign/byte_view.hpp>
#include <weir/sign/detail/evp.hpp>

#include <array>
#include <cstddef>

namespace weir::inline v0 {

/// The 32 bytes of a SHA-256 digest or of an HMAC made with it. Compare what an attacker may guess by `equal_in_constant_time`.
using sha256_digest = std::array<std::byte, 32>;

namespace detail {

inline void update_digest(EVP_MD_CTX* context, byte_view bytes)
{
    check_openssl(EVP_DigestUpdate(context, bytes.data(), bytes.size()), "hashing");
}

inline sha256_digest finish_digest(EVP_MD_CTX* context)
{
    sha256_digest out;
    unsigned size = 0;
    check_openssl(EVP_DigestFinal_ex(context, reinterpret_cast<unsigned char*>(out.data()), &size), "finishing a digest");
    return out;
}

} // namespace detail

/// The SHA-256 digest (FIPS 180-4) of `pieces` one after the other, as if they stood in one text. Thread-safe: every thread has a
/// context of its own. Throws `std::runtime_error` if OpenSSL has no SHA-256 or no memory.
[[nodiscard]] inline sha256_digest sha256(detail::slice<byte_view> pieces)
{
    EVP_MD_CTX* const context = detail::thread_digest_context();
    detail::check_openssl(EVP_MD_CTX_copy_ex(context, detail::sha256_begin()), "starting SHA-256");
    for (byte_view piece : pieces) detail::update_digest(context, piece);
    return detail::finish_digest(context);
}

/// The SHA-256 digest of `bytes`.
[[nodiscard]] inline sha256_digest sha256(byte_view bytes)
{
    return sha256(detail::slice<byte_view>(&bytes, 1));
}

} // namespace weir::inline v0
