// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/detail/owner.hpp>

#include <openssl/err.h>
#include <openssl/evp.h>

#include <array>
#include <stdexcept>
#include <string>

namespace weir::inline v0::detail {

/// Throws `std::runtime_error` with what OpenSSL says about its last error in this thread.
[[noreturn]] inline void throw_openssl_error(std::string const& doing)
{
    std::array<char, 256> text{};
    ERR_error_string_n(ERR_get_error(), text.data(), text.size());
    ERR_clear_error();
    throw std::runtime_error("OpenSSL, " + doing + ": " + text.data());
}

inline void check_openssl(int result, char const* doing)
{
    if (result != 1) [[unlikely]]
        throw_openssl_error(doing);
}

struct evp_deleter {
    void operator()(EVP_MD* p) const noexcept { EVP_MD_free(p); }
    void operator()(EVP_MD_CTX* p) const noexcept { EVP_MD_CTX_free(p); }
};
using digest_context = owner<EVP_MD_CTX, evp_deleter>;

inline digest_context make_digest_context()
{
    digest_context made(EVP_MD_CTX_new());
    if (made == nullptr) throw_openssl_error("making a digest context");
    return made;
}

/// A digest, looked up once: OpenSSL's look-up by name costs as much as hashing a short message.
inline owner<EVP_MD, evp_deleter> look_up_digest(char const* name)
{
    owner<EVP_MD, evp_deleter> made(EVP_MD_fetch(nullptr, name, nullptr));
    if (made == nullptr) throw_openssl_error(std::string("looking up ") + name);
    return made;
}
inline EVP_MD const* sha256_algorithm()
{
    static auto const found = look_up_digest("SHA2-256");
    return found.get();
}
inline EVP_MD const* sha384_algorithm()
{
    static auto const found = look_up_digest("SHA2-384");
    return found.get();
}
inline EVP_MD const* sha512_algorithm()
{
    static auto const found = look_up_digest("SHA2-512");
    return found.get();
}

/// The state before the first byte: to copy it costs less than to start a digest.
inline EVP_MD_CTX const* sha256_begin()
{
    static digest_context const kept = [] {
        digest_context made = make_digest_context();
        check_openssl(EVP_DigestInit_ex2(made.get(), sha256_algorithm(), nullptr), "starting SHA-256");
        return made;
    }();
    return kept.get();
}

/// A context for the thread's short computations. Each starts it anew and leaves nothing for the next.
inline EVP_MD_CTX* thread_digest_context()
{
    thread_local digest_context const context = make_digest_context();
    return context.get();
}

} // namespace weir::inline v0::detail
