// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/detail/slice.hpp>
#include <weir/sign/byte_view.hpp>
#include <weir/sign/detail/evp.hpp>
#include <weir/sign/secret.hpp>

#include <array>
#include <cstddef>
#include <cstring>

namespace weir::inline v0::detail {

/// The longest block and digest of the SHA-2 family.
inline constexpr std::size_t longest_block = 128, longest_digest = 64;

/// A key prepared for HMAC with any digest of the SHA-2 family: the states after the two padded keys are kept, and copied for each message.
class prepared_hmac {
public:
    /// None: it is not to be used.
    prepared_hmac() noexcept = default;
    prepared_hmac(EVP_MD const* digest, byte_view key)
        : inner_(make_digest_context()),
          outer_(make_digest_context()),
          block_(static_cast<std::size_t>(EVP_MD_get_block_size(digest))),
          size_(static_cast<std::size_t>(EVP_MD_get_size(digest)))
    {
        secret<std::array<std::byte, longest_block>> const padded{pad(digest, key)};
        start(inner_.get(), digest, padded.reveal(), std::byte{0x36});
        start(outer_.get(), digest, padded.reveal(), std::byte{0x5c});
    }

    /// The bytes of a code.
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    /// Writes the code of `pieces` one after the other to `out`, which has room for `size()` bytes.
    void operator()(slice<byte_view> pieces, std::byte* out) const
    {
        EVP_MD_CTX* const context = thread_digest_context();
        auto* const to = reinterpret_cast<unsigned char*>(out);
        check_openssl(EVP_MD_CTX_copy_ex(context, inner_.get()), "starting HMAC");
        for (byte_view piece : pieces) check_openssl(EVP_DigestUpdate(context, piece.data(), piece.size()), "hashing");
        check_openssl(EVP_DigestFinal_ex(context, to, nullptr), "finishing a digest");
        check_openssl(EVP_MD_CTX_copy_ex(context, outer_.get()), "finishing HMAC");
        check_openssl(EVP_DigestUpdate(context, out, size_), "hashing");
        check_openssl(EVP_DigestFinal_ex(context, to, nullptr), "finishing a digest");
    }

private:
    std::array<std::byte, longest_block> pad(EVP_MD const* digest, byte_view key) const
    {
        std::array<std::byte, longest_block> padded{};
        if (key.size() > block_)
            check_openssl(EVP_Digest(key.data(), key.size(), reinterpret_cast<unsigned char*>(padded.data()), nullptr, digest, nullptr),
                          "hashing a key");
        else if (key.size() != 0)
            std::memcpy(padded.data(), key.data(), key.size());
        return padded;
    }
    void start(EVP_MD_CTX* context, EVP_MD const* digest, std::array<std::byte, longest_block> pad, std::byte filler) const
    {
        for (std::byte& b : pad) b ^= filler;
        check_openssl(EVP_DigestInit_ex2(context, digest, nullptr), "starting a digest");
        check_openssl(EVP_DigestUpdate(context, pad.data(), block_), "hashing");
        OPENSSL_cleanse(pad.data(), pad.size());
    }

    digest_context inner_{}, outer_{};
    std::size_t block_ = 0, size_ = 0;
};

} // namespace weir::inline v0::detail
