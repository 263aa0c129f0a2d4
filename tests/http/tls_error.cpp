// SPDX-License-Identifier: BSL-1.0
#include <weir/http/tls_error.hpp>

#include <doctest/doctest.h>

#include <cerrno>

namespace http = weir::http;

TEST_CASE("tls_error: results of verification and errors of OpenSSL are said in words")
{
    auto const said = [](int value) { return boost::system::error_code(value, http::tls_category()).message(); };
    CHECK(said(X509_V_ERR_CERT_HAS_EXPIRED) == "certificate has expired");
    CHECK(said(X509_V_ERR_HOSTNAME_MISMATCH) == "hostname mismatch");
    CHECK(said(ERR_PACK(ERR_LIB_SSL, 0, SSL_R_HTTP_REQUEST)) == "plain HTTP came where TLS is spoken");
    CHECK(said(ERR_PACK(ERR_LIB_SSL, 0, SSL_R_WRONG_VERSION_NUMBER)) == "what came is no TLS");
    CHECK(said(ERR_PACK(ERR_LIB_SSL, 0, SSL_R_NO_SHARED_CIPHER)) == "no shared cipher");
    CHECK(std::string(http::tls_category().name()) == "tls");
}

TEST_CASE("tls_error: the last error of the thread is taken, one of the system as such")
{
    ERR_raise(ERR_LIB_SSL, SSL_R_NO_SHARED_CIPHER);
    CHECK(http::detail::take_tls_error().message() == "no shared cipher");
    ERR_raise(ERR_LIB_SYS, ENOENT);
    auto const missing = http::detail::take_tls_error();
    CHECK(missing == boost::system::errc::no_such_file_or_directory);
    CHECK(ERR_peek_error() == 0);
}
