// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/cache/detail/key_pauses.hpp>
#include <weir/cache/detail/pausing_part.hpp>
#include <weir/cache/parts.hpp>
#include <weir/core/call.hpp>
#include <weir/core/options.hpp>
#include <weir/core/threading.hpp>

#include <concepts>
#include <cstdint>
#include <string_view>
#include <utility>

namespace weir::inline v0 {

struct stale_on_error_options {
    /// How long an answer may have been out of date to be given; above 0. The store keeps such ones for its `keep_stale`.
    required<duration> max_stale;
    load_backoff backoff{}; ///< how long the source is left alone for a key whose load has failed, while there is a stale answer
};
/// Throws `std::invalid_argument` that names the member.
inline void check(stale_on_error_options const& o)
{
    expect((*o.max_stale).count() > 0, "stale_on_error.max_stale", "more than 0");
    detail::check_backoff(o.backoff, "stale_on_error");
}

/// The errors for which a stale answer is better: the source fails, or is not asked as it is in trouble or has enough to do. Not what the
/// caller did wrong or may not do.
struct source_failures {
    constexpr bool operator()(error const& why) const noexcept
    {
        errc const e = why.kind();
        return is_fault(e) || e == errc::circuit_open || e == errc::bulkhead_full || e == errc::rate_limited;
    }
};

/// Answers with what is out of date while the source fails:
/// `cached{store<symbol, quote>{{.capacity = 100'000, .ttl = 30s, .keep_stale = 10min}}, key, stale_on_error{{.max_stale = 10min}}}`; a
/// part of a `cached`.
///
/// A load that fails, or that a breaker, a limit or a budget further in refuses, is answered with the stale value, if it is not older than
/// `max_stale`; the reply tells so by the fact `weir::stale`. Meanwhile the source is asked for the key after a pause only, which doubles,
/// and everybody gets the stale value without waiting. Which errors count says `When`, a predicate of the error. Stale values hide
/// failures: breakers and retries stand further in, and the compiler says so.
///
/// Without a `cached` the same is made of `fallback` and `store.find_stale`. Pauses are kept for 512 keys, 12 kB. Thread-safe if `shared`.
template<class When = source_failures, threading_model Threading = shared>
class stale_on_error : public detail::pausing_part<stale_on_error_options, Threading> {
    using base = detail::pausing_part<stale_on_error_options, Threading>;

public:
    using options = stale_on_error_options;
    static constexpr std::string_view name = "stale_on_error";

    /// Throws `std::invalid_argument` that names the member.
    explicit stale_on_error(options const& o, When when = {}) : base(o), when_(std::move(when)) {}

    [[nodiscard]] duration stale_for(load_failure const& failure) const
    {
        return when_(failure.why) ? duration(*this->settings().max_stale) : duration::zero();
    }
    [[nodiscard]] bool spares_load(load_ahead const& ahead) const noexcept { return this->pauses().has(ahead.key, ahead.now); }
    void load_ended(load_report const& report)
    {
        if (!report.failed || when_(report.why)) base::load_ended(report);
    }

    void describe(auto&& field) const { field("max_stale", duration(*this->settings().max_stale)); }

private:
    [[no_unique_address]] When when_;
};
stale_on_error(stale_on_error_options)->stale_on_error<>;
template<std::predicate<error const&> When>
stale_on_error(stale_on_error_options, When) -> stale_on_error<When>;

} // namespace weir::inline v0
