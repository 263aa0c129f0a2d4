// SPDX-License-Identifier: BSL-1.0
#pragma once

/// The bodies of the HTTP edge over TLS, for the one file of a program that includes them; the others define
/// `WEIR_SEPARATE_COMPILATION`.

#include <weir/http/tls.hpp>

namespace weir::inline v0::http {

template class detail::session<detail::tls_server_stream>;
template class detail::server_state<detail::tls_server_stream>;
template class basic_server<detail::tls_server_stream>;
template class basic_client<detail::tls_client_stream>;

} // namespace weir::inline v0::http
