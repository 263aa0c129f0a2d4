// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/sign/detail/evp.hpp>
#include <weir/sign/digest.hpp>
#include <weir/sign/encoding.hpp>
#include <weir/sign/secret.hpp>
#include <weir/sign/structured_view.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weir::inline v0 {

/// The digests of RFC 9530 that are secure: those that it calls insecure (MD5, SHA-1, checksums) are never made, and prove nothing.
enum class digest_kind : std::uint8_t { sha_256, sha_512 };

/// The name of a digest in the field: `"sha-256"`.
[[nodiscard]] constexpr std::string_view to_string(digest_kind k) noexcept
{
    return k == digest_kind::sha_256 ? "sha-256" : "sha-512";
}

/// The 64 bytes of a SHA-512 digest.
using sha512_digest = std::array<std::byte, 64>;

/// The SHA-512 digest (FIPS 180-4) of `bytes`. As `sha256` otherwise.
[[nodiscard]] inline sha512_digest sha512(byte_view bytes)
{
    EVP_MD_CTX* const context = detail::thread_digest_context();
    detail::check_openssl(EVP_DigestInit_ex2(context, detail::sha512_algorithm(), nullptr), "starting SHA-512");
    detail::update_digest(context, bytes);
    sha512_digest out;
    unsigned size = 0;
    detail::check_openssl(EVP_DigestFinal_ex(context, reinterpret_cast<unsigned char*>(out.data()), &size), "finishing a digest");
    return out;
}

namespace detail {

inline std::string encoded_digest(digest_kind k, byte_view content)
{
    return k == digest_kind::sha_256 ? to_base64(sha256(content)) : to_base64(sha512(content));
}
inline bool is_digest(digest_kind k, byte_view content, byte_view claimed)
{
    return k == digest_kind::sha_256 ? equal_in_constant_time(sha256(content), claimed) : equal_in_constant_time(sha512(content), claimed);
}

} // namespace detail

/// The value of Content-Digest for a body: `sha-256=:X48E9q...=:` (RFC 9530, section 2). The same text is the value of Repr-Digest (section 3) for
/// the bytes of the whole representation, before ranges are cut out of it.
[[nodiscard]] inline std::string content_digest(byte_view content, digest_kind kind = digest_kind::sha_256)
{
    std::string text(to_string(kind));
    text.append("=:").append(detail::encoded_digest(kind, content)).push_back(':');
    return text;
}

/// What a Content-Digest or Repr-Digest says about some bytes.
enum class digest_verdict : std::uint8_t {
    right,     ///< it has at least one digest that is known, and each of those is that of the bytes
    wrong,     ///< it has one that is not
    unknown,   ///< it has none that is known: it proves nothing
    malformed, ///< it is no dictionary of byte sequences
};

/// Judges the field's value, all its lines joined by `", "`. Cost: a digest of the bytes for each kind that stands in it.
[[nodiscard]] inline digest_verdict check_content_digest(std::string_view field, byte_view content)
{
    std::vector<sf::part> parts;
    parts.reserve(4);
    if (sf::scan_dictionary(field, parts, {.max_members = 16, .refuse_duplicate_keys = true}) || parts.empty())
        return digest_verdict::malformed;
    auto verdict = digest_verdict::unknown;
    for (sf::part const& p : parts) {
        if (p.of == sf::level::parameter) continue;
        if (p.of != sf::level::member || p.what != sf::kind::bytes) return digest_verdict::malformed;
        for (digest_kind const kind : {digest_kind::sha_256, digest_kind::sha_512}) {
            if (p.key != to_string(kind)) continue;
            std::array<std::byte, 66> claimed; // a multiple of three, which is what 88 characters may stand for
            auto const decoded = detail::read_base64(p.text, claimed.data(), claimed.size());
            if (!decoded || !detail::is_digest(kind, content, byte_view(claimed.data(), decoded.size))) return digest_verdict::wrong;
            verdict = digest_verdict::right;
        }
    }
    return verdict;
}

} // namespace weir::inline v0
