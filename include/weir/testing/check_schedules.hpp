// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/testing/detail/shrinker.hpp>
#include <weir/testing/schedule.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <ostream>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace weir::inline v0 {

struct check_options {
    /// That of the first schedule; each one has a seed more than the one before.
    std::uint64_t seed = 1;
    /// How many there are.
    std::uint64_t schedules = 1'000;
    /// The most draws of one schedule, at 8 bytes each; one that draws more fails and says so.
    std::size_t max_draws = 1'000'000;
    /// The most runs to shrink one that fails.
    std::uint64_t max_shrinks = 2'000;
    /// The draws of an earlier report: if there are any, only this schedule is run.
    std::vector<std::uint64_t> replay{};
};

/// What came of `check_schedules`: true if nothing failed.
struct schedule_report {
    bool failed = false;
    std::uint64_t schedules = 0;        ///< how many ran, without those to shrink
    std::uint64_t seed = 0;             ///< of the one that failed
    std::string why{};                  ///< what did not hold
    std::size_t drawn = 0;              ///< how many draws it took
    std::uint64_t shrinks = 0;          ///< how many runs it took to shrink them
    std::vector<std::uint64_t> draws{}; ///< what is left of them: fails for the same reason; for `check_options::replay`
    timeline story{};                   ///< of that

    [[nodiscard]] explicit operator bool() const noexcept { return !failed; }
    /// All of it, for people to read.
    [[nodiscard]] std::string text() const
    {
        if (!failed) return std::to_string(schedules) + " schedules: all is well\n";
        std::string out = "schedule " + std::to_string(schedules) + " (seed " + std::to_string(seed) + ") fails: " + why + "\n  " +
                          std::to_string(drawn) + " draws, shrunk to " + std::to_string(draws.size()) + " in " + std::to_string(shrinks) +
                          " runs; to run it again: .replay = {";
        for (std::size_t i = 0; i < draws.size(); ++i) out += (i == 0 ? "" : ", ") + std::to_string(draws[i]);
        out += draws.empty() ? "0}\n" : "}\n";
        return out + story.text();
    }
    friend std::ostream& operator<<(std::ostream& out, schedule_report const& report) { return out << report.text(); }
};

namespace detail {

/// Runs schedules of one property, a function of a schedule whose type is forgotten.
class schedule_runs {
public:
    using property = void (*)(void*, schedule&);
    schedule_runs(check_options const& o, property p, void* state) : options_(o), property_(p), state_(state) {}

    schedule_report run()
    {
        schedule_report report;
        if (!options_.replay.empty()) {
            report.schedules = 1;
            outcome const first = replay(options_.replay);
            if (first.fails) tell(report, first, options_.replay);
            return report;
        }
        for (std::uint64_t i = 0; i < options_.schedules; ++i) {
            ++report.schedules;
            report.seed = options_.seed + i;
            schedule s(weir::draws::recorded(report.seed, options_.max_draws));
            if (outcome const first = judge(s); first.fails) {
                report.drawn = first.record.size();
                shrinker shrinking(first.record, options_.max_shrinks, [&](std::vector<std::uint64_t> const& candidate) {
                    outcome tried = replay(candidate);
                    return std::pair{tried.fails && tried.why == first.why, std::move(tried.record)};
                });
                report.shrinks = shrinking.run();
                tell(report, first, shrinking.best());
                return report;
            }
        }
        return report;
    }

private:
    struct outcome {
        bool fails = false;
        std::string why{};
        std::vector<std::uint64_t> record{};
    };
    outcome judge(schedule& s)
    {
        try {
            property_(state_, s);
        } catch (std::exception const& e) {
            s.fail(std::string("an exception: ") + e.what());
        } catch (...) {
            s.fail("an exception that is no std::exception");
        }
        return {s.has_failed(), s.why(), s.draws().record()};
    }
    outcome replay(std::vector<std::uint64_t> const& record)
    {
        schedule s(weir::draws::replayed(record, options_.max_draws));
        return judge(s);
    }
    /// The schedule once more, and what it has to tell.
    void tell(schedule_report& report, outcome const& first, std::vector<std::uint64_t> record)
    {
        schedule s(weir::draws::replayed(record, options_.max_draws));
        s.keep_story();
        outcome const last = judge(s);
        report.failed = true;
        report.why = last.fails ? last.why : first.why + " (but not when it is run again: it depends on more than its draws)";
        if (report.drawn == 0) report.drawn = record.size();
        report.draws = std::move(record);
        report.story = s.story();
    }

    check_options const& options_;
    property property_;
    void* state_;
};

} // namespace detail

/// Runs a property with many schedules, each of a seed of its own. It fails if it throws, returns false, or breaks what it `expect`s;
/// then the draws of that schedule are shrunk (see `detail::shrinker`) until no simpler ones fail for the same reason, and the last
/// one is told as a timeline. It knows no test framework:
/// ```cpp
/// auto const report = weir::check_schedules({.schedules = 1'000}, [](weir::schedule& s) {
///     weir::gcra limit{{.permits = 5, .per = 1s}};
///     int admitted = 0;
///     while (s.chance(0.9)) {
///         s.clock().advance(s.between(0ms, 10ms));
///         if (limit.try_acquire(s.now())) s.tell("call", "admitted, number ", ++admitted);
///     }
///     s.expect(admitted <= 5 + 1, "no more than the burst and what came since");
/// });
/// CHECK_MESSAGE(report, report.text());
/// ```
/// The property makes all its decisions by the schedule's draws: then a schedule is the same when it is run again.
template<class Property>
[[nodiscard]] schedule_report check_schedules(check_options const& o, Property property)
{
    auto const call = [](void* state, schedule& s) {
        auto& asked = *static_cast<Property*>(state);
        if constexpr (std::is_same_v<decltype(asked(s)), bool>) {
            if (!asked(s)) s.fail("the property returned false");
        } else
            asked(s);
    };
    return detail::schedule_runs(o, call, &property).run();
}

} // namespace weir::inline v0
