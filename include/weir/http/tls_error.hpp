// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <boost/system/error_code.hpp>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <string>

namespace weir::inline v0::http {

/// The category of what goes wrong in TLS, named "tls". Its values are OpenSSL's: a result of verification (`X509_V_ERR_...`), or the
/// code of an error (`ERR_get_error`). Its messages say what is wrong in words: `certificate has expired`.
inline boost::system::error_category const& tls_category() noexcept
{
    struct category final : boost::system::error_category {
        char const* name() const noexcept override { return "tls"; }
        std::string message(int value) const override
        {
            // No code of an error is so small: the number of the library stands in its upper bits.
            if (value < 1'024) return X509_verify_cert_error_string(value);
            auto const code = static_cast<unsigned long>(value);
            switch (ERR_GET_REASON(code)) {
            case SSL_R_HTTP_REQUEST: return "plain HTTP came where TLS is spoken";
            case SSL_R_WRONG_VERSION_NUMBER: return "what came is no TLS";
            case SSL_R_UNEXPECTED_EOF_WHILE_READING: return "the connection was cut: it ended without TLS's own end";
            default: break;
            }
            char const* const reason = ERR_reason_error_string(code);
            return reason != nullptr ? reason : "TLS error " + std::to_string(code);
        }
    };
    static category const instance;
    return instance;
}

namespace detail {

/// What OpenSSL says about its last error in this thread. Forgets it.
inline boost::system::error_code take_tls_error() noexcept
{
    unsigned long const code = ERR_peek_last_error();
    ERR_clear_error();
    if (ERR_SYSTEM_ERROR(code)) return {ERR_GET_REASON(code), boost::system::system_category()};
    return {static_cast<int>(code), tls_category()};
}

} // namespace detail

} // namespace weir::inline v0::http
