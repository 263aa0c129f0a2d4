// SPDX-License-Identifier: BSL-1.0
// Lesson 16: what goes wrong with caches, and the part of a `cached` that answers it.
//
// A cache that works well hides its source so well that the source is small. Then somebody asks for what does not exist (penetration), all
// entries expire at once (an avalanche), the one that everybody wants expires (a hot key), or the source fails. Each has its part, one line
// each, and each part can be left out.
#include "lesson.hpp"

#include <weir/testing/manual_clock.hpp>
#include <weir/weir.hpp>

#include <functional>
#include <string>
#include <vector>

using namespace std::chrono_literals;

namespace {

struct question {
    std::string symbol;
    weir::request_context* context = nullptr;
};

} // namespace

int main()
{
    lesson sixteen("The caches' troubles, and their answers");
    weir::manual_clock clock;
    std::vector<std::string> const known{"ACME", "WEIR"};
    int asked = 0;
    bool fails = false;
    auto const source = [&](question const&) -> weir::result<int> { // stands for a database
        ++asked;
        if (fails) return weir::errc::upstream_failed;
        return asked;
    };

    weir::load_limit loads{{.max_loads = 20, .max_wait = 100ms}};
    weir::pipeline quotes{
        weir::timed_by{std::ref(clock)},
        weir::cached{weir::store<std::string, int>{{.capacity = 1'000, .ttl = 30s, .jitter = 0.1, .negative_ttl = 5s, .keep_stale = 10min}},
                     weir::keyed_by(&question::symbol), weir::bloom_guard{known},     // penetration: made-up keys stop here
                     weir::hit_rate_alarm{{}, weir::tightens{std::ref(loads), 0.25}}, // avalanche: seen, and fewer loads while it lasts
                     weir::refresh_ahead{{.after = 0.8}},                             // a hot key: loaded anew before it expires
                     weir::stale_on_error{{.max_stale = 10min}}},                     // a source that fails: the old value is better
        std::ref(loads),                                                              // avalanche: so many loads at a time
        source};

    question const acme{"ACME"}, made_up{"XXXX"};
    sixteen.shows("the first call asks the source", quotes(acme).value() == 1 && asked == 1);
    sixteen.shows("penetration: what does not exist does not reach it", quotes(made_up).error() == weir::errc::not_found && asked == 1);

    clock.advance(26s);
    static_cast<void>(quotes(acme));
    sixteen.shows("a hot key: a value that is nearly old is loaded anew by one of those who ask", asked == 2);
    clock.advance(20s);
    sixteen.shows("so it is not old when the next one comes", quotes(acme).value() == 2 && asked == 2);

    fails = true;
    clock.advance(60s);
    auto const reply = quotes.call(acme);
    sixteen.shows("a source that fails: the value that was known", reply.result().value() == 2);
    sixteen.shows("and the reply says that it is out of date", reply.reported<weir::stale>().has_value());
    int const tries = asked;
    for (int i = 0; i < 100; ++i) static_cast<void>(quotes(acme));
    sixteen.shows("the source is left alone for a while", asked == tries);
    fails = false;
    clock.advance(10s);
    sixteen.shows("then it is tried again", quotes(acme).value() == asked);

    loads.tighten(0.25);
    sixteen.shows("an avalanche: fewer loads at a time, by hand or by the alarm", loads.stats().limit == 5);
    loads.loosen();

    // One request often asks for the same thing in several places: made once, for as long as the request's context lives.
    weir::pipeline prices{weir::request_cache{weir::keyed_by(&question::symbol), weir::keyed_by(&question::context)}, source};
    weir::request_context context;
    question const within{"ACME", &context};
    int const first = prices(within).value();
    sixteen.shows("the same call of one request is made once", prices(within).value() == first && prices(within).value() == first);

    // Look-ups of many callers in one load; here a call waits for nobody.
    std::vector<std::size_t> sizes;
    weir::pipeline joined{weir::batched{weir::keyed_by(&question::symbol), {.max_size = 100, .max_wait = 0ms}},
                          weir::in_bulk<std::string>{}, [&](std::vector<std::string> const& symbols) {
                              sizes.push_back(symbols.size());
                              return std::vector<weir::result<int>>(symbols.size(), 7);
                          }};
    sixteen.shows("the source gets the keys of many calls at once, and each call the answer of its own",
                  joined(acme).value() == 7 && sizes == std::vector<std::size_t>{1});
    return sixteen.exit_status();
}
