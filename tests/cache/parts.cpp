// SPDX-License-Identifier: BSL-1.0
//
// What the parts of a cache are asked, and what the cache makes of their answers: in synchronous pipelines, in asynchronous ones, and in
// those that can fork.
#include <weir/cache/parts.hpp>

#include <weir/asio.hpp>
#include <weir/cache/cached.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/testing/simulation.hpp>

#include "histories.hpp"

#include <boost/asio/awaitable.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

using store = weir::store<int, int>;
constexpr auto itself = weir::keyed_by<int>([](int n) { return n; });
constexpr weir::store_options lasting{.capacity = 100, .ttl = 10s, .jitter = 0, .negative_ttl = 5s, .keep_stale = 1h};

/// Parts that do what a test says, and note what they were told.
struct wants {
    bool now = false;
    int asked = 0;
    bool wants_refresh(weir::hit_facts const&) { return ++asked, now; }
};
struct rescues {
    weir::duration age = 1min;
    std::vector<weir::errc> failures{};
    weir::duration stale_for(weir::load_failure const& f) { return failures.push_back(f.why.kind()), age; }
};
struct holds_back {
    bool now = false;
    bool spares_load(weir::load_ahead const&) const { return now; }
};
struct hurries {
    weir::duration patience() const { return 100ms; }
};
struct notes {
    std::vector<weir::load_report> loads{};
    std::vector<std::uint64_t> misses{};
    void load_ended(weir::load_report const& r) { loads.push_back(r); }
    void missed(weir::time_point, auto const& stats, auto const&) { misses.push_back(stats().misses); }
};
struct below {
    int limit = 100;
    bool may_exist(int key) const { return key < limit; }
};
struct even_only {
    bool keeps(int value) const { return value % 2 == 0; }
};
struct rule {
    bool holds = true;
    bool is_valid(int, int, weir::time_point) const { return holds; }
};

struct holds_refreshes {
    bool allowed = true;
    std::vector<std::uint64_t> keys{};
    bool may_refresh(weir::load_ahead const& ahead) { return keys.push_back(ahead.key), allowed; }
};
/// Wants each hit loaded anew, while something happens.
struct wants_meanwhile {
    std::function<void()> happens;
    bool wants_refresh(weir::hit_facts const&) const { return happens(), true; }
};

static_assert(weir::refresh_throttle<holds_refreshes> && !weir::refresh_throttle<wants>);
static_assert(weir::freshness_strategy<wants> && !weir::freshness_strategy<rescues>);
static_assert(weir::failure_strategy<rescues> && !weir::failure_strategy<wants>);
static_assert(weir::load_throttle<holds_back> && weir::soft_limit<hurries> && weir::load_watcher<notes> && weir::miss_watcher<notes>);
static_assert(weir::guard_of<below, int> && weir::keep_rule<even_only, int> && weir::validity_rule<rule, int, int>);

/// A handler that answers what the test says: a number, an error, or an exception.
struct source {
    int asked = 0;
    int value = 1;
    std::optional<weir::errc> fails{};
    bool throws = false;
    weir::result<int> operator()(int)
    {
        ++asked;
        if (throws) throw std::runtime_error("unlucky");
        if (fails) return *fails;
        return value;
    }
};
template<class... Part>
auto around(weir::manual_clock& clock, source& from, Part&... parts)
{
    return weir::pipeline{weir::timed_by{std::ref(clock)}, weir::cached{store{lasting}, itself, std::ref(parts)...}, std::ref(from)};
}
constexpr int failed = -1;
int told(weir::result<int> const& r)
{
    return r.has_value() ? *r : failed;
}

} // namespace

TEST_CASE("parts: a draw is above zero and at most one")
{
    weir::hit_facts const fixed;
    CHECK(fixed.draw() == 1.0);
    std::uint64_t zero = 0;
    weir::hit_facts const least(&zero, [](void* p, weir::hit_facts::question) { return *static_cast<std::uint64_t*>(p); });
    CHECK(least.draw() > 0);
}

TEST_CASE("parts: what throttles refreshes is asked when one is about to begin, and leaves the value as it is")
{
    weir::manual_clock clock;
    source from;
    wants fresh;
    holds_refreshes first, second;
    auto svc = around(clock, from, fresh, first, second);
    CHECK(told(svc(1)) == 1);
    from.value = 2;
    CHECK(told(svc(1)) == 1);
    CHECK(first.keys.empty()); // nobody wanted one
    fresh.now = true;
    first.allowed = false;
    CHECK(told(svc(1)) == 1);
    CHECK(first.keys.size() == 1);
    CHECK(second.keys.empty());
    CHECK(from.asked == 1);
    first.allowed = true;
    CHECK(told(svc(1)) == 2);
    CHECK(second.keys == std::vector{first.keys.back()});
    CHECK(svc.get<weir::cached>().stats().refreshes == 1);
}

TEST_CASE("parts: a refresh that another call has made meanwhile is not made again")
{
    weir::manual_clock clock;
    source from;
    wants_meanwhile fresh;
    auto svc = around(clock, from, fresh);
    auto& cache = svc.get<weir::cached>();
    CHECK(told(svc(1)) == 1);
    clock.advance(9s);
    fresh.happens = [&] { cache.put(1, 7, clock.now()); };
    CHECK(told(svc(1)) == 7);
    CHECK(from.asked == 1);
    CHECK(cache.stats().hits == 1);
    fresh.happens = [] {};
    from.value = 3;
    CHECK(told(svc(1)) == 3);
    CHECK(cache.stats().refreshes == 1);
}

TEST_CASE("parts: guards are asked in order on a miss, and any of them may refuse")
{
    weir::manual_clock clock;
    source from;
    below first{50};
    below second{10};
    auto svc = around(clock, from, first, second);
    CHECK(told(svc(1)) == 1);
    CHECK(svc(20).error() == weir::errc::not_found);
    CHECK(svc(70).error() == weir::errc::not_found);
    CHECK(from.asked == 1);
    CHECK(svc.get<weir::cached>().stats().spared == 2);
    CHECK(&svc.get<weir::cached>().guard() == &first);
    CHECK(&svc.get<weir::cached>().part<below>() == &first);
    first.limit = 0;
    CHECK(told(svc(1)) == 1); // a hit asks nobody
}

TEST_CASE("parts: the population is told by the first guard that knows it")
{
    struct census : below {
        std::size_t population() const { return 42; }
    };
    weir::manual_clock clock;
    source from;
    below first{50};
    census second{{50}};
    auto svc = around(clock, from, first, second);
    CHECK(svc.get<weir::cached>().stats().population == 42);
}

TEST_CASE("parts: without forks the call that is told to refresh loads, and a failure leaves the value")
{
    weir::manual_clock clock;
    source from;
    wants fresh;
    auto svc = around(clock, from, fresh);
    CHECK(told(svc(1)) == 1);
    CHECK(fresh.asked == 0); // a miss is no hit
    from.value = 2;
    CHECK(told(svc(1)) == 1);
    fresh.now = true;
    CHECK(told(svc(1)) == 2);
    CHECK(from.asked == 2);
    from.fails = weir::errc::upstream_failed;
    CHECK(told(svc(1)) == 2);
    from.throws = true;
    CHECK(told(svc(1)) == 2);
    weir::cached_stats const s = svc.get<weir::cached>().stats();
    CHECK(s.refreshes == 3);
    CHECK(s.loads == 4);
    CHECK(s.failed_loads == 2);
    CHECK(s.misses == 1);
    CHECK(s.hits == 4);
    clock.advance(10s);
    CHECK_THROWS_AS(svc(1), std::runtime_error);
}

TEST_CASE("parts: a failure is answered with what is out of date, no older than the strategy says, and the reply tells")
{
    weir::manual_clock clock;
    source from;
    rescues late;
    auto svc = around(clock, from, late);
    CHECK(told(svc(1)) == 1);
    clock.advance(15s);
    from.fails = weir::errc::upstream_failed;
    auto const reply = svc.call(1);
    CHECK(told(reply.result()) == 1);
    REQUIRE(reply.reported<weir::stale>());
    CHECK(reply.reported<weir::stale>()->by == 5s);
    CHECK(reply.reported<weir::stale>()->why == weir::errc::upstream_failed);
    from.throws = true;
    CHECK(told(svc(1)) == 1);
    CHECK(late.failures == std::vector{weir::errc::upstream_failed, weir::errc::handler_threw});
    clock.advance(56s);
    CHECK_THROWS_AS(svc(1), std::runtime_error);
    from.throws = false;
    auto const fails = svc.call(1);
    CHECK(fails.result().error() == weir::errc::upstream_failed);
    CHECK_FALSE(fails.reported<weir::stale>());
    from.fails = weir::errc::not_found;
    CHECK(svc(1).error() == weir::errc::not_found); // that is an answer
    weir::cached_stats const s = svc.get<weir::cached>().stats();
    CHECK(s.stale_answers == 2);
    CHECK(s.hits == 0);
    CHECK(s.misses == 6);
}

TEST_CASE("parts: a load that is held back is answered with what is out of date, if there is something")
{
    weir::manual_clock clock;
    source from;
    holds_back hold;
    auto svc = around(clock, from, hold);
    hold.now = true;
    CHECK(told(svc(1)) == 1); // there is nothing: it loads
    clock.advance(11s);
    auto const reply = svc.call(1);
    CHECK(told(reply.result()) == 1);
    CHECK(reply.reported<weir::stale>()->by == 1s);
    CHECK(from.asked == 1);
    hold.now = false;
    from.value = 2;
    CHECK(told(svc(1)) == 2);
}

TEST_CASE("parts: what a rule does not keep is loaded each time; what does not hold any more is a miss")
{
    weir::manual_clock clock;
    source from;
    even_only even;
    rule good;
    auto svc = around(clock, from, even, good);
    for (int i = 0; i < 2; ++i) CHECK(told(svc(1)) == 1);
    CHECK(from.asked == 2);
    from.value = 2;
    for (int i = 0; i < 2; ++i) CHECK(told(svc(1)) == 2);
    CHECK(from.asked == 3);
    good.holds = false;
    from.value = 4;
    CHECK(told(svc(1)) == 4);
    CHECK(svc.get<weir::cached>().stats().outdated == 1); // it does not hold as it comes, either
    good.holds = true;
    CHECK(told(svc(1)) == 2);
    CHECK(svc.get<weir::cached>().stats().invalid == 1);
    CHECK(svc.get<weir::cached>().stats().hits == 2);
    CHECK(svc.get<weir::cached>().stats().misses == 4);
}

TEST_CASE("parts: a watcher hears of each load and each miss")
{
    weir::manual_clock clock;
    source from;
    notes log;
    auto svc = around(clock, from, log);
    static_cast<void>(svc(1));
    from.fails = weir::errc::overloaded;
    static_cast<void>(svc(2));
    from.fails = weir::errc::not_found;
    static_cast<void>(svc(3));
    REQUIRE(log.loads.size() == 3);
    CHECK_FALSE(log.loads[0].failed);
    CHECK(log.loads[1].failed);
    CHECK(log.loads[1].why == weir::errc::overloaded);
    CHECK_FALSE(log.loads[2].failed);
    CHECK(log.loads[0].key != log.loads[1].key);
    CHECK(log.misses == std::vector<std::uint64_t>{1, 2, 3});
}

TEST_CASE("parts: a refusal from further in is given to all, and never kept; nor is a value that the classifier calls a failure")
{
    weir::manual_clock clock;
    int asked = 0;
    auto const refuses = [&](int) -> weir::result<int> { return ++asked, weir::errc::overloaded; };
    weir::pipeline svc{weir::timed_by{std::ref(clock)}, weir::cached{store{lasting}, itself}, refuses};
    for (int i = 0; i < 3; ++i) CHECK(svc(1).error() == weir::errc::overloaded);
    CHECK(asked == 3);
    CHECK(svc.get<weir::cached>().store().size() == 0);

    auto const says_500 = [&](int) -> weir::result<int> { return ++asked, 500; };
    weir::pipeline judged{weir::timed_by{std::ref(clock)}, weir::classify{[](int status) { return status >= 500; }},
                          weir::cached{store{lasting}, itself}, says_500};
    for (int i = 0; i < 3; ++i) CHECK(told(judged(1)) == 500);
    CHECK(asked == 6);
    CHECK(judged.get<weir::cached>().stats().failed_loads == 3);
}

namespace {

using handler = std::function<asio::awaitable<weir::result<int>>(int)>;

/// A part for all seasons: then the pipelines are of one type, and compiled once.
struct moods {
    bool refresh = false;
    std::function<bool()> chance = [] { return false; };
    weir::duration stale{};
    weir::duration waits = weir::duration::max();
    int failures = 0;
    bool wants_refresh(weir::hit_facts const&) const { return refresh || chance(); }
    weir::duration stale_for(weir::load_failure const&) { return ++failures, stale; }
    weir::duration patience() const { return waits; }
};

/// Callers of one pipeline in virtual time; a load takes a second, and its number is its value.
struct scene {
    asio::awaitable<weir::result<int>> load(int)
    {
        int const number = ++loads;
        co_await world.sleep(1s);
        if (fails) co_return weir::errc::upstream_failed;
        co_return number;
    }
    asio::awaitable<void> ask(int key, std::optional<int>& to, bool& is_stale)
    {
        auto const reply = co_await svc.call(key);
        to = told(reply.result());
        is_stale = reply.reported<weir::stale>().has_value();
    }
    std::size_t start(int key)
    {
        world.spawn(ask(key, came.emplace_back(), stale.emplace_back()));
        world.run_for(0s);
        return came.size() - 1;
    }
    weir::cached_stats stats() { return svc.get<weir::cached>().stats(); }

    weir::scope jobs;
    weir::simulation world;
    moods mood;
    int loads = 0;
    bool fails = false;
    std::deque<std::optional<int>> came;
    std::deque<bool> stale;
    weir::pipeline<weir::stack<weir::within, weir::timed_by<std::reference_wrapper<weir::manual_clock>>,
                               weir::cached<store, std::remove_const_t<decltype(itself)>, std::reference_wrapper<moods>>>,
                   handler>
        svc{weir::within{jobs}, weir::timed_by{std::ref(world.clock())}, weir::cached{store{lasting}, itself, std::ref(mood)},
            handler([this](int key) { return load(key); })};
};

} // namespace

TEST_CASE("parts: in a pipeline that forks a refresh runs beside the calls, one a key, and nobody waits for it")
{
    scene s;
    s.start(1);
    s.world.run();
    s.mood.refresh = true;
    for (int i = 0; i < 100; ++i) s.start(1);
    for (std::size_t i = 1; i <= 100; ++i) CHECK(s.came[i] == 1); // at once
    CHECK(s.loads == 2);
    CHECK(s.jobs.size() == 1);
    s.world.run_for(1s);
    s.mood.refresh = false;
    CHECK(s.jobs.size() == 0);
    CHECK(s.came[s.start(1)] == 2);
    CHECK(s.stats().refreshes == 1);
    CHECK(s.stats().loads == 2);
    CHECK(s.stats().hits == 101);
}

TEST_CASE("parts: a refresh that fails leaves the value, and one that outlives the value is joined")
{
    scene s;
    s.start(1);
    s.world.run();
    s.fails = true;
    s.mood.refresh = true;
    s.start(1);
    s.world.run_for(2s);
    s.mood.refresh = false;
    CHECK(s.loads == 2);
    CHECK(s.came[s.start(1)] == 1);

    s.fails = false;
    s.world.run_for(7s + 500ms);
    s.mood.refresh = true;
    s.start(1);
    s.mood.refresh = false;
    s.world.run_for(800ms); // now it is out of date
    std::size_t const joins = s.start(1);
    CHECK_FALSE(s.came[joins]);
    CHECK(s.loads == 3);
    s.world.run();
    CHECK(s.came[joins] == 3);
    CHECK(s.loads == 3);
}

TEST_CASE("parts: a closed scope takes no refresh; the value is answered all the same")
{
    scene s;
    s.start(1);
    s.world.run();
    s.mood.refresh = true;
    s.jobs.close();
    CHECK(s.came[s.start(1)] == 1);
    CHECK(s.came[s.start(1)] == 1);
    CHECK(s.loads == 1);
}

TEST_CASE("parts: all who waited get the answer that is out of date, and each is told so")
{
    scene s;
    s.mood.stale = 1min;
    s.start(1);
    s.world.run_for(12s);
    s.fails = true;
    for (int i = 0; i < 10; ++i) s.start(1);
    s.world.run();
    CHECK(s.loads == 2);
    for (std::size_t i = 1; i <= 10; ++i) {
        CHECK(s.came[i] == 1);
        CHECK(s.stale[i]);
    }
    CHECK_FALSE(s.stale[0]);
    CHECK(s.mood.failures == 1);
}

TEST_CASE("parts: who has waited long enough takes what is out of date, and the load goes on without anybody")
{
    scene s;
    s.mood.waits = 100ms;
    std::size_t const first = s.start(1);
    s.world.run_for(500ms);
    CHECK_FALSE(s.came[first]); // nothing is there to be taken
    s.world.run_for(11s);
    CHECK(s.came[first] == 1);
    std::size_t const second = s.start(1);
    s.world.run_for(50ms);
    std::size_t const third = s.start(1);
    s.world.run_for(50ms);
    CHECK(s.came[second] == 1);
    CHECK(s.stale[second]);
    CHECK_FALSE(s.came[third]);
    s.world.run_for(50ms);
    CHECK(s.came[third] == 1);
    CHECK(s.loads == 2);
    s.world.run_for(1s);
    CHECK(s.came[s.start(1)] == 2);
    CHECK_FALSE(s.stale.back());
    CHECK(s.loads == 2);
    CHECK(s.stats().stale_answers == 2);
}

TEST_CASE("parts: random schedules of calls, refreshes, failures, cancellations and erasures during loads that are forks")
{
    auto const report =
        weir::check_schedules({.seed = weir_test::first_seed(), .schedules = weir_test::schedules() / 20}, [](weir::schedule& s) {
            weir::scope jobs;
            moods mood;
            mood.chance = [&s] { return s.chance(0.3); };
            weir_test::cache_history history(s);
            decltype(scene::svc) svc{weir::within{jobs}, weir::timed_by{std::ref(s.clock())},
                                     weir::cached{store{lasting}, itself, std::ref(mood)}, history.handler()};
            weir::simulation world(s);
            history.run(svc, world);
            s.expect(jobs.size() == 0, "nothing is left in the scope");
        });
    CHECK_MESSAGE(report, report.text());
}
