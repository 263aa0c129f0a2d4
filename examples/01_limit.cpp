// SPDX-License-Identifier: BSL-1.0
// Lesson 1: a limit on how often a handler is called.
//
// A pipeline is a list of policies with a handler at its end. A call goes through the policies one after the other; each may let it pass
// or refuse it. Here the only policy is a rate limit. Time stands still until the lesson moves it, so that nobody has to wait.
#include "lesson.hpp"

#include <weir/core/pipeline.hpp>
#include <weir/limit/fixed_window.hpp>
#include <weir/limit/gcra.hpp>
#include <weir/limit/keyed.hpp>
#include <weir/limit/leaky_bucket.hpp>
#include <weir/limit/rate_limit.hpp>
#include <weir/limit/sliding_log.hpp>
#include <weir/limit/sliding_window.hpp>
#include <weir/limit/warm_up.hpp>
#include <weir/testing/manual_clock.hpp>

#include <functional>
#include <string>

using namespace std::chrono_literals;

namespace {

struct question {
    std::string customer;
    std::string symbol;
};

/// The handler: any callable that takes the request.
double price_of(question const&)
{
    return 41.5;
}

/// How many of ten calls just before a second ends and ten just after it a limiter lets pass.
template<weir::limiter Limiter>
int passing(Limiter limiter)
{
    int passed = 0;
    for (weir::time_point const t : {weir::time_point{9'950ms}, weir::time_point{10'050ms}})
        for (int i = 0; i < 10; ++i)
            if (limiter.try_acquire(t)) ++passed;
    return passed;
}

} // namespace

int main()
{
    lesson one("A limit: so many calls in so much time");
    weir::manual_clock clock;

    // Ten calls a second on average, and up to three of them at once. The rate has no default: whoever writes a limit has to choose it.
    weir::pipeline quotes{weir::timed_by{std::ref(clock)}, weir::rate_limit{weir::gcra{{.permits = 10, .per = 1s, .burst = 3}}}, price_of};

    question const acme{"ann", "ACME"};
    one.shows("the first three calls pass at once", quotes(acme) && quotes(acme) && quotes(acme));

    // What comes back is a result: a value, or an error that says why there is none.
    weir::result<double> const refused = quotes(acme);
    one.shows("the fourth is refused", refused.has_error() && refused.error() == weir::errc::rate_limited);
    one.shows("and told when to come back: in 100 ms", refused.error().retry_after() == 100ms);
    clock.advance(100ms);
    one.shows("100 ms later it passes", quotes(acme).value() == 41.5);

    // Policies count what they do, and their settings can be changed while the service runs.
    auto& limit = quotes.get<weir::rate_limit>();
    one.shows("the limit counted four calls and one refusal", limit.stats().admitted == 4 && limit.stats().refused == 1);
    limit.reconfigure({.permits = 1'000, .per = 1s});
    clock.advance(1s);
    one.shows("a new rate is in force at once", *limit.settings().permits == 1'000);

    // One limit for each customer. Whatever is kept by key has a bound: a stranger cannot fill the memory.
    weir::pipeline fair{
        weir::timed_by{std::ref(clock)},
        weir::rate_limit{weir::keyed{weir::gcra{{.permits = 1, .per = 1s}}, weir::keyed_by(&question::customer), {.capacity = 10'000}}},
        price_of};
    question const bobs{"bob", "ACME"};
    one.shows("Ann has had her call", fair(acme) && fair(acme).has_error());
    one.shows("and Bob still has his", fair(bobs).has_value());

    // Which algorithm? All of them mean ten calls a second. Ten calls come 50 ms before a second ends and ten more 50 ms after.
    // `gcra` (or `token_bucket`): a burst, then evenly; the usual choice. `exact_gcra` if the rate has to be exact, three a second, say.
    one.shows("gcra with a burst of 3 lets 3 pass, and one more 100 ms later",
              passing(weir::gcra{{.permits = 10, .per = 1s, .burst = 3}}) == 4);
    // `fixed_window`: what people expect of "ten calls a second", and what clients can work out. Around its end twice as many may pass.
    one.shows("a fixed window lets all 20 pass", passing(weir::fixed_window{{.permits = 10, .per = 1s}}) == 20);
    // `sliding_window`: as small, and no such burst; it estimates. `sliding_log`: exact, and keeps an instant for each permit.
    one.shows("a sliding window lets 10 pass", passing(weir::sliding_window{{.permits = 10, .per = 1s}}) == 10);
    one.shows("and so does a sliding log", passing(weir::sliding_log{{.permits = 10, .per = 1s}}) == 10);
    // `leaky_bucket`: no bursts at all; with `throttle` the calls wait for their turn. `warm_up`: the same, and slower after a rest.
    one.shows("a leaky bucket lets one pass at a time", passing(weir::leaky_bucket{{.permits = 10, .per = 1s, .queue = 5}}) == 2);
    one.shows("and while it is cold, warm_up lets them pass at longer intervals",
              passing(weir::warm_up{{.permits = 10, .per = 1s, .warm_up = 5s}}) == 1);
    return one.exit_status();
}
