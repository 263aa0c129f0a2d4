// SPDX-License-Identifier: BSL-1.0
//
// Instances of a service with a cache of their own and one that they share: who loads, what a delete reaches, what happens when the shared one
// is down, slow, or loses messages.
#include <weir/cache/second_level.hpp>

#include <weir/asio.hpp>
#include <weir/cache/cached.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/resilience/circuit_breaker.hpp>
#include <weir/testing/check_schedules.hpp>
#include <weir/testing/memory_level.hpp>
#include <weir/testing/simulation.hpp>
#include <weir/testing/slow_level.hpp>

#include "../schedules.hpp"

#include <boost/asio/awaitable.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

using memory = weir::memory_level<int, int>;
using slow = weir::slow_level<std::reference_wrapper<memory>>;
constexpr auto itself = weir::keyed_by<int>([](int n) { return n; });
using by_itself = std::remove_const_t<decltype(itself)>;
constexpr weir::store_options near{.capacity = 100, .ttl = 10s, .jitter = 0, .negative_ttl = 5s};
constexpr weir::second_level_options far{.ttl = 1min, .negative_ttl = 20s, .jitter = 0, .max_blind_loads = 2};

/// The source, which counts who asked; a key below zero does not exist.
struct source {
    int asked = 0;
    std::map<int, int> values{};
    std::optional<weir::errc> fails{};
    weir::result<int> operator()(int key)
    {
        ++asked;
        if (fails) return *fails;
        if (key < 0) return weir::errc::not_found;
        return values[key];
    }
};

/// An instance in a synchronous pipeline.
struct instance {
    instance(weir::manual_clock& clock, memory& shared, source& from, weir::second_level_options o = far)
        : svc{weir::timed_by{std::ref(clock)}, weir::cached{weir::store<int, int>{near}, itself},
              weir::second_level{std::ref(shared), itself, o}, std::ref(from)}
    {
        shared.listen(weir::follow{first()});
    }
    weir::cached<weir::store<int, int>, by_itself>& first() { return svc.get<weir::cached>(); }
    auto& second() { return svc.get<weir::second_level>(); }
    int ask(int key)
    {
        weir::result<int> const r = svc(key);
        return r.has_value() ? *r : -static_cast<int>(r.error().kind());
    }

    weir::pipeline<weir::stack<weir::timed_by<std::reference_wrapper<weir::manual_clock>>, weir::cached<weir::store<int, int>, by_itself>,
                               weir::second_level<std::reference_wrapper<memory>, by_itself>>,
                   std::reference_wrapper<source>>
        svc;
};
constexpr int none = -static_cast<int>(weir::errc::not_found);
constexpr int refused = -static_cast<int>(weir::errc::unavailable);

struct pair {
    weir::manual_clock clock;
    memory shared{{.capacity = 100}};
    source from;
    instance one{clock, shared, from};
    instance two{clock, shared, from};
};

} // namespace

TEST_CASE("second_level: what one instance has loaded the other finds there")
{
    pair p;
    p.from.values[1] = 10;
    CHECK(p.one.ask(1) == 10);
    CHECK(p.two.ask(1) == 10);
    CHECK(p.from.asked == 1);
    CHECK(p.two.second().stats().hits == 1);
    CHECK(p.one.second().stats().writes == 1);
    std::uint64_t const before = p.shared.asked();
    CHECK(p.two.ask(1) == 10); // the first level answers
    CHECK(p.shared.asked() == before);
    p.clock.advance(1min);
    CHECK(p.two.ask(1) == 10);
    CHECK(p.from.asked == 2);
}

TEST_CASE("second_level: that there is none is shared, for its own time; failures and refusals are not")
{
    pair p;
    CHECK(p.one.ask(-5) == none);
    CHECK(p.two.ask(-5) == none);
    CHECK(p.from.asked == 1);
    p.clock.advance(20s);
    CHECK(p.two.ask(-5) == none);
    CHECK(p.from.asked == 2);
    p.from.fails = weir::errc::overloaded;
    CHECK(p.one.ask(7) == -static_cast<int>(weir::errc::overloaded));
    p.from.fails.reset();
    p.clock.advance(1s); // the lease of the load that failed
    CHECK(p.two.ask(7) == 0);
    CHECK(p.two.second().stats().misses == 2);
}

TEST_CASE("second_level: a delete reaches the other instance, whose next look is at the source")
{
    pair p;
    p.from.values[1] = 10;
    CHECK(p.one.ask(1) == 10);
    CHECK(p.two.ask(1) == 10);
    p.from.values[1] = 11;
    CHECK(p.one.second().erase(1, p.clock.now()).value() == 1);
    CHECK(p.two.ask(1) == 11);
    CHECK(p.one.ask(1) == 11);
    CHECK(p.from.asked == 2);
}

TEST_CASE("second_level: a message that was lost clears the first level when the next one comes")
{
    pair p;
    for (int key = 1; key <= 3; ++key) {
        p.from.values[key] = 10;
        CHECK(p.one.ask(key) == 10);
        CHECK(p.two.ask(key) == 10);
    }
    p.from.values[1] = 11;
    p.shared.loses(1);
    CHECK(p.one.second().erase(1, p.clock.now()).value() == 1);
    CHECK(p.two.ask(1) == 10); // nobody told it
    CHECK(p.one.second().erase(2, p.clock.now()).value() == 1);
    CHECK(p.two.ask(1) == 11);
    CHECK(p.two.first().stats().values == 1);
}

TEST_CASE("second_level: a delete that fails waits, the level is passed by for its key, and flush does it")
{
    pair p;
    p.from.values[1] = 10;
    CHECK(p.one.ask(1) == 10);
    CHECK(p.two.ask(1) == 10);
    p.shared.down(true);
    p.from.values[1] = 11;
    CHECK(p.one.second().erase(1, p.clock.now()).value() == 0);
    p.one.first().erase(1);
    CHECK(p.one.second().pending() == 1);
    p.shared.down(false);
    CHECK(p.one.ask(1) == 11); // not what the level still has
    CHECK(p.one.second().stats().writes == 1);
    CHECK(p.two.ask(1) == 10);
    CHECK(p.one.second().flush(p.clock.now()) == 0);
    CHECK(p.two.ask(1) == 11);
    CHECK(p.one.second().pending() == 0);
}

TEST_CASE("second_level: deletes that wait are bounded, and each key waits once")
{
    weir::manual_clock clock;
    memory shared{{.capacity = 100}};
    source from;
    instance one(clock, shared, from, {.max_pending_deletes = 2});
    shared.down(true);
    CHECK(one.second().erase(1, clock.now()).value() == 0);
    CHECK(one.second().erase(2, clock.now()).value() == 0);
    CHECK(one.second().erase(1, clock.now()).value() == 0);
    CHECK(one.second().erase(3, clock.now()).error() == weir::errc::overloaded);
    CHECK(one.second().stats().pending_deletes == 2);
    CHECK(one.second().flush(clock.now()) == 2);
    shared.down(false);
    CHECK(one.second().erase(4, clock.now()).has_error()); // still full: try again after a flush
    CHECK(one.second().flush(clock.now()) == 0);
    CHECK(one.second().erase(4, clock.now()).value() == 1);
}

TEST_CASE("second_level: bad options are refused by name")
{
    weir::manual_clock clock;
    memory shared{{.capacity = 1}};
    source from;
    auto const make = [&](weir::second_level_options o) { instance(clock, shared, from, o); };
    CHECK_THROWS_WITH_AS(make({.ttl = 0s}), "second_level.ttl: expected a duration above zero", std::invalid_argument);
    CHECK_THROWS_AS(make({.jitter = 2}), std::invalid_argument);
    CHECK_THROWS_AS(make({.max_blind_loads = 0}), std::invalid_argument);
    CHECK_THROWS_AS(make({.poll = 0s}), std::invalid_argument);
    CHECK_THROWS_AS(make({.max_pending_deletes = 0}), std::invalid_argument);
}

namespace {

/// Instances in asynchronous pipelines within a scope, with a slow level and a breaker in front of it; a load takes 100 ms.
struct far_instance {
    far_instance(weir::schedule& s, weir::scope& jobs, memory& shared, source& from)
        : time(s),
          from_(from),
          svc{weir::within{jobs}, weir::timed_by{std::ref(s.clock())}, weir::cached{weir::store<int, int>{near}, itself},
              weir::second_level{slow{std::ref(shared), s, weir::latency::fixed(4ms)}, itself,
                                 weir::circuit_breaker{{.failure_rate = 0.5, .window = 10s, .minimum_calls = 5}}, far},
              handler([this](int key) { return load(key); })}
    {
        shared.listen(weir::follow{svc.get<weir::cached>()});
    }
    asio::awaitable<weir::result<int>> load(int key)
    {
        weir::result<int> const read = from_(key); // what it reads is what was there when it began
        co_await weir::sleep(time, 100ms);
        co_return read;
    }
    asio::awaitable<void> ask(int key, int& to)
    {
        weir::result<int> const r = co_await svc(key);
        to = r.has_value() ? *r : -static_cast<int>(r.error().kind());
    }
    asio::awaitable<void> change(int key, int value)
    {
        from_.values[key] = value;
        static_cast<void>(co_await svc.get<weir::second_level>().erase(key, time.now()));
        svc.get<weir::cached>().erase(key);
    }

    using handler = std::function<asio::awaitable<weir::result<int>>(int)>;
    weir::schedule& time;
    source& from_;
    weir::pipeline<
        weir::stack<weir::within, weir::timed_by<std::reference_wrapper<weir::manual_clock>>,
                    weir::cached<weir::store<int, int>, by_itself>, weir::second_level<slow, by_itself, weir::circuit_breaker<>>>,
        handler>
        svc;
};

constexpr int unheard = -1'000'000;

} // namespace

TEST_CASE("second_level: ten thousand callers of two instances and a cold key make one load")
{
    weir::schedule s;
    weir::scope jobs;
    memory shared{{.capacity = 10}};
    source from;
    from.values[1] = 10;
    far_instance one(s, jobs, shared, from);
    far_instance two(s, jobs, shared, from);
    std::deque<int> came;
    weir::simulation world(s);
    for (int i = 0; i < 5'000; ++i)
        for (far_instance* each : {&one, &two}) world.spawn(each->ask(1, came.emplace_back(unheard)));
    world.run();
    int right = 0;
    for (int each : came) right += each == 10;
    CHECK(right == 10'000);
    CHECK(from.asked == 1);
    auto const waited = one.svc.get<weir::second_level>().stats().waits + two.svc.get<weir::second_level>().stats().waits;
    CHECK(waited >= 4); // every 20 ms while the other one loads
    CHECK(jobs.size() == 0);
}

TEST_CASE("second_level: while the level is down a few load without it, the rest are refused, and the breaker stops asking")
{
    weir::schedule s;
    weir::scope jobs;
    memory shared{{.capacity = 100}};
    source from;
    far_instance one(s, jobs, shared, from);
    shared.down(true);
    std::deque<int> came;
    weir::simulation world(s);
    for (int key = 1; key <= 10; ++key) world.spawn(one.ask(key, came.emplace_back(unheard)));
    world.run();
    int served = 0;
    for (int each : came) served += each == 0;
    CHECK(served == 2);
    CHECK(from.asked == 2);
    for (int each : came) CHECK((each == 0 || each == refused));
    std::uint64_t const asked = shared.asked();
    CHECK(one.svc.get<weir::second_level>().stats().refused == 8);

    came.clear();
    world.spawn(one.ask(50, came.emplace_back(unheard)));
    weir::time_point const before = s.now();
    world.run();
    CHECK(came.back() == 0);
    CHECK(s.now() - before == 100ms); // nobody waited for the level
    CHECK(shared.asked() == asked);
    CHECK(one.svc.get<weir::second_level>().stats().spared >= 1);
}

TEST_CASE("second_level: deletes that wait are done when the level is back")
{
    weir::schedule s;
    weir::scope jobs;
    memory shared{{.capacity = 100}};
    source from;
    far_instance one(s, jobs, shared, from);
    far_instance two(s, jobs, shared, from);
    std::deque<int> came;
    weir::simulation world(s);
    auto const ask = [&](far_instance& at) {
        world.spawn(at.ask(1, came.emplace_back(unheard)));
        world.run();
        return came.back();
    };
    CHECK(ask(one) == 0);
    CHECK(ask(two) == 0);
    shared.down(true);
    world.spawn(one.change(1, 5));
    world.run();
    CHECK(one.svc.get<weir::second_level>().pending() == 1);
    CHECK(ask(one) == 5);
    CHECK(ask(two) == 0);
    shared.down(false);
    auto const flush = [&]() -> asio::awaitable<void> { CHECK(co_await one.svc.get<weir::second_level>().flush(s.now()) == 0); };
    world.spawn(flush());
    world.run();
    CHECK(ask(two) == 5);
}

TEST_CASE("second_level: in random schedules no instance gives an answer that was outdated when it was asked")
{
    auto const schedules = weir_test::schedules() / 100;
    auto const report = weir::check_schedules({.seed = weir_test::first_seed(), .schedules = schedules}, [](weir::schedule& s) {
        weir::scope jobs;
        memory shared{{.capacity = 100, .lease_time = 300ms}};
        source from;
        far_instance one(s, jobs, shared, from);
        far_instance two(s, jobs, shared, from);
        std::map<int, int> settled; // the last value whose change was told to all
        int next = 0;
        auto const ask = [&](far_instance& at, int key) -> asio::awaitable<void> {
            int const least = settled[key];
            int came = unheard;
            co_await at.ask(key, came);
            s.expect(came >= least, "no older than what was settled when it was asked");
        };
        auto const change = [&](far_instance& at, int key) -> asio::awaitable<void> {
            int const value = ++next;
            co_await at.change(key, value);
            if (settled[key] < value && from.values[key] >= value) settled[key] = value;
        };
        weir::simulation world(s);
        for (std::uint64_t step = s.between(std::uint64_t{5}, 25); step > 0 && !s.has_failed(); --step) {
            far_instance& at = s.chance(0.5) ? one : two;
            int const key = static_cast<int>(s.draw(2));
            if (s.chance(0.3))
                world.spawn(change(at, key));
            else
                world.spawn(ask(at, key));
            world.run_for(s.between(0ms, 80ms));
        }
        world.run();
    });
    CHECK_MESSAGE(report, report.text());
}
