// SPDX-License-Identifier: BSL-1.0
#include <weir/limit/adaptive_limit.hpp>

#include "../schedules.hpp"
#include "simulated_server.hpp"

#include <weir/core/describe.hpp>
#include <weir/core/directives.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/limit/codel.hpp>
#include <weir/limit/vegas.hpp>
#include <weir/testing/manual_clock.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;

/// Says limits that the test gives, and notes what it was told.
struct scripted {
    struct options {
        double to = 20;
    };
    static constexpr std::string_view name = "scripted";
    explicit scripted(options const& o) : said(o) {}
    double next(weir::load_window const& w, double limit)
    {
        windows->push_back(w);
        limits->push_back(limit);
        return said.to;
    }
    options settings() const { return said; }
    void reconfigure(options const& o) { said = o; }

    options said;
    std::vector<weir::load_window>* windows = nullptr;
    std::vector<double>* limits = nullptr;
};
struct probing : scripted {
    using scripted::scripted;
    void probed(weir::load_window const& w) { probes->push_back(w); }
    std::vector<weir::load_window>* probes = nullptr;
};

struct told {
    std::vector<weir::load_window> windows, probes;
    std::vector<double> limits;
    template<class Algorithm>
    Algorithm algorithm()
    {
        Algorithm a{{}};
        a.windows = &windows;
        a.limits = &limits;
        if constexpr (std::is_same_v<Algorithm, probing>) a.probes = &probes;
        return a;
    }
};

/// A call that is inside, by hand.
template<class Gate>
struct hand {
    Gate& gate;
    weir_test::simulated_call call{weir::time_point{1h}};
    bool enter(weir::time_point& began)
    {
        weir::waiter w;
        auto const a = gate.admit(call, w);
        if (a) began = a.permit();
        return a.is_admitted();
    }
    void leave(weir::time_point began, weir::result<int> const& outcome = 1) { gate.settle(began, outcome, call); }
    /// One call from beginning to end.
    void serve(weir::duration time)
    {
        weir::time_point began;
        REQUIRE(enter(began));
        call.time += time;
        leave(began);
    }
};

/// What the policy should tell its algorithm, by a list of all calls. One thread, no probes.
struct sampling_model {
    weir::adaptive_limit_options o;
    double limit = o.initial;
    struct sample {
        weir::time_point began, at;
        bool dropped;
        std::uint32_t inflight;
    };
    std::vector<sample> all{};
    bool begun = false;
    weir::time_point from{}, due{}, sank = weir::time_point::min();

    /// The window that is judged by this call, if any.
    bool ended(sample s, bool says, weir::load_window& w)
    {
        if (says) all.push_back(s);
        if (begun && s.at < due) return false;
        if (!begun) return begun = true, begin(s.at), false;
        w = {};
        w.length = s.at - from;
        std::int64_t rtt = 0, dropped_rtt = 0;
        for (sample const& each : all) {
            std::int64_t const time = (each.at - each.began).count();
            if (each.dropped && each.began >= sank) ++w.dropped, dropped_rtt += time;
            if (!each.dropped && each.began >= from) ++w.served, rtt += time;
            if (!each.dropped) ++w.ended;
            w.inflight = std::max(w.inflight, each.inflight);
        }
        if (w.served > 0) w.rtt = weir::duration(rtt / static_cast<std::int64_t>(w.served));
        if (w.dropped > 0) w.dropped_rtt = weir::duration(dropped_rtt / static_cast<std::int64_t>(w.dropped));
        if (w.served + w.dropped < o.window_calls || w.length < 3 * w.rtt) {
            due = s.at + o.window / 4;
            return false;
        }
        return true;
    }
    void begin(weir::time_point now)
    {
        all.clear();
        from = now;
        due = now + o.window;
    }
    void moves_to(double wanted, weir::time_point now)
    {
        double const bounded = std::min(std::max(wanted, 1.0 * o.floor), 1.0 * o.ceiling);
        if (bounded < limit) sank = now;
        limit = bounded;
        begin(now);
    }
};

std::string sampling_schedule(std::uint64_t seed)
{
    std::uint64_t state = seed;
    auto const below = [&](std::uint32_t n) { return static_cast<std::uint32_t>(weir::detail::splitmix64(state) >> 33) % n; };
    weir::adaptive_limit_options const o{
        .initial = 6, .floor = 2, .ceiling = 9, .window = 1ms * (1 + below(40)), .window_calls = 1 + below(8)};
    told heard;
    scripted algorithm = heard.algorithm<scripted>();
    using gate_type = weir::adaptive_limit<scripted, weir::fifo, weir::default_load_sign, weir::confined>;
    gate_type gate{algorithm, o};
    sampling_model model{o};
    hand<gate_type> h{gate};
    std::vector<weir::time_point> inside;
    for (int step = 0; step < 60; ++step) {
        h.call.time += 1ms * below(below(4) == 0 ? 40 : 3);
        if (below(2) == 0 || inside.empty()) {
            weir::time_point began;
            bool const room = inside.size() < static_cast<std::size_t>(model.limit);
            if (h.enter(began) != room) return "a place is not given, or one too many";
            if (room) inside.push_back(h.call.time);
            continue;
        }
        std::size_t const at = below(static_cast<std::uint32_t>(inside.size()));
        auto const began = inside[at];
        auto const inflight = static_cast<std::uint32_t>(inside.size());
        inside.erase(inside.begin() + static_cast<std::ptrdiff_t>(at));
        std::uint32_t const how = below(10);
        if (how == 0) {
            gate.cancel(began);
            continue;
        }
        double const wanted = below(12);
        gate.reconfigure_algorithm({wanted}); // if this call ends a window, the limit goes there
        weir::load_window expected;
        bool const dropped = how == 1 || how == 2, mistaken = how == 3;
        bool const judged = model.ended({began, h.call.time, dropped, inflight}, !mistaken, expected);
        h.leave(began, dropped    ? weir::result<int>(weir::errc::deadline_exceeded)
                       : mistaken ? weir::result<int>(weir::errc::invalid_request)
                                  : 1);
        if (judged != !heard.windows.empty()) return "a window is judged when it should not be, or is not";
        if (judged) {
            weir::load_window const& w = heard.windows.back();
            if (w.length != expected.length || w.served != expected.served || w.rtt != expected.rtt || w.ended != expected.ended ||
                w.dropped != expected.dropped || w.dropped_rtt != expected.dropped_rtt || w.inflight != expected.inflight)
                return "a window has other calls";
            if (heard.limits.back() != model.limit) return "the limit before";
            model.moves_to(wanted, h.call.time);
            heard.windows.clear();
        }
        if (gate.stats().limit != static_cast<std::uint64_t>(model.limit) || gate.stats().inside != inside.size()) return "the limit";
    }
    for (auto const began : inside) gate.cancel(began);
    return gate.stats().inside == 0 ? "" : "places are left";
}

} // namespace

TEST_CASE("adaptive_limit: tells its algorithm the calls that the model tells, whatever the schedule")
{
    for (std::uint64_t seed = weir_test::first_seed(), end = seed + weir_test::schedules(); seed < end; ++seed)
        if (std::string const wrong = sampling_schedule(seed); !wrong.empty()) FAIL("WEIR_SCHEDULES_SEED=" << seed << ": " << wrong);
}

TEST_CASE("adaptive_limit: a probe lets few calls in, measures those alone, and gives the places back")
{
    told heard;
    weir::adaptive_limit gate{
        heard.algorithm<probing>(),
        {.initial = 20, .floor = 10, .probe_limit = 3, .probe_every = 1s, .window = 10ms, .window_calls = 5, .seed = 4}};
    hand<decltype(gate)> h{gate};
    std::vector<weir::time_point> inside(19);
    for (auto& began : inside) CHECK(h.enter(began));
    while (gate.stats().probes == 0) h.serve(2ms); // the twentieth: the limit is felt
    CHECK(heard.windows.size() == 1);
    CHECK(gate.stats().limit == 3);
    weir::time_point began;
    CHECK_FALSE(h.enter(began));
    h.call.time += 5ms;
    for (; inside.size() > 2; inside.pop_back()) h.leave(inside.back()); // they took longer, and do not count
    for (int i = 0; i < 5; ++i) h.serve(4ms);
    REQUIRE(heard.probes.size() == 1);
    CHECK(heard.probes[0].served == 5);
    CHECK(heard.probes[0].rtt == 4ms);
    CHECK(heard.probes[0].inflight == 3);
    CHECK(gate.stats().limit == 20);
    CHECK(heard.windows.size() == 1);

    for (int i = 0; i < 400; ++i) h.serve(4ms); // another is due by now, but nobody feels the limit
    CHECK(gate.stats().probes == 1);
    while (inside.size() < 19) CHECK(h.enter(inside.emplace_back()));
    for (int i = 0; i < 40 && gate.stats().probes == 1; ++i) h.serve(4ms);
    CHECK(gate.stats().probes == 2);
    for (auto const each : inside) gate.cancel(each);
    CHECK(gate.stats().inside == 0);
}

TEST_CASE("adaptive_limit: the first probes come sooner, each after twice the time of the one before")
{
    told heard;
    weir::adaptive_limit gate{
        heard.algorithm<probing>(),
        {.initial = 1, .floor = 1, .ceiling = 1, .probe_limit = 1, .probe_every = 32s, .window = 10ms, .window_calls = 5, .seed = 4}};
    hand<decltype(gate)> h{gate};
    std::vector<weir::duration> pauses;
    weir::time_point last = h.call.time;
    for (int call = 0; call < 100'000 && pauses.size() < 9; ++call) {
        std::uint64_t const before = gate.stats().probes;
        h.serve(4ms);
        if (gate.stats().probes == before) continue;
        pauses.push_back(h.call.time - last);
        last = h.call.time;
    }
    REQUIRE(pauses.size() == 9);
    CHECK(pauses[0] < 100ms);
    for (std::size_t i = 1; i < pauses.size(); ++i) {
        weir::duration const pause = 1s * (1 << std::min<std::size_t>(i - 1, 5));
        CHECK(pauses[i] >= pause);
        CHECK(pauses[i] <= pause * 3 / 2 + 100ms);
    }
}

TEST_CASE("adaptive_limit: a probe ends in time also when nobody inside does")
{
    told heard;
    weir::adaptive_limit gate{heard.algorithm<probing>(), {.probe_limit = 1, .window = 10ms, .window_calls = 5}};
    hand<decltype(gate)> h{gate};
    std::vector<weir::time_point> inside(19);
    for (auto& began : inside) CHECK(h.enter(began));
    while (gate.stats().probes == 0) h.serve(2ms);
    weir::time_point began;
    h.call.time += 99ms;
    CHECK_FALSE(h.enter(began));
    CHECK(gate.stats().limit == 1);
    h.call.time += 1ms;
    CHECK_FALSE(h.enter(began)); // this one finds that the time is over
    CHECK(gate.stats().limit == 20);
    CHECK(h.enter(began));
    CHECK(heard.probes.empty());
}

TEST_CASE("adaptive_limit: the time that a call takes begins when it has its place")
{
    told heard;
    weir::adaptive_limit gate{
        heard.algorithm<scripted>(), {.initial = 1, .floor = 1, .window = 1ms, .window_calls = 1, .max_wait = 1h}, weir::codel{}};
    hand<decltype(gate)> h{gate};
    gate.reconfigure_algorithm({1});
    h.serve(1ms); // the first window begins
    weir::time_point began;
    CHECK(h.enter(began));
    weir::waiter w;
    CHECK(gate.admit(h.call, w).parked_until() == h.call.time + 1h);
    h.call.time += 1s;
    h.leave(began);
    auto const a = gate.resume(h.call, w);
    REQUIRE(a.is_admitted());
    CHECK(a.permit() == h.call.time);
    CHECK(heard.windows.size() == 0); // it lasts three times as long as a call takes at least
    h.call.time += 2ms;
    h.leave(a.permit());
    REQUIRE(heard.windows.size() == 0);
    h.call.time += 3s;
    for (int i = 0; i < 3000; ++i) h.serve(1ms);
    REQUIRE(heard.windows.size() >= 1);
    CHECK(heard.windows[0].served >= 2);
}

TEST_CASE("adaptive_limit: exceptions, mistakes and threads, and every place comes back")
{
    weir::adaptive_limit limit{
        weir::vegas{},
        {.initial = 3, .floor = 2, .ceiling = 6, .probe_limit = 1, .probe_every = 1ms, .window = 1ms, .window_calls = 1, .max_wait = 1h}};
    std::atomic<int> inside{0}, most{0};
    weir::pipeline svc{std::ref(limit), [&](int x) -> weir::result<int> {
                           int const now = ++inside;
                           for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {}
                           std::this_thread::yield();
                           --inside;
                           if (x % 7 == 0) throw std::runtime_error("no");
                           if (x % 5 == 0) return weir::errc::overloaded;
                           if (x % 11 == 0) return weir::errc::invalid_request;
                           return x;
                       }};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&] {
            for (int i = 1; i <= 2'000; ++i) try {
                    static_cast<void>(svc(i));
                } catch (std::runtime_error const&) {
                }
        });
    for (int i = 0; i < 200; ++i) {
        auto o = limit.settings();
        o.ceiling = 3 + static_cast<std::uint32_t>(i % 4);
        o.initial = 3;
        limit.reconfigure(o);
        static_cast<void>(limit.stats());
    }
    for (auto& t : threads) t.join();
    CHECK(most <= 6);
    CHECK(limit.stats().inside == 0);
    CHECK(limit.stats().waiting == 0);
    CHECK(limit.stats().dropped > 0);
}

TEST_CASE("adaptive_limit: settings, statistics and description")
{
    weir::manual_clock clock;
    weir::pipeline svc{weir::timed_by{std::ref(clock)}, weir::adaptive_limit{weir::vegas{}, {.initial = 30}, weir::codel{}},
                       [](int x) { return x; }};
    using limit = weir::adaptive_limit<weir::vegas, weir::codel>;
    CHECK(svc(3).value() == 3);
    auto& policy = svc.get<limit>();
    policy.reconfigure({.floor = 40, .ceiling = 50});
    CHECK(policy.stats().limit == 40); // it moves into the bounds
    CHECK(policy.settings().ceiling == 50);
    std::string fields;
    policy.stats().each([&](std::string_view field, auto) { fields.append(field) += ' '; });
    CHECK(fields == "limit inside waiting refused_total dropped_total windows_total probes_total rtt_seconds ");
    policy.reconfigure_algorithm({.alpha = 2, .beta = 4});
    CHECK(policy.algorithm_settings().beta == 4);
    policy.reconfigure_queue({.target = 1ms});
    CHECK(policy.queue_settings().target == 1ms);
    std::string const text = weir::describe(svc).text();
    for (char const* part : {"algorithm=\"vegas\"", "limit=40", "floor=40", "beta=4", "queue=\"codel\"", "target=1ms", "probe_limit=4"})
        CHECK(text.find(part) != std::string::npos);
    CHECK_THROWS_WITH_AS(policy.reconfigure({.floor = 0}), "adaptive_limit.floor: expected at least 1", std::invalid_argument);
    CHECK_THROWS_WITH_AS(policy.reconfigure({.floor = 100, .ceiling = 50}),
                         "adaptive_limit.ceiling: expected at least the floor and at most 1000000", std::invalid_argument);
    CHECK_THROWS_WITH_AS(weir::adaptive_limit(weir::vegas{}, {.initial = 5}),
                         "adaptive_limit.initial: expected from the floor to the ceiling", std::invalid_argument);
    CHECK_THROWS_WITH_AS(policy.reconfigure({.probe_limit = 0}), "adaptive_limit.probe_limit: expected at least 1", std::invalid_argument);
    CHECK_THROWS_WITH_AS(policy.reconfigure({.window = 0ms}), "adaptive_limit.window: expected 1 ms to an hour", std::invalid_argument);
    CHECK_THROWS_WITH_AS(policy.reconfigure_algorithm({.alpha = 0}), "vegas.alpha: expected more than 0", std::invalid_argument);
    CHECK(policy.settings().floor == 40);
}
