// SPDX-License-Identifier: BSL-1.0
#include <weir/resilience/circuit_breaker.hpp>

#include <weir/core/directives.hpp>
#include <weir/core/observed.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/testing/manual_clock.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using state = weir::circuit_breaker<>::state;

/// A call as the breaker sees it.
struct test_call {
    weir::time_point time;
    [[nodiscard]] weir::time_point now() const { return time; }
    [[nodiscard]] static bool failed(bool outcome) { return !outcome; }
};

constexpr weir::time_point start{1h};

/// The breaker as its comment tells it: a list of outcomes, one state, nothing merged.
class model {
public:
    explicit model(weir::circuit_breaker_options o) : options_(o) {}

    struct permit {
        std::uint64_t era;
    };
    bool admit(weir::time_point now, permit& p)
    {
        if (state_ == state::half_open && now >= until_) open(now);
        if (state_ == state::open && now >= until_) change(state::half_open, now + options_.probe_limit);
        p.era = era_;
        if (state_ == state::closed) return true;
        if (state_ == state::half_open && out_ + good_ < options_.probes) {
            ++out_;
            return true;
        }
        return false;
    }
    void settle(weir::time_point now, permit p, bool good)
    {
        if (p.era != era_) {
            ++late;
            return;
        }
        if (state_ == state::closed) {
            seen_.emplace_back(slice(now), good);
            auto const [calls, failures] = window(now);
            bool const too_many = failures > 0 && static_cast<double>(failures) >= options_.failure_rate * static_cast<double>(calls);
            if (!good || near_) {
                if (too_many && calls >= options_.minimum_calls) return open(now);
                near_ = too_many;
            }
        } else {
            if (!good) return open(now);
            --out_;
            if (++good_ == options_.probes) {
                seen_.clear();
                change(state::closed, weir::never);
            }
        }
    }
    void cancel(permit p)
    {
        if (p.era == era_ && state_ == state::half_open) --out_;
    }
    std::pair<std::uint64_t, std::uint64_t> window(weir::time_point now)
    {
        std::uint64_t calls = 0, failures = 0;
        for (auto const& [at, good] : seen_)
            if (slice(now) - at < slices()) {
                ++calls;
                failures += !good;
            }
        return {calls, failures};
    }
    [[nodiscard]] state now() const { return state_; }
    [[nodiscard]] weir::time_point until() const { return until_; }
    std::uint64_t late = 0;
    std::uint64_t opened = 0;

private:
    // The window is cut into slices of the smallest power of two nanoseconds of which fewer than 15 fit in.
    [[nodiscard]] unsigned shift() const
    {
        unsigned s = 0;
        while ((options_.window.count() >> s) >= 15) ++s;
        return s;
    }
    [[nodiscard]] std::uint64_t slice(weir::time_point t) const
    {
        return static_cast<std::uint64_t>(t.time_since_epoch().count()) >> shift();
    }
    [[nodiscard]] std::uint64_t slices() const { return static_cast<std::uint64_t>(options_.window.count() >> shift()) + 1; }
    void open(weir::time_point now)
    {
        ++opened;
        change(state::open, now + options_.open_for);
    }
    void change(state to, weir::time_point until)
    {
        state_ = to;
        until_ = until;
        ++era_;
        out_ = good_ = 0;
        near_ = false;
    }
    weir::circuit_breaker_options options_;
    state state_ = state::closed;
    weir::time_point until_ = weir::never;
    std::uint64_t era_ = 0;
    std::uint32_t out_ = 0;
    std::uint32_t good_ = 0;
    bool near_ = false;
    std::vector<std::pair<std::uint64_t, bool>> seen_;
};

template<class Breaker>
void one(Breaker& breaker, weir::time_point now, bool good)
{
    test_call call{now};
    auto const a = breaker.admit(call);
    REQUIRE(a.is_admitted());
    breaker.settle(a.permit(), good, call);
}

template<class Threading>
void compare(std::uint32_t seed, weir::circuit_breaker_options o)
{
    std::mt19937_64 random(seed);
    weir::circuit_breaker<Threading> breaker{o};
    model expected{o};
    struct running {
        std::uint64_t permit;
        model::permit expected;
    };
    std::deque<running> calls;
    weir::time_point now = start;
    double failure = 0.2;
    for (int step = 0; step < 20'000; ++step) {
        if (random() % 500 == 0) failure = static_cast<double>(random() % 100) / 100;
        if (random() % 3 == 0)
            now += weir::duration(static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(o.window.count() / 10)));
        if (random() % 300 == 0) now += o.window * 2;
        test_call call{now};
        if (calls.size() < 6 && random() % 2 == 0) {
            model::permit p{};
            auto const a = breaker.admit(call);
            REQUIRE(a.is_admitted() == expected.admit(now, p));
            if (a)
                calls.push_back({a.permit(), p});
            else {
                REQUIRE(a.refusal() == weir::errc::circuit_open);
                REQUIRE(a.refusal().retry_after() == expected.until() - now);
            }
        } else if (!calls.empty()) {
            std::size_t const which = random() % calls.size();
            running const r = calls[which];
            calls.erase(calls.begin() + static_cast<std::ptrdiff_t>(which));
            if (random() % 10 == 0) {
                breaker.cancel(r.permit);
                expected.cancel(r.expected);
            } else {
                bool const good = static_cast<double>(random() % 1'000) >= failure * 1'000;
                breaker.settle(r.permit, good, call);
                expected.settle(now, r.expected, good);
            }
        }
        auto const stats = breaker.stats(now);
        REQUIRE(static_cast<int>(stats.now) == static_cast<int>(expected.now()));
        REQUIRE(stats.late == expected.late);
        REQUIRE(stats.opened == expected.opened);
        if (expected.now() == state::closed) {
            auto const window = expected.window(now);
            REQUIRE(stats.calls == window.first);
            REQUIRE(stats.failures == window.second);
        }
    }
    CHECK(expected.opened > 5);
    CHECK(expected.late > 0);
}

} // namespace

TEST_CASE("circuit_breaker: does what the model does, whatever the history")
{
    compare<weir::shared>(1, {.failure_rate = 0.5, .window = 10s, .minimum_calls = 20, .open_for = 5s, .probes = 3, .probe_limit = 3s});
    compare<weir::shared>(2, {.failure_rate = 0.3, .window = 1s, .minimum_calls = 5, .open_for = 100ms, .probes = 1, .probe_limit = 1s});
    compare<weir::confined>(3,
                            {.failure_rate = 1, .window = 100ms, .minimum_calls = 2, .open_for = 30ms, .probes = 5, .probe_limit = 20ms});
    compare<weir::confined>(4, {.failure_rate = 0.05, .window = 1ms, .minimum_calls = 1, .open_for = 1us, .probes = 2, .probe_limit = 1ms});
}

TEST_CASE("circuit_breaker: opens at the rate, not before the minimum of calls")
{
    weir::circuit_breaker breaker{{.failure_rate = 0.5, .minimum_calls = 4}};
    for (int i = 0; i < 3; ++i) one(breaker, start, false);
    CHECK(breaker.stats(start).now == state::closed);
    one(breaker, start, true); // the call that reaches the minimum need not be the one that fails
    CHECK(breaker.stats(start).now == state::open);
    test_call call{start + 2s};
    CHECK(breaker.admit(call).refusal() == weir::errc::circuit_open);
    CHECK(breaker.admit(call).refusal().retry_after() == 3s);
    CHECK(breaker.stats(start).refused == 2);
}

TEST_CASE("circuit_breaker: half-open, so many probes at a time, and all have to succeed")
{
    weir::circuit_breaker breaker{{.minimum_calls = 1, .open_for = 1s, .probes = 2, .probe_limit = 10s}};
    one(breaker, start, false);
    test_call call{start + 1s};
    auto const a = breaker.admit(call);
    auto const b = breaker.admit(call);
    CHECK(a);
    CHECK(b);
    CHECK(breaker.admit(call).refusal().retry_after() == 10s);
    breaker.settle(a.permit(), true, call);
    CHECK_FALSE(breaker.admit(call)); // one good, one out
    CHECK(breaker.stats(call.time).now == state::half_open);
    breaker.settle(b.permit(), true, call);
    CHECK(breaker.stats(call.time).now == state::closed);
    CHECK(breaker.stats(call.time).calls == 0); // begins anew
}

TEST_CASE("circuit_breaker: a failed probe opens it again, and the other probe's result is late")
{
    weir::circuit_breaker breaker{{.minimum_calls = 1, .open_for = 1s, .probes = 2}};
    one(breaker, start, false);
    test_call call{start + 1s};
    auto const a = breaker.admit(call);
    auto const b = breaker.admit(call);
    breaker.settle(a.permit(), false, call);
    CHECK(breaker.stats(call.time).now == state::open);
    breaker.settle(b.permit(), true, call);
    CHECK(breaker.stats(call.time).now == state::open);
    CHECK(breaker.stats(call.time).late == 1);
    CHECK(breaker.stats(call.time).opened == 2);
}

TEST_CASE("circuit_breaker: a cancelled probe gives its place back")
{
    weir::circuit_breaker breaker{{.minimum_calls = 1, .open_for = 1s, .probes = 1}};
    one(breaker, start, false);
    test_call call{start + 1s};
    auto const a = breaker.admit(call);
    CHECK(a);
    CHECK_FALSE(breaker.admit(call));
    breaker.cancel(a.permit());
    CHECK(breaker.stats(call.time).now == state::half_open);
    CHECK(breaker.admit(call));
}

TEST_CASE("circuit_breaker: probes that never come back do not hold it half-open")
{
    weir::circuit_breaker breaker{{.minimum_calls = 1, .open_for = 1s, .probes = 1, .probe_limit = 2s}};
    one(breaker, start, false);
    test_call call{start + 1s};
    auto const lost = breaker.admit(call);
    CHECK(lost);
    call.time += 2s - 1ns;
    CHECK(breaker.admit(call).refusal().retry_after() == 1ns);
    call.time += 1ns;
    CHECK(breaker.admit(call).refusal().retry_after() == 1s); // open again
    call.time += 1s;
    CHECK(breaker.admit(call));
    breaker.settle(lost.permit(), true, call);
    CHECK(breaker.stats(call.time).now == state::half_open); // late
    breaker.cancel(lost.permit());
    CHECK_FALSE(breaker.admit(call)); // the lost one had no place in this turn
}

TEST_CASE("circuit_breaker: reconfigured, the state stays and the next decision goes by the new settings")
{
    weir::circuit_breaker breaker{{.failure_rate = 1, .minimum_calls = 2}};
    one(breaker, start, false);
    breaker.reconfigure({.failure_rate = 0.5, .minimum_calls = 4, .open_for = 7s});
    one(breaker, start, true);
    one(breaker, start, true);
    CHECK(breaker.stats(start).calls == 3);
    one(breaker, start, false);
    test_call call{start};
    CHECK(breaker.admit(call).refusal().retry_after() == 7s);
    CHECK_THROWS_AS(breaker.reconfigure({.failure_rate = 0}), std::invalid_argument);
    CHECK_THROWS_AS(breaker.reconfigure({.probes = 0}), std::invalid_argument);
    CHECK(breaker.settings().open_for == 7s);
    CHECK(breaker.stats(start).now == state::open);
}

TEST_CASE("circuit_breaker: fewer probes than have succeeded already close it at the next call")
{
    weir::circuit_breaker breaker{{.minimum_calls = 1, .open_for = 1s, .probes = 3}};
    one(breaker, start, false);
    one(breaker, start + 1s, true);
    one(breaker, start + 1s, true);
    CHECK(breaker.stats(start).now == state::half_open);
    breaker.reconfigure({.minimum_calls = 1, .open_for = 1s, .probes = 2});
    test_call call{start + 1s};
    CHECK(breaker.admit(call));
}

TEST_CASE("circuit_breaker: a window of another length begins anew")
{
    weir::circuit_breaker breaker{{.failure_rate = 0.5, .window = 10s, .minimum_calls = 2}};
    one(breaker, start, false);
    breaker.reconfigure({.failure_rate = 0.5, .window = 1s, .minimum_calls = 2});
    CHECK(breaker.stats(start).calls == 0);
}

TEST_CASE("circuit_breaker: bad options name the member")
{
    CHECK_THROWS_WITH_AS(weir::circuit_breaker{{.failure_rate = 1.5}},
                         "circuit_breaker.failure_rate: expected a ratio above 0 and at most 1", std::invalid_argument);
    CHECK_THROWS_AS(weir::circuit_breaker{{.window = 1us}}, std::invalid_argument);
    CHECK_THROWS_AS(weir::circuit_breaker{{.minimum_calls = 0}}, std::invalid_argument);
    CHECK_THROWS_AS(weir::circuit_breaker{{.open_for = 0s}}, std::invalid_argument);
    CHECK_THROWS_AS(weir::circuit_breaker{{.probe_limit = 0s}}, std::invalid_argument);
}

TEST_CASE("circuit_breaker: in a pipeline, exceptions and faults count, the caller's own mistakes do not")
{
    weir::manual_clock clock;
    weir::pipeline svc{weir::timed_by{std::ref(clock)}, weir::circuit_breaker{{.failure_rate = 0.5, .minimum_calls = 2}},
                       [](int x) -> weir::result<int> {
                           if (x == 0) return weir::errc::not_found;
                           if (x == 1) return weir::errc::upstream_failed;
                           if (x == 2) throw std::runtime_error("broken");
                           return x;
                       }};
    auto& breaker = svc.get<weir::circuit_breaker>();
    for (int i = 0; i < 5; ++i) static_cast<void>(svc(0));
    CHECK(breaker.stats(clock.now()).failures == 0);
    CHECK_THROWS_AS(static_cast<void>(svc(2)), std::runtime_error);
    CHECK(breaker.stats(clock.now()).failures == 1);
    for (int i = 0; i < 5; ++i) static_cast<void>(svc(1));
    CHECK(breaker.stats(clock.now()).now == state::open);
    CHECK(svc(3).error() == weir::errc::circuit_open);
    CHECK(svc(3).error().policy() == 1);
    clock.advance(5s);
    for (int i = 3; i < 6; ++i) CHECK(svc(i).value() == i);
    CHECK(breaker.stats(clock.now()).now == state::closed);
}

TEST_CASE("circuit_breaker: threads may use it, reconfigure it and look at it at once")
{
    weir::circuit_breaker breaker{{.failure_rate = 0.5, .window = 1ms, .minimum_calls = 3, .open_for = 1us, .probe_limit = 10us}};
    std::vector<std::thread> threads;
    for (std::uint32_t t = 0; t < 3; ++t)
        threads.emplace_back([&breaker, t] {
            std::mt19937 random(t);
            test_call call{start};
            for (int i = 0; i < 5'000; ++i) {
                call.time += weir::duration(random() % 1'000);
                auto const a = breaker.admit(call);
                if (!a) continue;
                if (random() % 10 == 0)
                    breaker.cancel(a.permit());
                else
                    breaker.settle(a.permit(), random() % 2 == 0, call);
            }
        });
    threads.emplace_back([&breaker] {
        for (int i = 0; i < 500; ++i) {
            breaker.reconfigure({.window = i % 2 == 0 ? weir::duration(1ms) : weir::duration(2ms), .minimum_calls = 3, .open_for = 1us});
            CHECK(breaker.stats(start).calls <= 15'000);
        }
    });
    for (auto& t : threads) t.join();
}

TEST_CASE("circuit_breaker: an observer is told each transition, from where, whereto and why")
{
    struct listener {
        weir::circuit_breaker<>* breaker;
        std::vector<std::string> heard{};
        void operator()(weir::breaker_transition const& t)
        {
            CHECK(breaker->stats(start).now == t.to); // no lock is held
            heard.push_back(std::string(to_string(t.from)) + " > " + std::string(to_string(t.to)) + ": " + std::string(to_string(t.why)));
        }
    };
    weir::manual_clock clock;
    weir::circuit_breaker breaker{{.minimum_calls = 2, .open_for = 5s, .probes = 2, .probe_limit = 10s}};
    weir::pipeline svc{weir::timed_by{std::ref(clock)}, std::ref(breaker), [](int n) -> weir::result<int> {
                           if (n < 0) return weir::errc::unavailable;
                           return n;
                       }};
    weir::observed watched{svc, listener{&breaker}};
    auto const heard = [&] { return std::exchange(watched.observer().heard, {}); };
    using lines = std::vector<std::string>;

    CHECK(watched(1).has_value());
    CHECK(heard().empty());
    CHECK(watched(-1).has_error());
    CHECK(heard() == lines{"closed > open: too_many_failures"});
    CHECK(watched(1).error() == weir::errc::circuit_open);
    CHECK(heard().empty());
    clock.advance(5s);
    CHECK(watched(-1).error() == weir::errc::unavailable);
    CHECK(heard() == lines{"open > half_open: open_long_enough", "half_open > open: probe_failed"});
    clock.advance(5s);
    CHECK(watched(1).has_value());
    CHECK(heard() == lines{"open > half_open: open_long_enough"});
    clock.advance(10s);
    CHECK(watched(1).error() == weir::errc::circuit_open);
    CHECK(heard() == lines{"half_open > open: probes_too_slow"});
    clock.advance(5s);
    CHECK(svc(1).has_value()); // not observed
    CHECK(heard().empty());
    CHECK(watched(1).has_value());
    CHECK(heard() == lines{"half_open > closed: probes_succeeded"});
    CHECK(breaker.stats(clock.now()).opened == 3);
}
