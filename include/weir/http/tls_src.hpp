// SPDX-License-Identifier: BSL-1.0
#pragma once

/// The bodies of the HTTP edge over TLS, for the one file of a program that includes them; the others define
/// `WEIR_SEPARATE_COMPILATION`.

#include <weir/http/detail/client_body.hpp>
#include <weir/http/detail/server_body.hpp>
#include <weir/http/detail/tls_stream.hpp>
#include <weir/http/tls.hpp>

template class weir::http::basic_server<weir::http::detail::tls_server_stream>;
template class weir::http::basic_client<weir::http::detail::tls_client_stream>;
