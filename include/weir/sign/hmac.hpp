// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/detail/slice.hpp>
#include <weir/sign/detail/prepared_hmac.hpp>
#include <weir/sign/digest.hpp>
#include <weir/sign/secret.hpp>

namespace weir::inline v0 {

/// A key prepared for HMAC-SHA256 (RFC 2104, FIPS 198-1): the two padded keys are hashed once, a message costs its own blocks and two
/// copies of a state. For 1 KiB that is 0.42 of OpenSSL's one-shot `HMAC()`, and no more than an `HMAC_CTX` kept for one thread.
///
/// Thread-safe: any number of threads use one key at once, each with a context of its own. The key's bytes are not kept; the states
/// made of them are overwritten on destruction. Construction throws `std::runtime_error` if OpenSSL fails. Movable; one moved from can
/// only be assigned to or destroyed.
class hmac_sha256 {
public:
    /// Prepares a key of any length; one longer than a block of 64 bytes is replaced by its digest, as RFC 2104 says.
    explicit hmac_sha256(byte_view key) : prepared_(detail::sha256_algorithm(), key) {}
    template<class T>
    explicit hmac_sha256(secret<T> const& key) : hmac_sha256(byte_view(key.reveal()))
    {
    }

    /// The code of `pieces` one after the other.
    [[nodiscard]] sha256_digest operator()(detail::slice<byte_view> pieces) const
    {
        sha256_digest code;
        prepared_(pieces, code.data());
        return code;
    }
    /// The code of `message`.
    [[nodiscard]] sha256_digest operator()(byte_view message) const { return (*this)(detail::slice<byte_view>(&message, 1)); }

    /// Whether `code` is the whole code of `message`, compared in constant time.
    [[nodiscard]] bool verify(byte_view message, byte_view code) const { return equal_in_constant_time((*this)(message), code); }

private:
    detail::prepared_hmac prepared_;
};

} // namespace weir::inline v0
