// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/contracts.hpp>
#include <weir/core/detail/random_seed.hpp>
#include <weir/core/detail/splitmix64.hpp>
#include <weir/core/live.hpp>
#include <weir/core/options.hpp>
#include <weir/core/striped.hpp>
#include <weir/resilience/call_window.hpp>
#include <weir/resilience/verdict.hpp>

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <mutex>
#include <string_view>
#include <utility>

namespace weir::inline v0 {

/// The defaults are the SRE book's. go-zero's breaker is
/// `{.k = 1.5, .window = 10s, .protection = 5, .force_after = 1s}`.
struct adaptive_throttle_options {
    /// How many calls go out for each that is accepted, before any is rejected; from 1 to 1,000. Lower is stricter.
    double k = 2;
    /// The length of the window; from 1 ms to 24 h.
    duration window = std::chrono::minutes(2);
    /// So many calls in the window may fail before any is rejected, however few there are.
    std::uint32_t protection = 0;
    /// A call is let through whatever the chance says when none was for so long; 0: never.
    duration force_after{0};
    /// Where the draws start; 0: anywhere. Read once, at construction.
    std::uint64_t seed = 0;
};

/// Sheds calls to a service in trouble by chance, more of them the more it fails, so that it gets about `k` times what it can answer:
/// client-side throttling (Google, "Site Reliability Engineering", 2016, chapter 21). A call is rejected, with `errc::overloaded`, with the
/// probability max(0, (requests - protection - k * accepts) / (requests + 1)) over the window. Requests are the calls that ended or were
/// rejected, accepts those that the classifier (see `pipeline_verdict`) calls a success; what it ignores, and cancelled calls, are neither.
///
/// There is no state to get stuck in, but recovering takes its time: when the window holds no accept one call in as many as the window
/// holds passes (or one each `force_after`), and with `k` = 2 the accepts then grow e-fold a window. With the book's two minutes that is a
/// quarter of an hour for a thousand calls a window, with ten seconds one minute.
///
/// The probability is worked out when a call fails, and at each call while it is above 0. Below that a call costs a load and, with its
/// outcome, a count in words of its own thread. Thread-safe if `shared`. To stop calls altogether take `circuit_breaker`.
template<threading_model Threading = shared, class Classifier = pipeline_verdict>
class adaptive_throttle {
public:
    using role = gate;
    using traits = weir::traits<counts_failures>;
    using options = adaptive_throttle_options;
    static constexpr std::string_view name = "adaptive_throttle";
    struct stats_type {
        std::uint64_t requests = 0; ///< in the window, as the following
        std::uint64_t accepts = 0;
        double rejection = 0;       ///< the probability with which a call is rejected now
        std::uint64_t rejected = 0; ///< since the start, as the following
        std::uint64_t forced = 0;   ///< let through by `force_after`
        void each(auto&& field) const
        {
            field("window_requests", requests);
            field("window_accepts", accepts);
            field("rejection", rejection);
            field("rejected_total", rejected);
            field("forced_total", forced);
        }
    };

    explicit adaptive_throttle(options o = {}, Classifier classifier = {})
        : settings_(checked(o)), calls_(o.window), classifier_(std::move(classifier)), draws_(o.seed != 0 ? o.seed : detail::random_seed())
    {
    }

    [[gnu::always_inline]] admission<> admit(auto& call)
    {
        if (!wary_.load()) [[likely]]
            return admitted;
        return admit_warily(call.now());
    }
    [[gnu::always_inline]] void settle(pass, auto const& outcome, auto& call)
    {
        verdict const v = detail::verdict_of(classifier_, outcome, call);
        if (v == verdict::success) [[likely]]
            calls_.count(call.now(), true);
        else if (v == verdict::failure)
            failed(call.now());
    }
    void cancel(pass) noexcept {}

    [[nodiscard]] stats_type stats(time_point now) const
    {
        auto const window = calls_.sum(now);
        return {window.calls, window.marked, rejection(window, settings_.load()), rejected_.sum(), forced_.sum()};
    }
    [[nodiscard]] options settings() const noexcept { return settings_.load(); }
    /// Other settings from the next decision on; a window of another length begins anew. Throws `std::invalid_argument` and changes
    /// nothing if they are bad.
    void reconfigure(options const& o)
    {
        checked(o);
        std::lock_guard const lock(changing_);
        bool const resized = o.window != settings_.load().window;
        settings_.store(o);
        if (resized) calls_.resize(o.window);
        wary_.store(true); // the next call works it out
    }
    void describe(auto&& field) const
    {
        options const o = settings();
        field("k", o.k);
        field("window", o.window);
        field("protection", o.protection);
        field("force_after", o.force_after);
    }

private:
    using totals = typename call_window<Threading>::totals;

    static options const& checked(options const& o)
    {
        expect(o.k >= 1 && o.k <= 1'000, "adaptive_throttle.k", "1 to 1,000");
        expect(o.window >= std::chrono::milliseconds(1) && o.window <= std::chrono::hours(24), "adaptive_throttle.window", "1 ms to 24 h");
        expect(o.force_after.count() >= 0, "adaptive_throttle.force_after", "0 or more");
        return o;
    }
    [[nodiscard]] static double rejection(totals const& window, options const& o) noexcept
    {
        auto const requests = static_cast<double>(window.calls);
        return std::max(0., (requests - o.protection - o.k * static_cast<double>(window.marked)) / (requests + 1));
    }
    [[gnu::noinline, gnu::cold]] void failed(time_point now)
    {
        calls_.count(now, false);
        if (!wary_.load() && rejection(calls_.sum(now), settings_.load()) > 0) wary_.store(true);
    }
    [[gnu::noinline]] admission<> admit_warily(time_point now)
    {
        options const o = settings_.load();
        double const chance = rejection(calls_.sum(now), o);
        if (chance <= 0)
            wary_.store(false); // a failure that comes at this moment is looked at with the next one
        else {
            std::uint64_t state = draws_.add(0x9e3779b97f4a7c15u);
            bool const unlucky = static_cast<double>(detail::splitmix64(state) >> 11) * 0x1p-53 < chance;
            if (unlucky && !is_forced(now, o)) {
                calls_.count(now, false);
                rejected_.add();
                return errc::overloaded;
            }
        }
        passed_.store(now.time_since_epoch().count());
        return admitted;
    }
    [[nodiscard]] bool is_forced(time_point now, options const& o)
    {
        if (o.force_after.count() == 0) return false;
        std::int64_t last = passed_.load();
        if (now - time_point{duration{last}} < o.force_after) return false;
        while (!passed_.replace(last, now.time_since_epoch().count()))
            if (now - time_point{duration{last}} < o.force_after) return false; // another call was let through
        forced_.add();
        return true;
    }

    live<options> settings_;
    call_window<Threading> calls_;                        ///< requests, and the accepts among them
    typename Threading::template cell<bool> wary_{false}; ///< calls may be rejected
    [[no_unique_address]] Classifier classifier_;
    typename Threading::template cell<std::uint64_t> draws_;
    typename Threading::template cell<std::int64_t> passed_{0}; ///< when the last call was let through while it was wary
    detail::counter<Threading> rejected_;
    detail::counter<Threading> forced_;
    typename Threading::mutex changing_;
};
adaptive_throttle(adaptive_throttle_options)->adaptive_throttle<>;
template<class Classifier>
adaptive_throttle(adaptive_throttle_options, Classifier) -> adaptive_throttle<shared, Classifier>;

} // namespace weir::inline v0
