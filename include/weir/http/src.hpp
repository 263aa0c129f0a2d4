// SPDX-License-Identifier: BSL-1.0
#pragma once

/// The bodies of the HTTP edge over plain TCP, for the one file of a program that includes them; the others define
/// `WEIR_SEPARATE_COMPILATION`.

#include <weir/http/client.hpp>
#include <weir/http/server.hpp>

namespace weir::inline v0::http {

template class detail::session<boost::asio::ip::tcp::socket>;
template class detail::server_state<boost::asio::ip::tcp::socket>;
template class basic_server<>;
template class basic_client<>;

} // namespace weir::inline v0::http
