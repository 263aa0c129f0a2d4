// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/cache/detail/key_pauses.hpp>
#include <weir/cache/parts.hpp>
#include <weir/core/live.hpp>
#include <weir/core/threading.hpp>

namespace weir::inline v0::detail {

/// A part of a `cached` that lets a key pause whose load has failed, as the `backoff` of its options says. `check(options)` throws if they
/// are bad.
template<class Options, threading_model Threading>
class pausing_part {
public:
    using options = Options;

    void load_ended(load_report const& report) noexcept
    {
        if (report.failed)
            pauses_.failed(report.key, report.now, settings_.load().backoff);
        else
            pauses_.succeeded(report.key);
    }
    [[nodiscard]] options settings() const noexcept { return settings_.load(); }
    /// Other settings from now on. Throws `std::invalid_argument` and changes nothing if they are bad.
    void reconfigure(options const& o) { settings_.store(checked(o)); }

protected:
    explicit pausing_part(options const& o) : settings_(checked(o)) {}

    [[nodiscard]] key_pauses<Threading>& pauses() noexcept { return pauses_; }
    [[nodiscard]] key_pauses<Threading> const& pauses() const noexcept { return pauses_; }

private:
    static options const& checked(options const& o)
    {
        check(o);
        return o;
    }

    live<options> settings_;
    key_pauses<Threading> pauses_;
};

} // namespace weir::inline v0::detail
