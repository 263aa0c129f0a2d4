// SPDX-License-Identifier: BSL-1.0
// Lesson 1: a limit on how often a handler is called.
//
// A pipeline is a list of policies with a handler at its end. A call goes through the policies one after the other; each may let it pass
// or refuse it. Here the only policy is a rate limit. Time stands still until the lesson moves it, so that nobody has to wait.
#include "lesson.hpp"

#include <weir/core/pipeline.hpp>
#include <weir/limit/gcra.hpp>
#include <weir/limit/keyed.hpp>
#include <weir/limit/rate_limit.hpp>
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
    return one.exit_status();
}
