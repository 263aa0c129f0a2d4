// SPDX-License-Identifier: BSL-1.0
#include <weir/resilience/circuit_breaker.hpp>

#include <weir/core/directives.hpp>
#include <weir/core/observed.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/testing/manual_clock.hpp>

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
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

template<class Breaker>
void one(Breaker& breaker, weir::time_point now, bool good)
{
    test_call call{now};
    auto const a = breaker.admit(call);
    REQUIRE(a.is_admitted());
    breaker.settle(a.permit(), good, call);
}

} // namespace

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
            std::minstd_rand random(t + 1);
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
    test_call elsewhere{clock.now()};
    CHECK(breaker.admit(elsewhere)); // a probe that no call of this pipeline is, and that does not come back
    CHECK(heard().empty());
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

TEST_CASE("circuit_breaker: half-open without a probe out is no hurry: few calls close it, too")
{
    weir::circuit_breaker breaker{{.minimum_calls = 1, .open_for = 1s, .probes = 3, .probe_limit = 2s}};
    one(breaker, start, false);
    for (int i = 1; i <= 3; ++i) one(breaker, start + i * 1min, true);
    CHECK(breaker.stats(start).now == state::closed);
    CHECK(breaker.stats(start).opened == 1);
}

TEST_CASE("circuit_breaker: a window of calls forgets the call that lies so many calls back")
{
    weir::circuit_breaker breaker{weir::count_breaker_options{.failure_rate = 0.5, .window = 4, .minimum_calls = 4}};
    static_assert(std::is_same_v<decltype(breaker), weir::circuit_breaker<weir::count_window>>);
    for (bool const good : {false, true, true, true}) one(breaker, start, good);
    CHECK(breaker.stats(start).failures == 1);
    one(breaker, start + 24h, true); // time does not matter
    CHECK(breaker.stats(start).calls == 4);
    CHECK(breaker.stats(start).failures == 0);
    one(breaker, start, false);
    CHECK(breaker.stats(start).now == state::closed);
    one(breaker, start, false);
    CHECK(breaker.stats(start).now == state::open);
    breaker.reconfigure({.window = 1'000, .minimum_calls = 4});
    breaker.reset(start);
    for (int i = 0; i < 2'000; ++i) one(breaker, start, i % 4 != 3);
    CHECK(breaker.stats(start).calls == 1'000);
    CHECK(breaker.stats(start).failures == 250);
    CHECK_THROWS_WITH_AS(breaker.reconfigure({.window = 4, .minimum_calls = 5}),
                         "circuit_breaker.minimum_calls: expected at most the window, or it never opens", std::invalid_argument);
}

TEST_CASE("circuit_breaker: so many failures in a row open it, a success between them begins anew")
{
    weir::circuit_breaker breaker{weir::row_breaker_options{.failures = 3, .open_for = 7s}};
    static_assert(std::is_same_v<decltype(breaker), weir::circuit_breaker<weir::failures_in_a_row>>);
    for (bool const good : {false, false, true, false, false}) one(breaker, start, good);
    CHECK(breaker.stats(start).failures == 2);
    one(breaker, start, false);
    test_call call{start};
    CHECK(breaker.admit(call).refusal().retry_after() == 7s);
    CHECK_THROWS_AS(breaker.reconfigure({.failures = 0}), std::invalid_argument);
}

TEST_CASE("circuit_breaker: slow calls open it though they succeed")
{
    weir::circuit_breaker breaker{
        {.window = 10s, .minimum_calls = 4, .slow_call = 100ms, .slow_call_rate = 0.5, .open_for = 1s, .probes = 1}};
    std::vector<weir::breaker_reason> why;
    breaker.listen([&](weir::breaker_transition const& t) { why.push_back(t.why); });
    auto const takes = [&](weir::time_point at, weir::duration d) {
        test_call call{at};
        auto const a = breaker.admit(call);
        REQUIRE(a);
        call.time += d;
        breaker.settle(a.permit(), true, call);
    };
    for (weir::duration const d : {weir::duration(99ms), weir::duration(100ms), weir::duration(0ms)}) takes(start, d);
    CHECK(breaker.stats(start).slow == 1);
    CHECK(breaker.stats(start).now == state::closed);
    takes(start, 2s);
    CHECK(breaker.stats(start).now == state::open);
    takes(start + 4s, 100ms); // a slow probe is a failed one
    CHECK(breaker.stats(start).now == state::open);
    takes(start + 8s, 1ms);
    CHECK(breaker.stats(start).now == state::closed);
    using r = weir::breaker_reason;
    CHECK(why == std::vector{r::too_many_slow_calls, r::open_long_enough, r::probe_failed, r::open_long_enough, r::probes_succeeded});
}

TEST_CASE("circuit_breaker: the open time doubles while probes fail, up to its cap, and starts anew when it has closed")
{
    weir::circuit_breaker breaker{{.minimum_calls = 1, .open_for = 1s, .max_open_for = 5s, .probes = 1}};
    test_call call{start};
    auto const fails_and_waits = [&] {
        one(breaker, call.time, false);
        auto const wait = breaker.admit(call).refusal().retry_after();
        call.time += wait - 1ns;
        CHECK(breaker.admit(call).refusal().retry_after() == 1ns); // probes start then, and not before
        call.time += 1ns;
        return wait;
    };
    for (auto const wait : {1s, 2s, 4s, 5s, 5s}) CHECK(fails_and_waits() == wait);
    one(breaker, call.time, true);
    CHECK(breaker.stats(call.time).now == state::closed);
    CHECK(fails_and_waits() == 1s);
}

TEST_CASE("circuit_breaker: jitter takes up to its part off the open time, and differs from seed to seed")
{
    weir::duration least = 10s, most = 0s;
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        weir::circuit_breaker breaker{{.minimum_calls = 1, .open_for = 10s, .jitter = 0.3, .seed = seed}};
        one(breaker, start, false);
        test_call call{start};
        auto const wait = breaker.admit(call).refusal().retry_after();
        least = std::min(least, wait);
        most = std::max(most, wait);
    }
    CHECK(least >= 7s);
    CHECK(least < 7100ms);
    CHECK(most <= 10s);
    CHECK(most > 9900ms);
}

TEST_CASE("circuit_breaker: by hand, and back to itself")
{
    weir::circuit_breaker breaker{{.minimum_calls = 2, .name = "orders"}};
    std::vector<std::string> heard;
    breaker.listen([&](weir::breaker_transition const& t) {
        CHECK(t.name.view() == "orders");
        CHECK(t.number == heard.size() + 1);
        heard.push_back(std::string(to_string(t.from)) + " > " + std::string(to_string(t.to)) + ": " + std::string(to_string(t.why)));
    });
    test_call call{start};
    breaker.force_open(start);
    CHECK(breaker.admit(call).refusal() == weir::errc::circuit_open);
    CHECK(breaker.admit(call).refusal().retry_after() == 0s); // who knows
    call.time += 24h;
    CHECK_FALSE(breaker.admit(call));

    breaker.disable(call.time);
    for (int i = 0; i < 10; ++i) one(breaker, call.time, false);
    CHECK(breaker.stats(call.time).calls == 0);

    breaker.metrics_only(call.time);
    for (int i = 0; i < 10; ++i) one(breaker, call.time, false);
    CHECK(breaker.stats(call.time).failures == 10);
    CHECK(breaker.stats(call.time).now == state::metrics_only);

    auto const under_way = breaker.admit(call);
    breaker.reset(call.time);
    CHECK(breaker.stats(call.time).failures == 0);
    breaker.settle(under_way.permit(), false, call);
    CHECK(breaker.stats(call.time).late == 1);
    for (int i = 0; i < 2; ++i) one(breaker, call.time, false);
    CHECK(breaker.stats(call.time).now == state::open);
    using lines = std::vector<std::string>;
    CHECK(heard == lines{"closed > forced_open: by_hand", "forced_open > disabled: by_hand", "disabled > metrics_only: by_hand",
                         "metrics_only > closed: by_hand", "closed > open: too_many_failures"});
}

TEST_CASE("circuit_breaker: what says nothing of the service does not count, and gives a probe's place back")
{
    weir::manual_clock clock;
    weir::errc answer{};
    weir::pipeline svc{weir::timed_by{std::ref(clock)}, weir::circuit_breaker{{.minimum_calls = 2, .probes = 1}},
                       [&](int) -> weir::result<int> { return answer; }};
    auto& breaker = svc.get<weir::circuit_breaker>();
    for (auto const e : {weir::errc::invalid_request, weir::errc::forbidden, weir::errc::rate_limited, weir::errc::bulkhead_full,
                         weir::errc::circuit_open, weir::errc::cancelled}) {
        answer = e;
        static_cast<void>(svc(1));
    }
    CHECK(breaker.stats(clock.now()).calls == 0);
    answer = weir::errc::upstream_failed;
    for (int i = 0; i < 2; ++i) static_cast<void>(svc(1));
    CHECK(breaker.stats(clock.now()).now == state::open);
    clock.advance(5s);
    answer = weir::errc::rate_limited; // a limit further in refused the probe: nobody knows whether the service works
    for (int i = 0; i < 3; ++i) CHECK(svc(1).error() == weir::errc::rate_limited);
    CHECK(breaker.stats(clock.now()).now == state::half_open);
    answer = weir::errc::not_found; // the service has answered
    static_cast<void>(svc(1));
    CHECK(breaker.stats(clock.now()).now == state::closed);
}

TEST_CASE("circuit_breaker: a classifier of its own, by outcome, and values by the pipeline's")
{
    auto const only_upstream = [](auto const& outcome) { return outcome.has_error() && outcome.error() == weir::errc::upstream_failed; };
    weir::circuit_breaker breaker{{.minimum_calls = 2}, only_upstream};
    weir::circuit_breaker judging{weir::row_breaker_options{.failures = 2}, [](weir::result<int> const& outcome) {
                                      return outcome && *outcome == 7 ? weir::verdict::failure : weir::verdict::ignored;
                                  }};
    weir::pipeline svc{std::ref(breaker), std::ref(judging), [](int n) -> weir::result<int> {
                           if (n < 0) return weir::errc::unavailable;
                           return n;
                       }};
    for (int i = 0; i < 4; ++i) static_cast<void>(svc(-1));
    CHECK(breaker.stats(start).now == state::closed);
    for (int i = 0; i < 2; ++i) CHECK(svc(7).value() == 7);
    CHECK(judging.stats(start).now == state::open);

    weir::circuit_breaker by_pipeline{weir::row_breaker_options{.failures = 1}};
    weir::pipeline classified{weir::classify([](weir::result<int> const& r) { return r && *r == 7; }), std::ref(by_pipeline),
                              [](int n) -> weir::result<int> { return n; }};
    CHECK(classified(7).value() == 7);
    CHECK(by_pipeline.stats(start).now == state::open);
}

TEST_CASE("circuit_breaker: a listener may use the breaker, and what it brings about is told after it")
{
    weir::circuit_breaker breaker{weir::row_breaker_options{.failures = 1}};
    std::vector<state> heard;
    bool inside = false;
    breaker.listen([&](weir::breaker_transition const& t) {
        CHECK_FALSE(inside);
        inside = true;
        heard.push_back(t.to);
        if (t.to == state::open) breaker.force_open(t.when);
        if (t.to == state::forced_open) throw std::runtime_error("dropped");
        inside = false;
    });
    std::vector<state> second;
    breaker.listen([&](weir::breaker_transition const& t) {
        inside = false;
        second.push_back(t.to);
    });
    one(breaker, start, false);
    CHECK(heard == std::vector{state::open, state::forced_open});
    CHECK(second == heard);
    breaker.reset(start);
    CHECK(heard.size() == 3);
}

TEST_CASE("circuit_breaker: a listener that does not come back costs no more than 64 transitions, and they are counted")
{
    weir::circuit_breaker breaker{weir::row_breaker_options{.failures = 1}};
    std::vector<std::uint64_t> heard;
    breaker.listen([&](weir::breaker_transition const& t) {
        heard.push_back(t.number);
        if (t.number > 1) return;
        for (int i = 0; i < 50; ++i) {
            breaker.disable(start);
            breaker.reset(start);
        }
    });
    breaker.disable(start);
    CHECK(heard.size() == 65);
    CHECK(heard.back() == 65); // in order, without a gap, up to there
    CHECK(breaker.stats(start).untold == 35);
}

TEST_CASE("circuit_breaker: several threads, never more probes than permitted, transitions once and in order")
{
    constexpr std::uint32_t permitted = 2;
    weir::circuit_breaker breaker{weir::row_breaker_options{.failures = 1, .open_for = 1us, .probes = permitted, .probe_limit = 5us}};
    std::atomic<std::int64_t> clock{0};
    std::array<std::atomic<std::uint32_t>, 1 << 12> out{}; // by the turn in which they were let through
    std::atomic<std::uint32_t> most{0};
    std::vector<weir::breaker_transition> heard;
    breaker.listen([&](weir::breaker_transition const& t) { heard.push_back(t); }); // one at a time
    std::vector<std::thread> threads;
    for (std::uint32_t t = 0; t < 4; ++t)
        threads.emplace_back([&, t] {
            std::minstd_rand random(t + 1);
            test_call call{start};
            for (int i = 0; i < 10'000; ++i) {
                call.time = start + weir::duration(clock.fetch_add(static_cast<std::int64_t>(random() % 300)));
                auto const a = breaker.admit(call);
                if (!a) continue;
                auto const permit = a.permit();
                bool const is_probe = weir::detail::breaker_word::state(permit) == state::half_open;
                auto& turn = out[(permit >> weir::detail::breaker_word::number_at) % out.size()];
                if (is_probe) {
                    std::uint32_t const now = turn.fetch_add(1) + 1;
                    std::uint32_t seen = most.load();
                    while (seen < now && !most.compare_exchange_weak(seen, now)) {}
                    if (random() % 4 == 0) std::this_thread::yield();
                    turn.fetch_sub(1);
                }
                if (random() % 8 == 0)
                    breaker.cancel(permit);
                else
                    breaker.settle(permit, random() % 4 != 0, call);
            }
        });
    for (auto& t : threads) t.join();
    CHECK(most.load() >= 1);
    CHECK(most.load() <= permitted);
    REQUIRE(heard.size() > 100);
    auto const untold = breaker.stats(start).untold; // if a thread was held up while it told the others' transitions
    weir::breaker_transition before{.to = state::closed};
    for (auto const& t : heard) {
        REQUIRE(t.number > before.number);
        REQUIRE(t.number <= heard.size() + untold);
        if (t.number == before.number + 1) REQUIRE(t.from == before.to);
        before = t;
    }
    breaker.reset(start);
    breaker.disable(start);
    CHECK(heard.back().number == heard.size() + untold);
}

TEST_CASE("circuit_breaker: what it tells has the name of its options, or else its label in the pipeline")
{
    auto const fails = [](int) -> weir::result<int> { return weir::errc::unavailable; };
    auto const told_by = [&](weir::breaker_name own) {
        weir::pipeline svc{weir::named<"quotes, as they are called here">(
                               weir::circuit_breaker{{.failure_rate = 0.5, .window = 1s, .minimum_calls = 1, .name = own}}),
                           fails};
        std::string told;
        svc.get<weir::circuit_breaker>().listen([&](weir::breaker_transition const& t) { told = t.name.view(); });
        static_cast<void>(svc(1));
        return told;
    };
    CHECK(told_by("prices") == "prices");
    CHECK(told_by({}) == "quotes, as they are called here");
}
