// SPDX-License-Identifier: BSL-1.0
#pragma once

/// The bodies of the HTTP edge over plain TCP, for the one file of a program that includes them; the others define
/// `WEIR_SEPARATE_COMPILATION`.

#include <weir/http/detail/client_body.hpp>
#include <weir/http/detail/server_body.hpp>

template class weir::http::basic_server<>;
template class weir::http::basic_client<>;
