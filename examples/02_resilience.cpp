// SPDX-License-Identifier: BSL-1.0
// Lesson 2: a handler that fails, and what to do about it.
//
// The order is the meaning. A call goes down the list and its outcome comes back up: the breaker sees every attempt, the retry sees
// what the breaker lets out, and the fallback sees what is left in the end. Other orders do not compile: a fallback inside the retry, say,
// would hide the failure that the retry has to see.
#include "lesson.hpp"

#include <weir/core/key.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/resilience/adaptive_throttle.hpp>
#include <weir/resilience/circuit_breaker.hpp>
#include <weir/resilience/fallback.hpp>
#include <weir/resilience/keyed_breaker.hpp>
#include <weir/resilience/retry.hpp>
#include <weir/testing/manual_clock.hpp>

#include <functional>
#include <stdexcept>
#include <string>

using namespace std::chrono_literals;

int main()
{
    lesson two("A breaker, a retry and a fallback around a handler that fails");
    weir::manual_clock clock; // who sleeps on it moves it on, so that backing off takes no time

    int asked = 0;
    int failures_to_come = 0;
    auto const price_of = [&](int symbol) {
        ++asked;
        if (failures_to_come > 0 && failures_to_come-- > 0) throw std::runtime_error("no connection"); // an exception is an outcome, too
        return symbol * 10;
    };
    using breaker = weir::circuit_breaker<>;
    weir::pipeline quotes{weir::timed_by{std::ref(clock)}, weir::fallback{-1}, // the last known price, say
                          weir::retry<3>{{.base = 10ms, .cap = 100ms}},        // three attempts at most: a number in the type
                          weir::circuit_breaker{{.failure_rate = 0.5, .minimum_calls = 6, .open_for = 5s, .probes = 1}},
                          weir::idempotent{price_of}}; // "it may run twice": without this word a retry around it does not compile

    two.shows("what works is not touched: one attempt", quotes(7).value() == 70 && asked == 1);

    failures_to_come = 2;
    asked = 0;
    two.shows("two failures, and the third attempt answers", quotes(7).value() == 70 && asked == 3);

    // A reply is the result and what the policies have to tell of the call.
    failures_to_come = 1'000;
    asked = 0;
    auto const reply = quotes.call(7);
    two.shows("when all attempts fail the fallback answers", reply.result().value() == -1);
    two.shows("and the reply says that it is less than a price", reply.reported<weir::degraded>().has_value());

    // By now most calls have failed: the breaker has opened, and keeps calls away from a handler in trouble.
    two.shows("the breaker is open", quotes.get<breaker>().stats(clock.now()).now == breaker::state::open);
    asked = 0;
    two.shows("so the next call is answered without asking the handler", quotes(7).value() == -1 && asked == 0);

    failures_to_come = 0; // it has recovered; after five seconds the breaker lets a probe through
    clock.advance(5s);
    two.shows("the probe succeeds", quotes(7).value() == 70);
    two.shows("and the breaker is closed again", quotes.get<breaker>().stats(clock.now()).now == breaker::state::closed);

    // How a breaker judges is a type, chosen by its options: here by failures in a row. A listener hears of each change once, in order.
    weir::circuit_breaker strict{
        weir::row_breaker_options{.failures = 2, .open_for = 1s, .max_open_for = 30s, .probes = 1, .name = "strict"}};
    std::string heard;
    strict.listen([&](weir::breaker_transition const& t) { heard += std::string(to_string(t.to)) + " "; });
    weir::pipeline guarded{weir::timed_by{std::ref(clock)}, std::ref(strict), price_of};
    auto const ask = [&](int times) {
        for (int i = 0; i < times; ++i) try {
                static_cast<void>(guarded(7));
            } catch (std::runtime_error const&) { // nobody answers for it here, so the handler's exception comes out
            }
    };
    failures_to_come = 3;
    ask(3);
    clock.advance(1s);
    ask(2); // the probe fails, too: the next one comes after two seconds
    two.shows("while probes fail, the time until the next one doubles", guarded(7).error().retry_after() == 2s);
    clock.advance(2s);
    two.shows("a listener has heard of each change", guarded(7).value() == 70 && heard == "open half_open open half_open closed ");
    strict.force_open(clock.now());
    two.shows("by hand: nobody gets through", guarded(7).error() == weir::errc::circuit_open);
    strict.reset(clock.now());
    two.shows("until it is told otherwise", guarded(7).value() == 70);

    // A breaker a key: one bad host does not keep the others away. So many keys at most; an open one is not forgotten.
    weir::pipeline hosts{weir::timed_by{std::ref(clock)},
                         weir::keyed_breaker{weir::row_breaker_options{.failures = 1},
                                             weir::keyed_by<std::string>([](std::string const& host) -> auto const& { return host; }),
                                             {.capacity = 1'000}},
                         [](std::string const& host) -> weir::result<int> {
                             if (host == "bad.example") return weir::errc::upstream_failed;
                             return 1;
                         }};
    std::string const bad = "bad.example", good = "good.example";
    static_cast<void>(hosts(bad));
    two.shows("the bad host is kept away", hosts(bad).error() == weir::errc::circuit_open);
    two.shows("and the good one is not", hosts(good).has_value());

    // No cliff: the more calls fail, the more are shed, by chance; about twice as many go out as are answered.
    int served = 0;
    weir::pipeline gentle{weir::timed_by{std::ref(clock)}, weir::adaptive_throttle{{.k = 2, .window = 10s, .seed = 1}},
                          [&](int n) -> weir::result<int> {
                              ++served;
                              if (n % 2 != 0) return weir::errc::overloaded;
                              return n;
                          }};
    for (int n = 0; n < 1'000; ++n) static_cast<void>(gentle(n));
    two.shows("a service that answers half of its calls is asked nearly all", served > 900);
    served = 0;
    for (int n = 1; n < 10'000; n += 2) static_cast<void>(gentle(n));
    two.shows("one that answers none is asked less and less", served < 2'500);
    return two.exit_status();
}
