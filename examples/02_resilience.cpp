// SPDX-License-Identifier: BSL-1.0
// Lesson 2: a handler that fails, and what to do about it.
//
// The order is the meaning. A call goes down the list and its outcome comes back up: the breaker sees every attempt, the retry sees
// what the breaker lets out, and the fallback sees what is left in the end. Other orders do not compile: a fallback inside the retry, say,
// would hide the failure that the retry has to see.
#include "lesson.hpp"

#include <weir/core/pipeline.hpp>
#include <weir/resilience/circuit_breaker.hpp>
#include <weir/resilience/fallback.hpp>
#include <weir/resilience/retry.hpp>
#include <weir/testing/manual_clock.hpp>

#include <functional>
#include <stdexcept>

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
    return two.exit_status();
}
