// SPDX-License-Identifier: BSL-1.0
#include <weir/cache/request_cache.hpp>

#include "../schedules.hpp"

#include <weir/asio.hpp>
#include <weir/cache/cached.hpp>
#include <weir/core/describe.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/resilience/timeout.hpp>
#include <weir/testing/manual_clock.hpp>
#include <weir/testing/simulation.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/cancellation_type.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

struct query {
    int key;
    weir::request_context* context;
};
constexpr auto by_key = weir::keyed_by(&query::key);
constexpr auto in_context = weir::keyed_by(&query::context);
using request_cache = weir::request_cache<decltype(by_key), decltype(in_context)>;

/// What one context should keep: a list, the oldest answer first.
struct model {
    struct answer {
        int key;
        weir::result<int> what;
        weir::time_point made;
    };
    std::uint32_t most;
    weir::duration max_age;
    std::deque<answer> answers{};

    std::optional<weir::result<int>> find(int key, weir::time_point now) const
    {
        for (auto const& a : answers)
            if (a.key == key && (max_age == weir::duration::max() || now - a.made < max_age)) return a.what;
        return {};
    }
    void keep(int key, weir::result<int> const& what, weir::time_point now)
    {
        for (auto& a : answers)
            if (a.key == key) {
                a = {key, what, now};
                return;
            }
        if (answers.size() == most) answers.pop_front();
        answers.push_back({key, what, now});
    }
};

/// The source of the schedules: a number that grows with each call, errors among them.
struct source {
    int calls = 0;
    weir::result<int> operator()(query const& q)
    {
        ++calls;
        if (q.key == 1) return weir::errc::not_found;
        if (q.key == 2 && calls % 2 == 0) return weir::errc::upstream_failed;
        return calls;
    }
};

} // namespace

TEST_CASE("request_cache: tells what the model tells, whatever the schedule")
{
    weir::manual_clock clock;
    source ask;
    weir::pipeline svc{weir::timed_by{std::ref(clock)}, weir::request_cache{by_key, in_context}, std::ref(ask)};
    for (std::uint64_t i = 0; i < weir_test::schedules(); ++i) {
        std::uint64_t random = weir_test::first_seed() + i;
        auto const below = [&](std::uint64_t n) { return weir::detail::splitmix64(random) % n; };
        auto const most = static_cast<std::uint32_t>(1 + below(4));
        weir::duration const max_age = below(2) == 0 ? weir::duration::max() : weir::duration(1 + below(4));
        std::deque<weir::request_context> contexts;
        std::array<model, 2> models{model{most, max_age}, model{most, max_age}};
        for (int c = 0; c < 2; ++c) contexts.emplace_back(weir::request_context_options{.max_answers = most, .max_age = max_age});
        std::string story;
        for (int step = 0; step < 20; ++step) {
            auto const c = below(2);
            if (below(12) == 0) {
                contexts[c].clear();
                models[c].answers.clear();
                story += " clear";
                continue;
            }
            clock.advance(weir::duration(below(2)));
            query const q{static_cast<int>(below(6)), &contexts[c]};
            auto expected = models[c].find(q.key, clock.now());
            int const before = ask.calls;
            auto const told = svc(q);
            story += " " + std::to_string(c) + ":" + std::to_string(q.key);
            bool const asked = ask.calls != before;
            if (asked == expected.has_value()) FAIL("seed " << weir_test::first_seed() + i << ": asked or not," << story);
            if (asked && (told.has_value() || told.error() == weir::errc::not_found)) models[c].keep(q.key, told, clock.now());
            if (!asked && told != *expected) FAIL("seed " << weir_test::first_seed() + i << ": another answer," << story);
            if (contexts[c].size() != models[c].answers.size())
                FAIL("seed " << weir_test::first_seed() + i << ": the sizes differ," << story);
        }
    }
}

TEST_CASE("request_cache: the same call of one request is made once, of two requests twice")
{
    source ask;
    weir::pipeline svc{weir::request_cache{by_key, in_context}, std::ref(ask)};
    weir::request_context one, two;
    query const of_one{7, &one}, of_two{7, &two}, of_nobody{7, nullptr};
    for (int i = 0; i < 5; ++i) CHECK(svc(of_one).value() == 1);
    for (int i = 0; i < 5; ++i) CHECK(svc(of_two).value() == 2);
    CHECK(svc(of_one).value() == 1);
    CHECK(svc(of_nobody).value() == 3);
    CHECK(svc(of_nobody).value() == 4);
    query const none{1, &one};
    CHECK(svc(none).error() == weir::errc::not_found);
    CHECK(svc(none).error() == weir::errc::not_found);
    CHECK(ask.calls == 5);
    auto const stats = svc.get<weir::request_cache>().stats();
    CHECK(stats.made == 3);
    CHECK(stats.repeated == 10);
    CHECK(stats.uncached == 2);
    CHECK(weir::describe(svc).text().find("max_flights=1024") != std::string::npos);
}

TEST_CASE("request_cache: for a short time, whatever the request, it is a cached with a short time to live")
{
    weir::manual_clock clock;
    source ask;
    weir::pipeline svc{weir::timed_by{std::ref(clock)},
                       weir::cached{weir::store<int, int>{{.capacity = 1'000, .ttl = 100ms, .jitter = 0}}, by_key}, std::ref(ask)};
    query const q{7, nullptr};
    CHECK(svc(q).value() == 1);
    clock.advance(99ms);
    CHECK(svc(q).value() == 1);
    clock.advance(1ms);
    CHECK(svc(q).value() == 2);
}

namespace {

/// Calls of one request that run beside each other in virtual time; a call takes a second.
struct scene {
    weir::simulation world;
    weir::request_context context;
    int calls = 0;
    std::function<asio::awaitable<weir::result<int>>(query const&)> handler = [this](query const& q) { return ask(q); };
    decltype(weir::pipeline{weir::timed_by{std::ref(world.clock())}, weir::request_cache{by_key, in_context}, handler}) svc{
        weir::timed_by{std::ref(world.clock())}, weir::request_cache{by_key, in_context}, handler};
    std::deque<weir::result<int>> came;
    std::deque<asio::cancellation_signal> signals;

    asio::awaitable<weir::result<int>> ask(query const& q)
    {
        int const number = ++calls;
        co_await world.sleep(1s);
        if (q.key == 13) throw std::runtime_error("unlucky");
        if (q.key == 14) co_return weir::errc::upstream_failed;
        co_return number;
    }
    asio::awaitable<void> call(int key, weir::result<int>& to)
    {
        query const q{key, &context};
        try {
            to = co_await svc(q);
        } catch (std::runtime_error const&) {
            to = weir::errc::handler_threw;
        }
    }
    void start(int key)
    {
        came.emplace_back(weir::errc::foreign);
        signals.emplace_back();
        world.spawn(call(key, came.back()), signals.back().slot());
        world.run_for(0s);
    }
};

} // namespace

TEST_CASE("request_cache: calls beside each other wait for the first, and get its answer, failure or exception")
{
    for (auto const& [key, what] :
         {std::pair{7, weir::errc{}}, std::pair{14, weir::errc::upstream_failed}, std::pair{13, weir::errc::handler_threw}}) {
        scene s;
        for (int i = 0; i < 10; ++i) s.start(key);
        s.world.run();
        CHECK(s.calls == 1);
        for (auto const& r : s.came) CHECK((r.has_value() ? weir::errc{} : r.error().kind()) == what);
        CHECK(s.svc.get<weir::request_cache>().stats().joined == 9);
        s.start(key);
        s.world.run();
        CHECK(s.calls == (key == 7 ? 1 : 2)); // a failure is not kept
    }
}

TEST_CASE("request_cache: a leader that is cancelled leaves the call to the next")
{
    scene s;
    for (int i = 0; i < 4; ++i) s.start(7);
    s.world.run_for(500ms);
    s.signals[0].emit(asio::cancellation_type::terminal);
    s.world.run();
    CHECK(s.came[0].error() == weir::errc::cancelled);
    for (std::size_t i = 1; i < 4; ++i) CHECK(s.came[i] == 2);
    CHECK(s.calls == 2);
    CHECK(s.context.size() == 1);
}

TEST_CASE("request_cache: threads of one request")
{
    std::atomic<int> calls{0};
    weir::pipeline svc{weir::request_cache{by_key, in_context}, [&](query const& q) {
                           ++calls;
                           std::this_thread::yield();
                           return q.key;
                       }};
    std::atomic<int> wrong{0};
    for (int round = 0; round < 50; ++round) {
        weir::request_context context({.max_answers = 8});
        std::vector<std::thread> threads;
        for (int t = 0; t < 4; ++t)
            threads.emplace_back([&] {
                for (int i = 0; i < 40; ++i) {
                    query const q{i % 8, &context};
                    if (svc(q) != i % 8) ++wrong;
                }
            });
        for (auto& t : threads) t.join();
    }
    CHECK(wrong == 0);
    CHECK(calls == 50 * 8); // each once
}

TEST_CASE("request_cache: bad options name their member")
{
    CHECK_THROWS_WITH_AS(request_cache(by_key, in_context, {.max_flights = 0}), "request_cache.max_flights: expected a number in [1, 2^24]",
                         std::invalid_argument);
}
