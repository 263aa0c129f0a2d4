// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>

namespace weir_tests {

struct openssl_deleter {
    void operator()(X509* p) const { X509_free(p); }
    void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
    void operator()(BIO* p) const { BIO_free(p); }
    void operator()(X509_EXTENSION* p) const { X509_EXTENSION_free(p); }
};
template<class T>
using openssl_ptr = std::unique_ptr<T, openssl_deleter>;

/// A folder that goes with its owner.
class scratch_folder {
public:
    scratch_folder() : path_(std::filesystem::temp_directory_path() / ("weir-" + std::to_string(std::random_device{}())))
    {
        std::filesystem::create_directory(path_);
    }
    ~scratch_folder()
    {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    scratch_folder(scratch_folder const&) = delete;
    scratch_folder& operator=(scratch_folder const&) = delete;

    /// Writes a file, or replaces it, and gives its path.
    std::string write(std::string const& name, std::string const& text) const
    {
        std::ofstream(path_ / name) << text;
        return (path_ / name).string();
    }
    [[nodiscard]] std::string path(std::string const& name) const { return (path_ / name).string(); }

private:
    std::filesystem::path path_;
};

/// What a certificate says.
struct certificate_request {
    std::string common_name = "test";
    std::string names = "DNS:localhost,IP:127.0.0.1"; ///< subject alternative names, as OpenSSL writes them; empty: none
    long begins = -3'600;                             ///< seconds from now
    long ends = 86'400;                               ///< seconds from now
};

/// A certificate with its key, in PEM.
struct certificate {
    std::string pem;
    std::string key;
};

/// Signs certificates; its own one is self-signed. All keys are on P-256.
class authority {
public:
    explicit authority(std::string name = "test root")
        : key_(make_key()), own_(make({.common_name = std::move(name), .names = ""}, *key_, true))
    {
    }
    [[nodiscard]] std::string pem() const { return pem_of(*own_); }
    [[nodiscard]] certificate issue(certificate_request const& r = {}) const
    {
        auto const key = make_key();
        return {pem_of(*make(r, *key, false)), pem_of(*key)};
    }

private:
    static openssl_ptr<EVP_PKEY> make_key() { return openssl_ptr<EVP_PKEY>(EVP_EC_gen("P-256")); }

    [[nodiscard]] openssl_ptr<X509> make(certificate_request const& r, EVP_PKEY& key, bool is_root) const
    {
        openssl_ptr<X509> made(X509_new());
        X509* const x = made.get();
        X509_set_version(x, 2);
        ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), std::random_device{}());
        X509_gmtime_adj(X509_getm_notBefore(x), r.begins);
        X509_gmtime_adj(X509_getm_notAfter(x), r.ends);
        X509_set_pubkey(x, &key);
        X509_NAME* const subject = X509_get_subject_name(x);
        auto const* const text = reinterpret_cast<unsigned char const*>(r.common_name.c_str());
        X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, text, -1, -1, 0);
        X509* const issuer = is_root ? x : own_.get();
        X509_set_issuer_name(x, X509_get_subject_name(issuer));
        add(x, issuer, NID_basic_constraints, is_root ? "critical,CA:TRUE" : "critical,CA:FALSE");
        if (!r.names.empty()) add(x, issuer, NID_subject_alt_name, r.names.c_str());
        if (X509_sign(x, is_root ? &key : key_.get(), EVP_sha256()) == 0) throw std::runtime_error("a certificate cannot be signed");
        return made;
    }
    static void add(X509* to, X509* issuer, int what, char const* value)
    {
        X509V3_CTX context;
        X509V3_set_ctx(&context, issuer, to, nullptr, nullptr, 0);
        openssl_ptr<X509_EXTENSION> const made(X509V3_EXT_conf_nid(nullptr, &context, what, value));
        if (made == nullptr || X509_add_ext(to, made.get(), -1) != 1) throw std::runtime_error("a certificate cannot be made");
    }
    static std::string text_of(BIO* memory)
    {
        char* bytes = nullptr;
        long const size = BIO_get_mem_data(memory, &bytes);
        return {bytes, static_cast<std::size_t>(size)};
    }
    static std::string pem_of(X509& x)
    {
        openssl_ptr<BIO> const memory(BIO_new(BIO_s_mem()));
        PEM_write_bio_X509(memory.get(), &x);
        return text_of(memory.get());
    }
    static std::string pem_of(EVP_PKEY& key)
    {
        openssl_ptr<BIO> const memory(BIO_new(BIO_s_mem()));
        PEM_write_bio_PrivateKey(memory.get(), &key, nullptr, nullptr, 0, nullptr, nullptr);
        return text_of(memory.get());
    }

    openssl_ptr<EVP_PKEY> key_;
    openssl_ptr<X509> own_;
};

} // namespace weir_tests
