// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <type_traits>

namespace weir::inline v0::http {

template<class Options>
class tls_context;
struct tls_server_options;
struct tls_client_options;

namespace detail {

// What servers and clients speak over. Who uses one needs no more than the name; what it is belongs to the bodies, which may be compiled
// elsewhere: `tcp_stream` in stream.hpp, the others in tls_stream.hpp.
class tcp_stream;
class tls_server_stream;
class tls_client_stream;

/// What streams are made with besides a socket: nothing on plain TCP.
struct no_context {};
template<class Stream>
struct stream_traits {
    using context_type = no_context;
};
template<>
struct stream_traits<tls_server_stream> {
    using context_type = tls_context<tls_server_options>;
};
template<>
struct stream_traits<tls_client_stream> {
    using context_type = tls_context<tls_client_options>;
};
template<class Stream>
using context_of = typename stream_traits<Stream>::context_type;
/// Whether a handshake comes before the first byte.
template<class Stream>
constexpr bool is_secure = !std::is_same_v<context_of<Stream>, no_context>;

} // namespace detail
} // namespace weir::inline v0::http
