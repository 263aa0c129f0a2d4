// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/http/server_group.hpp>
#include <weir/http/tls.hpp>

namespace weir::inline v0::http {

/// The group of servers over TLS: `http::tls_server_group group(0, make, tls, {.port = 8443});`. All threads share the context, so that
/// certificates are reloaded for all of them at once.
using tls_server_group = basic_server_group<detail::tls_server_stream>;

} // namespace weir::inline v0::http
