// SPDX-License-Identifier: BSL-1.0
#include <weir/cache/batched.hpp>

#include "../schedules.hpp"

#include <weir/asio.hpp>
#include <weir/asio/scope.hpp>
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

constexpr auto itself = weir::keyed_by<int>([](int n) { return n; });
using keys = std::vector<int>;
using answers = weir::result<std::vector<weir::result<int>>>;
using batched = weir::batched<std::remove_cv_t<decltype(itself)>>;

constexpr weir::duration load_time = 2'501ns;
constexpr weir::duration hasty_time = 8'000ns;

/// One load, as the handler saw it or the model has it.
struct load {
    weir::time_point began;
    keys of;
    friend bool operator==(load const&, load const&) = default;
};
/// What load number n answers for a key: each fifth key fails, each fifth is not there; each seventh load fails as a whole.
weir::result<int> answer(std::size_t number, int key)
{
    if (number % 7 == 3) return weir::errc::unavailable;
    if (key % 5 == 0) return weir::errc::upstream_failed;
    if (key % 5 == 1) return weir::errc::not_found;
    return key * 1'000 + static_cast<int>(number);
}

/// One call of a schedule: when it comes, for what, whether it has little time, and when it is cancelled. No two things happen at the same time.
struct caller {
    weir::time_point comes;
    int key;
    bool hasty;
    weir::time_point cancelled = weir::never;
    weir::result<int> told = weir::errc::foreign;
};

struct plan {
    std::vector<caller> callers;
    std::uint32_t max_size;
    weir::duration max_wait;
    bool forks;
};

plan draw(std::uint64_t seed)
{
    auto const below = [&](std::uint64_t n) { return weir::detail::splitmix64(seed) % n; };
    plan p{.callers = {},
           .max_size = static_cast<std::uint32_t>(1 + below(4)),
           .max_wait = 1'000ns * static_cast<int>(below(6)),
           .forks = below(2) == 0};
    auto const count = 1 + below(12);
    std::uint64_t time = 1'000;
    for (std::uint64_t i = 0; i < count; ++i) {
        time += 1'000 * below(3);
        caller c{
            .comes = weir::manual_clock().now() + weir::duration(time + 10 * i), .key = static_cast<int>(below(6)), .hasty = below(3) == 0};
        if (below(4) == 0) c.cancelled = c.comes + weir::duration(5 + 1'000 * below(7));
        p.callers.push_back(c);
    }
    return p;
}

/// What should come of a plan, step by step: the simplest thing that batches.
class model {
public:
    explicit model(plan& p) : plan_(p) {}
    std::vector<load> run()
    {
        for (;;) {
            weir::time_point next = weir::never;
            std::function<void()> what;
            auto const may_be_next = [&](weir::time_point t, std::function<void()> then) {
                if (t < next) {
                    next = t;
                    what = std::move(then);
                }
            };
            for (std::size_t i = 0; i < plan_.callers.size(); ++i) {
                caller const& c = plan_.callers[i];
                if (state(i).stands == state_of::unborn) may_be_next(c.comes, [this, i] { come(i); });
                if (state(i).stands != state_of::waits) continue;
                may_be_next(c.cancelled, [this, i] { leave(i, weir::errc::cancelled); });
                if (c.hasty) may_be_next(c.comes + hasty_time, [this, i] { leave(i, weir::errc::deadline_exceeded); });
                may_be_next(state(i).departs, [this, i] { depart(i); });
            }
            for (std::size_t b = 0; b < batches_.size(); ++b)
                if (batches_[b].loading) may_be_next(batches_[b].ends, [this, b] { finish(b); });
            if (next == weir::never) return loads_;
            now_ = next;
            what();
        }
    }

private:
    struct state_of {
        enum { unborn, waits, gone } stands = unborn;
        std::size_t batch = 0;
        weir::time_point departs = weir::never;
    };
    struct batch {
        keys all{};   // that were ever in it
        keys asked{}; // once it began
        std::vector<std::size_t> line{};
        std::optional<std::size_t> carrier{}; // without a fork
        bool began = false, loading = false;
        weir::time_point ends = weir::never;
        std::size_t number = 0;
    };
    state_of& state(std::size_t i)
    {
        states_.resize(plan_.callers.size());
        return states_[i];
    }
    void come(std::size_t i)
    {
        if (!open_) {
            open_ = batches_.size();
            batches_.emplace_back();
        }
        caller const& c = plan_.callers[i];
        batch& b = batches_[*open_];
        weir::duration const wait = c.hasty ? std::min(plan_.max_wait, hasty_time / 2) : plan_.max_wait;
        state(i) = {state_of::waits, *open_, c.comes + wait};
        if (std::find(b.all.begin(), b.all.end(), c.key) == b.all.end()) b.all.push_back(c.key);
        b.line.push_back(i);
        if (b.all.size() >= plan_.max_size || wait == 0ns) begin(i);
    }
    void depart(std::size_t i)
    {
        batch& b = batches_[state(i).batch];
        if (!b.began) return begin(i);
        state(i).departs = weir::never;
        if (b.carrier != i) {
            std::erase(b.line, i);
            b.line.push_back(i);
        }
    }
    void begin(std::size_t i)
    {
        std::size_t const at = state(i).batch;
        batch& b = batches_[at];
        if (open_ == at) open_.reset();
        if (!b.began)
            for (int const key : b.all)
                for (std::size_t const j : b.line)
                    if (plan_.callers[j].key == key) {
                        b.asked.push_back(key);
                        break;
                    }
        b.began = b.loading = true;
        state(i).departs = weir::never;
        std::erase(b.line, i);
        if (plan_.forks)
            b.line.push_back(i);
        else
            b.carrier = i;
        b.number = loads_.size();
        b.ends = now_ + load_time;
        loads_.push_back({now_, b.asked});
    }
    void leave(std::size_t i, weir::errc why)
    {
        plan_.callers[i].told = why;
        state(i).stands = state_of::gone;
        std::size_t const at = state(i).batch;
        batch& b = batches_[at];
        std::erase(b.line, i);
        if (b.carrier == i) {
            b.carrier.reset();
            b.loading = false;
            if (!b.line.empty()) begin(b.line.front());
        } else if (b.line.empty() && !b.carrier) {
            b.loading = false;
            if (open_ == at) open_.reset();
        }
    }
    void finish(std::size_t at)
    {
        batch& b = batches_[at];
        b.loading = false;
        if (b.carrier) b.line.push_back(*b.carrier);
        for (std::size_t const i : b.line) {
            state(i).stands = state_of::gone;
            plan_.callers[i].told = answer(b.number, plan_.callers[i].key);
        }
        b.line.clear();
        b.carrier.reset();
    }

    plan& plan_;
    std::vector<state_of> states_;
    std::vector<batch> batches_;
    std::optional<std::size_t> open_;
    std::vector<load> loads_;
    weir::time_point now_{};
};

/// The same plan with the policy, in virtual time.
struct scene {
    explicit scene(plan& p) : plan_(p), joins(itself, {.max_size = p.max_size, .max_wait = p.max_wait}) {}
    ~scene() { jobs.close(); }

    asio::awaitable<answers> fetch(keys const& of)
    {
        std::size_t const number = loads.size();
        loads.push_back({world.clock().now(), of});
        co_await world.sleep(load_time);
        if (number % 7 == 3) co_return weir::errc::unavailable;
        std::vector<weir::result<int>> all;
        for (int const key : of) all.push_back(answer(number, key));
        co_return all;
    }
    asio::awaitable<void> live(auto& svc, caller& c)
    {
        co_await world.sleep(c.comes - world.clock().now());
        c.told = co_await svc(c.key);
    }
    void run()
    {
        auto const handler = [this](keys const& of) { return fetch(of); };
        weir::timed_by const clock{std::ref(world.clock())};
        if (!plan_.forks) jobs.close(); // then each load is carried by a call
        weir::pipeline patient{clock, weir::within{jobs}, std::ref(joins), weir::in_bulk<int>{}, handler};
        weir::pipeline hasty{clock, weir::within{jobs}, weir::timeout{hasty_time}, std::ref(joins), weir::in_bulk<int>{}, handler};
        run(patient, hasty);
    }
    void run(auto& patient, auto& hasty)
    {
        std::deque<asio::cancellation_signal> signals;
        std::vector<std::pair<weir::time_point, asio::cancellation_signal*>> cancels;
        for (caller& c : plan_.callers) {
            signals.emplace_back();
            if (c.hasty)
                world.spawn(live(hasty, c), signals.back().slot());
            else
                world.spawn(live(patient, c), signals.back().slot());
            if (c.cancelled != weir::never) cancels.emplace_back(c.cancelled, &signals.back());
        }
        std::sort(cancels.begin(), cancels.end());
        for (auto const& [at, signal] : cancels) {
            world.run_until(at);
            signal->emit(asio::cancellation_type::terminal);
        }
        world.run();
    }

    plan& plan_;
    weir::scope jobs;
    batched joins;
    std::vector<load> loads;
    weir::simulation world; // destroyed first
};

std::string text(weir::result<int> const& r)
{
    return r.has_value() ? std::to_string(*r) : std::string(weir::to_string(r.error().kind()));
}

std::string compare(std::uint64_t seed)
{
    plan expected = draw(seed), got = expected;
    std::vector<load> const loads = model(expected).run();
    scene s(got);
    s.run();
    for (std::size_t i = 0; i < got.callers.size(); ++i)
        if (got.callers[i].told != expected.callers[i].told)
            return "call " + std::to_string(i) + " was told " + text(got.callers[i].told) + " in place of " +
                   text(expected.callers[i].told);
    if (s.loads != loads) return "the loads differ";
    if (s.joins.stats().waiting != 0 || s.joins.stats().calls != got.callers.size() || s.joins.stats().loads != loads.size())
        return "the statistics differ";
    if (s.jobs.size() != 0) return "a load is left";
    return {};
}

} // namespace

TEST_CASE("batched: loads and answers are those of the model, whatever the schedule")
{
    for (std::uint64_t i = 0; i < weir_test::schedules() / 10; ++i) {
        std::uint64_t const seed = weir_test::first_seed() + i;
        if (std::string const wrong = compare(seed); !wrong.empty()) FAIL("seed " << seed << ": " << wrong);
    }
}

namespace {

/// A world in which loads take a second and may throw.
struct small_world {
    weir::scope jobs;
    std::vector<keys> loads;
    std::deque<weir::result<int>> came;
    std::deque<asio::cancellation_signal> signals;
    weir::simulation world;

    asio::awaitable<std::vector<weir::result<int>>> fetch(keys const& of)
    {
        loads.push_back(of);
        co_await world.sleep(1s);
        if (of.front() == 13) throw std::runtime_error("unlucky");
        std::vector<weir::result<int>> all;
        for (int const key : of) all.emplace_back(key * 10);
        co_return all;
    }
    asio::awaitable<void> call(auto& svc, int key, weir::result<int>& to)
    {
        try {
            to = co_await svc(key);
        } catch (std::runtime_error const&) {
            to = weir::errc::handler_threw;
        }
    }
    void start(auto& svc, int key)
    {
        signals.emplace_back();
        world.spawn(call(svc, key, came.emplace_back(weir::errc::foreign)), signals.back().slot());
        world.run_for(0s);
    }
};

} // namespace

TEST_CASE("batched: an exception of the load reaches all its calls")
{
    small_world w;
    auto const handler = [&](keys const& of) { return w.fetch(of); };
    weir::pipeline svc{weir::timed_by{std::ref(w.world.clock())}, weir::within{w.jobs}, batched{itself, {.max_size = 3, .max_wait = 1h}},
                       weir::in_bulk<int>{}, handler};
    for (int const key : {13, 2, 3}) w.start(svc, key);
    w.world.run();
    CHECK(w.loads == std::vector<keys>{{13, 2, 3}});
    for (auto const& r : w.came) CHECK(r.error() == weir::errc::handler_threw);
}

TEST_CASE("batched: when all calls have left, the load is cancelled; when its scope is closed, a call carries it")
{
    small_world w;
    auto const handler = [&](keys const& of) { return w.fetch(of); };
    weir::pipeline svc{weir::timed_by{std::ref(w.world.clock())}, weir::within{w.jobs}, batched{itself, {.max_size = 2, .max_wait = 1h}},
                       weir::in_bulk<int>{}, handler};
    for (int const key : {1, 2}) w.start(svc, key);
    w.world.run_for(500ms);
    CHECK(w.jobs.size() == 1);
    w.signals[0].emit(asio::cancellation_type::terminal);
    w.world.run_for(0s);
    CHECK(w.jobs.size() == 1); // one still wants it
    w.signals[1].emit(asio::cancellation_type::terminal);
    w.world.run_for(0s);
    CHECK(w.jobs.size() == 0);
    CHECK(w.came[0].error() == weir::errc::cancelled);

    w.jobs.close();
    for (int const key : {3, 4}) w.start(svc, key);
    w.world.run();
    CHECK(w.came[2] == 30);
    CHECK(w.came[3] == 40);
    CHECK(w.loads.size() == 2);
}

TEST_CASE("batched: behind a cache the misses of a short time are one load")
{
    small_world w;
    auto const handler = [&](keys const& of) { return w.fetch(of); };
    weir::pipeline svc{weir::timed_by{std::ref(w.world.clock())},
                       weir::within{w.jobs},
                       weir::cached{weir::store<int, int>{{.capacity = 1'000, .ttl = 1h}}, itself},
                       batched{itself, {.max_size = 1'000, .max_wait = 2ms}},
                       weir::in_bulk<int>{},
                       handler};
    for (int i = 0; i < 1'000; ++i) w.start(svc, i % 100);
    w.world.run();
    REQUIRE(w.loads.size() == 1);
    CHECK(w.loads[0].size() == 100);
    for (std::size_t i = 0; i < w.came.size(); ++i) CHECK(w.came[i] == static_cast<int>(i % 100) * 10);
    auto const stats = svc.get<weir::batched>().stats();
    CHECK(stats.calls == 100);
    CHECK(stats.loads == 1);
    CHECK(stats.keys == 100);
    CHECK(stats.full == 0);
    w.start(svc, 7);
    CHECK(w.came.back() == 70);
}

TEST_CASE("batched: threads, each told the answer of its key, and no load above the greatest size")
{
    std::atomic<int> loads{0}, most{0};
    weir::pipeline svc{batched{itself, {.max_size = 3, .max_wait = 50us}}, weir::in_bulk<int>{}, [&](keys const& of) {
                           ++loads;
                           int const size = static_cast<int>(of.size());
                           for (int seen = most; size > seen && !most.compare_exchange_weak(seen, size);) {}
                           std::vector<weir::result<int>> all;
                           for (int const key : of) all.emplace_back(key * 10);
                           return all;
                       }};
    std::atomic<int> wrong{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&, t] {
            for (int i = 0; i < 300; ++i)
                if (svc(i + t) != (i + t) * 10) ++wrong;
        });
    for (int i = 0; i < 100; ++i) svc.get<weir::batched>().reconfigure({.max_size = 3, .max_wait = 1us * (i % 60)});
    for (auto& t : threads) t.join();
    CHECK(wrong == 0);
    CHECK(most <= 3);
    auto const stats = svc.get<weir::batched>().stats();
    CHECK(stats.calls == 1'200);
    CHECK(stats.loads == static_cast<std::uint64_t>(loads));
    CHECK(stats.waiting == 0);
}

TEST_CASE("batched: settings, statistics and description")
{
    weir::pipeline svc{batched{itself, {.max_size = 5, .max_wait = 0ns}}, weir::in_bulk<int>{},
                       [](keys const& of) { return std::vector<weir::result<int>>(of.size(), 1); }};
    CHECK(svc(7).value() == 1);
    CHECK(svc.get<weir::batched>().stats().keys == 1);
    CHECK(*svc.get<weir::batched>().settings().max_size == 5);
    CHECK_THROWS_WITH_AS(svc.get<weir::batched>().reconfigure({.max_size = 0}), "batched.max_size: expected a number in [1, 10'000]",
                         std::invalid_argument);
    CHECK_THROWS_WITH_AS(svc.get<weir::batched>().reconfigure({.max_size = 1, .max_wait = -1ns}), "batched.max_wait: expected 0 or more",
                         std::invalid_argument);
    CHECK(weir::describe(svc).text().find("max_size=5") != std::string::npos);
}
