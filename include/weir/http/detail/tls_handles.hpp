// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/detail/owner.hpp>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace weir::inline v0::http::detail {

struct tls_deleter {
    void operator()(BIO* p) const noexcept { BIO_free(p); }
    void operator()(BIO_METHOD* p) const noexcept { BIO_meth_free(p); }
    void operator()(X509* p) const noexcept { X509_free(p); }
    void operator()(EVP_PKEY* p) const noexcept { EVP_PKEY_free(p); }
    void operator()(SSL_CTX* p) const noexcept { SSL_CTX_free(p); }
    void operator()(SSL* p) const noexcept { SSL_free(p); }
};

/// An object of OpenSSL and its owner.
template<class T>
using tls_handle = weir::detail::owner<T, tls_deleter>;

} // namespace weir::inline v0::http::detail
