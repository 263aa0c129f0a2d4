// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/http/client.hpp>
#include <weir/http/detail/streams.hpp>
#include <weir/http/server.hpp>
#include <weir/http/tls_context.hpp>

namespace weir::inline v0::http {

/// The server over TLS, for HTTPS:
/// ```cpp
/// weir::http::tls_server_context tls({.certificate_file = "shop.pem", .key_file = "shop.key"});
/// weir::http::tls_server server(context.get_executor(), handler, tls, {.port = 8443});
/// tls.reload(); // whenever the files have changed
/// ```
/// A handshake may take as long as a header (`server_options::header_time`). With `client_ca_file` the verified subject of the client's
/// certificate is `request::peer_identity()`. Plain HTTP is answered by a 400 that says so.
using tls_server = basic_server<detail::tls_server_stream>;

/// The client over TLS, for HTTPS:
/// ```cpp
/// weir::http::tls_client_context tls({}); // trusts whom the system trusts
/// weir::http::tls_client client(context.get_executor(), tls);
/// weir::http::upstream const bank("bank.example", 443);
/// ```
/// The name of the upstream is told to the server (SNI), and its certificate has to be made for it.
using tls_client = basic_client<detail::tls_client_stream>;

} // namespace weir::inline v0::http

#ifdef WEIR_SEPARATE_COMPILATION
extern template class weir::http::basic_server<weir::http::detail::tls_server_stream>;
extern template class weir::http::basic_client<weir::http::detail::tls_client_stream>;
#else
#include <weir/http/detail/tls_stream.hpp>
#endif
