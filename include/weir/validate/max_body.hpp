// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/contracts.hpp>
#include <weir/core/options.hpp>
#include <weir/core/request.hpp>
#include <weir/core/threading.hpp>
#include <weir/validate/violation.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace weir::inline v0 {

struct max_body_options {
    required<std::uint64_t> bytes; ///< the longest body that passes; 0 lets empty ones pass only
};

/// Refuses a body that is longer than its route takes, with `errc::payload_too_large` and a `violation`: `max_body{{.bytes = 64 * 1024}}`.
///
/// It judges a body that is there already. What keeps a stranger from sending a long one is the server's own limit, which ends the
/// connection; this is the smaller limit of one route. Costs a comparison. Thread-safe.
class max_body {
public:
    using role = gate;
    using options = max_body_options;
    using reads = reads_request<customisation::body_fn>;
    using reports = facets<violation>;
    static constexpr std::string_view name = "max_body";
    struct stats_type {
        std::uint64_t refused = 0;
        void each(auto&& field) const { field("refused_total", refused); }
    };

    explicit max_body(options const& o) noexcept : bytes_(*o.bytes) {}

    [[nodiscard]] admission<> admit(auto& call)
    {
        std::uint64_t const most = bytes_.load();
        if (body(call.request()).size() <= most) [[likely]]
            return admitted;
        refused_.add(1);
        call.report(violation{"body", {}, "at most " + std::to_string(most) + " bytes"});
        return errc::payload_too_large;
    }

    [[nodiscard]] stats_type stats(time_point = {}) const noexcept { return {refused_.load()}; }
    [[nodiscard]] options settings() const noexcept { return {bytes_.load()}; }
    /// Another limit for calls that come from now on.
    void reconfigure(options const& o) noexcept { bytes_.store(*o.bytes); }
    void describe(auto&& field) const { field("bytes", bytes_.load()); }

private:
    shared::cell<std::uint64_t> bytes_;
    shared::cell<std::uint64_t> refused_;
};

} // namespace weir::inline v0
