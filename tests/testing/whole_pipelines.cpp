// SPDX-License-Identifier: BSL-1.0
//
// Properties of policies together, in virtual time: whatever the upstream does and whoever gives up, no call is lost, no permit is kept, no
// limit is broken, and once the trouble is over there is a way out of every state.
#include <weir/testing/chaos.hpp>
#include <weir/testing/check_schedules.hpp>
#include <weir/testing/load.hpp>
#include <weir/testing/simulated_upstream.hpp>
#include <weir/testing/simulation.hpp>

#include <weir/core/observed.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/limit/gcra.hpp>
#include <weir/limit/rate_limit.hpp>
#include <weir/resilience/attempt_timeout.hpp>
#include <weir/resilience/bulkhead.hpp>
#include <weir/resilience/circuit_breaker.hpp>
#include <weir/resilience/retry.hpp>
#include <weir/resilience/timeout.hpp>

#include <boost/asio/cancellation_signal.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <deque>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

/// Whether what is admitted is settled or dropped, once, and the call ends once; and the story, if it is told.
class bookkeeper : public weir::story_of {
public:
    bookkeeper(weir::schedule& s, std::string who) : story_of(s, std::move(who)) {}
    using story_of::operator();
    void operator()(weir::event::admitted const& e)
    {
        ++inside_[e.at.index];
        story_of::operator()(e);
    }
    void operator()(weir::event::settled const& e)
    {
        --inside_[e.at.index];
        story_of::operator()(e);
    }
    void operator()(weir::event::parked const& e)
    {
        parked_[e.at.index] = true;
        story_of::operator()(e);
    }
    void operator()(weir::event::dropped const& e)
    {
        if (inside_[e.at.index] > 0)
            --inside_[e.at.index]; // else it was waiting there
        else if (!parked_[e.at.index])
            is_wrong_ = true;
        story_of::operator()(e);
    }
    void operator()(weir::event::ended const& e)
    {
        ++ended_;
        story_of::operator()(e);
    }
    [[nodiscard]] bool is_balanced() const
    {
        return !is_wrong_ && ended_ == 1 && std::ranges::all_of(inside_, [](int i) { return i == 0; });
    }

private:
    std::array<int, 16> inside_{};
    std::array<bool, 16> parked_{};
    int ended_ = 0;
    bool is_wrong_ = false;
};

struct settings {
    weir::gcra<>::options rate{.permits = 100, .per = 1s, .burst = 20};
    weir::bulkhead_options places{.max_concurrent = 4, .max_wait = 100ms, .max_waiting = 10};
    weir::circuit_breaker_options breaker{
        .failure_rate = 0.5, .window = 2s, .minimum_calls = 6, .open_for = 1s, .probes = 2, .probe_limit = 3s};
    weir::retry_options retries{.base = 20ms, .cap = 200ms, .budget = {.ratio = 0.2, .floor_per_second = 2, .window = 5s}};
    weir::duration attempt = 150ms;
    weir::duration total = 1s;
    weir::upstream_options upstream{};
    weir::chaos_options chaos{};
};

/// The outermost first: the whole call's time, repeats, their breaker, their rate, their places, an attempt's time, the trouble.
template<class Handler>
auto composed(weir::schedule& s, settings const& o, Handler handler)
{
    return weir::pipeline{weir::timed_by{std::ref(s.clock())},
                          weir::timeout{o.total},
                          weir::retry<3>{o.retries},
                          weir::circuit_breaker{o.breaker},
                          weir::rate_limit{weir::gcra{o.rate}},
                          weir::bulkhead{o.places},
                          weir::attempt_timeout{o.attempt},
                          weir::chaos{o.chaos, s},
                          weir::idempotent{handler}};
}

/// A pipeline with all of them, its upstream, and what has to be true of them.
class service {
public:
    service(weir::schedule& s, settings o) : s_(s), o_(with_seed(s, std::move(o))), upstream_(s, o_.upstream) {}

    asio::awaitable<void> call(std::uint64_t number)
    {
        ++begun;
        auto const told = std::make_shared<bookkeeper>(s_, s_.is_told() ? "call " + std::to_string(number) : std::string());
        weir::observed watched{pipeline_, std::ref(*told)};
        struct ending {
            service& of;
            bookkeeper& told;
            ~ending()
            {
                ++of.ended;
                of.s_.expect(told.is_balanced(), "every event of a call has its counterpart");
            }
        } const at_the_end{*this, *told};
        weir::time_point const start = s_.now();
        auto const outcome = co_await watched(number);
        succeeded += outcome.has_value() ? 1 : 0;
        last_succeeded = outcome.has_value();
        s_.expect(s_.now() - start <= o_.total, "no call takes longer than its timeout");
    }
    /// One call when there are no others: whether it succeeds.
    bool call_alone(weir::simulation& world)
    {
        last_succeeded = false;
        world.spawn(call(begun + 1));
        world.run_for(o_.total);
        return last_succeeded;
    }
    /// What has to be true when nothing is under way.
    void check_rest(weir::duration traffic)
    {
        s_.expect(begun == ended, "each call ends");
        auto const places = pipeline_.get<weir::bulkhead>().stats();
        s_.expect(places.inside == 0 && places.waiting == 0, "places come back");
        auto const retries = pipeline_.get<weir::retry>().stats();
        auto const& budget = o_.retries.budget;
        double const seconds = std::chrono::duration<double>(traffic + budget.window).count();
        s_.expect(static_cast<double>(retries.retries) <= budget.ratio * static_cast<double>(begun) + budget.floor_per_second * seconds,
                  "no more retries than the budget has");
        s_.expect(handled <= begun + retries.retries, "the handler runs once a call and once a retry at most");
    }

    std::uint64_t begun = 0, ended = 0, succeeded = 0, handled = 0;
    bool last_succeeded = false;
    [[nodiscard]] weir::simulated_upstream& upstream() { return upstream_; }
    [[nodiscard]] auto retries() { return pipeline_.get<weir::retry>().stats(); }
    [[nodiscard]] auto breaker() { return pipeline_.get<weir::circuit_breaker>().stats(s_.now()); }
    void peace()
    {
        upstream_.reconfigure({});
        pipeline_.get<weir::chaos>().reconfigure({});
    }

private:
    static settings with_seed(weir::schedule& s, settings o)
    {
        o.retries.seed = s.seed();
        return o;
    }
    struct handler {
        service& of;
        asio::awaitable<weir::result<int>> operator()(std::uint64_t const&) const
        {
            service& me = of;
            ++me.handled;
            me.count_inside();
            struct leaving {
                service& of;
                ~leaving() { --of.inside_; }
            } const guard{me};
            auto const served = co_await me.upstream_.serve();
            if (served.has_error()) co_return served.error();
            co_return 1;
        }
    };
    void count_inside()
    {
        s_.expect(++inside_ <= *o_.places.max_concurrent, "never more calls inside than there are places");
        // Any `burst` + n calls in a row span at least n intervals.
        came_.push_back(s_.now());
        auto const burst = static_cast<std::size_t>(o_.rate.burst);
        auto const interval = o_.rate.per / static_cast<std::int64_t>(*o_.rate.permits);
        if (came_.size() > burst) {
            for (std::size_t n = 1; n + burst <= came_.size(); n *= 2)
                s_.expect(came_.back() - came_[came_.size() - burst - n] + o_.places.max_wait + o_.chaos.max_latency >=
                              interval * static_cast<std::int64_t>(n),
                          "never more calls than the limit, and those that waited behind it");
            if (came_.size() > 1'000) came_.pop_front();
        }
    }

    weir::schedule& s_;
    settings o_;
    weir::simulated_upstream upstream_;
    std::uint32_t inside_ = 0;
    std::deque<weir::time_point> came_;

    decltype(composed(std::declval<weir::schedule&>(), std::declval<settings const&>(), std::declval<handler>())) pipeline_{
        composed(s_, o_, handler{*this})};
};

/// After the trouble there is a way out: when the breaker's open time, and that of probes that never came back, are over, every call
/// succeeds, however seldom they come.
void check_recovery(weir::schedule& s, service& svc, weir::simulation& world, settings const& o)
{
    s.tell("world", "peace");
    svc.peace();
    world.run_for(o.breaker.open_for + o.breaker.probe_limit);
    static_cast<void>(svc.call_alone(world)); // it finds probes that never came back, and opens for the last time
    world.run_for(o.breaker.open_for);
    for (std::uint32_t i = 0; i < o.breaker.probes + 2; ++i) {
        s.expect(svc.call_alone(world), "once the trouble is over every call succeeds");
        world.run_for(s.between(0s, 20s));
    }
    s.expect(svc.breaker().now == weir::breaker_state::closed, "once the trouble is over the breaker closes");
}

/// Some traffic, whatever may go wrong, callers who give up.
void some_traffic(weir::schedule& s)
{
    settings o;
    o.places.max_concurrent = static_cast<std::uint32_t>(s.between(1, 4));
    o.places.max_wait = s.chance(0.5) ? s.between(1ms, 100ms) : 0ms;
    o.rate.burst = s.between(1, 20);
    o.breaker.minimum_calls = static_cast<std::uint32_t>(s.between(1, 8));
    o.upstream = {.takes = weir::latency::log_normal(s.between(1ms, 60ms), 0.7),
                  .workers = static_cast<std::uint32_t>(s.draw(5)),
                  .failure_rate = s.chance(0.5) ? 0.3 : 0,
                  .hang_rate = s.chance(0.3) ? 0.1 : 0,
                  .works_on = s.chance(0.5)};
    if (s.chance(0.7))
        o.upstream.outages.push_back(
            {.kind = static_cast<weir::outage_kind>(s.draw(4)), .begins = s.between(0ms, 1s), .lasts = s.between(1ms, 2s)});
    if (s.chance(0.5)) o.chaos = {.latency_rate = 0.1, .min_latency = 1ms, .max_latency = 300ms, .fault_rate = 0.1, .drop_rate = 0.1};
    service svc(s, o);
    std::deque<asio::cancellation_signal> signals;
    weir::time_point const start = s.now();
    weir::simulation world(s);
    auto const calls_at = [&](std::uint64_t number, weir::duration when, weir::duration gives_up) -> asio::awaitable<void> {
        co_await weir::sleep(s, when);
        auto& signal = signals.emplace_back();
        world.spawn(svc.call(number), signal.slot());
        if (gives_up == 0ms) co_return;
        co_await weir::sleep(s, gives_up);
        s.tell("call " + std::to_string(number), "its caller gives up");
        signal.emit(asio::cancellation_type::terminal);
    };
    for (std::uint64_t number = 1; number <= 40 && s.chance(0.97); ++number)
        world.spawn(calls_at(number, s.between(0ms, 2s), s.chance(0.15) ? s.between(1ns, 200ms) : 0ms));
    world.run();
    svc.check_rest(s.now() - start);
    check_recovery(s, svc, world, o);
}

} // namespace

TEST_CASE("whole pipelines: whatever goes wrong, no call, permit or event is lost, limits hold, and it recovers")
{
#ifdef WEIR_SANITIZED
    constexpr std::uint64_t schedules = 100;
#else
    constexpr std::uint64_t schedules = 1'000;
#endif
    auto const report = weir::check_schedules({.schedules = schedules}, some_traffic);
    REQUIRE_MESSAGE(report, report.text());
}

TEST_CASE("whole pipelines: an hour of traffic with an outage of each kind")
{
    weir::schedule s(42);
    settings o;
    o.upstream = {.takes = weir::latency::log_normal(20ms, 0.5),
                  .workers = 4,
                  .outages = {{.kind = weir::outage_kind::refuses, .begins = 10min, .lasts = 1min},
                              {.kind = weir::outage_kind::fails, .begins = 20min, .lasts = 1min},
                              {.kind = weir::outage_kind::hangs, .begins = 30min, .lasts = 1min},
                              {.kind = weir::outage_kind::slows, .begins = 40min, .lasts = 1min, .slower = 20}}};
    service svc(s, o);
    std::array<std::uint64_t, 60> calls{}, good{};
    weir::time_point const start = s.now();
    weir::simulation world(s);
    weir::offer_load(world, {{.per_second = 20, .lasts = 1h}}, [&](std::uint64_t number) -> asio::awaitable<void> {
        auto const minute = static_cast<std::size_t>((s.now() - start) / 1min);
        std::uint64_t const before = svc.succeeded;
        co_await svc.call(number);
        ++calls[minute];
        good[minute] += svc.last_succeeded && svc.succeeded > before ? 1 : 0;
    });
    world.run();
    svc.check_rest(1h);
    CHECK(s.why() == "");
    CHECK(svc.begun > 71'000);
    for (std::size_t minute = 0; minute < 60; ++minute) {
        bool const outage = minute == 10 || minute == 20 || minute == 30 || minute == 40;
        INFO("minute ", minute, ": ", good[minute], " of ", calls[minute]);
        if (outage)
            CHECK(good[minute] * 10 < calls[minute] * 3);
        else if (minute % 10 != 1) // the breaker may be open for a moment after each outage
            CHECK(good[minute] * 1'000 > calls[minute] * 985);
    }
    // During an outage the breaker keeps calls away: the handler sees a few probes only.
    CHECK(svc.handled < svc.begun - 3 * 1'000);
    CHECK(svc.breaker().opened >= 4);
    CHECK(svc.retries().retries < svc.begun / 20);
    check_recovery(s, svc, world, o);
    CHECK(s.why() == "");
}
