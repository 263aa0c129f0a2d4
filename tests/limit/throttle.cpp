// SPDX-License-Identifier: BSL-1.0
#include <weir/limit/throttle.hpp>

#include <weir/core/describe.hpp>
#include <weir/core/directives.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/limit/gcra.hpp>
#include <weir/limit/keyed.hpp>
#include <weir/testing/manual_clock.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <stdexcept>

namespace {

using namespace std::chrono_literals;

int same(int x)
{
    return x;
}

} // namespace

TEST_CASE("throttle: a call that comes too soon waits for its turn")
{
    weir::manual_clock clock;
    weir::time_point const start = clock.now();
    weir::pipeline svc{weir::timed_by{std::ref(clock)}, weir::throttle{weir::gcra{{.permits = 10, .per = 1s, .burst = 1}}, 1s}, same};
    for (int i = 0; i < 5; ++i) {
        CHECK(svc(i).value() == i);
        CHECK(clock.now() == start + i * 100ms);
    }
    auto const stats = svc.get<weir::throttle>().stats();
    CHECK(stats.at_once == 1);
    CHECK(stats.delayed == 4);
    CHECK(stats.refused == 0);
}

TEST_CASE("throttle: who would have to wait too long is refused at once")
{
    weir::manual_clock clock;
    weir::time_point const start = clock.now();
    weir::gcra limiter{{.permits = 1, .per = 1s, .burst = 1}};
    weir::pipeline svc{weir::timed_by{std::ref(clock)}, weir::throttle{std::move(limiter), 999ms}, same};
    CHECK(svc(1).has_value());
    weir::error const e = svc(2).error();
    CHECK(e == weir::errc::rate_limited);
    CHECK(e.policy() == 1);
    CHECK(e.retry_after() == 1ms); // then it would wait 999 ms
    CHECK(clock.now() == start);
    clock.advance(1ms);
    CHECK(svc(2).has_value());
    CHECK(clock.now() == start + 1s);
    CHECK(svc.get<weir::throttle>().stats().refused == 1);
}

TEST_CASE("throttle: without a time to wait it is a rate limit")
{
    weir::manual_clock clock;
    weir::pipeline svc{weir::timed_by{std::ref(clock)}, weir::throttle{weir::gcra{{.permits = 1, .per = 1s, .burst = 2}}, 0s}, same};
    CHECK(svc(1).has_value());
    CHECK(svc(1).has_value());
    CHECK(svc(1).error().retry_after() == 1s);
}

TEST_CASE("throttle: a turn a key")
{
    weir::manual_clock clock;
    weir::time_point const start = clock.now();
    auto const key = weir::keyed_by<int>([](int x) { return x; });
    weir::pipeline svc{weir::timed_by{std::ref(clock)},
                       weir::throttle{weir::keyed{weir::gcra{{.permits = 1, .per = 1s}}, key, {.capacity = 10}}, 1min}, same};
    for (int i = 0; i < 5; ++i) CHECK(svc(i).has_value());
    CHECK(clock.now() == start);
    CHECK(svc(3).has_value());
    CHECK(clock.now() == start + 1s);
}

TEST_CASE("throttle: a call waits as long as what it costs, and a refusal tells where the limit stands")
{
    weir::manual_clock clock;
    weir::time_point const start = clock.now();
    weir::pipeline svc{
        weir::timed_by{std::ref(clock)},
        weir::throttle{weir::named<"disk">(weir::gcra{{.permits = 10, .per = 1s, .burst = 5}}), 1s, weir::cost_of{[](int x) { return x; }}},
        same};
    CHECK(svc(5).has_value());
    CHECK(svc(5).has_value());
    CHECK(clock.now() == start + 500ms);
    CHECK(svc(6).error().retry_after() == weir::duration::max());
    svc.get<weir::throttle>().max_wait(100ms);
    auto const refused = svc.call(3);
    CHECK(refused.result().error().retry_after() == 200ms);
    REQUIRE(refused.reported<weir::limit_facts>());
    CHECK(refused.reported<weir::limit_facts>()->all()[0].name == "disk");
    CHECK(refused.reported<weir::limit_facts>()->all()[0].state.until_more == 100ms);
}

TEST_CASE("throttle: reconfigured while it runs")
{
    weir::manual_clock clock;
    weir::pipeline svc{weir::timed_by{std::ref(clock)}, weir::throttle{weir::gcra{{.permits = 1, .per = 1s, .burst = 1}}, 10s}, same};
    auto& throttle = svc.get<weir::throttle>();
    CHECK(svc(1).has_value());
    throttle.max_wait(0s);
    CHECK(svc(1).error() == weir::errc::rate_limited);
    throttle.reconfigure({.permits = 4, .per = 1s, .burst = 1});
    throttle.max_wait(1s);
    weir::time_point const before = clock.now();
    CHECK(svc(1).has_value());
    CHECK(clock.now() <= before + 251ms);
    CHECK_THROWS_WITH_AS(throttle.max_wait(-1s), "throttle.max_wait: expected 0 or more", std::invalid_argument);
    CHECK(throttle.max_wait() == 1s);
    CHECK(weir::describe(svc).text() == "directive timed_by\nloop throttle permits=4 per=1s burst=1 max_wait=1s\n");
}
