// SPDX-License-Identifier: BSL-1.0
#include <weir/resilience/load_shed.hpp>

#include <weir/core/directives.hpp>
#include <weir/core/key.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/testing/manual_clock.hpp>

#include "../schedules.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
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
using level = weir::priority::level;

struct test_call {
    weir::time_point time{1h};
    level of = level::normal;
    [[nodiscard]] weir::time_point now() const { return time; }
    [[nodiscard]] bool failed(bool fails) const { return fails; }
};
struct its_priority {
    level operator()(test_call const& call) const { return call.of; }
};

/// Who asks decides.
struct sets_priority {
    using role = weir::gate;
    using provides = weir::facets<weir::priority>;
    static constexpr std::string_view name = "sets_priority";
    weir::admission<> admit(auto& call)
    {
        call.set(weir::priority{call.request() == 0 ? level::critical : level::batch});
        return weir::admitted;
    }
};

/// The same from the words of the documentation: every call that ended well is kept, and searched.
struct model {
    weir::load_shed_options o;
    std::vector<std::pair<weir::time_point, weir::duration>> passed;
    bool hot = false;
    weir::time_point last_hot{};
    int in_flight = 0;

    bool overloaded(weir::time_point now, double cpu, weir::duration delay)
    {
        double const part = hot ? o.relief : 1;
        if (cpu >= o.cpu * part ||
            (o.queue_delay > 0s && static_cast<double>(delay.count()) >= static_cast<double>(o.queue_delay.count()) * part)) {
            hot = true;
            last_hot = now;
        } else if (hot && now - last_hot > o.cool_off)
            hot = false;
        return hot;
    }
    [[nodiscard]] double limit(weir::time_point now) const
    {
        auto const length = o.window / 50;
        auto const slice = [&](weir::time_point t) { return t.time_since_epoch() / length; };
        double most = 0;
        weir::duration shortest = weir::duration::max();
        for (auto const& [at, took] : passed) {
            if (slice(at) >= slice(now) || slice(at) < slice(now) - 50) continue;
            most = std::max(most, static_cast<double>(std::count_if(passed.begin(), passed.end(),
                                                                    [&, s = slice(at)](auto const& p) { return slice(p.first) == s; })));
            shortest = std::min(shortest, took);
        }
        if (most == 0) return 1e18;
        return std::max(1.0, std::floor(most * static_cast<double>(shortest.count()) / static_cast<double>(length.count()) + 0.5));
    }
    bool admits(weir::time_point now, double cpu, weir::duration delay, level l)
    {
        if (overloaded(now, cpu, delay) && in_flight >= 1 && in_flight >= o.shares[static_cast<std::size_t>(l)] * limit(now)) return false;
        ++in_flight;
        return true;
    }
};

std::string compare(std::uint64_t seed)
{
    std::minstd_rand random(static_cast<unsigned>(seed * 2'654'435'761u % 2'147'483'647u) + 1);
    auto const draw = [&](unsigned below) { return static_cast<unsigned>(random() >> 4) % below; };
    weir::load_shed_options o{.cpu = 0.5,
                              .queue_delay = draw(2) == 0 ? weir::duration{0} : weir::duration{20ms},
                              .relief = draw(2) == 0 ? 1.0 : 0.5,
                              .cool_off = draw(3) * 5ms,
                              .window = 50ms * (1 + draw(3)),
                              .shares = {1.0, 0.75, 0.5, draw(2) == 0 ? 0.0 : 0.5}};
    weir::load_gauge gauge;
    weir::load_shed shed{gauge, o, its_priority{}};
    model beside;
    beside.o = o;
    test_call call;
    double cpu = -1;
    weir::duration delay{-1};
    std::deque<std::pair<weir::load_shed<its_priority>::permit, weir::time_point>> inside;
    std::string story = "seed " + std::to_string(seed) + ':';
    for (int step = 0; step < 50; ++step) {
        switch (draw(6)) {
        case 0:
            cpu = std::array{0.1, 0.3, 0.5, 0.9}[draw(4)];
            gauge.cpu_is(cpu);
            break;
        case 1:
            delay = draw(4) * 8ms;
            gauge.queue_delay(delay);
            break;
        case 2: call.time += std::array<weir::duration, 4>{100us, 1ms, 3ms, 40ms}[draw(4)]; break;
        case 3:
            if (inside.empty()) break;
            {
                auto const [permit, began] = inside.front();
                inside.pop_front();
                --beside.in_flight;
                if (unsigned const how = draw(4); how == 0)
                    shed.cancel(permit);
                else {
                    shed.settle(permit, how == 1, call);
                    if (how != 1) beside.passed.emplace_back(call.time, std::max<weir::duration>(call.time - began, 1ns));
                }
            }
            break;
        default: {
            call.of = static_cast<level>(draw(4));
            auto const a = shed.admit(call);
            bool const expected = beside.admits(call.time, cpu, delay, call.of);
            story += a ? " in" : " out";
            if (a.is_admitted() != expected) return story + (expected ? " expected in" : " expected out");
            if (a) inside.emplace_back(a.permit(), call.time);
        }
        }
        if (shed.stats(call.time).in_flight != inside.size()) return story + " (in flight)";
    }
    return {};
}

} // namespace

TEST_CASE("load_shed: does what the model does, whatever the history")
{
    for (std::uint64_t i = 0; i < weir_test::schedules(); ++i)
        if (std::string const story = compare(weir_test::first_seed() + i); !story.empty()) FAIL(story);
}

TEST_CASE("load_shed: out of overload all pass; in overload the least important go first")
{
    weir::load_gauge gauge;
    weir::load_shed shed{gauge, {.window = 50ms, .shares = {1.0, 0.8, 0.5, 0.0}}, its_priority{}};
    test_call call;
    std::vector<weir::load_shed<its_priority>::permit> inside;
    auto const in = [&](level l) {
        call.of = l;
        auto const a = shed.admit(call);
        if (a) inside.push_back(a.permit());
        return a.is_admitted();
    };
    for (int i = 0; i < 10; ++i) CHECK(in(level::batch));
    call.time += 1ms;
    for (auto const p : inside) shed.settle(p, false, call); // ten in a slice of 1 ms, each 1 ms: ten at a time
    inside.clear();
    call.time += 1ms;
    CHECK(shed.stats(call.time).limit == 10);
    gauge.cpu_is(0.95);
    CHECK(in(level::batch)); // one is never refused
    CHECK_FALSE(in(level::batch));
    for (int i = 1; i < 5; ++i) CHECK(in(level::minor));
    CHECK_FALSE(in(level::minor));
    for (int i = 5; i < 8; ++i) CHECK(in(level::normal));
    CHECK_FALSE(in(level::normal));
    CHECK(in(level::critical));
    CHECK(in(level::critical));
    CHECK_FALSE(in(level::critical));
    auto const stats = shed.stats(call.time);
    CHECK(stats.overloaded);
    CHECK(stats.shed == std::array<std::uint64_t, 4>{1, 1, 1, 1});
    gauge.cpu_is(0.5);
    CHECK_FALSE(in(level::minor));
    call.time += 1s + 1ns;
    CHECK(in(level::minor));
    CHECK_FALSE(shed.stats(call.time).overloaded);
}

TEST_CASE("load_shed: reads the priority that a policy further out provides, and teaches itself by calls of a pipeline")
{
    weir::manual_clock clock;
    weir::load_gauge gauge;
    std::function<void()> inside = [&] { clock.advance(1ms); };
    weir::pipeline svc{weir::timed_by{std::ref(clock)}, sets_priority{},
                       weir::load_shed{gauge, {.window = 50ms, .shares = {1, 1, 0, 0}}, weir::by<weir::priority>}, [&](int x) {
                           if (auto const now = std::exchange(inside, nullptr)) now();
                           return x;
                       }};
    CHECK(svc(1).value() == 1);
    clock.advance(2ms);
    gauge.cpu_is(1);
    bool batch = true, critical = false;
    inside = [&] {
        batch = svc(1).has_value();
        critical = svc(0).has_value();
    };
    CHECK(svc(0).value() == 0);
    CHECK_FALSE(batch);
    CHECK_FALSE(critical); // one call of 1 ms in a slice of 1 ms: one at a time
    CHECK(svc.get<weir::load_shed>().stats().in_flight == 0);
}

TEST_CASE("load_shed: bad options are refused by name, and change nothing")
{
    weir::load_gauge gauge;
    weir::load_shed shed{gauge};
    CHECK_THROWS_WITH_AS(shed.reconfigure({.cpu = 0}), "load_shed.cpu: expected a ratio in (0, 1]", std::invalid_argument);
    CHECK_THROWS_WITH_AS(shed.reconfigure({.shares = {0.5, 0.6, 0, 0}}), "load_shed.shares: expected none above the one before",
                         std::invalid_argument);
    CHECK_THROWS_WITH_AS(shed.reconfigure({.window = 1us}), "load_shed.window: expected 1 ms to 1 h", std::invalid_argument);
    CHECK(shed.settings().cpu == 0.9);
}

TEST_CASE("load_shed: threads leave nothing in flight")
{
    weir::load_gauge gauge;
    weir::load_shed policy{gauge, {.cool_off = 0s, .window = 1ms}};
    weir::pipeline svc{std::ref(policy), [](int x) -> weir::result<int> {
                           if (x % 5 == 0) return weir::errc::upstream_failed;
                           return x;
                       }};
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t)
        threads.emplace_back([&, t] {
            for (int i = 0; i < 3'000; ++i) {
                if (i % 64 == 0) gauge.cpu_is(i / 64 % 2 == t % 2 ? 1.0 : 0.1);
                static_cast<void>(svc(i));
            }
        });
    for (auto& t : threads) t.join();
    CHECK(policy.stats().in_flight == 0);
}
