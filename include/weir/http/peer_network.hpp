// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/request.hpp>
#include <weir/http/ip_address.hpp>

#include <array>
#include <cstdint>
#include <string_view>

namespace weir::inline v0 {

/// Whoever sent the request as the key, by subscriber: an IPv4 address, also where it came as an IPv6 one (`::ffff:192.0.2.1`), or the /64
/// network of an IPv6 address, for who has one address of it has 2^64. `keyed{gcra{...}, by_peer_network, {.capacity = 100'000}}`.
///
/// For who is asked without proxies in between; behind them every call is the proxy's: take `trusted_proxies` and `by<client_ip>`. A peer
/// that is no address (a local socket) has one key with all of its kind. Sixteen bytes, nothing allocated.
struct by_peer_network_of_address {
    using key_type = std::array<std::uint64_t, 2>;
    using reads = reads_request<customisation::peer_fn>;
    key_type operator()(auto const& call) const
    {
        std::string_view const text = peer(call.request());
        return ip_address::parse(text.substr(0, text.find('%'))).value_or(ip_address{}).subscriber();
    }
};
inline constexpr by_peer_network_of_address by_peer_network{};

} // namespace weir::inline v0
