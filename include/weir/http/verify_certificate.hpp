// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/contracts.hpp>
#include <weir/core/principal.hpp>
#include <weir/core/threading.hpp>
#include <weir/validate/violation.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace weir::inline v0::http {

/// Who makes the call, by the certificate that the connection's client has shown: provides `weir::principal`, whose name is the
/// verified subject (`CN=till-7,O=shop`). `verify_certificate{}`, behind a `tls_server` with `tls_server_options::client_ca_file`.
///
/// A request whose connection has no verified certificate is refused with `errc::unauthenticated`: so is every one where the server asks
/// for none, or where TLS ends before it. Costs a copy of the name. Thread-safe.
class verify_certificate {
public:
    using role = gate;
    using provides = facets<principal>;
    using reports = facets<violation>;
    using traits = weir::traits<establishes_identity>;
    static constexpr std::string_view name = "verify_certificate";
    struct stats_type {
        std::uint64_t verified = 0;
        std::uint64_t missing = 0;
        void each(auto&& field) const
        {
            field("verified_total", verified);
            field("missing_total", missing);
        }
    };

    [[nodiscard]] admission<> admit(auto& call)
    {
        std::string_view const subject = call.request().peer_identity();
        if (subject.empty()) [[unlikely]] {
            missing_.add(1);
            call.report(violation{"connection", "client certificate", "one that is signed by an authority of this service"});
            return errc::unauthenticated;
        }
        verified_.add(1);
        call.set(principal::of(subject));
        return admitted;
    }

    [[nodiscard]] stats_type stats(time_point = {}) const noexcept { return {verified_.load(), missing_.load()}; }

private:
    shared::cell<std::uint64_t> verified_;
    shared::cell<std::uint64_t> missing_;
};

} // namespace weir::inline v0::http
