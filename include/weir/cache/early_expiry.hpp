// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/cache/detail/key_pauses.hpp>
#include <weir/cache/detail/refreshing_part.hpp>
#include <weir/cache/parts.hpp>
#include <weir/core/options.hpp>
#include <weir/core/threading.hpp>

#include <cmath>
#include <cstdint>
#include <string_view>
#include <utility>

namespace weir::inline v0 {

struct early_expiry_options {
    /// Above 1 loads come earlier, below 1 later; above 0. The paper shows 1 to be optimal.
    double beta = 1;
    duration load_time{};   ///< taken for a value of which nobody knows how long its load took; 0: such a value is not loaded early
    load_backoff backoff{}; ///< after an early load that has failed

    friend bool operator==(early_expiry_options const&, early_expiry_options const&) = default;
};
/// Throws `std::invalid_argument` that names the member.
inline void check(early_expiry_options const& o)
{
    expect(o.beta > 0 && o.beta <= 1e6, "early_expiry.beta", "more than 0 and at most 1e6");
    expect(o.load_time.count() >= 0, "early_expiry.load_time", "0 or more");
    detail::check_backoff(o.backoff, "early_expiry");
}

/// Lets each hit decide by chance whether its value is loaded anew before it goes out of date, the likelier the nearer that is and the
/// longer the load takes: XFetch (A. Vattani, F. Chierichetti and K. Lowenstein, "Optimal Probabilistic Cache Stampede Prevention", VLDB
/// 2015). `cached{store<symbol, quote>{...}, key, early_expiry{}}`; a part of a `cached`.
///
/// A hit with `left` until the value's time is up, whose load took `load_time`, is early with the probability exp(-left / (beta *
/// load_time)). So an often used key is loaded about so long before its end as its load takes, each at a time of its own and without any
/// word between processes; one that is seldom asked for is not loaded early. Where caches of several machines share one source, this
/// spreads their loads, too.
///
/// A hit that is more than 37 times beta times the load time away costs a comparison, others a draw and a logarithm. After a failure the
/// key pauses as with `refresh_ahead`, and a budget, `early_expiry{{}, std::ref(budget)}`, is shared as there. Thread-safe if `shared`.
template<threading_model Threading = shared, class Budget = unbudgeted>
class early_expiry : public detail::refreshing_part<early_expiry_options, Threading, Budget> {
    using base = detail::refreshing_part<early_expiry_options, Threading, Budget>;

public:
    using options = early_expiry_options;
    static constexpr std::string_view name = "early_expiry";

    /// Throws `std::invalid_argument` that names the member.
    explicit early_expiry(options const& o = {}, Budget budget = {}) : base(o, std::move(budget)) {}

    /// The rule by itself; `draw` is uniform in (0, 1].
    [[nodiscard]] static bool is_early(duration left, duration load_time, double beta, double draw) noexcept
    {
        return -std::log(draw) * beta * static_cast<double>(load_time.count()) >= static_cast<double>(left.count());
    }

    [[nodiscard]] bool wants_refresh(hit_facts const& hit) const
    {
        options const o = this->settings();
        duration const took = hit.load_time.count() > 0 ? hit.load_time : o.load_time;
        constexpr double greatest = 36.75; // -ln of the least draw, 2^-53
        if (static_cast<double>(hit.time_left.count()) > greatest * o.beta * static_cast<double>(took.count())) [[likely]]
            return false;
        if (took.count() == 0) return false;
        return is_early(hit.time_left, took, o.beta, hit.draw()) && !this->pauses().has(hit.key(), hit.now);
    }

    void describe(auto&& field) const
    {
        field("beta", this->settings().beta);
        this->describe_budget(field);
    }
};
early_expiry()->early_expiry<>;
early_expiry(early_expiry_options)->early_expiry<>;
template<class Budget>
early_expiry(early_expiry_options, Budget) -> early_expiry<shared, Budget>;

} // namespace weir::inline v0
