// SPDX-License-Identifier: BSL-1.0
//
// Work that outlives its call: what is spawned by hand, and what a pipeline forks.
#include <weir/asio/scope.hpp>

#include <weir/asio.hpp>
#include <weir/cache/cached.hpp>
#include <weir/core/directives.hpp>
#include <weir/core/observed.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/resilience/bulkhead.hpp>
#include <weir/resilience/timeout.hpp>
#include <weir/testing/simulation.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <doctest/doctest.h>

#include <deque>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

asio::awaitable<void> sleep_and_say(weir::simulation& world, weir::duration d, std::vector<std::string>& said)
{
    try {
        co_await world.sleep(d);
        said.emplace_back("slept");
    } catch (boost::system::system_error const&) {
        said.emplace_back("cancelled");
    }
}

TEST_CASE("scope: draining waits for what ends in time, and cancels the rest")
{
    weir::simulation world;
    weir::scope jobs;
    std::vector<std::string> said;
    asio::any_io_executor const executor = world.context().get_executor();
    CHECK(weir::spawn(jobs, executor, sleep_and_say(world, 1s, said)));
    CHECK(weir::spawn(jobs, executor, sleep_and_say(world, 1h, said)));
    CHECK(jobs.size() == 2);
    bool in_time = true;
    auto const owner = [&]() -> asio::awaitable<void> { in_time = co_await weir::drain(jobs, 5s, world.clock()); };
    world.spawn(owner());
    world.run();
    CHECK(said == std::vector<std::string>{"slept", "cancelled"});
    CHECK_FALSE(in_time);
    CHECK(jobs.size() == 0);
    CHECK_FALSE(weir::spawn(jobs, executor, sleep_and_say(world, 1s, said))); // closed
    CHECK(jobs.wait(weir::steady::now()));
}

TEST_CASE("scope: an empty one is drained at once, one that empties itself in time is not cancelled")
{
    weir::simulation world;
    std::vector<std::string> said;
    weir::scope empty, busy;
    CHECK(weir::spawn(busy, asio::any_io_executor(world.context().get_executor()), sleep_and_say(world, 1s, said)));
    int drained = 0;
    auto const owner = [&](weir::scope& s) -> asio::awaitable<void> { drained += (co_await weir::drain(s, 5s, world.clock())) ? 1 : 0; };
    world.spawn(owner(empty));
    world.spawn(owner(busy));
    world.run();
    CHECK(drained == 2);
    CHECK(said == std::vector<std::string>{"slept"});
}

constexpr int failed(weir::errc e)
{
    return -100 - static_cast<int>(e);
}

using handler = std::function<asio::awaitable<weir::result<int>>(int)>;

auto compose(weir::simulation& world, weir::scope& jobs, weir::duration patience, handler load)
{
    return weir::pipeline{weir::timed_by{std::ref(world.clock())},
                          weir::within{jobs},
                          weir::timeout{patience},
                          weir::named<"outer">(weir::bulkhead{{.max_concurrent = 100}}),
                          weir::cached{weir::store<int, int>{{.capacity = 100, .ttl = 1h}}, weir::keyed_by<int>([](int n) { return n; })},
                          weir::named<"inner">(weir::bulkhead{{.max_concurrent = 2}}),
                          std::move(load)};
}

/// Callers of a cache whose loads run in a scope; a load takes a second, and its number is its value.
struct scene {
    explicit scene(weir::duration patience = 1h)
        : svc(compose(world, jobs, patience, [this](int key) { return load(key); }))
    {
    }
    asio::awaitable<weir::result<int>> load(int key)
    {
        int const number = ++loads;
        bool cancelled = false;
        try {
            co_await world.sleep(1s);
        } catch (...) {
            cancelled = true;
        }
        if (cancelled) {
            ++loads_cancelled;
            throw boost::system::system_error(asio::error::operation_aborted);
        }
        if (key == 13) throw std::runtime_error("unlucky");
        if (key == 14) co_return weir::errc::upstream_failed;
        co_return number;
    }
    asio::awaitable<void> ask(int key, int& to)
    {
        try {
            weir::result<int> const r = co_await svc(key);
            to = r.has_value() ? *r : failed(r.error().kind());
        } catch (std::runtime_error const& e) {
            to = std::string_view(e.what()) == "unlucky" ? -2 : -3;
        }
    }
    std::size_t start(int key)
    {
        came.push_back(-1);
        signals.emplace_back();
        world.spawn(ask(key, came.back()), signals.back().slot());
        world.run_for(0s);
        return came.size() - 1;
    }
    void cancel(std::size_t number)
    {
        signals[number].emit(asio::cancellation_type::terminal);
        world.run_for(0s);
    }
    [[nodiscard]] bool nothing_left()
    {
        return jobs.size() == 0 && svc.get<"outer">().stats().inside == 0 && svc.get<"inner">().stats().inside == 0;
    }

    weir::scope jobs; // outlives the world: what it destroys says so
    weir::simulation world;
    int loads = 0, loads_cancelled = 0;
    std::deque<int> came;
    std::deque<asio::cancellation_signal> signals;
    decltype(compose(world, jobs, weir::duration(), handler())) svc;
};

TEST_CASE("fork: a load outlives the caller whose deadline passed, as long as somebody waits")
{
    scene s(900ms);
    s.start(1);
    s.world.run_for(500ms);
    s.start(1);
    CHECK(s.jobs.size() == 1);
    s.world.run();
    CHECK(s.came == std::deque<int>{failed(weir::errc::deadline_exceeded), 1});
    CHECK(s.loads == 1);
    CHECK(s.loads_cancelled == 0);
    s.start(1); // from the store
    s.world.run();
    CHECK(s.came.back() == 1);
    CHECK(s.loads == 1);
    CHECK(s.nothing_left());
}

TEST_CASE("fork: a load is cancelled when the last who waits leaves, by its deadline or cancelled")
{
    scene s(900ms);
    s.start(1);
    s.start(1);
    s.world.run();
    CHECK(s.came == std::deque<int>{failed(weir::errc::deadline_exceeded), failed(weir::errc::deadline_exceeded)});
    CHECK(s.loads_cancelled == 1);
    CHECK(s.nothing_left());
    std::size_t const one = s.start(2);
    std::size_t const two = s.start(2);
    s.cancel(one);
    CHECK(s.loads_cancelled == 1);
    s.cancel(two);
    s.world.run();
    CHECK(s.loads_cancelled == 2);
    CHECK(s.came[one] == failed(weir::errc::cancelled));
    CHECK(s.came[two] == failed(weir::errc::cancelled));
    CHECK(s.nothing_left());
}

TEST_CASE("fork: who comes while a load is being cancelled loads anew")
{
    scene s;
    std::size_t const one = s.start(1);
    s.signals[one].emit(asio::cancellation_type::terminal); // the cancellation of the load is under way only
    s.came.push_back(-1);
    s.signals.emplace_back();
    s.world.spawn(s.ask(1, s.came.back()));
    s.world.run();
    CHECK(s.came[1] >= 1);
    CHECK(s.nothing_left());
}

TEST_CASE("fork: failures and exceptions come to all who wait")
{
    scene s;
    for (int i = 0; i < 3; ++i) s.start(13);
    for (int i = 0; i < 3; ++i) s.start(14);
    s.world.run();
    int const bad = failed(weir::errc::upstream_failed);
    CHECK(s.came == std::deque<int>{-2, -2, -2, bad, bad, bad});
    CHECK(s.loads == 2);
    CHECK(s.nothing_left());
}

TEST_CASE("fork: the policies further in are those of the load, and refuse it like any other")
{
    scene s;
    s.start(1);
    s.start(2);
    s.start(3); // the inner bulkhead has two places
    s.world.run();
    CHECK(s.came == std::deque<int>{1, 2, failed(weir::errc::bulkhead_full)});
    CHECK(s.nothing_left());
}

TEST_CASE("fork: in a closed scope calls load by themselves; cancelling the scope makes those who wait do so")
{
    scene s;
    s.start(1);
    s.start(1);
    s.jobs.close();
    s.jobs.cancel();
    s.world.run();
    CHECK(s.came == std::deque<int>{2, 2}); // the first load was cancelled, one of the callers loaded, the other joined
    CHECK(s.loads_cancelled == 1);
    s.start(5);
    s.world.run();
    CHECK(s.came.back() == 3);
    CHECK(s.nothing_left());
}

TEST_CASE("fork: when its context is destroyed in the middle nothing is left")
{
    weir::scope jobs;
    auto const load = [](int) -> asio::awaitable<int> {
        asio::steady_timer t(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
        co_await t.async_wait(asio::use_awaitable);
        co_return 1;
    };
    weir::pipeline svc{weir::within{jobs},
                       weir::named<"outer">(weir::bulkhead{{.max_concurrent = 100}}),
                       weir::cached{weir::store<int, int>{{.capacity = 100, .ttl = 1h}}, weir::keyed_by<int>([](int n) { return n; })},
                       weir::named<"inner">(weir::bulkhead{{.max_concurrent = 2}}),
                       load};
    {
        asio::io_context context(1);
        for (int i = 0; i < 2; ++i) asio::co_spawn(context, svc(1), asio::detached);
        context.poll();
        CHECK(jobs.size() == 1);
        CHECK(svc.get<"outer">().stats().inside == 2);
        CHECK(svc.get<"inner">().stats().inside == 1);
    }
    CHECK(jobs.size() == 0);
    CHECK(svc.get<"outer">().stats().inside == 0);
    CHECK(svc.get<"inner">().stats().inside == 0);
}

struct tenant {
    std::string name{};
};
struct named_by_hand {
    using role = weir::gate;
    using provides = weir::facets<tenant>;
    static constexpr std::string_view name = "named_by_hand";
    weir::admission<> admit(auto& call)
    {
        call.set(tenant{"a tenant whose name is not short, number " + std::to_string(call.request().number)});
        return weir::admitted;
    }
};
struct question {
    int number = 0;
    std::string text = "a text that does not fit into the string itself";
};

TEST_CASE("fork: it has a copy of the request and of the facets, which it outlives")
{
    weir::scope jobs;
    weir::simulation world;
    std::vector<std::string> seen;
    auto const load = [&](question const& q, weir::view<tenant, weir::deadline> facts) -> asio::awaitable<int> {
        co_await world.sleep(1s);
        seen.push_back(q.text + '|' + facts.get<tenant>().name);
        CHECK(facts.get<weir::deadline>().at == weir::never);
        co_return q.number;
    };
    weir::pipeline svc{weir::timed_by{std::ref(world.clock())},
                       weir::within{jobs},
                       weir::timeout{900ms},
                       named_by_hand{},
                       weir::cached{weir::store<int, int>{{.capacity = 100, .ttl = 1h}}, weir::keyed_by(&question::number)},
                       load};
    std::vector<int> came;
    auto const ask = [&](int n) -> asio::awaitable<void> {
        question const q{n};
        auto const r = co_await svc(q);
        came.push_back(r.has_value() ? *r : failed(r.error().kind()));
    };
    world.spawn(ask(4));
    world.run_for(500ms);
    world.spawn(ask(4));
    world.run();
    CHECK(came == std::vector<int>{failed(weir::errc::deadline_exceeded), 4});
    CHECK(seen == std::vector<std::string>{"a text that does not fit into the string itself|a tenant whose name is not short, number 4"});
}

/// Answers with what it has, and fetches something newer behind the caller's back.
struct refreshing {
    using role = weir::source;
    using traits = weir::traits<weir::may_answer_alone>;
    static constexpr std::string_view name = "refreshing";
    struct token {};
    int value = 1;
    int learned = 0;
    weir::lookup look_up(auto&, token&, auto& outcome)
    {
        outcome = value;
        return weir::lookup::answered;
    }
    [[nodiscard]] weir::split splits(token&) const noexcept { return weir::split::and_go_on; }
    void fork(token&, token&) {}
    void learn(auto&, token&, auto& outcome)
    {
        ++learned;
        if (outcome.has_value()) value = *outcome;
    }
};

TEST_CASE("fork: a refresh goes on after the call was answered")
{
    weir::scope jobs;
    weir::simulation world;
    auto const load = [&](int n) -> asio::awaitable<int> {
        co_await world.sleep(1s);
        co_return n;
    };
    weir::pipeline svc{weir::timed_by{std::ref(world.clock())}, weir::within{jobs}, refreshing{}, load};
    std::vector<int> came;
    auto const ask = [&](int n) -> asio::awaitable<void> { came.push_back((co_await svc(n)).value()); };
    world.spawn(ask(7));
    world.run_for(10ms);
    CHECK(came == std::vector<int>{1});
    CHECK(jobs.size() == 1);
    world.run();
    world.spawn(ask(8));
    world.run();
    CHECK(came == std::vector<int>{1, 7});
    CHECK(svc.get<refreshing>().learned == 2);
    CHECK(jobs.size() == 0);
}

struct never_learns : refreshing {
    void learn(auto&, token&, auto&)
    {
        ++learned;
        throw std::runtime_error("cannot learn");
    }
};
TEST_CASE("fork: what a source throws when it learns how its fork ended reaches nobody")
{
    weir::scope jobs;
    weir::simulation world;
    auto const load = [](int n) -> asio::awaitable<int> {
        if (n == 8) throw std::runtime_error("cannot load");
        co_return n;
    };
    weir::pipeline svc{weir::timed_by{std::ref(world.clock())}, weir::within{jobs}, never_learns{}, load};
    int came = 0;
    auto const ask = [&](int n) -> asio::awaitable<void> { came += (co_await svc(n)).value(); };
    world.spawn(ask(7));
    world.spawn(ask(8));
    world.run(); // throws nothing
    CHECK(came == 2);
    CHECK(svc.get<never_learns>().learned >= 2);
    CHECK(jobs.size() == 0);
}

} // namespace
