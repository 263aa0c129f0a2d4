// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <boost/system/error_code.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace weir::inline v0::http {

/// What a client does for a request, one behind the other.
enum class client_stage : std::uint8_t { wait, look_up, connect, handshake, request, first_byte, body };

/// As it stands in logs: `"first byte"`.
[[nodiscard]] constexpr std::string_view to_string(client_stage s) noexcept
{
    switch (s) {
    case client_stage::wait: return "waiting for a connection";
    case client_stage::look_up: return "look-up";
    case client_stage::connect: return "connect";
    case client_stage::handshake: return "handshake";
    case client_stage::request: return "sending the request";
    case client_stage::first_byte: return "first byte";
    case client_stage::body: return "body";
    }
    return "";
}

/// Why a request got no response: who was asked, what was being done, and what went wrong.
struct client_failure {
    std::string upstream;                       ///< `bank.example:443`
    client_stage stage = client_stage::connect; ///< what was being done
    boost::system::error_code why = {};         ///< of the system, of TLS, or of weir where `detail` says more
    std::string detail = {};

    /// `bank.example:443: handshake: certificate has expired`
    [[nodiscard]] std::string text() const
    {
        std::string said = upstream + ": ";
        said.append(to_string(stage)).append(": ").append(detail.empty() ? why.message() : detail);
        return said;
    }
};

} // namespace weir::inline v0::http
