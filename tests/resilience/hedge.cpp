// SPDX-License-Identifier: BSL-1.0
//
// hedge beside an independent model: attempts written down as numbers, without coroutines, in virtual time.
#include <weir/resilience/hedge.hpp>

#include "../schedules.hpp"

#include <weir/asio.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/resilience/attempt_timeout.hpp>
#include <weir/resilience/timeout.hpp>
#include <weir/testing/simulation.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/cancellation_type.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

constexpr auto tick = 2ms; // alarms of the wheel are up to a tick late
constexpr weir::budget_options plenty{.floor_per_second = 1e6};

/// What an attempt does: takes so long, and then has this.
struct deed {
    weir::duration takes{};
    weir::result<int> brings = 0;
};

/// A gate that counts what it lent and how it came back.
struct counting_gate {
    using role = weir::gate;
    static constexpr std::string_view name = "counting_gate";
    int lent = 0, settled = 0, cancelled = 0;
    weir::admission<> admit(auto&)
    {
        ++lent;
        return weir::admitted;
    }
    void settle(weir::pass, auto const&, auto&) { ++settled; }
    void cancel(weir::pass) noexcept { ++cancelled; }
};

struct served_by {
    int who = 0;
};
/// Tells the caller which attempt it saw.
struct tells_attempt {
    using role = weir::source;
    using needs = weir::facets<weir::attempt>;
    using reports = weir::facets<served_by>;
    static constexpr std::string_view name = "tells_attempt";
    void learn(auto& call, weir::pass&, auto&) { call.report(served_by{static_cast<int>(call.template get<weir::attempt>().number)}); }
};

/// One hedged pipeline whose attempts do what is written.
template<std::uint32_t Most>
struct scene {
    explicit scene(weir::hedge_options const& o, std::vector<deed> what) : deeds(std::move(what)), options(o) {}

    asio::awaitable<weir::result<int>> handle(int, weir::view<weir::attempt, weir::deadline> facts)
    {
        std::size_t const number = facts.get<weir::attempt>().number - 1;
        began.push_back(world.clock().now() - weir::manual_clock::noon);
        deadline = facts.get<weir::deadline>().at;
        deed const d = deeds.at(number);
        co_await world.sleep(d.takes);
        ++finished;
        if (d.brings.has_error() && d.brings.error() == weir::errc::handler_threw) throw std::runtime_error("unlucky");
        co_return d.brings;
    }

    weir::simulation world;
    weir::scope jobs;
    std::vector<deed> deeds;
    std::vector<weir::duration> began;
    weir::time_point deadline{};
    int finished = 0;
    counting_gate outer, inner;
    weir::hedge_options options;
    std::function<asio::awaitable<weir::result<int>>(int, weir::view<weir::attempt, weir::deadline>)> handler =
        [this](int n, weir::view<weir::attempt, weir::deadline> facts) { return handle(n, facts); };
    weir::hedge<Most> hedge{options};
    decltype(weir::pipeline{weir::timed_by{std::ref(world.clock())}, weir::within{jobs}, std::ref(outer), weir::timeout{10s},
                            std::ref(hedge), tells_attempt{}, std::ref(inner),
                            weir::idempotent{handler}}) svc{weir::timed_by{std::ref(world.clock())},
                                                            weir::within{jobs},
                                                            std::ref(outer),
                                                            weir::timeout{10s},
                                                            std::ref(hedge),
                                                            tells_attempt{},
                                                            std::ref(inner),
                                                            weir::idempotent{handler}};

    std::optional<weir::result<int>> came;
    weir::duration took{};
    int served = 0;
    std::string threw;
    asio::awaitable<void> ask()
    {
        int const n = 1;
        auto const start = world.clock().now();
        auto const reply = co_await svc.call(n);
        came = reply.result();
        took = world.clock().now() - start;
        if (reply.template reported<served_by>()) served = reply.template reported<served_by>()->who;
        if (reply.thrown() != nullptr) try {
                std::rethrow_exception(reply.thrown());
            } catch (std::runtime_error const& e) {
                threw = e.what();
            }
    }
    void run()
    {
        world.spawn(ask());
        world.run();
    }
};

} // namespace

TEST_CASE("hedge: a quick answer needs no second attempt")
{
    scene<2> s({.after = 50ms}, {{10ms, 7}});
    s.run();
    CHECK(s.came == weir::result<int>(7));
    CHECK(s.began.size() == 1);
    CHECK(s.took < 10ms + tick);
    CHECK(s.served == 1);
    CHECK(s.deadline == weir::manual_clock::noon + 10s); // it goes with the attempts
    CHECK(s.hedge.stats().hedges == 0);
}

TEST_CASE("hedge: a second attempt overtakes the first, which is cancelled and ends in the scope")
{
    scene<2> s({.after = 50ms}, {{1h, 7}, {20ms, 8}});
    s.run();
    CHECK(s.came == weir::result<int>(8));
    CHECK(s.took < 70ms + 2 * tick);
    CHECK(s.served == 2); // the winner's reports reach the caller
    CHECK(s.finished == 1);
    CHECK(s.jobs.size() == 0);
    CHECK(s.inner.lent == 2);
    CHECK(s.inner.settled == 1);
    CHECK(s.inner.cancelled == 1);
    CHECK(s.outer.settled == 1);
    CHECK(s.hedge.stats().won == 1);
}

TEST_CASE("hedge: a failure lets the next attempt begin at once; if all fail, the last failure comes back")
{
    scene<3> s({.after = 1s, .budget = plenty}, {{10ms, weir::errc::unavailable}, {10ms, weir::errc::handler_threw}, {10ms, 9}});
    s.run();
    CHECK(s.came == weir::result<int>(9));
    CHECK(s.took < 30ms + 3 * tick);
    CHECK(s.threw.empty());

    scene<2> all({.after = 1s}, {{10ms, weir::errc::unavailable}, {10ms, weir::errc::handler_threw}});
    all.run();
    CHECK(all.came->error() == weir::errc::handler_threw);
    CHECK(all.threw == "unlucky");
    CHECK(all.hedge.stats().exhausted == 1);
}

TEST_CASE("hedge: a failure that says when to come back begins nothing more")
{
    scene<2> s({.after = 1s}, {{10ms, weir::error(weir::errc::unavailable, 5s)}, {10ms, 9}});
    s.run();
    CHECK(s.came->error() == weir::errc::unavailable);
    CHECK(s.began.size() == 1);
}

TEST_CASE("hedge: the call's deadline ends it, and all its attempts")
{
    scene<2> s({.after = 50ms}, {{1h, 7}, {1h, 8}});
    s.run();
    CHECK(s.came->error() == weir::errc::deadline_exceeded);
    CHECK(s.came->error().policy() == 3); // the timeout
    CHECK(s.took < 10s + tick);
    CHECK(s.jobs.size() == 0);
    CHECK(s.inner.cancelled == 2);
    CHECK(s.finished == 0);
}

TEST_CASE("hedge: cancelled, it cancels its attempts; so does the end of its scope")
{
    scene<2> s({.after = 50ms}, {{1h, 7}, {1h, 8}});
    asio::cancellation_signal stop;
    s.world.spawn(s.ask(), stop.slot());
    s.world.run_for(100ms);
    CHECK(s.jobs.size() == 2);
    stop.emit(asio::cancellation_type::terminal);
    s.world.run_for(0s);
    CHECK(s.came->error() == weir::errc::cancelled);
    CHECK(s.jobs.size() == 0);
    CHECK(s.inner.lent == 2);
    CHECK(s.inner.cancelled == 2);
    CHECK(s.outer.cancelled == 1);

    scene<2> closing({.after = 50ms}, {{1h, 7}, {1h, 8}});
    closing.world.spawn(closing.ask());
    closing.world.run_for(10ms);
    closing.jobs.close();
    closing.jobs.cancel();
    closing.world.run_for(10ms);
    CHECK(closing.came->error() == weir::errc::cancelled);
    CHECK(closing.jobs.size() == 0);
}

TEST_CASE("hedge: in a closed scope the call runs by itself")
{
    scene<2> s({.after = 50ms}, {{100ms, 7}});
    s.jobs.close();
    s.run();
    CHECK(s.came == weir::result<int>(7));
    CHECK(s.began.size() == 1);
}

TEST_CASE("hedge: after a quantile of what the attempts took lately")
{
    weir::simulation world;
    weir::scope jobs;
    std::mt19937_64 random(5);
    int attempts = 0;
    auto const handler = [&](int) -> asio::awaitable<int> {
        ++attempts;
        co_await world.sleep(random() % 20 == 0 ? 1s : 10ms); // one in twenty is slow
        co_return 1;
    };
    weir::pipeline svc{weir::timed_by{std::ref(world.clock())}, weir::within{jobs},
                       weir::hedge<2>{{.after = 5s, .quantile = 0.9, .minimum_calls = 50, .budget = {.ratio = 0.2, .floor_per_second = 0}}},
                       weir::idempotent{handler}};
    weir::duration slowest{};
    auto const ask = [&](int calls) -> asio::awaitable<void> {
        for (int i = 0; i < calls; ++i) {
            auto const began = world.clock().now();
            co_await svc(i);
            slowest = std::max(slowest, world.clock().now() - began);
        }
    };
    world.spawn(ask(200)); // it learns: about 10 ms
    world.run();
    CHECK(slowest > 900ms);
    auto const known = svc.get<weir::hedge>().stats();
    CHECK(known.after >= 10ms);
    CHECK(known.after < 13ms);
    slowest = 0s;
    attempts = 0;
    world.spawn(ask(300));
    world.run();
    CHECK(attempts < 300 * 1.1); // about one in twenty was hedged
    CHECK(svc.get<weir::hedge>().stats().won > 5);
    CHECK(jobs.size() == 0);
}

TEST_CASE("hedge: another pipeline shares its budget")
{
    weir::simulation world;
    weir::scope jobs;
    int attempts = 0;
    auto const failing = [&](int) -> asio::awaitable<weir::result<int>> {
        ++attempts;
        co_return weir::errc::unavailable;
    };
    weir::budget shared{{.ratio = 0.1, .floor_per_second = 0, .window = 10s}};
    weir::pipeline a{weir::timed_by{std::ref(world.clock())}, weir::within{jobs}, weir::hedge<2>{{.after = 50ms}, std::ref(shared)},
                     weir::idempotent{failing}};
    weir::pipeline b{weir::timed_by{std::ref(world.clock())}, weir::within{jobs}, weir::hedge<2>{{.after = 50ms}, std::ref(shared)},
                     weir::idempotent{failing}};
    auto const ask = [&]() -> asio::awaitable<void> {
        for (int i = 0; i < 500; ++i) {
            co_await a(i);
            co_await b(i);
        }
    };
    world.spawn(ask());
    world.run();
    CHECK(attempts > 1'090);
    CHECK(attempts <= 1'100);
    CHECK(a.get<weir::hedge>().stats().over_budget + b.get<weir::hedge>().stats().over_budget >= 900);
}

TEST_CASE("hedge: bad options name the member")
{
    using weir::hedge;
    CHECK_THROWS_WITH_AS(hedge<2>({.after = 0s}), "hedge.after: expected more than 0", std::invalid_argument);
    CHECK_THROWS_AS(hedge<2>({.after = 1s, .quantile = 1}), std::invalid_argument);
    CHECK_THROWS_AS(hedge<2>({.after = 1s, .max_attempts = 3}), std::invalid_argument);
    CHECK_THROWS_AS(hedge<2>({.after = 1s, .shortest = 2s, .longest = 1s}), std::invalid_argument);
    CHECK_THROWS_AS(hedge<2>({.after = 1s, .budget = {.ratio = 2}}), std::invalid_argument);
    hedge<2> policy{{.after = 1s}};
    CHECK_THROWS_AS(policy.reconfigure({.after = -1s}), std::invalid_argument);
    policy.reconfigure({.after = 2s});
    CHECK(policy.stats().after == 2s);
}

namespace {

/// What has to come of one call, worked out without a pipeline: a list of attempts, their beginnings and ends.
struct expectation {
    std::optional<int> value; // none: a failure
    weir::duration took{};
    std::size_t attempts = 0;
};
expectation model(std::vector<deed> const& deeds, weir::duration wait, std::size_t most, weir::duration deadline)
{
    std::vector<weir::duration> ends;
    expectation e;
    weir::duration now{}, due{};
    bool gave_up = false;
    for (;;) {
        // Begin what is due now.
        if (now >= due && ends.size() < most && !gave_up) {
            ends.push_back(now + deeds[ends.size()].takes);
            due = ends.size() < most ? now + wait : weir::duration::max();
        } else if (now >= due)
            due = weir::duration::max();
        // What happens next: an end, or a beginning.
        weir::duration next = due;
        std::size_t who = ends.size();
        for (std::size_t i = 0; i < ends.size(); ++i)
            if (ends[i] >= now && ends[i] < next) {
                next = ends[i];
                who = i;
            }
        if (next >= deadline) return {{}, deadline, ends.size()};
        now = next;
        if (who == ends.size()) continue;
        ends[who] = weir::duration{-1};
        weir::result<int> const& brings = deeds[who].brings;
        e.attempts = ends.size();
        if (brings.has_value()) return {*brings, now, ends.size()};
        gave_up = gave_up || brings.error().retry_after() > 0s;
        bool const others = std::any_of(ends.begin(), ends.end(), [&](weir::duration d) { return d >= now; });
        if (gave_up || ends.size() == most) {
            if (!others) return {{}, now, ends.size()};
            due = weir::duration::max();
        } else
            due = now; // the next begins at once
    }
}

} // namespace

TEST_CASE("hedge: random schedules come out as the model says")
{
    std::uint64_t const rounds = weir_test::schedules();
    std::uint64_t const first = weir_test::first_seed();
    std::uint64_t hedged = 0, failed = 0;
    for (std::uint64_t seed = first; seed < first + rounds; ++seed) {
        std::mt19937_64 random(seed);
        weir::duration const wait = std::chrono::milliseconds(100 * (1 + random() % 5));
        std::vector<deed> deeds(3);
        for (std::size_t i = 0; i < deeds.size(); ++i) {
            // So that no two things happen within 8 ms, and the wheel's ticks change no order: 10 | 18, 28 | 34, 44, 52, 62 of each 100 ms.
            deeds[i].takes = std::chrono::milliseconds(100 * (random() % 15) + std::array{10u, 18u, 34u}[i]);
            if (random() % 3 == 0)
                deeds[i].brings = random() % 4 == 0 ? weir::error(weir::errc::unavailable, 1s) : weir::error(weir::errc::upstream_failed);
            else
                deeds[i].brings = static_cast<int>(i) + 1;
        }
        if (random() % 4 == 0) deeds[0].takes = 1h;
        if (random() % 8 == 0) deeds[1].takes = deeds[2].takes = 1h;
        expectation const want = model(deeds, wait, 3, 10s);
        scene<3> s({.after = wait, .budget = plenty}, deeds);
        s.run();
        hedged += s.began.size() > 1;
        failed += s.came->has_error();
        bool const same = s.came.has_value() && s.came->has_value() == want.value.has_value() && (!want.value || **s.came == *want.value) &&
                          s.began.size() == want.attempts && s.took >= want.took && s.took < want.took + 4 * tick;
        bool const clean = s.jobs.size() == 0 && s.inner.lent == s.inner.settled + s.inner.cancelled && s.outer.settled == 1 &&
                           s.outer.lent == 1 && s.inner.lent == static_cast<int>(s.began.size());
        if (same && clean) continue;
        std::ostringstream story;
        story << "seed " << seed << ", a hedge after " << wait.count() / 1'000'000 << " ms\n";
        for (deed const& d : deeds)
            story << "  takes " << d.takes.count() / 1'000'000 << " ms, " << (d.brings.has_value() ? "answers" : "fails") << '\n';
        story << "wanted " << want.value.value_or(-1) << " after " << want.took.count() / 1'000'000 << " ms by " << want.attempts
              << " attempts, came " << (s.came->has_value() ? **s.came : -1) << " after " << s.took.count() / 1'000'000 << " ms by "
              << s.began.size() << "; lent " << s.inner.lent << " settled " << s.inner.settled << " cancelled " << s.inner.cancelled;
        FAIL(story.str());
    }
    CHECK(hedged > rounds / 4);
    CHECK(failed > rounds / 100);
}

TEST_CASE("hedge: threads share one, each with a context of its own")
{
    weir::hedge<2> shared{{.after = 1ms, .quantile = 0.5, .minimum_calls = 10, .budget = plenty}};
    std::vector<std::thread> threads;
    std::array<int, 4> answered{};
    for (int& mine : answered)
        threads.emplace_back([&shared, &mine] {
            weir::simulation world;
            weir::scope jobs;
            std::mt19937_64 random(3);
            counting_gate gate;
            auto const handler = [&](int) -> asio::awaitable<int> {
                co_await world.sleep(std::chrono::microseconds(random() % 10'000));
                co_return 1;
            };
            weir::pipeline svc{weir::timed_by{std::ref(world.clock())}, weir::within{jobs}, std::ref(shared), std::ref(gate),
                               weir::idempotent{handler}};
            auto const ask = [&]() -> asio::awaitable<void> {
                for (int i = 0; i < 300; ++i) {
                    auto const r = co_await svc(i);
                    mine += r.value();
                }
            };
            world.spawn(ask());
            world.run();
            if (jobs.size() != 0 || gate.lent != gate.settled + gate.cancelled) mine = -1;
        });
    for (std::thread& t : threads) t.join();
    for (int const each : answered) CHECK(each == 300);
    CHECK(shared.stats().calls == 1'200);
    CHECK(shared.stats().hedges > 100);
}
