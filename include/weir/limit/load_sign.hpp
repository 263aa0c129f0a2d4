// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/result.hpp>

#include <cstdint>

namespace weir::inline v0 {

/// What a call says about the load.
enum class load_sign : std::uint8_t {
    served,  ///< the time that it took counts
    dropped, ///< it was too much
    none,    ///< nothing
};

/// The default opinion: a value and `not_found` are served. A time limit that is over is a drop, and so is a refusal (`overloaded`,
/// `unavailable`, `rate_limited`, `bulkhead_full`, `circuit_open`) that the handler brings: from whom the call was sent to. The refusal of
/// a policy further in says nothing, for nobody was asked, nor does the caller's cancellation or own mistake, an exception, or another
/// failure: how long it took is no measure.
struct default_load_sign {
    template<class Outcome>
    [[nodiscard]] load_sign operator()(Outcome const& outcome, auto const& call) const
    {
        if (outcome.has_value()) return call.failed(outcome) ? load_sign::none : load_sign::served;
        error const e = outcome.error();
        switch (e.kind()) {
        case errc::not_found: return load_sign::served;
        case errc::deadline_exceeded: return load_sign::dropped;
        case errc::overloaded:
        case errc::unavailable:
        case errc::rate_limited:
        case errc::bulkhead_full:
        case errc::circuit_open: return e.policy() == error::no_policy ? load_sign::dropped : load_sign::none;
        default: return load_sign::none;
        }
    }
};

} // namespace weir::inline v0
