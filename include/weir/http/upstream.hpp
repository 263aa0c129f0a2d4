// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace weir::inline v0::http {

/// Where a client sends: a host by name or address, and a port.
class upstream {
public:
    upstream(std::string host, std::uint16_t port = 80) // NOLINT: implicit
        : host_(std::move(host)),
          port_(port),
          address_((host_.find(':') == std::string::npos ? host_ : '[' + host_ + ']') + ':' + std::to_string(port_)),
          name_(authority(80))
    {
    }
    [[nodiscard]] std::string const& host() const noexcept { return host_; }
    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    /// Both: `127.0.0.1:8080`, `[::1]:80`, `example.com:443`.
    [[nodiscard]] std::string const& address() const noexcept { return address_; }
    /// As in a Host field of `http`: `127.0.0.1:8080`, `[::1]:8080`, `example.com`.
    [[nodiscard]] std::string const& name() const noexcept { return name_; }
    /// As in a Host field, where a scheme's own port is left out: 443 of `https`.
    [[nodiscard]] std::string_view authority(std::uint16_t default_port) const noexcept
    {
        std::string_view const all = address_;
        return port_ == default_port ? all.substr(0, all.rfind(':')) : all;
    }

private:
    std::string host_;
    std::uint16_t port_;
    std::string address_;
    std::string name_;
};

} // namespace weir::inline v0::http
