// SPDX-License-Identifier: BSL-1.0
#include <weir/testing/schedule.hpp>

#include <weir/core/observed.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/limit/gcra.hpp>
#include <weir/limit/rate_limit.hpp>
#include <weir/resilience/circuit_breaker.hpp>
#include <weir/resilience/retry.hpp>

#include <doctest/doctest.h>

#include <functional>

using namespace std::chrono_literals;

TEST_CASE("schedule: one seed draws the same, and gives policies seeds that are not 0")
{
    weir::schedule a(9), b(9);
    for (int i = 0; i < 50; ++i) {
        auto const s = a.seed();
        CHECK(s != 0);
        CHECK(s == b.seed());
        CHECK(a.between(1ms, 9ms) == b.between(1ms, 9ms));
    }
}

TEST_CASE("schedule: the first expectation that does not hold is what it fails with")
{
    weir::schedule s;
    CHECK(s.expect(true, "one"));
    CHECK_FALSE(s.has_failed());
    CHECK_FALSE(s.expect(false, "two"));
    s.fail("three");
    CHECK(s.has_failed());
    CHECK(s.why() == "two");
}

TEST_CASE("schedule: a story is kept when it is asked for, with the time of its clock")
{
    weir::schedule s;
    s.tell("nobody", "hears this");
    s.keep_story();
    s.clock().advance(20ms);
    s.tell("call 1", "waits for ", weir::duration(5ms), ", number ", 3);
    CHECK(s.story().text() == "    0.020 000 000  call 1  waits for 5 ms, number 3\n");
}

TEST_CASE("schedule: an observer tells what its policies do with a call")
{
    weir::schedule s;
    s.keep_story();
    int failures = 2;
    auto const answer = [&](int q) -> weir::result<int> {
        if (failures-- > 0) return weir::errc::unavailable;
        return q;
    };
    weir::pipeline svc{weir::timed_by{std::ref(s.clock())}, weir::rate_limit{weir::gcra{{.permits = 1, .per = 1s}}},
                       weir::retry<2>{{.base = 1ns, .cap = 1ns}}, weir::circuit_breaker{{.minimum_calls = 2, .open_for = 1s}},
                       weir::idempotent{answer}};
    weir::observed first{svc, weir::story_of{s, "call 1"}};
    CHECK(first(7).has_error());
    weir::observed second{svc, weir::story_of{s, "call 2"}};
    CHECK(second(7).has_error());
    CHECK(s.story().text() == "    0.000 000 000  call 1  admitted by rate_limit\n"
                              "    0.000 000 000  call 1  admitted by retry\n"
                              "    0.000 000 000  call 1  admitted by circuit_breaker\n"
                              "    0.000 000 000  call 1  the handler begins\n"
                              "    0.000 000 000  call 1  the handler fails\n"
                              "    0.000 000 000  call 1  circuit_breaker hears of an error\n"
                              "    0.000 000 000  call 1  retry tries again in 0 ms\n"
                              "    0.000 000 000  call 1  admitted by circuit_breaker\n"
                              "    0.000 000 000  call 1  the handler begins\n"
                              "    0.000 000 000  call 1  the handler fails\n"
                              "    0.000 000 000  call 1  breaker closed to open: too_many_failures\n"
                              "    0.000 000 000  call 1  circuit_breaker hears of an error\n"
                              "    0.000 000 000  call 1  retry hears of an error\n"
                              "    0.000 000 000  call 1  rate_limit hears of an error\n"
                              "    0.000 000 000  call 1  ends with an error\n"
                              "    0.000 000 000  call 2  refused by rate_limit: rate_limited, retry after 1000 ms\n"
                              "    0.000 000 000  call 2  ends with an error\n");
}
