// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/http/detail/tls_handles.hpp>
#include <weir/http/tls_error.hpp>

#include <openssl/pem.h>

#include <cerrno>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace weir::inline v0::http::detail {

/// A file of an option, as it is read for a TLS context. All that is wrong with it throws `std::invalid_argument` that names the option
/// and the file: `certificate_file: /etc/shop.pem: expected ..., but ...`.
class tls_file {
public:
    tls_file(std::string_view option, std::string path) : option_(option), path_(std::move(path))
    {
        errno = 0;
        bio_ = tls_handle<BIO>(BIO_new_file(path_.c_str(), "r"));
        int const why = errno;
        ERR_clear_error();
        if (bio_ == nullptr) refuse("a file that can be read, but: " + std::generic_category().message(why));
    }

    [[noreturn]] void refuse(std::string const& expected) const
    {
        throw std::invalid_argument(option_ + ": " + path_ + ": expected " + expected);
    }
    /// As above, with what OpenSSL says.
    [[noreturn]] void refuse_by_openssl(std::string const& expected) const { refuse(expected + ", but: " + take_tls_error().message()); }
    void check(bool good, char const* expected) const
    {
        if (!good) refuse_by_openssl(expected);
    }

    /// All certificates in it, at least one.
    [[nodiscard]] std::vector<tls_handle<X509>> certificates() const
    {
        std::vector<tls_handle<X509>> all;
        ERR_clear_error();
        while (X509* const one = PEM_read_bio_X509(bio_.get(), nullptr, &no_password, nullptr)) all.emplace_back(one);
        bool const at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
        if (!at_end) refuse_by_openssl("certificates in PEM");
        ERR_clear_error();
        if (all.empty()) refuse("at least one certificate in PEM, but there is none");
        return all;
    }
    [[nodiscard]] tls_handle<EVP_PKEY> key() const
    {
        ERR_clear_error();
        tls_handle<EVP_PKEY> made(PEM_read_bio_PrivateKey(bio_.get(), nullptr, &no_password, nullptr));
        if (made == nullptr) refuse_by_openssl("a private key in PEM that is not encrypted");
        return made;
    }
    /// The certificate is in force now.
    void check_dates(X509 const& certificate) const
    {
        if (X509_cmp_current_time(X509_get0_notBefore(&certificate)) > 0) refuse("a certificate in force, but it begins later");
        if (X509_cmp_current_time(X509_get0_notAfter(&certificate)) < 0) refuse("a certificate in force, but it has expired");
    }

private:
    /// OpenSSL would ask on the terminal.
    static int no_password(char*, int, int, void*) noexcept { return -1; }

    std::string option_;
    std::string path_;
    tls_handle<BIO> bio_;
};

} // namespace weir::inline v0::http::detail
