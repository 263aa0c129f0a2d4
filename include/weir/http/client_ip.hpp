// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/contracts.hpp>
#include <weir/core/options.hpp>
#include <weir/core/striped.hpp>
#include <weir/http/detail/forwarded.hpp>
#include <weir/http/ip_address.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::inline v0 {

/// The facet that says whose request it is, by address: that of whoever connected, or, behind proxies of one's own, of the
/// client they name. `trusted_proxies` provides it. As a key, `by<client_ip>`, an IPv6 client is its /64 network.
class client_ip {
public:
    client_ip() noexcept = default;
    client_ip(ip_address address, bool forwarded) noexcept : address_(address), forwarded_(forwarded) {}

    [[nodiscard]] ip_address const& address() const noexcept { return address_; }
    /// A proxy has named it.
    [[nodiscard]] bool forwarded() const noexcept { return forwarded_; }
    [[nodiscard]] std::array<std::uint64_t, 2> key() const noexcept { return address_.subscriber(); }

private:
    ip_address address_;
    bool forwarded_ = false;
};

/// The field by which proxies name their clients. One's own proxies have to write it, or remove it, always: a field that they hand on as it
/// came says what the client wants.
enum class forwarding_field : std::uint8_t {
    x_forwarded_for, ///< `X-Forwarded-For: 203.0.113.9, 10.1.2.3`
    forwarded,       ///< `Forwarded: for=203.0.113.9;proto=https, for="[2001:db8::1]:4711"` (RFC 7239)
};

struct trusted_proxies_options {
    std::vector<std::string> networks = {}; ///< of one's own proxies: `10.0.0.0/8`, `2001:db8::/32`, `192.0.2.7`. None: nobody is trusted
    forwarding_field field = forwarding_field::x_forwarded_for; ///< the one field that is read; the other is not looked at
};

/// Finds out whose request it is, and provides `client_ip`:
///
/// ```cpp
/// weir::trusted_proxies{{.networks = {"10.0.0.0/8"}}},
/// weir::rate_limit{weir::keyed{weir::gcra{{.permits = 10, .per = 1s}}, weir::by<weir::client_ip>, {.capacity = 100'000}}},
/// ```
/// The address of the connection counts unless it is that of a trusted proxy. Then the field is read from its end, where the nearest proxy
/// wrote: the first address that is not a trusted proxy's is the client's; if all are, the first of the list. Where that walk meets a hop
/// that is malformed or hidden (`unknown`, `_name`), the field says nothing, and the connection's address counts. All lines of the field
/// count as one list. Stands outside of what reads it. Thread-safe. Cost: an address to be parsed, and the field if the peer is trusted.
/// Its networks stay as they are: who is trusted is decided with the deployment, not while calls come.
class trusted_proxies {
public:
    using role = transform;
    using options = trusted_proxies_options;
    using provides = facets<client_ip>;
    using reads = reads_request<customisation::peer_fn, customisation::header_fn>;
    static constexpr std::string_view name = "trusted_proxies";
    struct stats_type {
        std::uint64_t forwarded = 0; ///< calls whose client a proxy has named
        std::uint64_t malformed = 0; ///< calls of a trusted proxy whose field said nothing
        void each(auto&& field) const
        {
            field("forwarded_total", forwarded);
            field("malformed_total", malformed);
        }
    };

    /// Throws `std::invalid_argument` for a network that is none.
    explicit trusted_proxies(options o = {}) : options_(std::move(o))
    {
        for (std::string const& text : options_.networks) {
            auto const network = ip_network::parse(text);
            expect(network.has_value(), "networks", "networks such as 10.0.0.0/8, without bits behind the prefix, but one is: " + text);
            networks_.push_back(*network);
        }
    }

    admission<> down(auto& call)
    {
        std::string_view const text = peer(call.request());
        auto const address = ip_address::parse(text.substr(0, text.find('%')));
        client_ip found(address.value_or(ip_address{}), false);
        if (address && trusts(*address)) found = behind(*address, call.request());
        call.set(found);
        return admitted;
    }

    [[nodiscard]] bool trusts(ip_address const& a) const noexcept
    {
        for (ip_network const& n : networks_)
            if (n.contains(a)) return true;
        return false;
    }

    [[nodiscard]] stats_type stats(time_point = {}) const { return {forwarded_.sum(), malformed_.sum()}; }
    [[nodiscard]] options const& settings() const noexcept { return options_; }
    void describe(auto&& field) const
    {
        field("networks", networks_.size());
        field("field", field_name());
    }

private:
    [[nodiscard]] std::string_view field_name() const noexcept
    {
        return options_.field == forwarding_field::forwarded ? "forwarded" : "x-forwarded-for";
    }
    /// The client of a trusted proxy.
    template<class Request>
    [[nodiscard]] client_ip behind(ip_address const& proxy, Request const& request)
    {
        http::detail::hop_list hops;
        bool const standard = options_.field == forwarding_field::forwarded;
        http::detail::each_line(request, field_name(), [&](std::string_view line) {
            standard ? http::detail::split_forwarded(line, hops) : http::detail::split_list(line, hops);
        });
        if (hops.empty()) return {proxy, false};
        // What stands further left than the client was written by it, and is not looked at.
        std::optional<ip_address> found;
        for (auto hop = hops.rbegin(); hop != hops.rend(); ++hop) {
            found = http::detail::hop_address(*hop);
            if (!found || !trusts(*found)) break;
        }
        (found ? forwarded_ : malformed_).add();
        return {found.value_or(proxy), found.has_value()};
    }

    options options_;
    std::vector<ip_network> networks_;
    detail::counter<shared> forwarded_;
    detail::counter<shared> malformed_;
};

} // namespace weir::inline v0
