// SPDX-License-Identifier: BSL-1.0
// Lesson 14: threads of their own for what blocks, and answers that get simpler as the load grows.
//
// `isolate` runs the inside of a pipeline on a pool: a handler that hangs takes the pool's threads and no others, and its callers are released at
// their deadline. `load_shed` refuses the least important calls first while the process is overloaded. A switchboard says how far each
// service is degraded, by an operator's hand, by a file or by the load, and `degrade` does what it says. `shadow` tries a policy without it.
#include "lesson.hpp"

#include <weir/cache/cached.hpp>
#include <weir/cache/store.hpp>
#include <weir/core/directives.hpp>
#include <weir/core/key.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/core/priority.hpp>
#include <weir/limit/gcra.hpp>
#include <weir/limit/rate_limit.hpp>
#include <weir/resilience/degrade.hpp>
#include <weir/resilience/fallback.hpp>
#include <weir/resilience/isolate.hpp>
#include <weir/resilience/load_shed.hpp>
#include <weir/resilience/presets.hpp>
#include <weir/resilience/shadow.hpp>
#include <weir/testing/manual_clock.hpp>

#include <functional>
#include <semaphore>
#include <string_view>
#include <thread>
#include <utility>

using namespace std::chrono_literals;
using level = weir::priority::level;

namespace {

struct order {
    int symbol = 0;
    level importance = level::normal;
};

/// Says how much a call matters: here the request does, in a service a header, a route or the principal may.
struct reads_importance {
    using role = weir::gate;
    using provides = weir::facets<weir::priority>;
    static constexpr std::string_view name = "reads_importance";
    weir::admission<> admit(auto& call)
    {
        call.set(weir::priority{call.request().importance});
        return weir::admitted;
    }
};

void isolation(lesson& l)
{
    std::counting_semaphore<> answers{0};
    std::thread::id on{};
    auto const hangs = [&](int x) {
        on = std::this_thread::get_id();
        if (x == 0) answers.acquire(); // a driver without a timeout of its own
        return x;
    };
    // Without isolate this does not compile: nothing interrupts a function.
    weir::pipeline svc{weir::timeout{20ms}, weir::isolate{{.core_size = 1, .max_queue = 1}}, hangs};
    auto const late = svc(0);
    l.shows("a caller is released at its deadline, though the handler hangs",
            late.has_error() && late.error() == weir::errc::deadline_exceeded);
    answers.release();
    while (svc(1).has_error()) {} // as soon as the thread is back
    l.shows("the handler runs on another thread", on != std::this_thread::get_id());
    // The pipeline's end waits for what its callers have left behind.
}

void shedding(lesson& l)
{
    weir::manual_clock clock;
    weir::load_gauge gauge; // in a service fed by cgroup_cpu and lag_probe, on a timer
    int nested = 0, refused = 0;
    std::function<void()> meanwhile = [&] { clock.advance(1ms); };
    weir::pipeline svc{weir::timed_by{std::ref(clock)}, reads_importance{},
                       weir::load_shed{gauge, {.window = 50ms, .shares = {1, 1, 0.5, 0}}, weir::by<weir::priority>}, [&](order const& o) {
                           if (auto const run = std::exchange(meanwhile, nullptr)) run();
                           return o.symbol;
                       }};
    static_cast<void>(svc(order{}));
    clock.advance(2ms);
    gauge.cpu_is(0.97);
    meanwhile = [&] {
        ++nested;
        refused += svc(order{1, level::batch}).has_error();
    };
    l.shows("one call at a time is never refused, however high the load", svc(order{1, level::batch}).has_value() && nested == 1);
    l.shows("a second one is, as nobody waits for it", refused == 1);
}

void degradation(lesson& l)
{
    weir::manual_clock clock;
    weir::switchboard board({"quotes"}, {.hold = 30s});
    weir::store<int, int> kept{{.capacity = 100, .ttl = 1s, .keep_stale = 1h}};
    int asked = 0;
    weir::pipeline quotes{weir::timed_by{std::ref(clock)},
                          reads_importance{},
                          weir::fallback{[&](order const& o, weir::error why) -> weir::result<int> {
                              auto const stale = kept.find_stale(o.symbol, clock.now());
                              if (stale) return *stale;
                              return why;
                          }},
                          weir::cached{std::ref(kept), weir::keyed_by(&order::symbol)},
                          weir::degrade{board, "quotes", weir::by<weir::priority>},
                          [&](order const& o) {
                              ++asked;
                              return o.symbol * 10;
                          }};
    static_cast<void>(quotes(order{7}));
    clock.advance(2s); // what is in the cache is out of date

    board.need("quotes", weir::service_level::stale, clock.now()); // by load: up at once
    auto const old = quotes.call(order{7});
    l.shows("with the level `stale` the cache's old answer serves", old.has_value() && *old.result() == 70 && asked == 1);
    l.shows("and the caller learns of it", old.reported<weir::degraded>().has_value());
    clock.advance(30s);
    board.need("quotes", weir::service_level::normal, clock.now());
    l.shows("after a while without the need it goes down by one", board.level("quotes") == weir::service_level::shed_minor);
    l.shows("what is minor is shed, the rest is served", quotes(order{8, level::batch}).has_error() && quotes(order{9}).has_value());
    board.set("quotes", weir::service_level::normal);
    l.shows("an operator's hand overrules", quotes(order{8, level::batch}).has_value());
}

void rollout(lesson& l)
{
    weir::manual_clock clock;
    weir::pipeline svc{weir::timed_by{std::ref(clock)}, weir::shadow{weir::rate_limit{weir::gcra{{.permits = 10, .per = 1s, .burst = 5}}}},
                       [](int x) { return x; }};
    int served = 0;
    for (int i = 0; i < 8; ++i) served += svc(i).has_value();
    l.shows("a shadowed limit refuses nobody", served == 8);
    l.shows("and says whom it would have refused", svc.get<weir::shadow>().stats().would_refuse == 3);

    // A preset is a stack that a function returns.
    weir::pipeline client{weir::client_standard(), weir::isolate{{.core_size = 2}}, weir::idempotent{[](int x) { return x + 1; }}};
    l.shows("a preset around a blocking handler", client(1).has_value());
}

} // namespace

int main()
{
    lesson fourteen("Isolation and degradation");
    isolation(fourteen);
    shedding(fourteen);
    degradation(fourteen);
    rollout(fourteen);
    return fourteen.exit_status();
}
