// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/detail/slice.hpp>
#include <weir/sign/byte_view.hpp>
#include <weir/sign/detail/evp.hpp>
#include <weir/sign/detail/pkey.hpp>
#include <weir/sign/jws_algorithm.hpp>

#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <mutex>
#include <string>
#include <utility>

namespace weir::inline v0::detail {

/// The longest signature: RSA of 16384 bits.
inline constexpr std::size_t longest_signature = 2048;

inline EVP_MD const* digest_of(jws_algorithm a)
{
    switch (facts_of(a).digest) {
    case 256: return sha256_algorithm();
    case 384: return sha384_algorithm();
    case 512: return sha512_algorithm();
    default: return nullptr;
    }
}

/// The digest of pieces one after the other.
class short_digest {
public:
    short_digest(EVP_MD const* algorithm, slice<byte_view> pieces)
    {
        EVP_MD_CTX* const context = thread_digest_context();
        check_openssl(EVP_DigestInit_ex2(context, algorithm, nullptr), "starting a digest");
        for (byte_view piece : pieces) check_openssl(EVP_DigestUpdate(context, piece.data(), piece.size()), "hashing");
        check_openssl(EVP_DigestFinal_ex(context, bytes_.data(), &size_), "finishing a digest");
    }
    [[nodiscard]] unsigned char const* data() const noexcept { return bytes_.data(); }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

private:
    std::array<unsigned char, EVP_MAX_MD_SIZE> bytes_;
    unsigned size_ = 0;
};

/// The pieces as one text: EdDSA hashes its message twice.
inline std::string joined(slice<byte_view> pieces)
{
    std::string whole;
    for (byte_view piece : pieces) whole += piece.text();
    return whole;
}

/// An ECDSA signature as OpenSSL takes it, of two numbers of `each` bytes: `SEQUENCE { INTEGER r, INTEGER s }` in DER (X.690 section 8.3).
class der_signature {
public:
    der_signature(unsigned char const* numbers, std::size_t each) noexcept
    {
        std::array<unsigned char, 2 * 69> content;
        std::size_t size = 0;
        for (unsigned char const* n : {numbers, numbers + each}) {
            unsigned char const* first = n;
            while (first != n + each - 1 && *first == 0) ++first;
            bool const high = (*first & 0x80) != 0; // would be a sign
            auto const length = static_cast<std::size_t>(n + each - first);
            content[size++] = 2;
            content[size++] = static_cast<unsigned char>(length + high);
            if (high) content[size++] = 0;
            std::memcpy(&content[size], first, length);
            size += length;
        }
        bytes_[size_++] = 0x30;
        if (size > 127) bytes_[size_++] = 0x81;
        bytes_[size_++] = static_cast<unsigned char>(size);
        std::memcpy(&bytes_[size_], content.data(), size);
        size_ += size;
    }
    [[nodiscard]] unsigned char const* data() const noexcept { return bytes_.data(); }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

private:
    std::array<unsigned char, 2 * 69 + 3> bytes_;
    std::size_t size_ = 0;
};

/// The two numbers in such a DER text, which OpenSSL made, each in `each` bytes.
inline void read_der_signature(unsigned char const* der, std::size_t each, unsigned char* out) noexcept
{
    der += der[1] == 0x81 ? 3 : 2;
    for (int i = 0; i < 2; ++i, out += each) {
        std::size_t length = der[1];
        der += 2;
        if (length > each) ++der, --length; // the zero in front of a high bit
        std::memset(out, 0, each - length);
        std::memcpy(out + each - length, der, length);
        der += length;
    }
}

/// One half of a key pair, ready for use by any number of threads: each takes a prepared context, or makes one more, which is kept.
class ready_key {
public:
    /// None: it is not to be used.
    ready_key() noexcept = default;
    ready_key(pkey key, jws_algorithm a, key_half half) : key_(std::move(key)), digest_(digest_of(a)), algorithm_(a), half_(half)
    {
        if (family_of(a) != jws_family::eddsa) give_back(prepare());
    }
    ready_key(ready_key&& other) noexcept
        : key_(std::move(other.key_)), digest_(other.digest_), algorithm_(other.algorithm_), half_(other.half_), idle_(other.idle_)
    {
        other.idle_ = nullptr;
    }
    ready_key& operator=(ready_key&&) = delete;
    ~ready_key()
    {
        while (idle_ != nullptr) delete taken_from(idle_);
    }

    [[nodiscard]] EVP_PKEY* get() const noexcept { return key_.get(); }
    /// The bytes of a signature.
    [[nodiscard]] std::size_t size() const noexcept
    {
        bool const ecdsa = family_of(algorithm_) == jws_family::ecdsa;
        return ecdsa ? 2 * std::size_t{facts_of(algorithm_).number} : static_cast<std::size_t>(EVP_PKEY_get_size(key_.get()));
    }

    [[nodiscard]] bool verify(slice<byte_view> pieces, byte_view signature) const
    {
        if (signature.size() != size()) return false;
        auto const* const bytes = reinterpret_cast<unsigned char const*>(signature.data());
        if (digest_ == nullptr) return verify_whole(pieces, signature);
        short_digest const digest(digest_, pieces);
        lease const context(*this);
        bool good = false;
        if (family_of(algorithm_) == jws_family::ecdsa) {
            der_signature const der(bytes, facts_of(algorithm_).number);
            good = EVP_PKEY_verify(context.get(), der.data(), der.size(), digest.data(), digest.size()) == 1;
        } else {
            good = EVP_PKEY_verify(context.get(), bytes, signature.size(), digest.data(), digest.size()) == 1;
        }
        if (!good) ERR_clear_error();
        return good;
    }

    [[nodiscard]] std::string sign(slice<byte_view> pieces) const
    {
        std::array<unsigned char, longest_signature> made;
        std::size_t length = made.size();
        if (digest_ == nullptr) {
            std::string const whole = joined(pieces);
            digest_context const context = make_digest_context();
            check_openssl(EVP_DigestSignInit_ex(context.get(), nullptr, nullptr, nullptr, nullptr, key_.get(), nullptr), "preparing a key");
            check_openssl(
                EVP_DigestSign(context.get(), made.data(), &length, reinterpret_cast<unsigned char const*>(whole.data()), whole.size()),
                "signing");
        } else {
            short_digest const digest(digest_, pieces);
            lease const context(*this);
            check_openssl(EVP_PKEY_sign(context.get(), made.data(), &length, digest.data(), digest.size()), "signing");
        }
        std::string signature(size(), '\0');
        if (family_of(algorithm_) == jws_family::ecdsa)
            read_der_signature(made.data(), facts_of(algorithm_).number, reinterpret_cast<unsigned char*>(signature.data()));
        else
            signature.assign(reinterpret_cast<char const*>(made.data()), length);
        return signature;
    }

private:
    /// A context that is prepared; while it is not used, in a list.
    struct prepared {
        pkey_context context;
        prepared* next = nullptr;
    };
    class lease {
    public:
        explicit lease(ready_key const& key) : key_(key), prepared_(key.take()) {}
        lease(lease const&) = delete;
        ~lease() { key_.give_back(prepared_); }
        [[nodiscard]] EVP_PKEY_CTX* get() const noexcept { return prepared_->context.get(); }

    private:
        ready_key const& key_;
        prepared* const prepared_;
    };
    static prepared* taken_from(prepared*& list) noexcept
    {
        prepared* const first = list;
        list = first->next;
        return first;
    }

    bool verify_whole(slice<byte_view> pieces, byte_view signature) const
    {
        std::string const whole = joined(pieces);
        digest_context const context = make_digest_context();
        check_openssl(EVP_DigestVerifyInit_ex(context.get(), nullptr, nullptr, nullptr, nullptr, key_.get(), nullptr), "preparing a key");
        bool const good = EVP_DigestVerify(context.get(), reinterpret_cast<unsigned char const*>(signature.data()), signature.size(),
                                           reinterpret_cast<unsigned char const*>(whole.data()), whole.size()) == 1;
        if (!good) ERR_clear_error();
        return good;
    }
    prepared* prepare() const
    {
        pkey_context made(EVP_PKEY_CTX_new_from_pkey(nullptr, key_.get(), nullptr));
        if (made == nullptr) throw_openssl_error("preparing a key");
        check_openssl(half_ == key_half::public_key ? EVP_PKEY_verify_init(made.get()) : EVP_PKEY_sign_init(made.get()), "preparing a key");
        check_openssl(EVP_PKEY_CTX_set_signature_md(made.get(), digest_), "preparing a key");
        if (family_of(algorithm_) == jws_family::rsa_pkcs1)
            check_openssl(EVP_PKEY_CTX_set_rsa_padding(made.get(), RSA_PKCS1_PADDING), "preparing a key");
        if (family_of(algorithm_) == jws_family::rsa_pss) {
            check_openssl(EVP_PKEY_CTX_set_rsa_padding(made.get(), RSA_PKCS1_PSS_PADDING), "preparing a key");
            check_openssl(EVP_PKEY_CTX_set_rsa_mgf1_md(made.get(), digest_), "preparing a key");
            check_openssl(EVP_PKEY_CTX_set_rsa_pss_saltlen(made.get(), EVP_MD_get_size(digest_)), "preparing a key");
        }
        return new prepared{std::move(made)};
    }
    prepared* take() const
    {
        {
            std::lock_guard const lock(mutex_);
            if (idle_ != nullptr) return taken_from(idle_);
        }
        return prepare();
    }
    void give_back(prepared* p) const noexcept
    {
        std::lock_guard const lock(mutex_);
        p->next = idle_;
        idle_ = p;
    }

    pkey key_{};
    EVP_MD const* digest_ = nullptr;
    jws_algorithm algorithm_{};
    key_half half_{};
    mutable std::mutex mutex_{};
    mutable prepared* idle_ = nullptr; // at most as many as threads were busy at once
};

} // namespace weir::inline v0::detail
