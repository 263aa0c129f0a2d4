// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/core/policy.hpp>
#include <weir/sign/detail/signature_stats.hpp>
#include <weir/sign/message_check.hpp>
#include <weir/sign/timestamp.hpp>

#include <memory>
#include <mutex>
#include <utility>

namespace weir::inline v0::detail {

/// What a scheme is made of; of one without options it is another one.
template<class Scheme>
struct scheme_options {
    using type = Scheme;
};
template<class Scheme>
requires requires
{
    typename Scheme::options;
}
struct scheme_options<Scheme> {
    using type = typename Scheme::options;
};

/// What whoever signs messages and whoever verifies them have in common: a scheme, keys, a wall clock, and counts of what was found.
template<class Scheme, class Keys, class Clock>
class message_end {
public:
    using stats_type = signature_stats;

    /// The keys, to be replaced while calls use them.
    [[nodiscard]] auto& keys() noexcept { return unwrapped<Keys>::of(keys_); }
    [[nodiscard]] stats_type stats(time_point = {}) const { return counts_.sum(); }
    [[nodiscard]] auto settings() const { return scheme()->settings(); }
    /// Goes by a scheme with these options from now on: what is under way ends by the old one. Whoever is at the other end has to agree. Throws what the
    /// scheme's constructor throws; then the present one stays. Keys are replaced by `keys().replace(...)`.
    template<class Options = typename scheme_options<Scheme>::type>
    void reconfigure(Options const& o)
    {
        auto fresh = std::make_shared<Scheme const>(o);
        std::lock_guard const lock(mutex_);
        scheme_.swap(fresh);
    }
    void describe(auto&& field) const { scheme()->describe(field); }

protected:
    message_end(Scheme scheme, Keys keys, Clock clock)
        : scheme_(std::make_shared<Scheme const>(std::move(scheme))), keys_(std::move(keys)), clock_(std::move(clock))
    {
    }

    /// The scheme in force, for one message: a share of it, taken under a mutex.
    [[nodiscard]] std::shared_ptr<Scheme const> scheme() const
    {
        std::lock_guard const lock(mutex_);
        return scheme_;
    }
    [[nodiscard]] auto wall_now() { return unwrapped<Clock>::of(clock_).wall_now(); }
    message_check counted(message_check&& found)
    {
        counts_.add(found.fault);
        return std::move(found);
    }

private:
    using threading = typename policy_t<Keys>::threading;

    mutable typename threading::mutex mutex_;
    std::shared_ptr<Scheme const> scheme_;
    Keys keys_;
    [[no_unique_address]] Clock clock_;
    signature_counts<threading> counts_;
};

} // namespace weir::inline v0::detail
