// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "../schedules.hpp"

#include <weir/resilience/breaker_window.hpp>
#include <weir/resilience/verdict.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <iterator>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

namespace weir_test {

using namespace std::chrono_literals;

/// What a breaker sees of a call: the time, and a key. Its outcome is the verdict itself.
struct breaker_call {
    weir::time_point time;
    int key = 0;
    [[nodiscard]] weir::time_point now() const { return time; }
    [[nodiscard]] int request() const { return key; }
};
struct told_verdict {
    weir::verdict operator()(weir::verdict v) const { return v; }
};

/// A breaker as its comments tell it, for any window: a list of outcomes that is counted anew each time, one state, nothing merged.
template<class Window>
class breaker_model {
public:
    using options = typename Window::options;
    using state = weir::breaker_state;
    using reason = weir::breaker_reason;
    struct permit {
        std::uint64_t era;
        weir::time_point started;
        bool timed;
    };
    struct change {
        state from, to;
        reason why;
        weir::time_point when;
    };

    explicit breaker_model(options const& o) : o_(o), timed_(o.slow_call > 0ns) {}

    bool admit(weir::time_point now, permit& p)
    {
        if (state_ == state::half_open && good_ >= o_.probes)
            close(now, reason::probes_succeeded);
        else if (state_ == state::half_open && out_ > 0 && now >= back_)
            open(now, reason::probes_too_slow, turns_ + 1);
        else if (state_ == state::open && now >= until_)
            become(state::half_open, now, reason::open_long_enough);
        p = {era_, now, timed_};
        switch (state_) {
        case state::open:
        case state::forced_open: ++refused; return false;
        case state::half_open:
            if (out_ + good_ >= o_.probes) {
                ++refused;
                return false;
            }
            if (out_ == 0) back_ = now + o_.probe_limit;
            ++out_;
            return true;
        default: return true;
        }
    }
    void settle(weir::time_point now, permit p, weir::verdict v, bool was_disabled)
    {
        if (was_disabled) return;
        if (p.era != era_) {
            ++late;
            return;
        }
        if (v == weir::verdict::ignored) return cancel(p);
        bool const failed = v == weir::verdict::failure;
        bool const slow = p.timed && o_.slow_call > 0ns && weir::duration(ticks(now) - ticks(p.started)) * 256 >= o_.slow_call;
        if (state_ == state::half_open) {
            if (failed || slow) return open(now, reason::probe_failed, turns_ + 1);
            --out_;
            ++good_;
            if (good_ >= o_.probes) close(now, reason::probes_succeeded);
            return;
        }
        seen_.push_back({now, failed, slow});
        if (state_ == state::closed && (failed || slow || near_)) judge(now);
    }
    void cancel(permit p)
    {
        if (p.era == era_ && state_ == state::half_open) --out_;
    }
    void set(state to, weir::time_point now)
    {
        if (to == state::closed && state_ == to) {
            seen_.clear();
            near_ = false;
        } else if (to == state::closed)
            close(now, reason::by_hand);
        else if (state_ != to) {
            if (to == state::metrics_only) seen_.clear();
            become(to, now, reason::by_hand);
        }
    }
    void reconfigure(options const& o)
    {
        if constexpr (!is_row)
            if (o.window != o_.window) seen_.clear();
        if ((o.slow_call > 0ns) != (o_.slow_call > 0ns) && state_ != state::half_open) ++era_; // calls under way were timed, or not
        o_ = o;
        if (state_ != state::half_open) timed_ = o.slow_call > 0ns; // a turn of probes ends as it began
    }
    [[nodiscard]] weir::detail::breaker_totals window(weir::time_point now) const
    {
        weir::detail::breaker_totals t;
        if constexpr (is_row) {
            for (auto s = seen_.rbegin(); s != seen_.rend() && (s->failed || s->slow); ++s) ++t.calls;
            t.failures = t.calls;
        } else {
            std::size_t const from = std::is_same_v<Window, weir::count_window> && seen_.size() > length() ? seen_.size() - length() : 0;
            for (std::size_t i = from; i < seen_.size(); ++i) {
                if (std::is_same_v<Window, weir::time_window> && slice(now) - slice(seen_[i].at) > slice_count()) continue;
                ++t.calls;
                t.failures += seen_[i].failed;
                t.slow += seen_[i].slow;
            }
        }
        return t;
    }
    [[nodiscard]] state now() const { return state_; }
    [[nodiscard]] options const& settings() const { return o_; }
    [[nodiscard]] std::uint32_t out() const { return state_ == state::half_open ? out_ : 0; }
    /// When a refused call may come again; zero if nobody knows.
    [[nodiscard]] weir::duration wait(weir::time_point now) const
    {
        return state_ == state::open ? until_ - now : state_ == state::half_open ? back_ - now : 0ns;
    }
    /// The full open time, of which the jitter takes something off; and what it took.
    [[nodiscard]] weir::duration full() const { return full_; }
    [[nodiscard]] bool is_drawn() const { return state_ == state::open && !known_; }
    void is_open_until(weir::time_point t)
    {
        until_ = t;
        known_ = true;
    }
    std::uint64_t refused = 0, opened = 0, late = 0;
    std::vector<change> changes;

private:
    static constexpr bool is_row = std::is_same_v<Window, weir::failures_in_a_row>;
    struct outcome {
        weir::time_point at;
        bool failed, slow;
    };
    /// Slowness is told to 256 ns.
    [[nodiscard]] static std::int64_t ticks(weir::time_point t) { return t.time_since_epoch().count() / 256; }
    [[nodiscard]] std::size_t length() const
    {
        if constexpr (std::is_same_v<Window, weir::count_window>)
            return o_.window;
        else
            return 0;
    }
    // The window is cut into slices of the smallest power of two nanoseconds of which fewer than 15 fit in.
    [[nodiscard]] unsigned shift() const
    {
        unsigned s = 0;
        if constexpr (std::is_same_v<Window, weir::time_window>)
            while ((o_.window.count() >> s) >= 15) ++s;
        return s;
    }
    [[nodiscard]] std::uint64_t slice(weir::time_point t) const
    {
        return static_cast<std::uint64_t>(t.time_since_epoch().count()) >> shift();
    }
    [[nodiscard]] std::uint64_t slice_count() const
    {
        if constexpr (std::is_same_v<Window, weir::time_window>)
            return static_cast<std::uint64_t>(o_.window.count() >> shift());
        else
            return 0;
    }
    void judge(weir::time_point now)
    {
        auto const t = window(now);
        if constexpr (is_row) {
            if (t.failures >= o_.failures) open(now, reason::failures_in_a_row, 0);
        } else {
            bool const failing = t.failures > 0 && static_cast<double>(t.failures) >= o_.failure_rate * static_cast<double>(t.calls);
            bool const slow =
                o_.slow_call > 0ns && t.slow > 0 && static_cast<double>(t.slow) >= o_.slow_call_rate * static_cast<double>(t.calls);
            near_ = (failing || slow) && t.calls < o_.minimum_calls;
            if ((failing || slow) && t.calls >= o_.minimum_calls)
                open(now, failing ? reason::too_many_failures : reason::too_many_slow_calls, 0);
        }
    }
    void open(weir::time_point now, reason why, std::uint32_t turns)
    {
        turns_ = turns;
        full_ = o_.open_for;
        for (std::uint32_t i = 0; i < turns && o_.max_open_for != 0ns; ++i) full_ = std::min(full_ * 2, o_.max_open_for);
        until_ = now + full_;
        known_ = o_.jitter == 0;
        ++opened;
        become(state::open, now, why);
    }
    void close(weir::time_point now, reason why)
    {
        seen_.clear();
        become(state::closed, now, why);
    }
    void become(state to, weir::time_point now, reason why)
    {
        changes.push_back({state_, to, why, now});
        state_ = to;
        ++era_;
        out_ = good_ = 0;
        near_ = false;
        timed_ = o_.slow_call > 0ns;
    }

    options o_;
    bool timed_;
    state state_ = state::closed;
    weir::time_point until_{}, back_{};
    weir::duration full_{};
    bool known_ = true, near_ = false;
    std::uint64_t era_ = 0;
    std::uint32_t out_ = 0, good_ = 0, turns_ = 0;
    std::deque<outcome> seen_;
};

/// Settings of any kind, the edges included.
template<class Options, class Random>
Options drawn_breaker(Random& random)
{
    auto const one_of = [&](auto... values) {
        std::common_type_t<decltype(values)...> const all[] = {values...};
        return all[random() % sizeof...(values)];
    };
    Options o;
    if constexpr (requires { o.failures; })
        o.failures = one_of(1u, 2u, 3u);
    else {
        o.failure_rate = one_of(0.01, 0.3, 0.5, 1.0);
        if constexpr (std::is_same_v<decltype(o.window), weir::duration>) {
            o.window = one_of(weir::duration(1ms), weir::duration(7'777'777ns), weir::duration(100ms));
            o.minimum_calls = one_of(1u, 2u, 4u);
        } else {
            o.window = one_of(1u, 3u, 10u, 33u);
            o.minimum_calls = std::min(o.window, one_of(1u, 2u, 4u));
        }
        o.slow_call_rate = one_of(0.2, 0.5, 1.0);
    }
    o.slow_call = one_of(weir::duration(0), weir::duration(0), weir::duration(2ms));
    o.open_for = one_of(weir::duration(1), weir::duration(3ms), weir::duration(50ms));
    o.max_open_for = o.open_for * one_of(0, 0, 1, 3, 8);
    o.jitter = one_of(0.0, 0.0, 0.4, 1.0);
    o.probes = one_of(1u, 2u, 3u);
    o.probe_limit = one_of(weir::duration(1), weir::duration(5ms), weir::duration(1h));
    o.name = "tested";
    o.seed = 1 + random() % 1'000;
    return o;
}

/// What went wrong, with the steps that led there.
class story {
public:
    explicit story(std::uint64_t seed) : text_("schedule of seed " + std::to_string(seed) + "\n") {}
    void step(std::string const& what, weir::time_point now)
    {
        if (is_told) text_ += "  " + std::to_string(now.time_since_epoch().count()) + " ns: " + what + "\n";
    }
    /// False if it does not hold.
    bool expect(bool holds, char const* what)
    {
        if (!holds && wrong.empty()) wrong = what;
        return holds;
    }
    [[nodiscard]] std::string text() const { return text_ + "  expected: " + wrong; }
    bool is_told = false;
    std::string wrong;

private:
    std::string text_;
};

template<class Random>
weir::duration some_time(Random& random)
{
    weir::duration const spans[] = {0ns, 1ns, 100us, 1ms, 3ms, 20ms, 200ms};
    return random() % 40 == 0 ? weir::duration(2h) : spans[random() % std::size(spans)];
}

/// Runs schedules of a harness, a part of them if there are several harnesses; one that fails is run again and told.
template<class Harness>
void run_all(std::uint64_t share)
{
    std::uint64_t const first = first_seed();
    for (std::uint64_t i = 0, count = schedules() / share + 1; i < count; ++i) {
        story s(first + i);
        if (Harness::run(s, first + i)) [[likely]]
            continue;
        story again(first + i);
        again.is_told = true;
        Harness::run(again, first + i);
        FAIL(again.text());
    }
}

} // namespace weir_test
