// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/contracts.hpp>
#include <weir/core/detail/splitmix64.hpp>
#include <weir/core/live.hpp>
#include <weir/core/options.hpp>
#include <weir/core/stack.hpp>
#include <weir/core/striped.hpp>
#include <weir/core/threading.hpp>

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace weir::inline v0 {

struct chaos_options {
    /// Which part of the calls is held back first, evenly from `min_latency` to `max_latency`, at most until its deadline. Ratios in [0,
    /// 1].
    double latency_rate = 0;
    duration min_latency{0};
    duration max_latency{0};
    /// Which part is refused with `fault`: what is further in hears nothing of it.
    double fault_rate = 0;
    errc fault = errc::unavailable;
    /// Which part is done by what is further in, and its answer lost: `dropped` comes out in its place.
    double drop_rate = 0;
    errc dropped = errc::upstream_failed;
    /// Where the draws start; 0 means anywhere. Not for `reconfigure`.
    std::uint64_t seed = 0;
};

/// What `chaos` did to a call: an event for observers.
struct chaos_injected {
    enum class kind : std::uint8_t { latency, fault, dropped_answer };
    kind what;
    duration latency{0};
    errc error{};
    void append_to(std::string& text) const
    {
        if (what == kind::latency)
            text += "chaos: held back for " + std::to_string(latency.count()) + " ns";
        else
            text.append(what == kind::fault ? "chaos: a fault, " : "chaos: the answer is lost, ").append(to_string(error));
    }
};

/// `chaos<off>` is not there.
struct off {};

/// Draws of the seed in the options, for several threads: the default of `chaos`.
class seeded {
public:
    explicit seeded(std::uint64_t seed) : next_(seed != 0 ? seed : (std::uint64_t{std::random_device{}()} << 32 | std::random_device{}()))
    {
    }
    bool chance(double probability) noexcept { return probability > 0 && static_cast<double>(word() >> 11) * 0x1p-53 < probability; }
    duration between(duration low, duration high) noexcept
    {
        return low + duration{static_cast<std::int64_t>(word() % (static_cast<std::uint64_t>((high - low).count()) + 1))};
    }

private:
    std::uint64_t word() noexcept
    {
        std::uint64_t state = next_.add(0x9e3779b97f4a7c15u);
        return detail::splitmix64(state);
    }
    shared::cell<std::uint64_t> next_;
};

/// Makes trouble: holds calls back, refuses them, loses their answers, as often as its options say. It stands where the trouble is to be:
/// innermost, it is a bad upstream; outside of a retry, a bad caller's network. Several may stand in one pipeline, each with a name.
/// ```cpp
/// weir::pipeline svc{weir::retry<3>{}, weir::chaos{{.fault_rate = 0.1, .seed = 7}}, weir::idempotent{ask}};
/// svc.get<weir::chaos>().reconfigure({});   // peace
/// ```
/// `weir::chaos<weir::off>{{...}}` takes the same options and is not there: an empty stack, and the pipeline has the type that it has
/// without. A constant of the program chooses: `weir::chaos<std::conditional_t<with_chaos, weir::seeded, weir::off>>`. With
/// `weir::chaos{options, s}` the draws are those of a `schedule`, so that a failing test is shrunk to the few faults that matter.
/// Thread-safe with draws of its own.
template<class Draws = seeded>
class chaos {
public:
    using role = loop;
    using traits = weir::traits<waits>;
    using options = chaos_options;
    static constexpr std::string_view name = "chaos";
    struct plan {
        bool loses_answer = false;
    };
    struct stats_type {
        std::uint64_t held_back = 0;
        std::uint64_t faults = 0;
        std::uint64_t dropped = 0;
        void each(auto&& field) const
        {
            field("held_back_total", held_back);
            field("faults_total", faults);
            field("dropped_total", dropped);
        }
    };

    explicit chaos(options o = {}) : settings_(checked(o)), draws_(o.seed) {}
    /// With the draws of a schedule, or whatever has `chance` and `between`; it outlives the policy.
    chaos(options o, std::remove_pointer_t<Draws>& from) requires std::is_pointer_v<Draws> : settings_(checked(o)), draws_(&from) {}

    admission<> begin(auto& call, plan& p)
    {
        options const o = settings_.load();
        auto& from = draws();
        p.loses_answer = from.chance(o.drop_rate);
        if (from.chance(o.fault_rate)) {
            faults_.add();
            detail::teller_of(call)(chaos_injected{chaos_injected::kind::fault, {}, o.fault});
            return o.fault;
        }
        if (!from.chance(o.latency_rate)) return admitted;
        duration const held_back = std::min(from.between(o.min_latency, o.max_latency), call.deadline().left(call.now()));
        held_back_.add();
        detail::teller_of(call)(chaos_injected{chaos_injected::kind::latency, held_back});
        return sleep_for{held_back};
    }
    next_step after(auto& call, plan& p, auto& outcome)
    {
        if (p.loses_answer && outcome.has_value()) {
            errc const instead = settings_.load().dropped;
            dropped_.add();
            outcome = error(instead);
            detail::teller_of(call)(chaos_injected{chaos_injected::kind::dropped_answer, {}, instead});
        }
        return done;
    }

    [[nodiscard]] stats_type stats(time_point = {}) const { return {held_back_.sum(), faults_.sum(), dropped_.sum()}; }
    [[nodiscard]] options settings() const noexcept { return settings_.load(); }
    /// Other options, all but the seed, for calls that come from now on. Throws `std::invalid_argument` if they are bad.
    void reconfigure(options const& o) { settings_.store(checked(o)); }
    void describe(auto&& field) const
    {
        options const o = settings();
        field("latency_rate", o.latency_rate);
        field("min_latency", o.min_latency);
        field("max_latency", o.max_latency);
        field("fault_rate", o.fault_rate);
        field("drop_rate", o.drop_rate);
    }

private:
    static options const& checked(options const& o)
    {
        expect_ratio(o.latency_rate, "chaos.latency_rate");
        expect_ratio(o.fault_rate, "chaos.fault_rate");
        expect_ratio(o.drop_rate, "chaos.drop_rate");
        expect(o.min_latency.count() >= 0, "chaos.min_latency", "0 or more");
        expect(o.max_latency >= o.min_latency && o.max_latency <= std::chrono::hours(24 * 365), "chaos.max_latency",
               "from min_latency to a year");
        return o;
    }
    auto& draws() noexcept
    {
        if constexpr (std::is_pointer_v<Draws>)
            return *draws_;
        else
            return draws_;
    }

    live<options> settings_;
    Draws draws_;
    detail::counter<shared> held_back_;
    detail::counter<shared> faults_;
    detail::counter<shared> dropped_;
};

/// No chaos: an empty stack, which a pipeline takes apart into nothing.
template<>
class chaos<off> : public stack<> {
public:
    using options = chaos_options;

    chaos() = default;
    explicit chaos(options const&) noexcept {}
    chaos(options const&, auto&) noexcept {}
};
template<>
inline constexpr bool detail::is_stack<chaos<off>> = true;

chaos(chaos_options)->chaos<>;
template<class Draws>
chaos(chaos_options, Draws&) -> chaos<Draws*>;

} // namespace weir::inline v0
