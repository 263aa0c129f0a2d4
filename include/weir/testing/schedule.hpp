// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/events.hpp>
#include <weir/testing/draws.hpp>
#include <weir/testing/manual_clock.hpp>
#include <weir/testing/timeline.hpp>

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::inline v0 {

namespace detail {
class schedule_runs;
}

/// What one run of a test in virtual time is made from: the draws of one seed, the clock, and the story that is told of it.
/// ```cpp
/// weir::schedule s(42);
/// weir::pipeline svc{weir::timed_by{std::ref(s.clock())}, weir::retry<3>{{.seed = s.seed()}}, ...};
/// weir::simulation world(s); // last: what still runs ends before what it uses
/// ```
/// `check_schedules` makes many of them, and shrinks one that fails. Used by one thread.
class schedule {
public:
    explicit schedule(std::uint64_t seed = 1) : draws_(seed) {}
    schedule(schedule const&) = delete;
    schedule& operator=(schedule const&) = delete;

    [[nodiscard]] weir::draws& draws() noexcept { return draws_; }
    [[nodiscard]] manual_clock& clock() noexcept { return clock_; }
    [[nodiscard]] time_point now() const noexcept { return clock_.now(); }

    /// As those of `weir::draws`.
    std::uint64_t draw(std::uint64_t below) { return draws_.below(below); }
    std::uint64_t between(std::uint64_t low, std::uint64_t high) { return draws_.between(low, high); }
    duration between(duration low, duration high) { return draws_.between(low, high); }
    bool chance(double probability) { return draws_.chance(probability); }
    std::uint64_t seed() { return draws_.seed(); }

    /// What has to hold, as a sentence; false if it does not. It does not throw, so that it may stand in a handler or an observer; the
    /// first that did not hold is what the schedule fails with, and a simulation stops there.
    bool expect(bool holds, std::string_view what)
    {
        if (!holds) fail(what);
        return holds;
    }
    void fail(std::string_view what)
    {
        if (failed_) return;
        tell("schedule", "failed: ", what);
        failed_ = true;
        why_ = what;
    }
    [[nodiscard]] bool has_failed() const noexcept { return failed_; }
    /// What did not hold; empty if all did.
    [[nodiscard]] std::string const& why() const noexcept { return why_; }

    /// Keeps what is told from now on; `check_schedules` does so for the run that it prints.
    void keep_story() noexcept { is_told_ = true; }
    /// Whether anybody listens: who makes a long text asks first.
    [[nodiscard]] bool is_told() const noexcept { return is_told_ && !failed_; }
    /// Puts an entry into the story: texts, numbers, times and errors, one after the other.
    template<class... Parts>
    void tell(std::string_view who, Parts const&... what)
    {
        if (!is_told_ || failed_) return; // nobody wants to know how it was cleared away
        std::string text;
        (detail::append_text(text, what), ...);
        story_.add(now(), std::string(who), std::move(text));
    }
    [[nodiscard]] timeline const& story() const noexcept { return story_; }

private:
    friend class detail::schedule_runs;
    explicit schedule(weir::draws&& from) : draws_(std::move(from)) {}

    weir::draws draws_;
    manual_clock clock_;
    bool is_told_ = false;
    bool failed_ = false;
    std::string why_;
    timeline story_{manual_clock::noon};
};

/// An observer that tells a schedule's story of one call: `weir::observed watched{svc, weir::story_of{s, "call 1"}};`.
class story_of {
public:
    story_of(schedule& s, std::string who) : schedule_(&s), who_(std::move(who)) {}

    void operator()(event::admitted const& e) { tell("admitted by ", e.at.name); }
    void operator()(event::refused const& e) { tell("refused by ", e.at.name, ": ", e.why); }
    void operator()(event::answered const& e) { tell("answered by ", e.at.name); }
    void operator()(event::delayed const& e) { tell("held back by ", e.at.name, " for ", e.time); }
    void operator()(event::parked const& e)
    {
        if (e.until == never)
            tell("waits at ", e.at.name);
        else
            tell("waits at ", e.at.name, " for up to ", e.until - schedule_->now());
    }
    void operator()(event::asks const& e) { tell(e.at.name, " asks elsewhere"); }
    void operator()(event::forked const& e) { tell(e.at.name, " runs the inside on its own"); }
    void operator()(event::repeated const& e) { tell(e.at.name, " tries again in ", e.delay); }
    void operator()(event::settled const& e) { tell(e.at.name, e.has_error ? " hears of an error" : " hears of success"); }
    void operator()(event::dropped const& e) { tell("given up at ", e.at.name); }
    void operator()(event::called const&) { tell("the handler begins"); }
    void operator()(event::returned const& e) { tell(e.has_error ? "the handler fails" : "the handler answers"); }
    void operator()(event::ended const& e) { tell(e.has_error ? "ends with an error" : "ends well"); }
    /// Whatever a policy tells of itself and knows how to say: `void append_to(std::string&) const`.
    template<class Event>
    requires requires(Event const& e, std::string& to) { e.append_to(to); }
    void operator()(Event const& e)
    {
        if (!schedule_->is_told()) return;
        std::string text;
        e.append_to(text);
        tell(text);
    }
    /// A breaker's change of state, or that of any policy that says from what to what, and why.
    template<class Event>
    requires requires(Event const& e)
    {
        to_string(e.from);
        to_string(e.to);
        to_string(e.why);
    }
    void operator()(Event const& e) { tell("breaker ", to_string(e.from), " to ", to_string(e.to), ": ", to_string(e.why)); }

private:
    template<class... Parts>
    void tell(Parts const&... what)
    {
        schedule_->tell(who_, what...);
    }
    schedule* schedule_;
    std::string who_;
};

} // namespace weir::inline v0
