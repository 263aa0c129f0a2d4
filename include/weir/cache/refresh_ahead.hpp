// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/cache/detail/key_pauses.hpp>
#include <weir/cache/detail/refreshing_part.hpp>
#include <weir/cache/parts.hpp>
#include <weir/core/options.hpp>
#include <weir/core/threading.hpp>

#include <chrono>
#include <cstdint>
#include <string_view>
#include <utility>

namespace weir::inline v0 {

struct refresh_ahead_options {
    /// The part of its time to live after which a value that is asked for is loaded anew; a ratio in [0, 1).
    double after = 0.8;
    load_backoff backoff{}; ///< after a refresh that has failed

    friend bool operator==(refresh_ahead_options const&, refresh_ahead_options const&) = default;
};
/// Throws `std::invalid_argument` that names the member.
inline void check(refresh_ahead_options const& o)
{
    expect(o.after >= 0 && o.after < 1, "refresh_ahead.after", "a ratio in [0, 1)");
    detail::check_backoff(o.backoff, "refresh_ahead");
}

/// Loads a value that is still asked for anew before it goes out of date, so that nobody waits when a hot key expires:
/// `cached{store<symbol, quote>{...}, key, refresh_ahead{{.after = 0.8}}}`; a part of a `cached`.
///
/// The first hit after that part of the value's time begins one load of the key; it and all others get the value that is there. In an
/// asynchronous pipeline `within` a scope the load runs in the background; else the call that began it waits for it. A load that fails
/// leaves the old value as it is, and the key is tried again after a pause that doubles. A key that nobody asks for is not refreshed.
///
/// With a budget, `refresh_ahead{{.after = 0.8}, std::ref(budget)}`, which the `retry` further in shares, a refresh is extra load as a
/// retry is until it has loaded a value: of a source that fails, refreshes, retries and hedges together ask no more than the budget allows.
/// A refresh that it refuses leaves the value as it is, and the key is tried again after `retry_after`.
///
/// A hit before that time costs a comparison, with a budget, too. Pauses are kept for 512 keys (see `detail::key_pauses`), 12 kB.
/// Thread-safe if `shared`. For values whose loads take long or differ much take `early_expiry`.
template<threading_model Threading = shared, class Budget = unbudgeted>
class refresh_ahead : public detail::refreshing_part<refresh_ahead_options, Threading, Budget> {
    using base = detail::refreshing_part<refresh_ahead_options, Threading, Budget>;

public:
    using options = refresh_ahead_options;
    static constexpr std::string_view name = "refresh_ahead";

    /// Throws `std::invalid_argument` that names the member.
    explicit refresh_ahead(options const& o = {}, Budget budget = {}) : base(o, std::move(budget)) {}

    [[nodiscard]] bool wants_refresh(hit_facts const& hit) noexcept
    {
        if (hit.time_left == duration::max()) return false;
        options const o = this->settings();
        if (static_cast<double>(hit.age.count()) < o.after * static_cast<double>((hit.age + hit.time_left).count())) [[likely]]
            return false;
        return this->pauses().claim(hit.key(), hit.now, o.backoff.retry_after);
    }

    void describe(auto&& field) const
    {
        field("refresh_after", this->settings().after);
        this->describe_budget(field);
    }
};
refresh_ahead()->refresh_ahead<>;
refresh_ahead(refresh_ahead_options)->refresh_ahead<>;
template<class Budget>
refresh_ahead(refresh_ahead_options, Budget) -> refresh_ahead<shared, Budget>;

} // namespace weir::inline v0
